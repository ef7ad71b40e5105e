"""csg_inverse, unmodified, with several states: equal to our own loop, and resumed when it was stopped."""

import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write

from tests.csg.case import (
    GRID,
    VOTCA_MLP,
    edit,
    finished,
    inverse,
    needs_votca,
    start,
    start_program,
    wait_for,
    working_in,
)
from tests.inverse.states_case import TEMPERATURES, make_states
from votca_mlp.inverse.tables.printing import VOTCA_DIGITS, as_printed
from votca_mlp.observables.store import read_observables
from votca_mlp.tables import grid_points, make_table, read_table, write_table

CHECKPOINT = "ase_checkpoint.npz"
TABLES = (".pot.cur", ".pot.new", ".dpot.new", ".dpot.pure_ibi", ".dist.new", ".dist.tgt")
LINEAR = "<temperature_terms>2</temperature_terms>"
TASKS = "<post_update>scale smooth</post_update><post_update_options><scale>0.5</scale></post_update_options>"


def own_loop(main: Path, copy: Path, iterations: int = 1) -> Path:
    """Run `votca-mlp inverse` on the inputs of a csg_inverse run of one iteration."""
    shutil.copytree(main, copy, ignore=shutil.ignore_patterns("step_*", "done", "*.log"))
    edit(copy / "settings.xml", {"_max>1<": f"_max>{iterations}<"})
    our_loop_in(copy)
    return copy


def our_loop_in(directory: Path) -> None:
    """Run `votca-mlp inverse`."""
    process = start_program(directory, VOTCA_MLP, "inverse", "--options", "settings.xml")
    output = finished(process)
    assert process.returncode == 0, output


def same_tables(ours: Path, theirs: Path, least: int) -> None:
    """Compare all tables of the steps of two runs, digit for digit."""
    found = [path for path in ours.glob("step_*/**/*") if path.name.endswith(TABLES)]
    assert len(found) >= least
    for path in found:
        a, b = read_table(path), read_table(theirs / path.relative_to(ours))
        assert np.array_equal(a.y, b.y), path
        assert (a.flags == b.flags).all(), path


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Path]:
    """A step with a part linear in T, VOTCA's tasks and both states at once; our loop's two steps of it."""
    needs_votca()
    main = make_states(
        tmp_path_factory.mktemp("linear") / "run",
        multistate=LINEAR,
        interaction=f"{TASKS}<post_add>convergence</post_add>",
    )
    edit(main / "settings.xml", {"<tasks>1</tasks>": "<tasks>2</tasks>"})
    r = grid_points(*GRID)
    for term, size in (("", 0.2), (".term1", 0.1)):
        u = size * np.exp(-(((r - 0.4) / 0.05) ** 2))
        write_table(main / f"Ar-Ar{term}.pot.in", make_table(r, u - u[-1]))
    status, output = inverse(main)
    assert status == 0, output
    return main, output, own_loop(main, main.with_name("own"), iterations=2)


def test_u_linear_in_temperature_equals_our_loop(linear: tuple[Path, str, Path]) -> None:
    main, output, own = linear
    assert "Simulating cold, hot, 2 at a time" in output
    for name in TEMPERATURES:
        assert f"RDFs of state {name}" in output
        assert f"{name}, Ar-Ar: g(r) is" in output
    same_tables(main, own, least=2 + 2 * 4 + 2 * 4)
    for name in ("Ar-Ar.conv", "Ar-Ar.dist.conv"):
        assert (main / "step_001" / name).read_text() == (own / "step_001" / name).read_text()
    assert (main / "u_of_T.yaml").is_file()
    # each state ran with u_0 + c(T) u_1, c = -1 and 1
    first, second = (read_table(main / f"step_001/Ar-Ar{term}.pot.cur").y for term in ("", ".term1"))
    for sign, name in zip((-1, 1), TEMPERATURES, strict=True):
        u = read_table(main / f"step_001/{name}/Ar-Ar.pot.cur").y
        assert u == pytest.approx(first + sign * second, abs=1e-9)
    assert not np.array_equal(read_table(main / "step_001/Ar-Ar.term1.pot.new").y, second)


def test_each_state_keeps_its_values_by_frame(linear: tuple[Path, str, Path]) -> None:
    """In its folder of the step, the same in both loops; g(r) of the histograms is that of dist.new."""
    main, _, own = linear
    assert not (main / "step_001/observables.npz").exists()
    for name in TEMPERATURES:
        step = f"step_001/{name}"
        theirs, ours = read_observables(main / step), read_observables(own / step)
        assert set(theirs.series) == {"density", "potential", "pressure", "volume"}
        for observable, series in theirs.series.items():
            assert np.array_equal(series.values, ours.series[observable].values), observable
        for found in (theirs, ours):
            g = found.histogram(("Ar", "Ar")).g(("Ar", "Ar"))
            assert np.array_equal(as_printed(g, VOTCA_DIGITS), read_table(main / step / "Ar-Ar.dist.new").y)


def test_failed_killed_stopped_and_resumed(linear: tuple[Path, str, Path], tmp_path: Path) -> None:
    whole, _, own = linear
    main = tmp_path / "interrupted"
    shutil.copytree(whole, main, ignore=shutil.ignore_patterns("step_001", "inverse.log"))
    (main / "done").unlink()
    edit(main / "settings.xml", {"<tasks>2</tasks>": "<tasks>1</tasks>"})
    cold, hot = (main / "step_001" / name for name in TEMPERATURES)

    # one state fails: the step stops with its name, the other's result stays
    limits = main / "hot/settings.xml"
    limits.write_text(
        "<cg><inverse><ase><limits><temperature_max>1</temperature_max></limits></ase></inverse></cg>"
    )
    status, output = inverse(main)
    assert status != 0
    assert "the simulation of hot has failed" in output
    assert "state hot: " in output
    assert (cold / "traj.dump").is_file()
    assert not (main / "step_001/done").exists()
    limits.unlink()

    # killed in the middle of the other
    saved = (cold / "traj.dump").stat().st_mtime_ns
    slow = main / "slow"
    slow.touch()
    process = start(main)
    try:
        wait_for(lambda: (hot / CHECKPOINT).exists() or process.poll() is not None, "a checkpoint")
        assert process.poll() is None, process.communicate()[0]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    wait_for(lambda: not working_in(main / "step_001"), "the end of what was started")
    assert not (hot / "traj.dump").exists()

    slow.unlink()
    status, output = inverse(main)
    assert status == 0, output
    assert (cold / "traj.dump").stat().st_mtime_ns == saved
    same_tables(main, whole, least=2 + 2 * 4 + 2 * 4)

    # and our loop goes on from there
    edit(main / "settings.xml", {"_max>1<": "_max>2<"})
    (main / "done").unlink()
    our_loop_in(main)
    same_tables(main, own, least=2 + 4 * 4 + 4 * 4)


def test_states_of_different_composition(tmp_path: Path) -> None:
    """One state without krypton and with an update of its own; the inputs of each in its folder."""
    needs_votca()
    main = make_states(tmp_path / "run", ("Ar", "Kr"), interaction="<post_add>convergence</post_add>")
    edit(main / "settings.xml", {"<filelist>topol.xml</filelist>": ""})
    topology = (main / "topol.xml").read_text()
    (main / "topol.xml").unlink()
    (main / "hot/topol.xml").write_text(topology)
    begin, end = topology.index('<molecule name="Kr"'), topology.index("</molecules>")
    argon = topology[:begin] + topology[end:]
    (main / "cold/topol.xml").write_text(argon.replace('nmols="54"', 'nmols="108"'))
    atoms = read(main / "conf.extxyz")
    assert isinstance(atoms, Atoms)
    atoms.symbols[:] = "Ar"
    write(main / "cold/conf.extxyz", atoms)
    for name in ("Ar-Kr", "Kr-Kr"):
        (main / f"cold/{name}.dist.tgt").unlink()
    own_update = "<inverse><wibi><alpha>0.1</alpha><weight>uniform</weight></wibi></inverse>"
    own_settings = f"<non-bonded><name>Ar-Ar</name>{own_update}</non-bonded>"
    for name, tags in (("cold", own_settings), ("hot", "")):
        files = "<inverse><filelist>topol.xml</filelist></inverse>"
        (main / name / "settings.xml").write_text(f"<cg>{tags}{files}</cg>")
    status, output = inverse(main)
    assert status == 0, output
    assert not (main / "step_001/cold/Kr-Kr.dist.new").exists()
    same_tables(main, own_loop(main, tmp_path / "own"), least=3 + 3 * 4 + 4 * 4)


def test_a_contradiction_is_no_convergence(tmp_path: Path) -> None:
    """g(r) of one state stays above its target, that of the other below: VOTCA must not call it converged."""
    check = "<convergence_check><type>plateau</type><iterations>1</iterations></convergence_check>"
    errors = "<rdf><with_errors>yes</with_errors><block_length>5</block_length></rdf>"
    main = make_states(tmp_path / "run", inverse=check, ase=errors, production=3000)
    for number in (1, 2):
        for state, offset in (("cold", 0.3), ("hot", -0.3)):
            folder = main / f"step_{number:03d}" / state
            folder.mkdir(parents=True)
            target = read_table(main / state / "Ar-Ar.dist.tgt")
            bump = offset * np.exp(-(((target.x - 0.4) / 0.05) ** 2))
            g = make_table(target.x, target.y + bump, yerr=np.full(len(target.x), 0.01))
            write_table(folder / "Ar-Ar.dist.new", g)
            shutil.copy(main / state / "Ar-Ar.dist.tgt", folder)
    step = main / "step_002"
    where = {"CSGXMLFILE": str(main / "settings.xml"), "CSG_MAINDIR": str(main), "CSG_THISSTEP": str(step)}
    process = start_program(step, VOTCA_MLP, "csg", "converged", **where)
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "no single u(r) fits all states" in output, output
    assert "at their end, but not converged" in output
    assert (main / "done").is_file()
    assert not (step / "stop").exists()
