"""`votca-mlp predict` against a simulation that was made with the potential."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.csg.case import VOTCA_MLP, edit, make_case, start_program
from tests.inverse.case import ours
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.predict import predict
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table, write_table


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three iterations of a small liquid, not to be changed."""
    main = make_case(tmp_path_factory.mktemp("predict") / "main", iterations=3, production=4000)
    edit(main / "settings.xml", {"<alpha>0.5": "<alpha>0.05"})
    status, output = ours(main)
    assert status == 0, output
    return main


def test_a_simulation_that_was_made(run: Path) -> None:
    """From steps 1 and 2, for the potential of step 3: nearer to what step 3 found than step 1 is."""
    plan = plan_of(load_settings(run / "settings.xml"))
    wanted = read_table(run / "step_003/Ar-Ar.pot.cur")
    (found,) = predict(plan, {"Ar-Ar": wanted}, [1, 2])
    assert found.frames == sum(predict(plan, {}, [n])[0].frames for n in (1, 2))
    assert found.samples > 10
    third = read_table(run / "step_003/Ar-Ar.dist.new").y
    rdf = found.rdfs["Ar-Ar"]
    assert rdf.yerr is not None
    noise = float(np.sqrt(np.mean(rdf.yerr**2)))
    off = float(np.sqrt(np.mean((rdf.y - third) ** 2)))
    assert off < 3 * noise + 0.05
    # with its own frames, and nothing else, it is what it was
    (same,) = predict(plan, {}, [3])
    assert same.rdfs["Ar-Ar"].y == pytest.approx(third, abs=1e-5)
    assert same.samples == pytest.approx(same.frames)


def test_the_command(run: Path, tmp_path: Path) -> None:
    process = start_program(run, VOTCA_MLP, "predict", "--out", str(tmp_path))
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "u(r): step_003/Ar-Ar.pot.new" in output
    assert "Ar-Ar: g - target" in output
    assert re.search(r"density [0-9.]+ \+- 0 kg/m3\nworth \d", output)
    assert len(read_table(tmp_path / "Ar-Ar.dist.new").x) == 81


def test_a_potential_too_far_away(run: Path, tmp_path: Path) -> None:
    """A well of 0.1 eV is worth a frame or two: the numbers before mean nothing, which is said."""
    table = read_table(run / "step_003/Ar-Ar.pot.cur")
    well = 10.0 * np.exp(-(((table.x - 0.5) / 0.05) ** 2))
    write_table(tmp_path / "far.pot", replace(table, y=table.y - well))
    words = ["predict", str(run), "--pot", f"Ar-Ar={tmp_path / 'far.pot'}"]
    output = CliRunner().invoke(app, words, catch_exceptions=False).output
    assert re.search(r"worth \d\S* of \d+ frames: too few to rely on", output)
    near = CliRunner().invoke(app, ["predict", str(run)], catch_exceptions=False).output
    assert "too few" not in near


def test_what_cannot_be_put_together(run: Path, tmp_path: Path) -> None:
    main = tmp_path / "main"
    shutil.copytree(run, main)
    plan = plan_of(load_settings(main / "settings.xml"))
    with pytest.raises(UserError, match="step 7 has no values by frame"):
        predict(plan, {}, [7])
    facts = main / "step_001/md_step.json"
    text = facts.read_text()
    assert '"temperature": 120.0' in text
    facts.write_text(text.replace('"temperature": 120.0', '"temperature": 130.0'))
    with pytest.raises(UserError, match=r"temperature was 130\.0 in step 1, and 120\.0 later"):
        predict(plan, {})
    assert predict(plan, {}, [2, 3])[0].frames > 0
