"""The integrator with a barostat along z alone: for a box whose x and y a crystal in it sets.

The fully flexible barostat of Martyna, Tobias, Klein, J. Chem. Phys. 101, 4177 (1994),
https://doi.org/10.1063/1.467468, of which one element of the cell moves.
"""

import math
from typing import Any

import numpy as np

from votca_mlp.engines.ase.integrate import Integrator
from votca_mlp.engines.ase.motion import exprel


class IntegratorAlongZ(Integrator):
    """As :class:`Integrator`, but the box keeps its edges along x and y, and its pressure is that along z."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.piston_mass /= 3.0

    def _piston_force(self, twice_kinetic: float) -> float:
        assert self.pressure is not None
        volume = self.volume
        along = float(self.masses[:, 0] @ np.square(self.velocities[:, 2]))
        virial = -float(self.evaluation.stress[2, 2]) * volume
        return along + virial + twice_kinetic / self.freedom - self.pressure * volume

    def _kick(self, time: float) -> None:
        rate = 0.0 if self.pressure is None else self.strain_rate
        # all of them feel the share that keeps the phase space's volume, z the strain as well
        across, along = -rate * time / self.freedom, -rate * time * (1.0 + 1.0 / self.freedom)
        for axes, drag in ((slice(0, 2), across), (slice(2, 3), along)):
            kick = time * exprel(drag) * self._accelerations[:, axes]
            self.velocities[:, axes] = math.exp(drag) * self.velocities[:, axes] + kick

    def _move(self) -> None:
        factor, time = self._move_factors()
        self.positions[:, :2] += self.timestep * self.velocities[:, :2]
        self.positions[:, 2] = factor * self.positions[:, 2] + time * self.velocities[:, 2]
        self.cell[2] *= factor
