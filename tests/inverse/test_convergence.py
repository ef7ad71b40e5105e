"""When the iterations stop: the judgement, and both loops obeying it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import edit, inverse, make_case, needs_votca
from tests.inverse.case import potentials
from votca_mlp.errors import UserError
from votca_mlp.inverse.agreement import agreements
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.history import verdict
from votca_mlp.inverse.start import run_inverse
from votca_mlp.settings import load_settings
from votca_mlp.tables import grid_points, make_table, read_table, write_table
from votca_mlp.targets.agreement import Agreement, Peak, compare
from votca_mlp.update.convergence import judge

NOWHERE = Peak(float("nan"), float("nan"))


def agreement(rms: float, error: float = 0.01, *, chi2: float | None = 2.0, fit: float = 0.98) -> Agreement:
    """Return an agreement with these measures."""
    return Agreement(rms, 2.0 * rms, 3.0, fit, chi2, NOWHERE, NOWHERE, error)


def falling(*values: float, error: float = 0.01) -> dict[str, list[Agreement]]:
    """Return the history of one interaction."""
    return {"A-A": [agreement(value, error) for value in values]}


class TestLimits:
    @pytest.mark.parametrize(
        ("kind", "limit", "stop"),
        [
            ("chi2", 2.0, True),
            ("chi2", 1.9, False),
            ("rms", 0.06, True),
            ("rms", 0.04, False),
            ("largest", 0.1, True),
            ("largest", 0.09, False),
            ("fit", 0.98, True),
            ("fit", 0.99, False),
        ],
    )
    def test_one_interaction(self, kind: str, limit: float, stop: bool) -> None:
        found = judge(kind, {"A-A": [agreement(1.0, chi2=9.0, fit=0.1), agreement(0.05)]}, limit=limit)
        assert found.stop is stop
        assert f"{limit:g}" in found.reason
        assert kind in found.reason

    def test_the_worst_interaction_decides(self) -> None:
        history = {"A-A": [agreement(0.01, fit=0.999)], "A-B": [agreement(0.2, fit=0.9)]}
        for kind, limit in (("rms", 0.1), ("fit", 0.95)):
            found = judge(kind, history, limit=limit)
            assert not found.stop
            assert "A-B" in found.reason

    def test_chi2_needs_errors(self) -> None:
        with pytest.raises(UserError, match="no chi\\^2"):
            judge("chi2", {"A-A": [agreement(0.1, chi2=None)]}, limit=1.0)

    def test_chi2_is_about_one_for_noise_alone(self) -> None:
        """The limit means something: g drawn around its target within its own and the target's errors."""
        rng = np.random.default_rng(11)
        r = np.arange(2.0, 10.0, 0.02)
        target = 1.0 + 0.5 * np.cos(2.0 * r)
        sigma, target_sigma = np.full(len(r), 0.03), np.full(len(r), 0.04)
        g = target + 0.05 * rng.standard_normal(len(r))
        found = compare(r, g, target, error=sigma, target_error=target_sigma)
        assert found.chi2 == pytest.approx(1.0, abs=5 * np.sqrt(2 / len(r)))
        assert judge("chi2", {"A-A": [found]}, limit=1.5).stop
        assert not judge("chi2", {"A-A": [compare(r, g + 0.1, target, error=sigma)]}, limit=1.5).stop


class TestPlateau:
    def test_an_improvement_beyond_the_error_goes_on(self) -> None:
        assert not judge("plateau", falling(0.5, 0.4, 0.3, 0.2, 0.15), iterations=3).stop

    def test_noise_around_a_level_stops(self) -> None:
        found = judge("plateau", falling(0.5, 0.2, 0.11, 0.10, 0.108, 0.102), iterations=3)
        assert found.stop
        assert "for 3 iterations" in found.reason

    def test_the_same_without_errors_goes_on_while_it_falls(self) -> None:
        assert not judge("plateau", falling(0.2, 0.11, 0.10, 0.09, error=float("nan")), iterations=3).stop
        assert judge("plateau", falling(0.2, 0.10, 0.11, 0.10, 0.12, error=float("nan")), iterations=3).stop

    def test_too_few_iterations(self) -> None:
        found = judge("plateau", falling(0.1, 0.1, 0.1), iterations=3)
        assert not found.stop
        assert "too few" in found.reason

    def test_every_interaction_must_have_reached_it(self) -> None:
        history = falling(0.1, 0.1, 0.1, 0.1) | {"A-B": [agreement(x) for x in (0.4, 0.3, 0.2, 0.1)]}
        found = judge("plateau", history, iterations=2)
        assert not found.stop
        assert "A-B" in found.reason


def with_check(directory: Path, check: str) -> Path:
    """Write a quick case with a convergence check."""
    main = make_case(
        directory,
        iterations=5,
        production=320,
        inverse=f"<convergence_check>{check}</convergence_check>",
        ase="<rdf><with_errors>yes</with_errors><block_length>2</block_length></rdf>",
    )
    edit(main / "settings.xml", {"<first_equilibration>400": "<first_equilibration>40"})
    return main


def test_the_loop_stops_and_stays_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # no update and the same start: the second iteration differs from the first by noise alone
    main = with_check(tmp_path / "case", "<type>plateau</type><iterations>1</iterations>")
    changes = {"<alpha>0.5": "<alpha>0", ">laststep<": ">maindir<", "<equilibration>200": "<equilibration>40"}
    edit(main / "settings.xml", changes)
    reason = run_inverse(main / "settings.xml")
    assert reason == "converged: the RMS has not improved beyond its error for 1 iteration"
    told = capsys.readouterr().out
    assert "Convergence check plateau: 1 iteration is too few" in told
    assert "Iterations are converged, stopping" in told
    assert (main / "step_002/stop").is_file()
    assert not (main / "step_003").exists()
    assert "already done" in run_inverse(main / "settings.xml")


def test_an_interrupted_judgement_is_made_again(tmp_path: Path) -> None:
    main = with_check(tmp_path / "case", "<type>rms</type><limit>100</limit>")
    assert run_inverse(main / "settings.xml").startswith("converged: rms is")
    for name in ("done", "step_001/stop"):
        (main / name).unlink()
    assert run_inverse(main / "settings.xml").startswith("converged: rms is")
    assert not (main / "step_002").exists()


def test_csg_inverse_goes_on_in_our_step_and_asks_the_same_judge(tmp_path: Path) -> None:
    """As if killed after the simulation; csg_inverse makes the update and stops for the same reason."""
    needs_votca()
    main = with_check(tmp_path / "case", "<type>chi2</type><limit>1e9</limit>")
    assert run_inverse(main / "settings.xml").startswith("converged: chi2 is")
    wanted = potentials(main, 1)
    for name in ("done", "step_001/done", "step_001/stop", "step_001/Ar-Ar.pot.new"):
        (main / name).unlink()
    status, output = inverse(main)
    assert status == 0, output
    assert "Simulation with ase" not in output
    assert potentials(main, 1) == wanted
    assert "Convergence check chi2: chi2 is" in output
    assert "Iterations are converged, stopping" in output
    assert (main / "step_001/stop").is_file()
    # without this csg_inverse would go on when it is started again
    assert (main / "done").is_file()
    # a stricter limit: the same step is judged again, not repeated
    for name in ("done", "step_001/stop"):
        (main / name).unlink()
    edit(main / "settings.xml", {"<limit>1e9": "<limit>0.01"})
    assert not verdict(plan_of(load_settings(main / "settings.xml")), 1).stop


def test_the_targets_errors_count(tmp_path: Path) -> None:
    """A target with a column of errors: also where g(r) has none, and from both loops' steps."""
    main = make_case(tmp_path / "case", inverse="<convergence_check><type>chi2</type><limit>2</limit>"
                     "</convergence_check>")  # fmt: skip
    grid = grid_points(0.0, 0.8, 0.01)
    target = read_table(main / "Ar-Ar.dist.tgt")
    write_table(main / "Ar-Ar.dist.tgt", make_table(grid, target.y, yerr=np.full(len(grid), 0.1)))
    step = main / "step_001"
    step.mkdir()
    write_table(step / "Ar-Ar.dist.new", make_table(grid, target.y + 0.1))
    plan = plan_of(load_settings(main / "settings.xml"))
    found = agreements(plan, 1)["Ar-Ar"][0]
    assert found.chi2 == pytest.approx(1.0)
    assert verdict(plan, 1).stop
    shutil.rmtree(step)
    with pytest.raises(UserError, match="there is no g"):
        verdict(plan, 1)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("<type>chi2</type>", "is 0: it would never stop"),
        ("<type>fit</type><limit>1</limit>", "f_fit is 1 only for equal functions"),
        ("<type>plateau</type><limit>0.1</limit>", "a plateau has no limit"),
        ("<type>rms</type><limit>0.1</limit><iterations>4</iterations>", "type plateau with it"),
    ],
)
def test_settings_that_contradict(tmp_path: Path, check: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_settings(with_check(tmp_path / "case", check) / "settings.xml")
