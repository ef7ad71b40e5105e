"""The whole loop with GROMACS, by csg_inverse and by our own."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import csg_call, edit, inverse, needs_votca, start, wait_for, working_in
from tests.engines.gromacs.case import ROOT, find_gmx, make_case
from tests.engines.gromacs.test_faults import mdrun_in
from tests.inverse.case import numbers, ours, same_tables
from tests.inverse.states_case import TEMPERATURES, split_into_states
from votca_mlp.engines.gromacs.energy import average_pressure, read_energies
from votca_mlp.inverse.final_checks import read_checks
from votca_mlp.observables.rdf import pair_histograms
from votca_mlp.observables.store import read_observables
from votca_mlp.report.page.page import report_page
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One iteration by csg_inverse and two by ours, from the same main directory."""
    needs_votca()
    a = make_case(tmp_path_factory.mktemp("gromacs") / "votca")
    b = a.with_name("ours")
    shutil.copytree(a, b)
    edit(b / "settings.xml", {"<iterations_max>1": "<iterations_max>2", "<mlp>": "<checks/><mlp>"})
    status, output = inverse(a)
    assert status == 0, output
    assert "through its PLUMED slot" in output
    status, output = ours(b)
    assert status == 0, output
    return a, b


def test_csg_inverse_and_ours_agree(both: tuple[Path, Path]) -> None:
    """The same MD to the last bit; csg_stat reads the xtc, we the trr that GROMACS makes of it."""
    a, b = both
    ends = ("dist.tgt", "dist.new", "dpot.new", "pot.cur", "pot.new")
    same_tables(a / "step_001", b / "step_001", ("Ar-Ar",), ends)
    assert (a / "step_001/confout.gro").read_text() == (b / "step_001/confout.gro").read_text()


def test_checks_and_page(both: tuple[Path, Path]) -> None:
    """What is asked for at the end, of GROMACS's own frames; a page of a run of either loop."""
    a, b = both
    assert read_checks(b)[""]["corrected"]["coordination"]["mean"] == pytest.approx(14.9, abs=0.5)
    assert "neighbours" in report_page(b, running=False)
    assert "csg_inverse" in report_page(a, running=False)


def test_values_by_frame(both: tuple[Path, Path]) -> None:
    """The energy of each frame is the model's, from the log beside mdrun: mdrun's own file has it not."""
    _, b = both
    theirs, ours = (read_observables(main / "step_001") for main in both)
    assert np.array_equal(theirs.histograms[0].counts, ours.histograms[0].counts)
    log = np.loadtxt(b / "step_001/mlp.dat")
    energies = dict(zip(log[:, 0].astype(int).tolist(), log[:, 2].tolist(), strict=True))
    md = md_plan(load_settings(b / "settings.xml"))
    kept = read_energies(md, b / "step_001/ener.edr", ["Pressure"])
    # 4 fs a step
    pressures = dict(zip(np.rint(kept["time"] / 0.004).astype(int).tolist(), kept["Pressure"], strict=True))
    for found, main in zip((theirs, ours), both, strict=True):
        assert set(found.series) == {"potential", "volume", "density", "pressure"}
        by_frame = [pressures[step] for step in found.steps.tolist()]
        assert found.series["pressure"].values.tolist() == pytest.approx(by_frame)
        # of all steps, as calc_pressure_gromacs.sh of VOTCA takes it
        mean = average_pressure(md, main / "step_001")
        assert mean == pytest.approx(np.mean(by_frame), abs=float(np.std(by_frame)))
        expected = [energies[step] for step in found.steps.tolist()]
        assert found.series["potential"].values.tolist() == pytest.approx(expected, rel=1e-9)


def test_the_next_step_begins_where_the_last_ended(both: tuple[Path, Path]) -> None:
    _, b = both
    assert (b / "step_002/conf.gro").read_text() == (b / "step_001/confout.gro").read_text()
    assert (np.loadtxt(b / "step_002/mlp.dat")[:, 3] != 0).all()
    assert (np.loadtxt(b / "step_001/mlp.dat")[:, 3] == 0).all()


def test_frames_and_start_of_csg_stat(both: tuple[Path, Path]) -> None:
    """first_frame is counted from 1 and beside equi_time, as csg_stat's --begin and --first-frame."""
    from votca_mlp.engines.gromacs.trajectory import read_gromacs_frames

    _, b = both
    plan = md_plan(load_settings(b / "settings.xml"))
    for equi_time, first_frame, expected in ((0.2, 0, 16), (0.0, 1, 21), (0.0, 4, 18), (0.2, 8, 14)):
        changed = replace(plan, equi_time=equi_time, first_frame=first_frame)
        frames = list(read_gromacs_frames(changed, b / "step_001"))
        assert len(frames) == expected
        histograms = pair_histograms(frames, [("Ar", "Ar")], np.arange(0, 8, 0.1))
        assert histograms.n_frames == expected


def test_two_states_by_both_loops(tmp_path: Path) -> None:
    """Each state with a grompp.mdp of its own; the same MD, and so the same shared potential.

    The second step is run by our loop; how csg_inverse's begins is looked at.
    """
    needs_votca()
    a = make_case(tmp_path / "votca")
    edit(a / "settings.xml", {"<tasks>1<": "<tasks>2<"})
    split_into_states(a, "grompp.mdp")
    b = a.with_name("ours")
    shutil.copytree(a, b)
    edit(b / "settings.xml", {"<iterations_max>1": "<iterations_max>2"})
    status, output = inverse(a)
    assert status == 0, output
    assert "Simulating cold, hot, 2 at a time" in output
    status, output = ours(b)
    assert status == 0, output
    same_tables(
        *(m / "step_001" for m in (a, b)), ("Ar-Ar",), ("dpot.pure_ibi", "dpot.new", "pot.cur", "pot.new")
    )
    (a / "step_002").mkdir()
    status, output = csg_call(a / "step_002", "initstep", "ibi", CSG_LASTSTEP=str(a / "step_001"))
    assert status == 0, output
    for name in TEMPERATURES:
        for step, ends in (
            ("step_001", ("confout.gro", "conf.gro")),
            ("step_002", ("conf.gro", "Ar-Ar.pot.cur")),
        ):
            for end in ends:
                one, other = (main / step / name / end for main in (a, b))
                assert numbers(one) == numbers(other), one
        for step in ("step_001", "step_002"):
            assert (np.loadtxt(b / step / name / "mlp.dat")[:, 3] != 0).all() == (step == "step_002")
    cold, hot = (
        json.loads((b / f"step_002/{name}/md_step.json").read_text())["production"]["temperature[K]"]["mean"]
        for name in TEMPERATURES
    )
    assert hot - cold > 20


def test_csg_inverse_tells_why_mdrun_ended_and_goes_on(tmp_path: Path) -> None:
    needs_votca()
    main = make_case(tmp_path / "main")
    # a checkpoint after 0.6 s, in which a slow model does not come to the end
    edit(main / "settings.xml", {"</command>\n": "</command><opts>-cpt 0.01</opts>\n"})
    step, slow = main / "step_001", main / "slow"
    slow.touch()
    process = start(main)
    wait_for(lambda: step.is_dir() and mdrun_in(step) is not None and (step / "state.cpt").is_file(), "mdrun")
    mdrun = mdrun_in(step)
    assert mdrun is not None
    os.kill(mdrun, signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "GROMACS ended with status" in output
    assert "state.cpt stays: run again to go on" in output
    wait_for(lambda: not working_in(step), "the end of everything")
    slow.unlink()
    # csg_inverse gives mdrun the checkpoint only with a wall time; our step always does
    status, output = inverse(main)
    assert status == 0, output
    assert "resumed from state.cpt" in (main / "inverse.log").read_text()
    assert (step / "Ar-Ar.dist.new").is_file()


def test_the_ready_case_of_aluminium_agrees(tmp_path: Path) -> None:
    """500 atoms with the shipped model: step 0 in GROMACS against the package, energy, forces and virial."""
    main = tmp_path / "main"
    shutil.copytree(ROOT / "settings/al_gromacs", main)
    gmx = find_gmx()
    edit(main / "settings.xml", {"<bin>gmx ": f"<bin>{gmx} ", "<command>gmx ": f"<command>{gmx} "})
    edit(main / "grompp.mdp", {"nsteps                   = 4500": "nsteps = 20"})
    edit(main / "settings.xml", {"<equi_time>1<": "<equi_time>0<", "<with_errors>yes": "<with_errors>no"})
    edit(
        main / "grompp.mdp",
        {"compressed       = 25": "compressed = 10", "nstenergy                = 25": "nstenergy = 10"},
    )
    status, output = ours(main, "--do-iterations", "1")
    assert status == 0, output
    assert "step 0 in GROMACS differs by" in output
    found = json.loads((main / "step_001/md_step.json").read_text())["step_0_differs_by"]
    assert 0 <= found["energy[eV/atom]"] < 1e-6
    assert 0 < found["forces[eV/A]"] < 1e-4
    assert 0 < found["pressure[bar]"] < 0.1
    from votca_mlp.cli.check import starts

    energy = np.loadtxt(main / "step_001/mlp.dat")[0, 2]
    (said,) = starts(load_settings(main / "settings.xml"))
    assert f"{energy / 500:.4f} eV an atom" in said
