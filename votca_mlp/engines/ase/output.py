"""The lines of a step's table ``thermo.dat``, and its last configuration."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.ase.motion import Motion
from votca_mlp.engines.shared.stages import NAMES
from votca_mlp.files import atomic_write
from votca_mlp.observables.density import density
from votca_mlp.units import EV_FS2_PER_ANGSTROM2_PER_AMU

Array = NDArray[np.float64]

COLUMNS = (
    "step",
    "time[fs]",
    "temperature[K]",
    "pressure[bar]",
    "density[kg/m3]",
    "volume[A3]",
    "potential[eV]",
    "kinetic[eV]",
    "conserved[eV]",
    "correction[eV]",
    "spread[meV/atom]",
    "stage",
)
"""Columns of ``thermo.dat``; the stage is its place in :data:`votca_mlp.engines.shared.stages.NAMES`."""
HEADER = "#" + " ".join(COLUMNS) + "\n"
"""Of ``thermo.dat``: one word a column, which pandas keeps, behind a #, which numpy passes over."""


def has_words(path: Path) -> bool:
    """Return whether a ``thermo.dat`` was begun by a version that wrote the stage as a word."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().startswith("# ")


def thermo_row(step: int, stage: str, md: Motion, *, words: bool = False) -> str:
    """Return a line of ``thermo.dat``; see :data:`COLUMNS`. ``words``: the stage as a word."""
    evaluation, volume = md.evaluation, md.volume
    mass = float(md.masses.sum()) / EV_FS2_PER_ANGSTROM2_PER_AMU
    values = (
        md.temperature,
        md.pressure_bar,
        density(mass, volume),
        volume,
        evaluation.energy,
        md.kinetic_energy,
        md.conserved_energy,
        evaluation.correction_energy,
        1000.0 * evaluation.spread,
    )
    numbers = " ".join(f"{value:.10g}" for value in values)
    last = stage if words else NAMES.index(stage)
    return f"{step} {step * md.timestep:.10g} {numbers} {last}\n"


def write_configuration(path: Path, symbols: list[str], md: Motion) -> None:
    """Write positions, momenta (ASE's unit) and cell as extxyz with all digits."""
    from ase.units import fs

    lattice = " ".join(f"{value:.17g}" for value in md.cell.ravel())
    amu = md.masses / EV_FS2_PER_ANGSTROM2_PER_AMU
    rows = np.hstack([md.positions, md.velocities * amu / fs]).tolist()
    lines = [
        f"{len(symbols)}",
        f'Lattice="{lattice}" Properties=species:S:1:pos:R:3:momenta:R:3 pbc="T T T"',
        *(f"{s} " + " ".join(f"{x:.17g}" for x in row) for s, row in zip(symbols, rows, strict=True)),
    ]
    with atomic_write(path) as file:
        file.write("\n".join(lines) + "\n")
