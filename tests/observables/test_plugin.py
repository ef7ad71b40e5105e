"""An observable of another package: one file, measured in every step of both loops."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import csg_call, inverse, make_case, needs_votca
from tests.inverse.case import ours
from votca_mlp.engines.ase.trajectory import dump_frame
from votca_mlp.inverse.tables.printing import VOTCA_DIGITS, as_printed
from votca_mlp.observables.store import read_observables
from votca_mlp.tables import read_table

TOY = '''
"""Mean distance of the atoms from the first one, unfolded, Angstrom."""

import numpy as np

from votca_mlp.observables.protocol import Observable


def spread(frame, recorded):
    return float(np.linalg.norm(frame.positions - frame.positions[0], axis=1).mean())


OBSERVABLE = Observable(unit="A", meaning="Mean distance from the first atom.", per_frame=spread)
'''


def install(folder: Path) -> None:
    """Write the toy and what an installed package leaves beside it."""
    (folder / "toy-1.0.dist-info").mkdir(parents=True)
    (folder / "toy_observable.py").write_text(TOY)
    (folder / "toy-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    (folder / "toy-1.0.dist-info/entry_points.txt").write_text(
        "[votca_mlp.observables]\nspread = toy_observable:OBSERVABLE\n"
    )


@pytest.mark.parametrize("loop", ["csg_inverse", "ours"])
def test_a_toy_is_measured_in_both_loops(loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its values are kept in the step; so are pair histograms whose g(r) is that of dist.new."""
    install(tmp_path / "site")
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    main = make_case(tmp_path / "case", production=400)
    if loop == "csg_inverse":
        needs_votca()
    status, output = (inverse if loop == "csg_inverse" else ours)(main)
    assert status == 0, output
    found = read_observables(main / "step_001")
    assert found.n_frames == 10
    assert found.series["spread"].unit == "A"
    assert found.series["spread"].values.shape == (10,)
    assert 5.0 < found.series["spread"].mean() < 20.0
    g = found.histogram(("Ar", "Ar")).g(("Ar", "Ar"))
    assert np.array_equal(as_printed(g, VOTCA_DIGITS), read_table(main / "step_001/Ar-Ar.dist.new").y)
    assert len({"potential", "pressure", "density", "volume"} & set(found.series)) == 4


def test_one_that_fails_stops_csg_inverse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured while csg_stat runs; its message reaches the user."""
    needs_votca()
    install(tmp_path / "site")
    (tmp_path / "site/toy_observable.py").write_text(TOY.replace("frame.positions[0]", "recorded['no such']"))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    )
    case = make_case(tmp_path / "case")
    positions = np.random.default_rng(0).uniform(0.0, 17.1, (108, 3))
    frame = dump_frame(0, 0.0, ["Ar"] * 108, positions, np.full(3, 17.1))
    (case / "traj.dump").write_text(frame)
    words = ("--ia-type", "non-bonded", "--ia-name", "Ar-Ar", "rdf", "ase")
    status, output = csg_call(case, *words)
    assert status != 0
    assert "the observable spread failed: KeyError: 'no such'" in output
    (tmp_path / "site/toy_observable.py").write_text(TOY)
    status, output = csg_call(case, *words)
    assert status == 0, output
    assert read_observables(case).series["spread"].values.shape == (1,)
