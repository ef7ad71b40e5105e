"""Status, outcome and picture of a run of several states."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.csg.case import edit
from tests.inverse.states_case import make_states
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.inverse.start import run_inverse
from votca_mlp.report.outcome import outcome_lines
from votca_mlp.report.plot import plot_run
from votca_mlp.report.states import state_lines
from votca_mlp.report.status import status_lines
from votca_mlp.report.summary import summarise_run
from votca_mlp.runs.reading import interaction_names, read_run, read_runs, state_names
from votca_mlp.tables import read_table

ERRORS = "<rdf><with_errors>yes</with_errors><block_length>2</block_length></rdf>"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two iterations of two states with errors of g(r)."""
    main = make_states(tmp_path_factory.mktemp("report") / "run", iterations=2, production=320)
    edit(main / "settings.xml", {"<ase>": f"<ase>{ERRORS}"})
    run_inverse(main / "settings.xml")
    return main


def test_one_row_a_state(run: Path) -> None:
    summaries = summarise_run(run)
    assert [(s.step, s.state) for s in summaries] == [(1, "cold"), (1, "hot"), (2, "cold"), (2, "hot")]
    assert summaries[0].agreement.target_peak.height > summaries[1].agreement.target_peak.height
    # the update is shared, the temperature is not
    assert summaries[0].change > 0
    assert summaries[0].simulation.temperature.mean < summaries[1].simulation.temperature.mean
    lines = status_lines(summaries)
    assert "state" in lines[0]
    assert [line.split()[1] for line in lines[1:]] == ["cold", "hot", "cold", "hot"]
    text = "\n".join(outcome_lines(run))
    assert "cold, Ar-Ar: first iteration (the model alone) against last" in text
    assert "hot, Ar-Ar: first" in text


def test_the_states_own_tables(run: Path) -> None:
    assert interaction_names(run) == ["Ar-Ar"]
    assert state_names(run, "Ar-Ar") == ["cold", "hot"]
    cold, hot = read_runs(run)
    assert (cold.state, hot.state) == ("cold", "hot")
    wanted = read_table(run / "step_002/hot/Ar-Ar.dist.new").y
    assert hot.steps[1].distribution.y == pytest.approx(wanted)
    assert hot.steps[1].after.y == pytest.approx(read_table(run / "step_002/Ar-Ar.pot.new").y)
    assert read_run(run, "Ar-Ar", "cold").target.y.max() == pytest.approx(cold.target.y.max())


def test_what_the_states_say_together(run: Path, tmp_path: Path) -> None:
    (line,) = state_lines(run)
    assert line.startswith("step 2, Ar-Ar, all states: shared part ")
    # a misfit that cancels: g of one state above, of the other below its target
    main = Path(shutil.copytree(run, tmp_path / "case"))
    for state, factor in (("cold", 1.1), ("hot", 1 / 1.1)):
        table = read_table(main / f"step_002/{state}/Ar-Ar.dist.tgt")
        rows = zip(table.x, table.y, strict=True)
        kBT = {"cold": 100.0, "hot": 140.0}[state]
        lines = []
        for r, g in rows:
            # equal and opposite kB T w ln(g/g*), with w = g*
            change = factor ** (120.0 / kBT / max(g, 1e-3))
            lines.append(f"{r} {g * change if g > 0.3 else 0.0} 0.02 i\n")
        (main / f"step_002/{state}/Ar-Ar.dist.new").write_text("".join(lines))
    found = state_lines(main)
    assert found[-1].startswith("CONFLICT: no single u(r) fits all states"), found


def test_a_rule_that_solves_for_all_states_at_once(run: Path, tmp_path: Path) -> None:
    """One u(r) of two states: not said to have as many terms as states."""
    main = Path(shutil.copytree(run, tmp_path / "case"))
    edit(main / "settings.xml", {"<method>ibi</method>": "<method>imc</method>"})
    assert state_lines(main) == []


def test_terms_in_temperature(tmp_path: Path) -> None:
    main = make_states(tmp_path / "case", multistate="<temperature_terms>2</temperature_terms>", iterations=2)
    run_inverse(main / "settings.xml")
    assert interaction_names(main) == ["Ar-Ar"]
    cold, hot = read_runs(main)
    assert cold.steps[0].after.y == pytest.approx(read_table(main / "step_002/cold/Ar-Ar.pot.cur").y)
    assert cold.steps[0].after.y[40] != hot.steps[0].after.y[40]
    # not formed yet
    assert cold.steps[1].after is None
    assert "as many terms as states" in state_lines(main)[0]


def test_mid_run(run: Path, tmp_path: Path) -> None:
    main = Path(shutil.copytree(run, tmp_path / "case"))
    for name in ("done", "Ar-Ar.pot.new", "hot/Ar-Ar.dist.new", "cold/Ar-Ar.dist.new", "hot/md_step.json"):
        (main / "step_002" / name).unlink()
    for name in ("thermo.dat", "traj.dump"):
        (main / "step_002/hot" / name).unlink()
    lines = status_lines(summarise_run(main))
    assert " ps" in lines[3]
    assert "waiting" in lines[4]
    assert state_lines(main)[0].startswith("step 1, ")


def test_states_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("T1323", "T943", "T1023"):
        (tmp_path / "step_001" / name).mkdir(parents=True)
        (tmp_path / "step_001" / name / "Al-Al.dist.new").write_text("0 1 i\n")
    assert state_names(tmp_path, "Al-Al") == ["T943", "T1023", "T1323"]


def test_commands(run: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["status", str(run)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "all states: shared part" in result.output
    picture = tmp_path / "run.png"
    result = CliRunner().invoke(app, ["plot", str(run), "-o", str(picture)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    figure = plot_run(run)
    assert [part.get_suptitle() for part in figure.subfigs] == ["state cold", "state hot"]
    assert all(len(part.axes) == 4 for part in figure.subfigs)


def test_a_picture_of_one_state(run: Path) -> None:
    assert len(plot_run(run, state="hot").axes) == 4
    with pytest.raises(UserError, match="--state cold or hot"):
        plot_run(run, state="warm")


def test_what_a_simulation_has_stands_once(run: Path) -> None:
    """Its density and temperature are not those of an interaction: they stood below each other, equal."""
    summaries = summarise_run(run)
    both = [replace(summary, interaction=name) for summary in summaries for name in ("Ar-Ar", "Ar-Kr")]
    text = "\n".join(status_lines(both, width=80))
    first, *_, last = ([line.split() for line in part.splitlines()] for part in text.split("\n\n"))
    assert [row[:3] for row in first[1:3]] == [["1", "cold", "Ar-Ar"], ["1", "cold", "Ar-Kr"]]
    assert "T" in last[0]
    assert [row[:2] for row in last[1:]] == [["1", "cold"], ["1", "hot"], ["2", "cold"], ["2", "hot"]]
