"""What goes wrong in the middle: one message, nothing left running, nothing lost."""

import os
import signal
from pathlib import Path

import pytest

from tests.csg.case import edit, wait_for, working_in
from tests.engines.gromacs.case import make_case, prepare, run, sockets, write_topology
from tests.engines.gromacs.test_step import LONG, start_run
from votca_mlp.engines.gromacs.output import why
from votca_mlp.errors import UserError


def mdrun_in(step: Path) -> int | None:
    """Return the mdrun that works in a step and has made its checkpoint."""
    for process in working_in(step):
        try:
            words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"mdrun" in words and b"-deffnm" not in words:
            return process
    return None


def test_atoms_that_come_too_close_stop_mdrun(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main")
    edit(main / "grompp.mdp", {"gen-temp = 120": "gen-temp = 60000", "pcoupl = C-rescale": "pcoupl = no"})
    settings, step = prepare(main)
    before = sockets()
    with pytest.raises(UserError, match=r"two atoms are closer than distance_min = 1.5") as error:
        run(settings, step)
    assert "MD step" in str(error.value)
    wait_for(lambda: not working_in(step), "the end of what was started")
    assert sockets() == before
    assert not (step / "mlp_slot.dat").exists()


def test_mdrun_that_dies_is_told_of(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main")
    edit(main / "grompp.mdp", LONG)
    edit(main / "settings.xml", {"</command>\n": "</command><opts>-cpt 0.02</opts>\n"})
    _, step = prepare(main)
    (main / "slow").touch()
    process = start_run(main)
    wait_for(lambda: mdrun_in(step) is not None and (step / "state.cpt").is_file(), "mdrun's checkpoint")
    mdrun = mdrun_in(step)
    assert mdrun is not None
    os.kill(mdrun, signal.SIGKILL)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "GROMACS ended with status -9" in output
    assert "state.cpt stays: run again to go on" in output
    wait_for(lambda: not working_in(step), "the end of what was started")
    assert (step / "state.cpt").is_file()


def test_a_topology_with_forces_of_its_own_is_found_at_step_0(tmp_path: Path) -> None:
    from ase.io import read

    main = make_case(tmp_path / "main")
    write_topology(main / "topol.top", read(main / "conf.extxyz"), c12=1e-5)
    settings, step = prepare(main)
    with pytest.raises(UserError, match=r"at step 0 the force on atom \d+ in GROMACS differs by") as error:
        run(settings, step)
    assert "without Lennard-Jones, charges and bonds" in str(error.value)


def test_other_atoms_than_ours_are_found_at_step_0(tmp_path: Path) -> None:
    """The topology's molecules in another order, the configuration without names that would show it."""
    main = make_case(tmp_path / "main", ("Ar", "Kr"))
    edit(main / "topol.top", {"[ molecules ]\nAr 54\nKr 54\n": "[ molecules ]\nKr 54\nAr 54\n"})
    edit(main / "settings.xml", {" grompp</bin>": " grompp</bin><opts>-maxwarn 1</opts>"})
    settings, step = prepare(main)
    with pytest.raises(UserError, match=r"atom 1 has mass 83.798 in GROMACS's topology, but is Ar \(39.95\)"):
        run(settings, step)
    wait_for(lambda: not working_in(step), "the end of what was started")


def test_grompps_own_reason_is_told(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main")
    edit(main / "grompp.mdp", {"tc-grps = System": "tc-grps = Solvent"})
    settings, step = prepare(main)
    with pytest.raises(UserError, match=r"grompp ended with status 1: .*Group Solvent"):
        run(settings, step)


def test_the_reason_is_cut_out_of_the_frame() -> None:
    words = """
-------------------------------------------------------
Program:     gmx grompp, version 2025.2
Source file: src/gromacs/gmxpreprocess/readir.cpp (line 2828)

Fatal error:
Group Solvent referenced in the .mdp file was not found
in the list of index groups.

For more information and tips for troubleshooting, please check the GROMACS
website at https://manual.gromacs.org/current/user-guide/run-time-errors.html
-------------------------------------------------------
""".splitlines()
    expected = "Group Solvent referenced in the .mdp file was not found in the list of index groups."
    assert why(words) == f"Fatal error: {expected}"
    assert why(["some", "", "votca-mlp (in mdrun): no memory", "rest"]) == "no memory"
    assert why(["#####", "#  #", "# ERROR:  #", "# critical: 'x' failed #", "# For details #", "#####"]) == (
        "critical: 'x' failed"
    )
    assert why(["some", "rest", ""]) == "rest"
    assert why([]) == "it said nothing"
