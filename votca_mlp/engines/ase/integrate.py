"""The integrator on the host.

Reversible splitting: Tuckerman et al., J. Phys. A 39, 5629 (2006), https://doi.org/10.1088/0305-4470/39/19/S18.
Differs from ``ase.md.nose_hoover_chain`` in counting 3N - 3 degrees of freedom (the centre of mass is at
rest), and in that the whole state can be taken out and put back, so that a run continues bit for bit.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.ase import moves
from votca_mlp.engines.ase.motion import Motion
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.result import Evaluation

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]


class Integrator(Motion):
    """Positions and velocities in the host's memory.

    Parameters
    ----------
    atoms
        Positions and cell are advanced in place; positions are never wrapped.
    evaluator
        Gives energy, forces and stress.
    velocities
        Angstrom/fs, shape [n_atoms, 3], centre of mass at rest.
    options
        Those of :class:`Motion`.
    """

    positions: Array = np.empty((0, 3))
    velocities: Array = np.empty((0, 3))
    evaluation: Evaluation = None  # type: ignore[assignment]  # replaces the abstract one; set at once

    def __init__(self, atoms: "Atoms", evaluator: Evaluator, velocities: Array, **options: Any) -> None:
        super().__init__(atoms, **options)
        self.evaluator = evaluator
        self.positions, self.velocities = atoms.get_positions(), np.array(velocities, float)
        self._accelerations = np.empty_like(self.positions)
        self._evaluate()

    def recompute(self) -> None:
        """Evaluate the present configuration afresh, with new neighbour lists."""
        self.evaluator.forget()
        self._evaluate()

    def lists(self) -> dict[str, Array] | None:
        """Return where the neighbour lists were built; None with a calculator that may have its own."""
        lists = self.evaluator.lists()
        if lists is None:
            return None
        found = {}
        for k, each in enumerate(lists):
            if each.reference is not None:
                found[f"positions_{k}"], found[f"cell_{k}"] = each.reference
        return found

    def recall(self, lists: dict[str, Array]) -> None:
        """Evaluate the present configuration with the neighbour lists that :meth:`lists` described."""
        self.evaluator.forget()
        for k, each in enumerate(self.evaluator.lists() or ()):
            if f"cell_{k}" in lists:
                each.recall((lists[f"positions_{k}"], lists[f"cell_{k}"]))
        self._evaluate()

    def step(self) -> None:
        """Advance by one time step."""
        half = 0.5 * self.timestep
        self._chains(half)
        self._kick_piston(self._twice_kinetic(), half)
        self._kick(half)
        self._move()
        self._evaluate()
        self._kick(half)
        self._kick_piston(self._twice_kinetic(), half)
        self._chains(half)

    def _evaluate(self) -> None:
        self.atoms.positions[:] = self.positions
        self.atoms.cell[:] = self.cell
        self.evaluation = self.evaluator.evaluate(self.atoms)
        moves.accelerate(self._accelerations, self.evaluation.forces, self.masses)

    def _put(self, positions: Array, velocities: Array) -> None:
        self.positions[:], self.velocities[:] = positions, velocities

    def _twice_kinetic(self) -> float:
        return float(moves.twice_kinetic(self.masses, self.velocities))

    def _chains(self, time: float) -> None:
        moves.scale(self.velocities, self._advance_chains(self._twice_kinetic(), time))

    def _move(self) -> None:
        factor, time = self._move_factors()
        moves.add(self.positions, factor, self.velocities, time)
        self.cell *= factor

    def _kick(self, time: float) -> None:
        factor, effective = self._kick_factors(time)
        moves.add(self.velocities, factor, self._accelerations, effective)
