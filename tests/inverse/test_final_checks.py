"""The checks at the end of a run, in both loops: results, their place, and that they are made once."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import inverse, make_case, needs_votca
from tests.inverse.case import ours
from votca_mlp.inverse.final_checks import NAME, estimate_of, lines_of, read_checks
from votca_mlp.inverse.start import to_clean
from votca_mlp.report.checks import check_lines
from votca_mlp.trajectories.read import read_frames

ALL = (
    "<checks><observables>diffusion density angles coordination</observables><trajectories>4</trajectories>"
    "<length>200</length><sample_every>20</sample_every><equilibration>40</equilibration><timestep>4</timestep>"
    "<viscosity>0.3</viscosity></checks>"
)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("checks") / "run"
    main = make_case(folder, iterations=2, production=480, inverse=ALL)
    status, output = ours(main)
    assert status == 0, output
    return main, output


def test_results_of_both(checked: tuple[Path, str]) -> None:
    main, output = checked
    found = read_checks(main)[""]
    assert (found["uncorrected"]["step"], found["corrected"]["step"]) == (1, 2)
    for label, number in (("uncorrected", 1), ("corrected", 2)):
        facts = found[label]
        diffusion, density, neighbours = (
            estimate_of(facts, n) for n in ("diffusion", "density", "coordination")
        )
        assert diffusion is not None
        assert density is not None
        assert neighbours is not None
        assert 0.0 < diffusion.mean < 1e-7
        # counted by hand in the step's own frames
        frames = list(read_frames(main / f"step_00{number}" / "traj.dump"))
        count = [_within(frame, facts["reach"]) for frame in frames]
        assert neighbours.mean == pytest.approx(np.mean(count))
        assert sum(facts["angles"]["density"]) * 3.0 == pytest.approx(1.0, abs=1e-4)
        assert all(line in output for line in lines_of(facts))
        # 0.49e-9 m2/s in a box of 17.1 Angstrom at 120 K and 0.3 mPa s
        added = facts["diffusion_infinite"]["mean"] - diffusion.mean
        assert added == pytest.approx(4.861e-10, rel=1e-3)
    assert "Checks: corrected, step 2" in output
    text = "\n".join(check_lines(main))
    assert "uncorrected (step 1)" in text
    assert "diffusion [1e-9 m2/s]" in text
    assert "diffusion, infinite box [1e-9 m2/s]" in text


def test_by_species(tmp_path: Path) -> None:
    """Each kind of neighbour and angle has its own number; of equally many atoms both kinds see as many."""
    wanted = "<checks><observables>angles coordination</observables></checks>"
    main = make_case(tmp_path / "run", ("Ar", "Kr"), production=160, inverse=wanted)
    status, output = ours(main)
    assert status == 0, output
    own = read_checks(main)[""]["uncorrected"]["by_species"]
    assert set(own["reach"]) == {"Ar-Ar", "Ar-Kr", "Kr-Kr"}
    pairs = {name: entry["mean"] for name, entry in own["coordination"].items()}
    assert pairs["Ar-Kr"] == pytest.approx(pairs["Kr-Ar"])
    assert len(own["angles"]) == 6
    text = "\n".join(check_lines(main))
    assert "Kr around Ar" in text
    assert "likeliest angle Ar-Kr-Ar [degrees]" in text


def _within(frame, reach: float) -> float:
    moved = frame.positions[:, None] - frame.positions[None]
    moved -= frame.box * np.round(moved / frame.box)
    return float(((np.linalg.norm(moved, axis=2) < reach).sum(1) - 1).mean())


def test_made_once_and_again_where_lost(checked: tuple[Path, str], tmp_path: Path) -> None:
    """A finished run does nothing; a result that has gone comes back the same from the simulations' files."""
    main, _ = checked
    before = (main / NAME).read_text()
    status, output = ours(main)
    assert status == 0
    assert "Checks" not in output
    found = json.loads(before)
    del found[""]["corrected"]
    (main / NAME).write_text(json.dumps(found))
    status, output = ours(main)
    assert status == 0
    assert "Checks: corrected" in output
    assert (main / NAME).read_text() == before
    assert {main / NAME, main / "checks"} <= set(to_clean(main, "inverse.log"))
    (tmp_path / "checks").mkdir()
    assert to_clean(tmp_path, "inverse.log") == []


def test_by_csg_inverse(checked: tuple[Path, str], tmp_path: Path) -> None:
    """The same numbers at the end of VOTCA's loop: only a run of its own shows that it calls them."""
    needs_votca()
    main = make_case(tmp_path / "run", iterations=1, production=480, inverse=ALL)
    status, output = inverse(main)
    assert status == 0, output
    mine, facts = (read_checks(run)[""]["uncorrected"] for run in (checked[0], main))
    assert facts["diffusion"]["mean"] == pytest.approx(mine["diffusion"]["mean"], rel=1e-6)
    assert facts["coordination"] == mine["coordination"]
    assert read_checks(main)[""]["corrected"]["step"] == 1
