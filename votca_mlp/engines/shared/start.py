"""The configuration that a step begins from, and the checks before any MD."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.neighbours.box import check_box
from votca_mlp.units import ANGSTROM_PER_NM, EV_FS2_PER_ANGSTROM2_PER_AMU, KB_EV_PER_K

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]


def load_start(
    settings: Any, *, step_directory: Path, main_directory: Path, step_number: int
) -> tuple["Atoms", str, bool]:
    """Return the start, where it comes from, and whether it is a crystal to melt.

    The first that exists of: ``cg.inverse.ase.conf`` (``conf.extxyz`` when a crystal is given) in the step
    directory; with ``laststep`` the previous step's ``conf_out``; ``conf`` in the main directory; crystal.

    Raises
    ------
    UserError
        No start, or a file that cannot be read.
    """
    ase = settings.ase
    candidates = [step_directory / Path(ase.conf or "conf.extxyz").name]
    if settings.initial_configuration == "laststep" and step_number > 1:
        candidates.append(main_directory / f"step_{step_number - 1:03d}" / ase.conf_out)
    if ase.conf is not None:
        candidates.append(settings.input_path(ase.conf))
    for path in candidates:
        if path.is_file():
            return read_configuration(path), str(path), False
    if ase.crystal is not None:
        return build_crystal(ase.crystal), f"crystal {ase.crystal.element} {ase.crystal.structure}", True
    raise UserError(
        "there is no configuration to start from; looked for " + ", ".join(map(str, candidates)),
        where="cg.inverse.ase.conf",
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


def build_crystal(crystal: Any) -> "Atoms":
    """Build the orthorhombic crystal of ``cg.inverse.ase.crystal``.

    Raises
    ------
    UserError
        What ASE cannot build.
    """
    from ase.build import bulk

    shape = {"orthorhombic": True} if crystal.structure in ("hcp", "wurtzite") else {"cubic": True}
    try:
        cell = bulk(crystal.element, crystal.structure, a=crystal.lattice_constant, **shape)
    except Exception as error:  # ASE raises KeyError, ValueError, RuntimeError, IncompatibleStructure...
        raise UserError(
            f"cannot build the crystal: {error}",
            where="cg.inverse.ase.crystal",
            accepted="an element and a structure such as fcc, bcc, sc, diamond or hcp",
        ) from error
    return _bare(cell.repeat(tuple(crystal.repeat)))


def check_start(
    atoms: "Atoms", beads: Sequence[str], *, r_max: float, where: str, topology: str | Path
) -> None:
    """Refuse a start that does not fit topology, grid or trajectory format.

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
    if not np.isfinite(atoms.get_positions()).all():
        raise UserError("positions that are not finite numbers", where=where, accepted="finite coordinates")
    if not atoms.pbc.all() or np.linalg.det(cell) == 0.0:
        raise UserError("the configuration has no periodic box", where=where, accepted="three cell vectors")
    if np.abs(cell - np.diag(np.diag(cell))).max() > 1e-8 or (np.diag(cell) <= 0).any():
        raise UserError(
            "the box is not orthorhombic with its edges along x, y and z",
            where=where,
            accepted="a rectangular box: csg_stat reads no other from a LAMMPS dump",
        )
    check_box(cell, r_max, where)


def check_melted(sites: Array, positions: Array, volume: float) -> None:
    """Refuse a crystal whose atoms are still near their sites after melting at constant volume.

    Parameters
    ----------
    sites, positions
        Of the crystal and now (not wrapped), Angstrom, shape [n_atoms, 3].
    volume
        Angstrom^3.

    Raises
    ------
    UserError
        The root mean square distance is below half the spacing (V/N)^(1/3) of the atoms.
    """
    rms = float(np.sqrt(((positions - sites) ** 2).sum(1).mean()))
    if rms < 0.5 * float(np.cbrt(volume / len(positions))):
        raise UserError(
            f"the crystal has not molten: atoms are {rms:.2f} Angstrom from their sites (root mean square)",
            where="cg.inverse.ase.crystal",
            accepted="a higher <melt_temperature>, a longer <melt_time>, or a larger <lattice_constant>",
        )


def largest_maximum(settings: Any) -> float:
    """Return the largest ``<max>`` of the interactions, Angstrom."""
    return max(interaction.max for interaction in settings.interactions) * ANGSTROM_PER_NM


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
