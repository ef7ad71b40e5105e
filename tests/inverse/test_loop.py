"""Our loop against csg_inverse: same settings, same seed, same potentials; each continues the other."""

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.csg.case import inverse, make_case, needs_votca
from tests.csg.conftest import HOOKS
from tests.csg.test_loop import expected_update
from tests.inverse.case import LOOP_FILES, numbers, ours, potentials, same_tables
from votca_mlp.report.status import status_lines
from votca_mlp.report.summary import summarise_run
from votca_mlp.tables import read_table

CHECK = "<convergence_check><type>default</type><limit>0.001</limit></convergence_check>"
PAIRS = ("Ar-Ar", "Ar-Kr", "Kr-Kr")
PRESSURE = "pressure_correction"
BOUNDED = {"CSG_MDRUN_STEPS": "120"}
MIXTURE = {
    "ase": "<rdf><with_errors>yes</with_errors><block_length>4</block_length></rdf>",
    "weight": "<alpha>0.3</alpha><weight>uniform</weight>",
    "iterations": 2,
    # hours: the steps are bounded
    "production": 4_000_000,
    "interaction": "<post_update>pressure</post_update>"
    "<post_update_options><pressure><type>wjk</type></pressure></post_update_options>",
    "inverse": "<target_density><value>1500</value></target_density><phase><density>9</density></phase>",
}


def mixture(directory: Path) -> Path:
    """Write a mixture at constant pressure, its density corrected, and an interaction updated in turn."""
    main = make_case(directory, ("Ar", "Kr"), **MIXTURE)  # type: ignore[arg-type]
    text = (main / "settings.xml").read_text().replace("<ensemble>nvt", "<ensemble>npt")
    # seen through a window: both loops put the simulated g(r) through it
    text = text.replace("<target>Ar-Kr", "<window><q_max>9</q_max></window><target>Ar-Kr")
    at = text.index("<target>Kr-Kr")
    (main / "settings.xml").write_text(text[:at] + "<do_potential>1 0</do_potential>" + text[at:])
    return main


@pytest.fixture(scope="module")
def our_two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The two iterations of the fixture ``two_steps``, by our loop; terminal output."""
    main = make_case(
        tmp_path_factory.mktemp("ours") / "two_steps", iterations=2, interaction=HOOKS, inverse=CHECK
    )
    status, output = ours(main)
    assert status == 0, output
    return main, output


@pytest.fixture(scope="module")
def our_mixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two iterations of the mixture."""
    main = mixture(tmp_path_factory.mktemp("ours") / "mixture")
    status, output = ours(main, **BOUNDED)
    assert status == 0, output
    return main


def test_same_files_as_csg_inverse(two_steps: tuple[Path, str], our_two: tuple[Path, str]) -> None:
    theirs, mine = two_steps[0], our_two[0]
    tables = (*LOOP_FILES, "dpot.1", "dpot.2", "dpot.3", "pot.1", "pot.2", "pot.3", "pot.4", "pot.avg")
    assert numbers(mine / "step_000/Ar-Ar.pot.new") == numbers(theirs / "step_000/Ar-Ar.pot.new")
    for number in (1, 2):
        step = f"step_{number:03d}"
        assert (mine / step / "traj.dump").read_bytes() == (theirs / step / "traj.dump").read_bytes()
        same_tables(mine / step, theirs / step, ("Ar-Ar",), tables)
        assert numbers(mine / step / "Ar-Ar.conv") == numbers(theirs / step / "Ar-Ar.conv")
        # nothing that csg_inverse's users know is missing, but for what mktemp and csg_stat leave behind
        wanted = {p.name for p in (theirs / step).iterdir() if not _left_behind(p.name)}
        assert wanted - {p.name for p in (mine / step).iterdir()} == set()
    assert (mine / "done").is_file()
    assert numbers(mine / "Ar-Ar.dist.new") == numbers(theirs / "Ar-Ar.dist.new")
    assert "Convergence sum" in (theirs / "inverse.log").read_text()
    assert "the convergence sum is" in (mine / "inverse.log").read_text()


def _left_behind(name: str) -> bool:
    """Whether mktemp made the file, for smoothing, averaging and resampling."""
    made = r"Ar-Ar\.\w{3}|Ar-Ar\.pot\.cur\.\w{4}|table_all\..*|.*(_smooth|_extrapolated|\.resample).*"
    return re.fullmatch(made, name) is not None


def test_continues_what_csg_inverse_began(two_steps: tuple[Path, str], tmp_path: Path) -> None:
    main = make_case(tmp_path / "case", iterations=2, interaction=HOOKS, inverse=CHECK)
    for step in ("step_000", "step_001"):
        shutil.copytree(two_steps[0] / step, main / step)
    status, output = ours(main)
    assert status == 0, output
    assert "step 1 is already done - skipping" in output
    same_tables(main / "step_002", two_steps[0] / "step_002", ("Ar-Ar",))
    summary = yaml.safe_load((main / "votca_mlp_run.yaml").read_text())
    assert summary["iterations"][0] == {"step": 1, "by": "csg_inverse"}


def test_csg_inverse_continues_a_mixture(our_mixture: Path, tmp_path: Path) -> None:
    """Three tables of one simulation at constant pressure, block errors, plain weights.

    csg_inverse's iteration is the second, in which the cycle leaves out the update of Kr-Kr.
    """
    needs_votca()
    main = mixture(tmp_path / "mixture")
    for step in ("step_000", "step_001"):
        shutil.copytree(our_mixture / step, main / step)
    status, output = inverse(main, **BOUNDED)
    assert status == 0, output
    assert "Simulation done: 170 MD steps" in output
    mine, theirs = our_mixture / "step_002", main / "step_002"
    same_tables(mine, theirs, PAIRS[:2], (*LOOP_FILES, PRESSURE))
    # csg_inverse writes no target for what is not updated
    same_tables(mine, theirs, PAIRS[2:], ("dist.new", "dpot.new", "pot.cur", "pot.new"))
    # nothing but the pressure's part
    new, old, pressure = (read_table(theirs / f"Kr-Kr.{end}").y for end in ("pot.new", "pot.cur", PRESSURE))
    assert new - old == pytest.approx(pressure, abs=1e-6)
    same_tables(mine, theirs, ("Ar-Kr",), ("dist.sharp",))
    sharp, seen = (read_table(theirs / f"Ar-Kr.dist.{end}").y for end in ("sharp", "new"))
    assert np.abs(sharp - seen).max() > 0.1
    for name in PAIRS[:2]:
        rdf = read_table(theirs / f"{name}.dist.new")
        assert rdf.yerr is not None
        assert 0.0 < rdf.yerr.max() < 1.0
        pure, wanted = (
            read_table(theirs / f"{name}.dpot.pure_ibi"),
            expected_update(theirs, name, 0.99774, 0.3),
        )
        target = read_table(theirs / f"{name}.dist.tgt").y
        known = ~np.isnan(wanted)
        assert pure.y[known] == pytest.approx(wanted[known] / target[known], abs=1e-12)
        assert np.abs(read_table(theirs / f"{name}.pot.new").y).max() > 0.01
    assert np.ptp(read_table(theirs / "Ar-Kr.pressure_correction").y) > 1e-3
    assert potentials(our_mixture, 2, PAIRS) != potentials(our_mixture, 1, PAIRS)
    # and ours sees that all is done
    status, output = ours(main)
    assert status == 0
    assert "Job is already done" in output


@pytest.mark.slow
def test_mixture_by_csg_inverse_alone(our_mixture: Path, tmp_path: Path) -> None:
    needs_votca()
    main = mixture(tmp_path / "mixture")
    status, output = inverse(main, **BOUNDED)
    assert status == 0, output
    same_tables(our_mixture / "step_001", main / "step_001", PAIRS)
    # in the second iteration Kr-Kr is not updated, and csg_inverse then writes no target for it
    same_tables(our_mixture / "step_002", main / "step_002", PAIRS[:2])
    few = ("dist.new", "dpot.new", "pot.cur", "pot.new")
    same_tables(our_mixture / "step_002", main / "step_002", PAIRS[2:], few)


def test_summary_is_enough_to_repeat_the_run(our_two: tuple[Path, str]) -> None:
    main = our_two[0]
    summary = yaml.safe_load((main / "votca_mlp_run.yaml").read_text())
    assert summary["stopped"] == "iterations_max 2 is reached"
    assert summary["seed"] == 1
    assert summary["versions"]["numpy"]
    assert summary["model"]["calculator"] == "fluid:lj"
    assert summary["settings"]["ase"]["temperature"] == 120
    assert summary["settings"]["interactions"][0]["wibi"]["alpha"] == 0.5
    settings = hashlib.sha256((main / "settings.xml").read_bytes()).hexdigest()
    assert summary["files"]["settings.xml"] == settings
    assert [item["step"] for item in summary["iterations"]] == [1, 2]
    for item in summary["iterations"]:
        assert item["done"] is True
        assert item["agreement"]["Ar-Ar"]["rms"] > 0
        assert item["seconds"]["simulation"] > 0
        path = main / f"step_{item['step']:03d}/Ar-Ar.pot.new"
        assert item["files"]["Ar-Ar.pot.new"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_status_reads_the_directory_also_in_mid_run(our_two: tuple[Path, str], tmp_path: Path) -> None:
    lines = status_lines(summarise_run(our_two[0]))
    assert len(lines) == 3
    assert "rms" in lines[0]
    # as it looks while the second step simulates
    main = shutil.copytree(our_two[0], tmp_path / "running")
    for name in ("done", "md_step.json", "traj.dump", "Ar-Ar.dist.new", "Ar-Ar.dist.tgt", "Ar-Ar.pot.new"):
        (main / "step_002" / name).unlink()
    lines = status_lines(summarise_run(main))
    assert " ps" in lines[2]


def test_do_iterations_wall_time_done_and_clean(tmp_path: Path) -> None:
    main = make_case(tmp_path / "case", iterations=3, production=160)
    status, output = ours(main, "-N", "1")
    assert status == 0, output
    assert "1 iteration was asked for" in output
    assert not (main / "done").exists()
    # csg_inverse's own spelling, and a wall time in which no simulation ends
    status, output = ours(main, "-1", "--wall-time", "5")
    assert status == 0, output
    assert "the wall time is up" in output
    assert not (main / "step_002/done").exists()
    status, output = ours(main, "-1")
    assert status == 0, output
    assert (main / "step_002/done").is_file()
    assert not (main / "step_003").exists()
    status, output = ours(main, "--wall-tiem", "5")
    assert status == 1
    assert "'--wall-tiem' is no option" in output
    (main / "notes").write_text("mine")
    status, output = ours(main, "clean", "--nowait")
    assert status == 0, output
    left = {path.name for path in main.iterdir() if path.name != "__pycache__"}
    assert left == {"settings.xml", "topol.xml", "conf.extxyz", "fluid.py", "Ar-Ar.dist.tgt", "notes"}
