"""The loop with program lammps: through csg_inverse and through votca-mlp inverse, with the same result."""

import json
import shutil

import numpy as np
import pytest

from tests.csg.case import edit, inverse, needs_votca
from tests.engines.lammps.loop_case import lammps_case
from tests.inverse.case import ours, potentials, same_tables
from tests.inverse.states_case import TEMPERATURES, split_into_states
from votca_mlp.export.export import export
from votca_mlp.inverse.final_checks import read_checks
from votca_mlp.observables.store import read_observables
from votca_mlp.report.page.page import report_page


def test_both_loops(tmp_path) -> None:
    needs_votca()
    one = lammps_case(tmp_path / "one")
    two = tmp_path / "two"
    shutil.copytree(one, two)
    status, output = inverse(one)
    assert status == 0, output
    assert "LAMMPS 2" in output
    assert "agrees to" in output
    assert "Production means: temperature" in output
    status, output = ours(two)
    assert status == 0, output
    same_tables(one / "step_001", two / "step_001", ("Ar-Ar",))
    assert (one / "step_001/traj.dump").read_bytes() == (two / "step_001/traj.dump").read_bytes()
    # of each frame, LAMMPS's own columns at its time step
    theirs, mine = (read_observables(main / "step_001").series for main in (one, two))
    assert set(theirs) == {"density", "potential", "pressure", "volume"}
    assert all(np.array_equal(theirs[name].values, mine[name].values) for name in theirs)
    # the one goes on where the other stopped, from its last configuration and potential
    (one / "done").unlink()
    edit(one / "settings.xml", {"<iterations_max>1<": "<iterations_max>2<", "<mlp>": "<checks/><mlp>"})
    status, output = ours(one)
    assert status == 0, output
    assert potentials(one, 2) != potentials(one, 1)
    start, last = (
        (one / "step_002" / "conf.data").read_bytes(),
        (one / "step_001" / "confout.data").read_bytes(),
    )
    assert start == last
    facts = json.loads((one / "step_002" / "md_step.json").read_text())
    assert facts["md_steps"] == 300
    assert facts["inputs"]["Ar-Ar.pot.cur"]
    # with a correction at work LAMMPS still has what the package says
    assert max(facts["step_0_differs_by"].values()) < 1e-2
    # what was asked for at the end, of LAMMPS's own frames, and the page to send
    assert read_checks(one)[""]["corrected"]["coordination"]["mean"] == pytest.approx(14.9, abs=0.5)
    assert "neighbours" in report_page(one, running=False)
    # and what was found can leave, compared on the last configuration
    assert export(one, "table", tmp_path / "out").comparisons[0].atoms == 108


def test_two_states_by_both_loops(tmp_path) -> None:
    """Each state with a script of its own; the start is that of both."""
    needs_votca()
    one = lammps_case(tmp_path / "one")
    split_into_states(one, "in.lmp")
    two = tmp_path / "two"
    shutil.copytree(one, two)
    status, output = inverse(one)
    assert status == 0, output
    status, output = ours(two)
    assert status == 0, output
    same_tables(one / "step_001", two / "step_001", ("Ar-Ar",), ("dpot.pure_ibi", "pot.cur", "pot.new"))
    for name in TEMPERATURES:
        frames = [(main / "step_001" / name / "traj.dump").read_bytes() for main in (one, two)]
        assert frames[0] == frames[1]


def test_wrong_script_is_found_before_any_simulation(tmp_path) -> None:
    case = lammps_case(tmp_path / "case")
    edit(case / "in.lmp", {"120 120": "130 130"})
    status, output = ours(case)
    assert status == 1
    assert "in.lmp:6: the thermostat is set to 130 K" in output
    assert not (case / "step_001").exists()
    edit(case / "in.lmp", {"130 130": "120 120"})
    edit(case / "settings.xml", {"topol.xml in.lmp": "topol.xml"})
    status, output = ours(case)
    assert status == 1
    assert "does not list in.lmp, the LAMMPS script" in output
    edit(
        case / "settings.xml",
        {"<script>": "<command>lmp</command><script>", ">topol.xml<": ">topol.xml in.lmp<"},
    )
    status, output = ours(case)
    assert status == 1
    assert "<cg.inverse.mlp.kind>: kind ase is any ASE calculator, which cannot be asked by LAMMPS" in output
