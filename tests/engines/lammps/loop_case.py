"""The argon case of the csg tests with LAMMPS, as a user's main directory."""

from pathlib import Path

import ase.io

from tests.csg.case import edit, make_case
from tests.engines.lammps.case import write_data

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
    atoms = ase.io.read(directory / "conf.extxyz")
    assert isinstance(atoms, ase.Atoms)
    write_data(directory / "conf.data", atoms)
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
