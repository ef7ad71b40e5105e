"""The integrator on a device: positions, velocities and forces stay there.

A step brings a handful of numbers back in one go (energies, kinetic energy, virial, closest pair, how far
atoms have moved); positions come back for samples, checkpoints and new neighbour lists. The equations and
their splitting are those of :mod:`votca_mlp.engines.ase.integrate`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.engines.ase.motion import Motion
from votca_mlp.evaluation.device import DeviceEvaluation, DeviceForces

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]


class DeviceIntegrator(Motion):
    """Positions and velocities on the device of the model, in float64.

    Parameters
    ----------
    atoms
        The start, in a periodic box; not advanced.
    forces
        Evaluates positions on the device.
    velocities
        Angstrom/fs, shape [n_atoms, 3], centre of mass at rest.
    options
        Those of :class:`Motion`.

    Attributes
    ----------
    evaluation
        Of the present configuration; its forces stay on the device until they are asked for.
    copies
        How often positions or velocities came to the host.
    """

    _x: Tensor
    _v: Tensor
    _accelerations: Tensor
    _kinetic: float
    evaluation: DeviceEvaluation = None  # type: ignore[assignment]  # replaces the abstract one; set at once

    def __init__(self, atoms: "Atoms", forces: DeviceForces, velocities: Array, **options: Any) -> None:
        super().__init__(atoms, **options)
        self.forces, self.copies = forces, 0
        self._numbers, self._pbc = atoms.numbers.astype(np.int64), np.array(atoms.pbc, bool)
        self._mass = torch.from_numpy(self.masses).to(forces.device)
        self._put(atoms.get_positions(), np.array(velocities, float))
        self.recompute()

    @property
    def positions(self) -> Array:
        """Angstrom, [n_atoms, 3], never wrapped; copied from the device."""
        return self._copied(self._x)

    @property
    def velocities(self) -> Array:
        """Angstrom/fs, [n_atoms, 3]; copied from the device."""
        return self._copied(self._v)

    def recompute(self) -> None:
        """Evaluate the present configuration afresh, with new neighbour lists."""
        self._build()
        self._evaluate(0.0)

    def lists(self) -> dict[str, Array]:
        """Return nothing: a GPU adds up in another order each time, with whatever lists."""
        return {}

    def step(self) -> None:
        """Advance by one time step."""
        half = 0.5 * self.timestep
        scale = self._advance_chains(self._kinetic, half)
        self._kick_piston(scale**2 * self._kinetic, half)
        factor, time = self._kick_factors(half)
        self._v = scale * factor * self._v + time * self._accelerations
        factor, time = self._move_factors()
        self._x = factor * self._x + time * self._v
        self.cell *= factor
        before = self._v
        if not self._evaluate(half):
            self._v = before
            self._build()
            self._evaluate(half)
        self._kick_piston(self._kinetic, half)
        scale = self._advance_chains(self._kinetic, half)
        self._v, self._kinetic = scale * self._v, scale**2 * self._kinetic

    def _evaluate(self, kick: float) -> bool:
        """Evaluate and kick the velocities for so many fs; return False when the lists were incomplete.

        Both before anything is known on the host, which then hears of it all at once.
        """
        found = self.forces.sums(self._x, self.cell)
        net = found.forces.sum(0) / self._mass.sum()
        self._accelerations = found.forces / self._mass - net
        if kick:
            factor, time = self._kick_factors(kick)
            self._v = factor * self._v + time * self._accelerations
        kinetic = (self._mass * self._v.square()).sum()
        numbers = torch.cat([kinetic.view(1), found.numbers]).cpu().numpy()
        self._kinetic = float(numbers[0])
        self.evaluation, moved = self.forces.evaluation_of(numbers[1:], self.cell, found.forces)
        # a configuration that is nowhere is not improved by new lists
        return self.forces.complete(moved, self.cell) or not np.isfinite(moved).all()

    def _build(self) -> None:
        self.forces.build(self.positions, self.cell, self._pbc, self._numbers)

    def _put(self, positions: Array, velocities: Array) -> None:
        device = self.forces.device
        # copies also where the device is the host
        self._x, self._v = (
            torch.tensor(each, dtype=torch.float64, device=device) for each in (positions, velocities)
        )
        self._kinetic = float((self._mass * self._v.square()).sum())

    def _twice_kinetic(self) -> float:
        return self._kinetic

    def _copied(self, values: Tensor) -> Array:
        self.copies += 1
        return np.array(values.cpu().numpy())
