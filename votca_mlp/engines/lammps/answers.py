"""What this process does in every MD step of LAMMPS: evaluate, watch, tell, look at the time."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.lammps.agree import VIRIAL_ORDER
from votca_mlp.engines.shared.first_evaluation import check_apart, check_finite
from votca_mlp.engines.shared.stages import Stage
from votca_mlp.engines.shared.watch import Watch
from votca_mlp.errors import Exploded, UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.result import Evaluation
from votca_mlp.interrupts import Interruption
from votca_mlp.progress import Progress
from votca_mlp.units import EV_FS2_PER_ANGSTROM2_PER_AMU, KB_EV_PER_K

Array = NDArray[np.float64]
Answer = tuple[float, Array, Array, bool]
"""Energy (eV), forces [n_atoms, 3] (eV/Angstrom), virial xx yy zz xy xz yz (eV), whether to stop the run."""

FINISHING_TIME = 5.0
"""Seconds kept before the deadline."""
FS_PER_PS = 1000.0
ADVICE = (
    "a smaller timestep or a gentler start in the script, or a smaller <alpha> of the interaction; look at "
    "u(r) below the first peak of g(r). The last checkpoint stays"
)
_NOTE_EVERY = 10


@dataclass(frozen=True)
class _State:
    """A configuration as :class:`votca_mlp.engines.shared.watch.Watch` looks at it; Angstrom, fs, K."""

    evaluation: Evaluation
    velocities: Array
    cell: Array
    timestep: float
    temperature: float
    volume: float


class Answers:
    """The evaluator as LAMMPS asks it.

    Parameters
    ----------
    evaluator, symbols
        Model plus correction; element of each atom in the order of the IDs.
    total
        MD steps of the script.
    temperature
        Of kBT, K; a limit of the temperature that is not set follows from it.
    where
        Named when atoms are lost.

    Attributes
    ----------
    start
        While step 0 is compared: the smallest distance (Angstrom), and the script.
    done
        MD steps before the part of a run that is under way.
    stopping
        The time is up.
    interruption
        Ctrl-C or SIGTERM, held back until LAMMPS has stopped and is saved.
    """

    def __init__(
        self, evaluator: Evaluator, symbols: list[str], *, total: int, temperature: float, where: str
    ) -> None:
        from ase import Atoms

        self.evaluator, self.where = evaluator, where
        self._stage = Stage("LAMMPS", 0, total, temperature, False, False)
        self.atoms = Atoms(symbols, positions=np.zeros((len(symbols), 3)), cell=np.eye(3), pbc=True)
        self._mass = self.atoms.get_masses()[:, None] * EV_FS2_PER_ANGSTROM2_PER_AMU
        self.done = 0
        self.timestep = 0.0
        self.watch: Watch | None = None
        self.start: tuple[float, str] | None = None
        self.progress: Progress | None = None
        self.deadline: float | None = None
        self.stopping = False
        self.interruption = Interruption()
        self._made, self._began = -1, 0.0

    def begin(self, done: int) -> None:
        """Count the MD steps of a part of a run, which begins by evaluating its first configuration."""
        self.done, self._made, self._began = done, -1, time.monotonic()

    def answer(self, positions: Array, velocities: Array, cell: Array) -> Answer:
        """Return energy, forces, virial = -stress V, and whether to stop at this step.

        Parameters
        ----------
        positions, velocities, cell
            Angstrom and Angstrom/ps, shapes [n_atoms, 3] and [3, 3].

        Raises
        ------
        UserError
            Atoms are lost, or a limit is passed.
        """
        lost = len(self.atoms) - len(positions)
        if lost:
            raise UserError(f"{lost} atoms have been lost", where=self.where, accepted=ADVICE)
        if self.start is not None:
            evaluation = self._first(positions, cell, *self.start)
        else:
            evaluation = self.evaluate(positions, cell)
        volume = float(np.linalg.det(cell))
        virial = -volume * np.array([evaluation.stress[i, j] for i, j in VIRIAL_ORDER])
        if self.watch is not None:
            self._made += 1
            self._look(evaluation, velocities / FS_PER_PS, cell, volume)
        return evaluation.energy, evaluation.forces, virial, self.stopping

    def _first(self, positions: Array, cell: Array, distance_min: float, where: str) -> Evaluation:
        """Return the evaluation of the start; LAMMPS's own words would not say what is wrong."""
        self.atoms.positions[:], self.atoms.cell[:] = positions, cell
        check_apart(self.atoms, distance_min, where)
        evaluation = self.evaluate(positions, cell)
        check_finite(evaluation, where)
        return evaluation

    def evaluate(self, positions: Array, cell: Array) -> Evaluation:
        """Return the evaluation of a configuration.

        Raises
        ------
        UserError
            A box that has left all bounds.
        """
        self.atoms.positions[:] = positions
        self.atoms.cell[:] = cell
        try:
            return self.evaluator.evaluate(self.atoms)
        except Exploded as error:
            step = self.done + self._made + 1
            raise UserError(error.what, where=f"MD step {max(step, 0)} (LAMMPS)", accepted=ADVICE) from None

    def raise_interruption(self) -> None:
        """Raise KeyboardInterrupt when Ctrl-C or SIGTERM has come."""
        if self.interruption.came is not None:
            raise KeyboardInterrupt

    def look(self, step: int, temperature: float, cell: Array) -> None:
        """Show and check what is known of a LAMMPS that evaluates by itself; K, Angstrom [3, 3].

        Raises
        ------
        UserError
            The temperature or the volume has passed its limit.
        """
        if self.progress is not None:
            self.progress.update(step, f"{temperature:.0f} K")
        if self.watch is None:
            return
        nothing = np.zeros((1, 3))
        evaluation = Evaluation(0.0, nothing, np.zeros((3, 3)), np.zeros(2))
        volume = float(np.linalg.det(cell))
        state = _State(evaluation, nothing, cell, self.timestep, temperature, volume)
        self._check(state, step)

    def _check(self, state: _State, step: int) -> None:
        assert self.watch is not None
        try:
            self.watch.check(state, self._stage, step)
        except UserError as error:
            raise UserError(error.what, where=error.where, accepted=ADVICE) from None

    def _look(self, evaluation: Evaluation, velocities: Array, cell: Array, volume: float) -> None:
        step = self.done + max(self._made, 0)
        freedom = max(3 * len(self.atoms) - 3, 1)
        temperature = float((self._mass * velocities**2).sum()) / (freedom * KB_EV_PER_K)
        if not np.isfinite(evaluation.forces).all():
            # LAMMPS has not used them yet, so that the velocities do not show it
            temperature = float("nan")
        state = _State(evaluation, velocities, cell, self.timestep, temperature, volume)
        self._check(state, step)
        if self.progress is not None and step % _NOTE_EVERY == 0:
            self.progress.update(step, f"{temperature:.0f} K")
        self.stopping = self.stopping or self.interruption.came is not None
        # a step at least: a chain of jobs that are shorter than a start would never end
        if self.deadline is not None and self._made > 0:
            now = time.monotonic()
            a_step = (now - self._began) / max(self._made, 1)
            self.stopping = self.stopping or now + 2 * a_step > self.deadline - FINISHING_TIME
