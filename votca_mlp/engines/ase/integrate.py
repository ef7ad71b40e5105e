"""Isothermal-isobaric MD: Nose-Hoover chains and the isotropic Martyna-Tobias-Klein barostat.

Equations of motion: Martyna, Tobias, Klein, J. Chem. Phys. 101, 4177 (1994), https://doi.org/10.1063/1.467468.
Reversible splitting: Tuckerman et al., J. Phys. A 39, 5629 (2006), https://doi.org/10.1088/0305-4470/39/19/S18.
Differs from ``ase.md.nose_hoover_chain`` in counting 3N - 3 degrees of freedom (the centre of mass is at
rest), and in that the whole state can be taken out and put back, so that a run continues bit for bit.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.ase import moves
from votca_mlp.engines.ase.chain import NoseHooverChain
from votca_mlp.models.contract import Evaluation
from votca_mlp.models.evaluate import Evaluator
from votca_mlp.models.neighbours import volume_of
from votca_mlp.units import (
    BAR_PER_EV_PER_ANGSTROM3,
    EV_FS2_PER_ANGSTROM2_PER_AMU,
    KB_EV_PER_K,
)

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]


class Integrator:
    """One ensemble: NPT, NVT without ``pressure``, NVE without ``thermostat_time`` too.

    Parameters
    ----------
    atoms
        Positions and cell are advanced in place; positions are never wrapped.
    evaluator
        Gives energy, forces and stress.
    velocities
        Angstrom/fs, shape [n_atoms, 3], centre of mass at rest.
    timestep, thermostat_time, barostat_time
        fs.
    temperature
        K.
    pressure
        bar, or None for constant volume.
    """

    def __init__(
        self,
        atoms: "Atoms",
        evaluator: Evaluator,
        velocities: Array,
        *,
        timestep: float,
        temperature: float,
        pressure: float | None = None,
        thermostat_time: float | None = 100.0,
        barostat_time: float = 1000.0,
    ) -> None:
        self.atoms, self.evaluator, self.timestep = atoms, evaluator, timestep
        self.positions: Array = atoms.get_positions()
        self.cell: Array = np.array(atoms.cell.array, float)
        self.velocities = np.array(velocities, float)
        self.masses: Array = (atoms.get_masses() * EV_FS2_PER_ANGSTROM2_PER_AMU)[:, None]
        self.freedom = 3 * len(atoms) - 3
        kbt = KB_EV_PER_K * temperature
        self.pressure = None if pressure is None else pressure / BAR_PER_EV_PER_ANGSTROM3
        self.thermostat = (
            None if thermostat_time is None else NoseHooverChain(self.freedom, kbt, thermostat_time)
        )
        self.barostat = NoseHooverChain(1, kbt, barostat_time)
        self.piston_mass = (self.freedom + 3) * kbt * barostat_time**2
        self.strain_rate = 0.0
        self._accelerations = np.empty_like(self.positions)
        self.evaluation: Evaluation
        self.recompute()

    @property
    def volume(self) -> float:
        """Angstrom^3."""
        return volume_of(self.cell)

    @property
    def kinetic_energy(self) -> float:
        """eV."""
        return 0.5 * self._twice_kinetic()

    @property
    def temperature(self) -> float:
        """K, from 3N - 3 degrees of freedom."""
        return self._twice_kinetic() / (self.freedom * KB_EV_PER_K)

    @property
    def pressure_bar(self) -> float:
        """Instantaneous pressure, bar: (2 K + virial) / 3 V."""
        virial = -float(np.trace(self.evaluation.stress)) * self.volume
        return (self._twice_kinetic() + virial) / (3.0 * self.volume) * BAR_PER_EV_PER_ANGSTROM3

    @property
    def conserved_energy(self) -> float:
        """What the equations of motion conserve, eV."""
        energy = self.evaluation.energy + self.kinetic_energy
        if self.thermostat is not None:
            energy += self.thermostat.energy
        if self.pressure is not None:
            energy += 0.5 * self.piston_mass * self.strain_rate**2 + self.pressure * self.volume
            energy += self.barostat.energy
        return energy

    def recompute(self) -> None:
        """Evaluate the present configuration afresh."""
        self.atoms.positions[:] = self.positions
        self.atoms.cell[:] = self.cell
        self.evaluation = self.evaluator.evaluate(self.atoms)
        moves.accelerate(self._accelerations, self.evaluation.forces, self.masses)

    def step(self) -> None:
        """Advance by one time step."""
        half = 0.5 * self.timestep
        self._chains(half)
        self._kick_piston(half)
        self._kick(half)
        move = self.strain_rate * self.timestep
        factor = math.exp(move)
        moves.add(self.positions, factor, self.velocities, self.timestep * _exprel(move))
        self.cell *= factor
        self.recompute()
        self._kick(half)
        self._kick_piston(half)
        self._chains(half)

    def state(self) -> dict[str, Array]:
        """Return all that determines how the run goes on."""
        thermostat = self.thermostat or self.barostat
        return {
            "positions": self.positions,
            "velocities": self.velocities,
            "cell": self.cell,
            "strain_rate": np.array(self.strain_rate),
            "thermostat": np.array([thermostat.positions, thermostat.rates]),
            "barostat": np.array([self.barostat.positions, self.barostat.rates]),
        }

    def restore(self, state: dict[str, Array]) -> None:
        """Put a state back and evaluate it."""
        for array, name in (
            (self.positions, "positions"),
            (self.velocities, "velocities"),
            (self.cell, "cell"),
        ):
            array[:] = state[name]
        self.strain_rate = float(state["strain_rate"])
        for chain, name in ((self.thermostat, "thermostat"), (self.barostat, "barostat")):
            if chain is not None:
                chain.positions[:], chain.rates[:] = state[name]
        self.recompute()

    def _twice_kinetic(self) -> float:
        return float(moves.twice_kinetic(self.masses, self.velocities))

    def _chains(self, time: float) -> None:
        if self.pressure is not None:
            self.strain_rate *= self.barostat.advance(self.piston_mass * self.strain_rate**2, time)
        if self.thermostat is not None:
            moves.scale(self.velocities, self.thermostat.advance(self._twice_kinetic(), time))

    def _kick_piston(self, time: float) -> None:
        if self.pressure is None:
            return
        volume = self.volume
        virial = -float(np.trace(self.evaluation.stress)) * volume
        force = (1.0 + 3.0 / self.freedom) * self._twice_kinetic() + virial - 3.0 * self.pressure * volume
        self.strain_rate += time * force / self.piston_mass

    def _kick(self, time: float) -> None:
        drag = -(1.0 + 3.0 / self.freedom) * self.strain_rate * time
        factor = 1.0 if self.pressure is None else math.exp(drag)
        moves.add(self.velocities, factor, self._accelerations, time * _exprel(drag))


def _exprel(x: float) -> float:
    """Return (e^x - 1)/x."""
    return math.expm1(x) / x if abs(x) > 1e-12 else 1.0 + 0.5 * x
