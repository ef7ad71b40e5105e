"""Several states in our loop: when it ends; states that contradict each other have not converged."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.csg.case import edit
from tests.inverse.states_case import higher, make_states
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.history import contradiction, verdict
from votca_mlp.inverse.start import run_inverse
from votca_mlp.settings import load_settings
from votca_mlp.tables import Table, grid_points, make_table, read_table, write_table

ERRORS = "<rdf><with_errors>yes</with_errors><block_length>2</block_length></rdf>"


class TestConvergence:
    """Steps written by hand: g(r) of each state at a chosen distance from its target."""

    def case(self, directory: Path, check: str, offsets: dict[str, list[float]], error: float = 0.02) -> Path:
        main = make_states(directory)
        tags = f"<convergence_check>{check}</convergence_check><mlp>"
        edit(main / "settings.xml", {"<mlp>": tags, "<production>160": "<production>1600"})
        edit(main / "settings.xml", {"<ase>": f"<ase>{ERRORS}"})
        grid = grid_points(0.0, 0.8, 0.01)
        noise = np.random.default_rng(3).standard_normal((2, len(grid)))
        for k, (state, history) in enumerate(offsets.items()):
            target = read_table(main / state / "Ar-Ar.dist.tgt")
            for number, offset in enumerate(history, start=1):
                folder = main / f"step_{number:03d}" / state
                folder.mkdir(parents=True)
                bump = offset * np.exp(-(((grid - 0.4) / 0.05) ** 2)) * (target.y > 0.1)
                g = target.y + bump + error * noise[k] * (target.y > 0.1)
                write_table(folder / "Ar-Ar.dist.tgt", make_table(grid, target.y))
                write_table(folder / "Ar-Ar.dist.new", self.with_error(grid, g, error))
        return main

    def with_error(self, grid: np.ndarray, g: np.ndarray, error: float) -> Table:
        return make_table(grid, np.clip(g, 0, None), yerr=np.full(len(grid), error))

    def test_all_states_must_meet_the_limit(self, tmp_path: Path) -> None:
        check = "<type>rms</type><limit>0.1</limit>"
        main = self.case(tmp_path / "a", check, {"cold": [0.5, 0.0], "hot": [0.5, 0.5]})
        settings = load_settings(main / "settings.xml")
        found = verdict(plan_of(settings), 2)
        assert not found.stop
        assert "rms of hot/Ar-Ar" in found.reason
        # a state of weight 0 is only looked at
        edit(main / "settings.xml", {"</multistate>": "<state_weights>1 0</state_weights></multistate>"})
        assert verdict(plan_of(load_settings(main / "settings.xml")), 2).stop

    def test_a_plateau_at_which_the_states_contradict_each_other(self, tmp_path: Path) -> None:
        check = "<type>plateau</type><iterations>2</iterations>"
        # the states' weights w = g* and kB T differ: with these offsets their updates cancel at the peak
        main = self.case(
            tmp_path / "a", check, {"cold": [0.6, 0.3, 0.3, 0.3], "hot": [-0.6, -0.3, -0.3, -0.3]}
        )
        found = verdict(plan_of(load_settings(main / "settings.xml")), 4)
        assert found.stop
        assert not found.met
        assert "no single u(r) fits all states" in found.reason

    def test_updates_that_cancel_are_told_without_a_plateau(self, tmp_path: Path) -> None:
        main = self.case(tmp_path / "a", "<type>none</type>", {"cold": [0.34], "hot": [-0.24]})
        settings = load_settings(main / "settings.xml")
        against = contradiction(plan_of(settings), 1)
        assert against is not None
        assert "their updates of Ar-Ar cancel" in against

    def test_also_without_errors_of_g(self, tmp_path: Path) -> None:
        main = self.case(tmp_path / "a", "<type>none</type>", {"cold": [0.34], "hot": [-0.24]})
        for path in main.glob("step_001/*/*.dist.new"):
            table = read_table(path)
            write_table(path, make_table(table.x, table.y))
        against = contradiction(plan_of(load_settings(main / "settings.xml")), 1)
        assert against is not None
        assert "rest over shared part" in against

    def test_the_same_misfit_in_all_states_is_no_contradiction(self, tmp_path: Path) -> None:
        main = self.case(tmp_path / "a", "<type>none</type>", {"cold": [0.4], "hot": [0.4]})
        assert contradiction(plan_of(load_settings(main / "settings.xml")), 1) is None

    def test_a_plateau_within_noise_is_convergence(self, tmp_path: Path) -> None:
        check = "<type>plateau</type><iterations>2</iterations>"
        main = self.case(tmp_path / "a", check, {"cold": [0.6, 0.0, 0.0, 0.0], "hot": [0.6, 0.0, 0.0, 0.0]})
        found = verdict(plan_of(load_settings(main / "settings.xml")), 4)
        assert found.stop
        assert found.met


def test_the_loop_does_not_call_a_contradiction_converged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two states that differ in nothing but their targets: no u fits both, and more steps change nothing."""
    main = make_states(tmp_path / "case", iterations=9, production=1600)
    check = "<convergence_check><type>plateau</type><iterations>1</iterations></convergence_check>"
    # the contradiction drives the pressure far from that of the first step
    check += "<phase><pressure>20000</pressure></phase>"
    edit(main / "settings.xml", {"<mlp>": check + "<mlp>", "<ase>": f"<ase>{ERRORS}"})
    kBTs = (main / "settings.xml").read_text().split("<state_kBTs>")[1].split("</state_kBTs>")[0]
    edit(main / "settings.xml", {kBTs: "0.99774 0.99774"})
    target = main / "cold/Ar-Ar.dist.tgt"
    target.write_text(higher(target.read_text(), 2.0))
    reason = run_inverse(main / "settings.xml")
    assert reason.startswith("not converged: the RMS has not improved"), reason
    assert "no single u(r) fits all states" in reason
    told = capsys.readouterr().out
    assert "Iterations are not converged, but at their end, stopping" in told
    summary = yaml.safe_load((main / "votca_mlp_run.yaml").read_text())
    assert summary["stopped"] == reason
    assert summary["iterations"][-1]["misfit"]["Ar-Ar"]["rest"] > 2
