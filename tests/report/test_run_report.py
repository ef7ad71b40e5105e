"""Summary, status and picture of a run against numbers worked out from its files."""

import json

import numpy as np
import pytest

from tests.report.runs import GRID, change_mev, liquid_target, make_run
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.report.outcome import outcome_lines
from votca_mlp.report.plot import plot_run
from votca_mlp.report.simulation import read_simulation
from votca_mlp.report.status import status_lines, with_error
from votca_mlp.report.summary import summarise_run
from votca_mlp.runs.reading import read_run
from votca_mlp.tables import make_table, write_table


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", 4)


def test_summary_is_what_the_files_say(run):
    summaries = summarise_run(run)
    assert [s.step for s in summaries] == [1, 2, 3, 4]
    r = 10 * liquid_target().x
    for s in summaries:
        g, error = np.loadtxt(run / f"step_{s.step:03d}" / "Al-Al.dist.new", usecols=(1, 2)).T
        difference = (g - liquid_target().y)[r >= 2.0]
        assert s.agreement.rms == pytest.approx(np.sqrt(np.mean(difference**2)))
        known = error[r >= 2.0] > 0
        expected = np.mean(difference[known] ** 2 / error[r >= 2.0][known] ** 2)
        assert s.agreement.chi2 == pytest.approx(expected)
        assert s.agreement.target_peak.height == pytest.approx(2.633, abs=6e-4)
        assert s.simulation.density == Estimate(2355.1 - 3 * s.step, 2.21)
        assert s.simulation.steps_per_second == 61.25
        if s.step < 4:
            assert 1000 * s.change == pytest.approx(change_mev(run, s.step), rel=1e-9)
    assert summaries[-1].change is None
    assert summaries[0].agreement.rms > 3 * summaries[-1].agreement.rms


def test_a_running_step_and_broken_side_files(run):
    step = run / "step_005"
    step.mkdir()
    (step / "thermo.dat").write_text("# step time[fs]\n0 0 300 production\n50 1234.5 310 production\n100 2")
    (run / "step_002" / "md_step.json").write_text("{cut")
    (run / "step_003" / "md_step.json").write_text(json.dumps({"production": {"temperature[K]": "hot"}}))
    summaries = summarise_run(run)
    assert summaries[4].agreement is None
    assert summaries[4].simulation.time == 1234.5
    assert summaries[1].simulation.temperature is None
    assert summaries[2].simulation.temperature is None
    lines = status_lines(summaries)
    assert len(lines) == 6
    assert len({len(line) for line in lines}) == 1
    assert "1.23 ps" in lines[5]


@pytest.mark.parametrize("name", ["thermo.dat", "md_step.json", "traj.dump.part", "md.log"])
def test_a_simulation_that_has_begun(tmp_path, name):
    (tmp_path / "topol.xml").touch()
    assert not read_simulation(tmp_path, finished=False).begun
    assert read_simulation(tmp_path, finished=True).begun
    (tmp_path / name).touch()
    assert read_simulation(tmp_path, finished=False).begun


def test_status_leaves_out_what_nothing_is_known_of(tmp_path):
    run = make_run(tmp_path, 2, errors=False)
    for number in (1, 2):
        (run / f"step_00{number}" / "md_step.json").unlink()
    heading = status_lines(summarise_run(run))[0]
    assert "rms" in heading
    for absent in ("chi2", "density", "T [K]", "steps/s"):
        assert absent not in heading


def test_numbers_with_errors():
    assert with_error(Estimate(1022.71, 1.4), 1) == "1022.7(14)"
    assert with_error(Estimate(2.6334, 0.0182), 3) == "2.633(18)"
    assert with_error(Estimate(-120.4, 61.2), 0) == "-120(61)"
    assert with_error(Estimate(5.0, float("nan")), 1) == "5.0"
    assert with_error(Estimate(1432.8, 0.0), 1) == "1432.8"
    assert with_error(Estimate(2219.1, 3e-13), 1) == "2219.1"
    assert with_error(None, 1) == "-"


def test_outcome_names_first_last_and_target(run):
    text = "\n".join(outcome_lines(run))
    assert "iteration 1" in text
    assert "iteration 4" in text
    first, last = (summarise_run(run)[k].agreement for k in (0, -1))
    assert with_error(Estimate(first.peak.height, first.peak.height_error), 3) in text
    assert with_error(Estimate(last.rms, last.rms_error), 4) in text
    assert "2.633" in text
    assert "2352.1(22)" in text
    assert "the model alone" in text
    write_table(run / "step_001" / "Al-Al.pot.cur", make_table(GRID, 0.1 - 0.1 * GRID))
    assert "the model alone" not in "\n".join(outcome_lines(run))


def test_two_interactions_are_chosen_by_name(tmp_path):
    run = make_run(tmp_path, 2)
    make_run(tmp_path, 2, name="Al-Cu")
    assert [(s.step, s.interaction) for s in summarise_run(run)] == [
        (1, "Al-Al"),
        (1, "Al-Cu"),
        (2, "Al-Al"),
        (2, "Al-Cu"),
    ]
    assert read_run(run, "Al-Cu").name == "Al-Cu"
    with pytest.raises(UserError, match="2 interactions"):
        plot_run(run)
    with pytest.raises(UserError, match="no interaction 'Cu'"):
        plot_run(run, "Cu")


def test_refusals(tmp_path):
    with pytest.raises(UserError, match="no step directories"):
        plot_run(tmp_path)
    (tmp_path / "step_001").mkdir()
    with pytest.raises(UserError, match=r"no NAME\.dist\.new"):
        summarise_run(tmp_path)
    run = make_run(tmp_path / "run", 1)
    with pytest.raises(UserError, match="only one iteration"):
        outcome_lines(run)
    (run / "step_001" / "Al-Al.dist.new").unlink()
    with pytest.raises(UserError, match=r"no g\(r\) yet"):
        plot_run(run)


@pytest.mark.parametrize("errors", [True, False])
def test_figure_shows_the_run(tmp_path, errors):
    run = make_run(tmp_path, 4, errors=errors)
    figure = plot_run(run)
    g, u, difference, rms = figure.axes
    assert "Å" in difference.get_xlabel()
    assert "meV" in u.get_ylabel()
    curves = [line for line in g.lines if len(line.get_xdata()) == 201]
    np.testing.assert_allclose(curves[-1].get_ydata(), liquid_target().y)
    last = np.loadtxt(run / "step_004" / "Al-Al.dist.new", usecols=1)
    np.testing.assert_allclose(curves[-2].get_ydata(), last)
    potential = np.loadtxt(run / "step_003" / "Al-Al.pot.cur", usecols=1) * 1000 / 96.48533212331002
    shown = [line.get_ydata() for line in u.lines if len(line.get_xdata()) == 201]
    np.testing.assert_allclose(shown[2], potential, atol=1e-9)
    expected = [s.agreement.rms for s in summarise_run(run)]
    np.testing.assert_allclose(rms.lines[0].get_ydata(), expected)
    assert len(difference.collections) == (1 if errors else 0)
    # nothing that is shown lies outside the axes
    low, high = difference.get_ylim()
    assert all(low < value < high for line in difference.lines for value in line.get_ydata())


def test_a_figure_of_one_iteration(tmp_path):
    figure = plot_run(make_run(tmp_path, 1))
    figure.canvas.draw()
    rms = figure.axes[-1]
    assert [label.get_text() for label in rms.get_xticklabels()] == ["1"]
    low, high = rms.get_xlim()
    assert low < 1 < high
    # the noise is seen
    assert np.ptp(rms.lines[-1].get_xdata()) > 0.0
