"""Step 0 of a script: usable atoms, box and units, and LAMMPS's forces equal to the package's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.engines.lammps.agree import Found, check_atoms, check_step_0
from votca_mlp.engines.lammps.answers import FS_PER_PS, Answers
from votca_mlp.engines.lammps.process import Lammps
from votca_mlp.engines.lammps.program import Program
from votca_mlp.engines.shared.first_evaluation import check_apart, check_finite
from votca_mlp.errors import UserError
from votca_mlp.neighbours.box import check_box, edges_of


@dataclass(frozen=True)
class Step0:
    """How far LAMMPS and the package are apart at step 0, and what the start is.

    Attributes
    ----------
    agreement
        Of :func:`votca_mlp.engines.lammps.agree.check_step_0`.
    energy, volume
        eV, Angstrom^3.
    """

    agreement: tuple[float, float, float]
    energy: float
    volume: float


def elements(symbols: list[str], facts: dict[str, Any], *, where: str) -> list[str]:
    """Return the element of each LAMMPS type, X for one without atoms.

    Raises
    ------
    UserError
        Other atoms than ``symbols``.
    """
    check_atoms(symbols, facts["types"], facts["masses"], where=where)
    names = dict(zip(facts["types"], symbols, strict=True))
    return [names.get(kind, "X") for kind in range(1, len(facts["masses"]) + 1)]


def check_rectangular(lammps: Lammps | Program, where: str | Path) -> None:
    """Refuse a box that is tilted, or that a later command could tilt.

    Raises
    ------
    UserError
        Naming ``where``.
    """
    box, _ = lammps.ask("box")
    edges_of(np.array(box["cell"]), where)
    if box["triclinic"]:
        what = "LAMMPS counts the box as triclinic, though it has no tilt"
        raise UserError(what, where=where, accepted="change_box all ortho before the first fix, dump and run")


def compare_step_0(
    lammps: Lammps | Program,
    answers: Answers,
    symbols: list[str],
    *,
    r_max: float,
    distance_min: float,
    random_forces: bool,
    where: Path,
) -> Step0:
    """Compare LAMMPS's energy, forces and virial with the package's own, and look at box and units.

    Parameters
    ----------
    r_max
        Half of each box edge must exceed it, Angstrom.
    distance_min
        No two atoms are closer, Angstrom.
    random_forces
        A thermostat adds forces of its own.
    where
        The script.

    Raises
    ------
    UserError
        What differs, or cannot be used.
    """
    facts, _ = lammps.ask("facts")
    if facts["units"] != "metal":
        accepted = "units metal at the beginning of the script"
        raise UserError(f"units {facts['units']}", where=where, accepted=accepted)
    elements(symbols, facts, where=str(where))
    cell = np.array(facts["cell"])
    if not all(facts["periodic"]):
        what = "the box is not periodic along x, y and z"
        raise UserError(what, where=where, accepted="boundary p p p")
    check_rectangular(lammps, where)
    check_box(cell, r_max, str(where))
    answers.timestep = facts["timestep"] * FS_PER_PS
    answers.start = (distance_min, str(where))
    answer, data = lammps.ask("evaluated")
    answers.start = None
    positions, forces = np.frombuffer(data).reshape(2, -1, 3)
    found = Found(answer["energy"], np.array(answer["pressure"]), forces)
    answers.evaluator.forget()
    answers.atoms.positions[:], answers.atoms.cell[:] = positions, answer["cell"]
    check_apart(answers.atoms, distance_min, str(where))
    own = answers.evaluate(positions, np.array(answer["cell"]))
    check_finite(own, str(where))
    agreement = check_step_0(found, own, where=str(where), random_forces=random_forces)
    answers.evaluator.forget()
    return Step0(agreement, own.energy, float(np.linalg.det(cell)))
