"""A run of many curves: one line an iteration, whose rms is that of all; all curves when asked for."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.inverse.states_case import make_states
from tests.report.runs import make_run
from votca_mlp.cli.app import app
from votca_mlp.report.curves import iteration_lines, unfitted_states, worst_curve
from votca_mlp.report.summary import summarise_run
from votca_mlp.tables import make_table, read_table, write_table

CURVES = [("cold", "A-A"), ("cold", "A-B"), ("hot", "A-A"), ("hot", "A-B")]
STEPS = (1, 2)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two steps of two states with two interactions; hot's g(r) of A-B is furthest off, of A-A agrees."""
    main = tmp_path / "run"
    for state, name in CURVES:
        made = make_run(tmp_path / "made" / state / name, len(STEPS), name=name)
        for number in STEPS:
            step, own = made / f"step_{number:03d}", main / f"step_{number:03d}" / state
            shutil.copytree(step, own, dirs_exist_ok=True)
            table = read_table(step / f"{name}.dist.new")
            factor = {("hot", "A-B"): 1.1, ("cold", "A-B"): 1.05}.get((state, name), 1.0)
            g, target = factor * table.y, read_table(step / f"{name}.dist.tgt").y
            if (state, name) == ("hot", "A-A"):
                g = target + 0.02 * (g - target)
            write_table(own / f"{name}.dist.new", make_table(table.x, g, yerr=table.yerr))
            if (own / f"{name}.pot.new").is_file():
                (own / f"{name}.pot.new").rename(own.parent / f"{name}.pot.new")
    return main


def rms(run: Path, number: int, curves: list[tuple[str, str]]) -> float:
    """Return the root mean square of g - target over all points of some curves, 2 to 10 Angstrom, by hand."""
    differences = []
    for state, name in curves:
        tables = [run / f"step_{number:03d}/{state}/{name}.dist.{end}" for end in ("new", "tgt")]
        (r, g), (_, target) = (np.loadtxt(path, usecols=(0, 1), unpack=True) for path in tables)
        differences.append((g - target)[(r > 0.1999) & (r < 1.0001)])
    return float(np.sqrt(np.mean(np.concatenate(differences) ** 2)))


def shown(run: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["status", str(run), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_one_line_an_iteration(run: Path) -> None:
    heading, *rows = shown(run).splitlines()[:3]
    assert re.split(r"  +", heading.strip()) == ["step", "rms", "worst", "its rms", "its chi2", "du [meV]"]
    for number, row in zip(STEPS, rows, strict=True):
        cells = re.split(r"  +", row.strip())
        assert cells[:4] == [
            str(number), f"{rms(run, number, CURVES):.4f}", "hot, A-B",
            f"{rms(run, number, CURVES[3:]):.4f}",
        ]  # fmt: skip


@pytest.mark.parametrize(("width", "parts"), [(80, 2), (200, 1)])
def test_one_state_of_many_interactions(
    tmp_path: Path, width: int, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The density is that of all curves, and stands in each line; what is too wide follows below."""
    monkeypatch.setenv("COLUMNS", str(width))
    for name in ("A-A", "A-B", "B-B", "B-C"):
        make_run(tmp_path, 2, name=name)
    lines = shown(tmp_path).splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.startswith("step  ") for line in lines) == parts
    assert sum("2352.1(22)" in line for line in lines) == 1
    assert "--state" not in " ".join(lines)


def test_the_words_are_about_the_worst(run: Path) -> None:
    few, every = shown(run), shown(run, "--all")
    assert "--all shows every curve" in " ".join(few.split())
    assert "hot, A-B, step 2: g(r)" in few
    # of the others in one line, and only where they do not agree
    assert "u(r) of this g(r): step_002/hot/A-B.pot.cur" in few
    assert few.count("u(r) of this g(r)") == 1
    for state, name in CURVES[:3]:
        said = f"{state}, {name}, step 2: g(r) does not agree"
        assert (said in few) == (said in every)
        assert f"{state}, {name}, step 2: g(r) agrees" not in few
    assert "cold, A-B, step 2: g(r) does not agree" in few
    assert "hot, A-A, step 2: g(r) agrees" in every
    assert "first iteration" not in few
    # the density of each state all the same
    assert all(f"{state}: density 2349.1" in few for state in ("cold", "hot"))
    for state, name in CURVES:
        assert f"{state}, {name}, step 2: g(r)" in every
        assert f"{state}, {name}: first iteration" in every
    assert len(few.splitlines()) < 20 < 60 < len(every.splitlines())


def test_one_state(run: Path) -> None:
    """Two curves: each is shown by itself, and those of the other are not."""
    hot = shown(run, "--state", "hot")
    assert "hot, A-A: first iteration" in hot
    assert "cold" not in hot
    found = CliRunner().invoke(app, ["status", str(run), "--state", "warm"]).exception
    assert "no state 'warm'" in str(found)
    assert "--state cold or hot" in str(found)
    only = make_run(run.parent / "one", 2)
    found = CliRunner().invoke(app, ["status", str(only), "--state", "hot"]).exception
    assert "no --state: the run has one state" in str(found)


def test_json_has_all_curves(run: Path) -> None:
    found = json.loads(shown(run, "--json"))
    assert [(row["state"], row["interaction"]) for row in found["iterations"]] == 2 * CURVES
    assert sum("step 2: g(r)" in line for line in found["verdict"]) == 4
    hot = json.loads(shown(run, "--json", "--state", "hot"))
    assert hot["iterations"] == [row for row in found["iterations"] if row["state"] == "hot"]
    assert hot["verdict"] == [line for line in found["verdict"] if "cold" not in line][-len(hot["verdict"]) :]


def test_a_state_of_weight_0_is_not_judged(run: Path, tmp_path: Path) -> None:
    summaries = summarise_run(run)
    line = iteration_lines(summaries, ["hot"])[2]
    assert re.split(r"  +", line.strip())[1:3] == [f"{rms(run, 2, CURVES[:2]):.4f}", "cold, A-B"]
    assert worst_curve(summaries, ["hot"]) == ("cold", "A-B")
    assert worst_curve(summaries) == ("hot", "A-B")
    assert unfitted_states(run) == []
    case = make_states(tmp_path / "case", multistate="<state_weights>1 0</state_weights>")
    assert unfitted_states(case) == ["hot"]


def test_no_rms_before_all_curves_are_there(run: Path) -> None:
    (run / "step_002/hot/A-B.dist.new").unlink()
    (run / "step_002/hot/thermo.dat").write_text("# step time[fs]\n50 1234.5 310 production\n")
    lines = iteration_lines(summarise_run(run))
    assert re.split(r"  +", lines[2].strip())[:3] == ["2", "hot 1.23 ps", "-"]
    assert worst_curve(summarise_run(run)) == ("hot", "A-B")
