"""The growing files of a step, the lines of its table, and its last configuration."""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.ase.motion import Motion
from votca_mlp.engines.shared.resume import shorter_than_recorded
from votca_mlp.errors import UserError
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
"""Header of ``thermo.dat``."""


class GrowingFile:
    """A file that only grows, and can be cut back to a recorded length.

    Parameters
    ----------
    path
        Written in place; a trajectory gets its final name by :meth:`finish`.
    length
        Cut an existing file back to this many bytes and go on; None starts anew.

    Raises
    ------
    UserError
        Cannot be opened, or shorter than ``length``.
    """

    def __init__(self, path: Path, length: int | None = None) -> None:
        self.path = path
        if length is not None and not path.exists():
            raise shorter_than_recorded(path, length)
        try:
            self._file: BinaryIO = open(path, "wb" if length is None else "r+b", buffering=0)  # noqa: SIM115
            if length is not None:
                if os.fstat(self._file.fileno()).st_size < length:
                    raise shorter_than_recorded(path, length)
                self._file.truncate(length)
                self._file.seek(length)
        except OSError as error:
            raise self._failed(error) from error

    def write(self, text: str) -> None:
        """Append.

        Raises
        ------
        UserError
            No space left, or another failure to write.
        """
        data = memoryview(text.encode("ascii"))
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            raise self._failed(error) from error

    def sync(self) -> int:
        """Force the content to disk and return its length in bytes."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from error
        return self._file.tell()

    def close(self) -> None:
        """Close; what is written stays."""
        self._file.close()

    def finish(self, name: Path) -> None:
        """Sync, close and rename to ``name``."""
        self.sync()
        self.close()
        os.replace(self.path, name)

    def _failed(self, error: OSError) -> UserError:
        return UserError(
            f"cannot write: {error.strerror}",
            where=self.path,
            accepted="free space and a writable directory. Earlier files and the last checkpoint are "
            "untouched; run again to go on",
        )


def thermo_row(step: int, stage: str, md: Motion) -> str:
    """Return a line of ``thermo.dat``; see :data:`COLUMNS`."""
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
    return f"{step} {step * md.timestep:.10g} {numbers} {stage}\n"


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
