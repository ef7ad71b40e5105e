"""The evaluator beside mdrun: checks, evaluates and now and then logs the configurations that come."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.gromacs.ipi import Beginning, Configuration
from votca_mlp.engines.shared.growing import GrowingFile
from votca_mlp.engines.shared.stages import Stage
from votca_mlp.engines.shared.watch import Watch
from votca_mlp.errors import Exploded, UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.result import Evaluation

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

LOG = "mlp.dat"
"""The model's energy, which mdrun's own energy file has no place for."""
_COLUMNS = "step time[ps] potential[eV] correction[eV] spread[meV/atom] closest[A]"
_MASS_TOLERANCE = 0.01


@dataclass(frozen=True)
class _Seen:
    """What the watch looks at; mdrun keeps velocities and temperature to itself."""

    evaluation: Evaluation
    velocities: Array
    cell: Array
    timestep: float
    volume: float
    temperature: float = 0.0


@dataclass
class Responder:
    """Answers mdrun.

    Attributes
    ----------
    evaluator
        Model plus correction.
    atoms
        Species and order that the topology for csg_stat says.
    watch
        Limits.
    timestep
        fs.
    log_every
        Steps between two lines of the log; 0 writes none.
    folder
        Of the log.
    topology, where
        What says the species, and the place of GROMACS's own topology: named in errors.
    """

    evaluator: Evaluator
    atoms: "Atoms"
    watch: Watch
    timestep: float
    log_every: int
    folder: Path
    topology: str | Path
    where: str
    step: int = -1
    first: int = 0
    evaluation: Evaluation | None = None
    _last: Array | None = None
    _log: GrowingFile | None = None

    def begin(self, beginning: Beginning) -> None:
        """Take note of the first step; refuse another topology than ours.

        Raises
        ------
        UserError
            Another number of atoms, or masses that are not those of our elements.
        """
        from ase.data import atomic_masses

        symbols = self.atoms.get_chemical_symbols()
        accepted = "the same atoms in the same order in both topologies and the start configuration"
        if len(beginning.masses) != len(symbols):
            what = f"GROMACS's topology has {len(beginning.masses)} atoms, {self.topology} has {len(symbols)}"
            raise UserError(what, where=self.where, accepted=accepted)
        expected = atomic_masses[self.atoms.numbers]
        wrong = np.flatnonzero(np.abs(beginning.masses - expected) > _MASS_TOLERANCE * expected)
        if len(wrong):
            k = int(wrong[0])
            raise UserError(
                f"atom {k + 1} has mass {beginning.masses[k]:g} in GROMACS's topology, but is {symbols[k]} "
                f"({expected[k]:.4g}) in {self.topology}",
                where=self.where,
                accepted=accepted,
            )
        self.first, self.step = beginning.step, beginning.step - 1
        if self.log_every:
            self._log = _open_log(self.folder / LOG, beginning.step)

    def answer(self, configuration: Configuration) -> tuple[float, Array, Array]:
        """Return energy (eV), forces (eV/Angstrom) and dE/d(strain) (eV) of a configuration.

        Raises
        ------
        UserError
            A simulation that has gone wrong.
        """
        self.step += 1
        self._place(configuration)
        try:
            found = self.evaluator.evaluate(self.atoms)
        except Exploded as error:
            raise UserError(error.what, where=f"MD step {self.step}", accepted=_ADVICE) from None
        volume = abs(float(np.linalg.det(configuration.cell)))
        seen = _Seen(found, np.zeros((0, 3)), configuration.cell, self.timestep, volume)
        self.watch.check(seen, Stage("mdrun", 0, 0, 0.0, False, False), self.step)
        self.evaluation = found
        if self._log is not None and self.step % self.log_every == 0:
            closest = "nan" if found.closest is None else f"{found.closest[2]:.4f}"
            self._log.write(
                f"{self.step} {self.step * self.timestep / 1000:.6g} {found.energy:.10g} "
                f"{found.correction_energy:.10g} {1000 * found.spread:.6g} {closest}\n"
            )
        return found.energy, found.forces, found.stress * volume

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _place(self, configuration: Configuration) -> None:
        """Take the configuration over, undoing mdrun's jumps across the box, which cost new lists."""
        positions, cell = configuration.positions, configuration.cell
        if not np.isfinite(positions).all() or not np.isfinite(cell).all() or np.linalg.det(cell) <= 0:
            raise UserError(
                "mdrun's positions or box are not finite numbers",
                where=f"MD step {self.step}",
                accepted=_ADVICE,
            )
        if self._last is not None:
            positions = positions + np.rint((self._last - positions) @ np.linalg.inv(cell)) @ cell
        self._last = positions
        self.atoms.set_cell(cell)
        self.atoms.set_positions(positions)


_ADVICE = "a smaller dt, a longer equilibration, or a smaller <alpha> of the interaction"


def _open_log(path: Path, step: int) -> GrowingFile:
    """Open the log, cut back to what lies before ``step``."""
    lines = path.read_text().splitlines(keepends=True) if step > 0 and path.is_file() else []
    kept = [line for line in lines if line[0] != "#" and line.endswith("\n") and int(line.split()[0]) < step]
    log = GrowingFile(path)
    log.write(f"#{_COLUMNS}\n" + "".join(kept))
    return log
