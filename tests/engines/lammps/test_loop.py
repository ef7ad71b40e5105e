"""The loop with program lammps: through csg_inverse and through votca-mlp inverse, with the same result."""

import json
import shutil
from pathlib import Path

import ase.io
import numpy as np

from tests.csg.case import edit, inverse, make_case, needs_votca
from tests.engines.lammps.case import write_data
from tests.inverse.case import ours, potentials, same_tables
from tests.inverse.states_case import TEMPERATURES, states_tag
from votca_mlp.export.export import export
from votca_mlp.observables.store import read_observables

SCRIPT = """units metal
atom_style atomic
read_data conf.data
velocity all create 120 7
timestep 0.004
fix 1 all nvt temp 120 120 0.2
run 100
dump traj all custom 10 traj.dump id type element x y z
run 200
"""


def lammps_case(directory: Path) -> Path:
    """Return the argon case of the csg tests with program lammps, as a user would change it."""
    make_case(directory)
    write_data(directory / "conf.data", ase.io.read(directory / "conf.extxyz"))
    (directory / "conf.extxyz").unlink()
    (directory / "in.lmp").write_text(SCRIPT)
    settings = directory / "settings.xml"
    text = settings.read_text()
    begin, end = text.index("    <ase>"), text.index("</ase>") + len("</ase>\n")
    own = "    <lammps>\n      <script>in.lmp</script>\n    </lammps>\n"
    settings.write_text(text[:begin] + own + text[end:])
    edit(
        settings, {"<program>ase<": "<program>lammps<", "<filelist>topol.xml<": "<filelist>topol.xml in.lmp<"}
    )
    return directory


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
    edit(one / "settings.xml", {"<iterations_max>1<": "<iterations_max>2<"})
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
    # and what was found can leave, compared on the last configuration
    assert export(one, "table", tmp_path / "out").comparisons[0].atoms == 108


def test_two_states_by_both_loops(tmp_path) -> None:
    """Each state with a script of its own; the start is that of both."""
    needs_votca()
    one = lammps_case(tmp_path / "one")
    edit(one / "settings.xml", {"<mlp>": f"{states_tag()}<mlp>", "topol.xml in.lmp<": "topol.xml<"})
    for name, temperature in TEMPERATURES.items():
        (one / name).mkdir()
        shutil.copy(one / "Ar-Ar.dist.tgt", one / name)
        (one / name / "in.lmp").write_text(SCRIPT.replace("120", f"{temperature:g}"))
        own = "<cg><inverse><filelist>topol.xml in.lmp</filelist></inverse></cg>"
        (one / name / "settings.xml").write_text(own)
    for name in ("Ar-Ar.dist.tgt", "in.lmp"):
        (one / name).unlink()
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
