"""Step 0 of a run: do the forces and the virial that mdrun works with equal the package's own?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.engines.gromacs.energy import read_energies
from votca_mlp.engines.gromacs.mdp import changed_mdp
from votca_mlp.engines.gromacs.options import options_of
from votca_mlp.engines.gromacs.trajectory import read_trr
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.first_evaluation import first_evaluation
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.units import ANGSTROM_PER_NM, BAR_PER_EV_PER_ANGSTROM3, EV_PER_KJMOL

if TYPE_CHECKING:
    from ase import Atoms

FORCE_TOLERANCE = 5e-4
"""eV/Angstrom: a float32 model summed in another order, and forces that mdrun keeps in single precision."""
PRESSURE_TOLERANCE = 5.0
"""bar: the same, in the virial of the whole box."""
NAME = "first_step"
_CHANGES = {
    "nsteps": "0",
    "nstxout": "1",
    "nstvout": "0",
    "nstfout": "1",
    "nstlog": "1",
    "nstenergy": "1",
    "nstcalcenergy": "1",
    "nstxout-compressed": "0",
}


def check_first_step(
    md: MDPlan,
    evaluator: Evaluator,
    atoms: "Atoms",
    *,
    directory: Path,
    virial: bool,
    run: Callable[[Path, str], float | None],
) -> dict[str, float]:
    """Let GROMACS make step 0 of the start and compare; return the largest differences by name.

    Parameters
    ----------
    atoms
        Species and order.
    virial
        Whether the way to the potential carries one.
    run
        Runs grompp on an mdp file and mdrun with ``-deffnm`` the name; returns the energy (eV) that was
        evaluated for mdrun, if it was by us.

    Raises
    ------
    UserError
        Forces or virial that differ beyond the tolerances.
    """
    mdp = directory / options_of(md).mdp
    changed = directory / f"{NAME}.mdp"
    changed.write_text(changed_mdp(mdp, _CHANGES))
    energy = run(changed, NAME)
    frame = next(read_trr(directory / f"{NAME}.trr"))
    if frame.forces is None:
        raise UserError("mdrun wrote no forces", where=directory / f"{NAME}.trr", accepted="nstfout = 1")
    # exactly what mdrun had: positions in single precision
    same = atoms.copy()
    same.set_cell(frame.box * ANGSTROM_PER_NM)
    same.set_positions(frame.positions * ANGSTROM_PER_NM)
    evaluator.forget()
    own = first_evaluation(evaluator, same, str(md.start or md.place("conf")))
    evaluator.forget()
    difference = np.abs(frame.forces * EV_PER_KJMOL / ANGSTROM_PER_NM - own.forces)
    where = md.place("topol_in")
    worst = float(difference.max())
    if not worst <= FORCE_TOLERANCE:
        atom = int(np.unravel_index(np.argmax(difference), difference.shape)[0])
        raise UserError(
            f"at step 0 the force on atom {atom + 1} in GROMACS differs by {worst:.3g} eV/A from the "
            "package's own: the topology or the mdp file adds something, or orders the atoms otherwise",
            where=where,
            accepted="a topology without Lennard-Jones, charges and bonds, an mdp file without restraints "
            "as in gromacs_templates; mdrun's files of this step stay as first_step.*",
        )
    found = {} if energy is None else {"energy[eV/atom]": abs(energy - own.energy) / len(same)}
    found["forces[eV/A]"] = worst
    if virial:
        names = ["Vir-XX", "Vir-XY", "Vir-XZ", "Vir-YX", "Vir-YY", "Vir-YZ", "Vir-ZX", "Vir-ZY", "Vir-ZZ"]
        energies = read_energies(md, directory / f"{NAME}.edr", names)
        # GROMACS's virial is -1/2 sum x f = 1/2 dE/d(strain)
        theirs = 2.0 * EV_PER_KJMOL * np.array([energies[name][0] for name in names]).reshape(3, 3)
        pressure = np.abs(theirs / same.get_volume() - own.stress).max() * BAR_PER_EV_PER_ANGSTROM3
        if not pressure <= PRESSURE_TOLERANCE:
            raise UserError(
                f"at step 0 the virial in GROMACS differs by {pressure:.3g} bar from the package's own",
                where=where,
                accepted="an mdp file as in gromacs_templates (DispCorr = no); files stay as first_step.*",
            )
        found["pressure[bar]"] = float(pressure)
    for file in directory.glob(f"{NAME}.*"):
        file.unlink()
    return found
