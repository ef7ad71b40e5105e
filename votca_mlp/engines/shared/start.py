"""The configuration that a step begins from, and the checks before any MD."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.elements import refuse_unknown_element
from votca_mlp.engines.options import Crystal
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.first_evaluation import check_apart
from votca_mlp.errors import UserError
from votca_mlp.files import refuse_special
from votca_mlp.neighbours.box import check_box, edges_of, tilt_of
from votca_mlp.units import EV_FS2_PER_ANGSTROM2_PER_AMU, KB_EV_PER_K

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]
FARTHEST = 1e6
"""Angstrom: no atom of a start, and no edge of its box, is so far away."""

_ROUNDING = 1e-8
"""Angstrom: a tilt that has always stayed as it is, so that the numbers do."""


@dataclass(frozen=True)
class Start:
    """What a step begins from: the atoms, where they come from, and whether they are a crystal to melt."""

    atoms: "Atoms"
    source: str
    from_crystal: bool


def checked_start(plan: MDPlan, step_directory: Path) -> Start:
    """Return the start of a step when it fits the plan; see :func:`load_start` and :func:`check_start`.

    Raises
    ------
    UserError
        No start, or one that does not fit.
    """
    start = load_start(plan, step_directory)
    symbols = expected_symbols(plan) or start.atoms.get_chemical_symbols()
    check_start(start.atoms, symbols, r_max=plan.r_max, where=start.source, topology=plan.topology)
    check_apart(start.atoms, plan.limits.distance_min, start.source)
    return start


def expected_symbols(plan: MDPlan) -> list[str]:
    """Return the element of each atom that the plan expects; none where the start alone says it.

    Raises
    ------
    UserError
        The file that says them is missing.
    """
    if not plan.symbols and isinstance(plan.topology, Path):
        raise UserError(
            "no such file", where=plan.topology, accepted="the topology, which names the elements"
        )
    return list(plan.symbols)


def load_start(plan: MDPlan, step_directory: Path) -> Start:
    """Return the start of a step: the first there is of the file in its directory, ``start``, ``crystal``.

    The file in the step directory has the name of ``start``; with a crystal it is ``conf.extxyz``, the last
    configuration of the step before.

    Raises
    ------
    UserError
        No start, or a file that cannot be read.
    """
    candidates = [step_directory / (plan.start.name if plan.start is not None else "conf.extxyz")]
    candidates += [plan.start] if plan.start is not None else []
    for path in candidates:
        if path.exists():
            return Start(read_configuration(path), str(path), False)
    if plan.crystal is not None:
        atoms = build_crystal(plan.crystal, where=plan.place("crystal"))
        return Start(atoms, f"crystal {plan.crystal.element} {plan.crystal.structure}", True)
    raise UserError(
        "there is no configuration to start from; looked for " + ", ".join(map(str, candidates)),
        where=plan.place("conf"),
        accepted="a file in the main directory that ASE reads, or <crystal>",
    )


def read_configuration(path: Path) -> "Atoms":
    """Read the last configuration of a file that ASE reads, without constraints and velocities.

    Raises
    ------
    UserError
        Unreadable, or several formats wrong.
    """
    import ase.io

    refuse_special(path)
    try:
        # ASE knows LAMMPS's data files by no ending; it tells the elements by the masses
        form = "lammps-data" if path.suffix == ".data" else None
        frames = ase.io.read(path, index="-1:", format=form)
        atoms = frames[0] if isinstance(frames, list) else frames
    except Exception as error:  # ASE's readers raise whatever their parsing trips over
        raise UserError(
            f"cannot read the configuration: {type(error).__name__}: {error}",
            where=path,
            accepted="a file with a cell that ASE reads, such as extxyz, POSCAR, cif or gro",
        ) from error
    return _bare(atoms)


def build_crystal(crystal: Crystal, where: str = "crystal") -> "Atoms":
    """Build an orthorhombic crystal; ``where`` is named in errors.

    Raises
    ------
    UserError
        What ASE cannot build.
    """
    from ase.build import bulk

    refuse_unknown_element(crystal.element, where)
    shape = {"orthorhombic": True} if crystal.structure in ("hcp", "wurtzite") else {"cubic": True}
    try:
        cell = bulk(crystal.element, crystal.structure, a=crystal.lattice_constant, **shape)
    except Exception as error:  # ASE raises KeyError, ValueError, RuntimeError, IncompatibleStructure...
        raise UserError(
            f"cannot build the crystal: {error}",
            where=where,
            accepted="an element and a structure such as fcc, bcc, sc, diamond or hcp",
        ) from error
    return _bare(cell.repeat(tuple(crystal.repeat)))


def check_start(
    atoms: "Atoms", beads: Sequence[str], *, r_max: float, where: str, topology: str | Path
) -> None:
    """Refuse a start that does not fit topology, grid or trajectory format; square up what is next to square.

    Parameters
    ----------
    beads
        Type of each bead of the topology, chemical symbols in order.
    r_max
        Largest maximum of the interactions' grids, Angstrom.
    where, topology
        Named in errors.

    Raises
    ------
    UserError
        Naming what differs.
    """
    symbols = atoms.get_chemical_symbols()
    if len(symbols) != len(beads):
        raise UserError(
            f"the configuration has {len(symbols)} atoms, the topology {topology} has {len(beads)} beads",
            where=where,
            accepted="the same number; correct nmols and nbeads in the topology or the configuration",
        )
    for index, (symbol, bead) in enumerate(zip(symbols, beads, strict=True), start=1):
        if symbol != bead:
            raise UserError(
                f"atom {index} is {symbol} in the configuration and bead type {bead} in {topology}",
                where=where,
                accepted="the same elements in the same order; bead types are chemical symbols",
            )
    cell = np.asarray(atoms.cell.array, float)
    if not np.isfinite(atoms.get_positions()).all() or not np.isfinite(cell).all():
        raise UserError("positions that are not finite numbers", where=where, accepted="finite coordinates")
    for what, numbers in (("a coordinate", atoms.get_positions()), ("a cell vector", cell)):
        if numbers.size and (largest := float(np.abs(numbers).max())) > FARTHEST:
            # so far away an atom has lost the digits that its neighbours need
            accepted = "coordinates in or near the box, in the unit of the format"
            raise UserError(f"{what} is {largest:.4g} Angstrom", where=where, accepted=accepted)
    if not atoms.pbc.all() or np.linalg.det(cell) == 0.0:
        raise UserError("the configuration has no periodic box", where=where, accepted="three cell vectors")
    edges = edges_of(cell, where)
    check_box(cell, r_max, where)
    if tilt_of(cell) > _ROUNDING:
        # the trajectory has edges only
        atoms.set_cell(np.diag(edges))


def check_melted(sites: Array, positions: Array, volume: float, where: str = "crystal") -> None:
    """Refuse a crystal whose atoms are still near their sites after melting at constant volume.

    Parameters
    ----------
    sites, positions
        Of the crystal and now (not wrapped), Angstrom, shape [n_atoms, 3].
    volume
        Angstrom^3.
    where
        Named in errors.

    Raises
    ------
    UserError
        The root mean square distance is below half the spacing (V/N)^(1/3) of the atoms.
    """
    rms = float(np.sqrt(((positions - sites) ** 2).sum(1).mean()))
    if rms < 0.5 * float(np.cbrt(volume / len(positions))):
        raise UserError(
            f"the crystal has not molten: atoms are {rms:.2f} Angstrom from their sites (root mean square)",
            where=where,
            accepted="a higher <melt_temperature>, a longer <melt_time>, or a larger <lattice_constant>",
        )


def draw_velocities(masses: Array, temperature: float, seed: Sequence[int]) -> Array:
    """Draw Maxwell-Boltzmann velocities with the centre of mass at rest, scaled to the temperature.

    Parameters
    ----------
    masses
        amu, shape [n_atoms].
    temperature
        K, met exactly with 3N - 3 degrees of freedom.
    seed
        Numbers combined by ``numpy.random.SeedSequence``, such as (seed, step, stage).

    Returns
    -------
    Angstrom/fs, shape [n_atoms, 3].
    """
    mass = np.asarray(masses, float)[:, None] * EV_FS2_PER_ANGSTROM2_PER_AMU
    random = np.random.default_rng(np.random.SeedSequence(list(seed)))
    velocities = random.standard_normal((len(mass), 3)) / np.sqrt(mass)
    velocities -= (mass * velocities).sum(axis=0) / mass.sum()
    twice_kinetic = float((mass * velocities**2).sum())
    return np.asarray(velocities * np.sqrt((3 * len(mass) - 3) * KB_EV_PER_K * temperature / twice_kinetic))


def _bare(atoms: "Atoms") -> "Atoms":
    from ase import Atoms

    return Atoms(
        numbers=atoms.numbers,
        positions=atoms.positions,
        cell=atoms.cell,
        pbc=atoms.pbc,
        masses=atoms.get_masses(),
    )
