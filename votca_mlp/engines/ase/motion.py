"""What the equations of motion need beside the atoms: thermostat, barostat, cell, and what is conserved.

Isothermal-isobaric MD by Nose-Hoover chains and the isotropic Martyna-Tobias-Klein barostat: Martyna, Tobias,
Klein, J. Chem. Phys. 101, 4177 (1994), https://doi.org/10.1063/1.467468.
"""

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.ase.chain import NoseHooverChain
from votca_mlp.engines.shared.watch import ADVICE
from votca_mlp.errors import Exploded
from votca_mlp.evaluation.result import Evaluation
from votca_mlp.neighbours.box import volume_of
from votca_mlp.units import (
    BAR_PER_EV_PER_ANGSTROM3,
    EV_FS2_PER_ANGSTROM2_PER_AMU,
    KB_EV_PER_K,
)

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

MOST_STRAIN = 0.5
"""Beyond it (logarithm of an edge's change in one step) it has exploded: sound runs have below 0.001."""
MOST_FACTOR = 1e6
"""Factor of velocities in half a step; sound runs have near 1."""


class Motion(ABC):
    """One ensemble: NPT, NVT without ``pressure``, NVE without ``thermostat_time`` too.

    Parameters
    ----------
    atoms
        The start.
    timestep, thermostat_time, barostat_time
        fs.
    temperature
        K.
    pressure
        bar, or None for constant volume.

    Attributes
    ----------
    cell
        Angstrom, [3, 3].
    masses
        eV fs^2/Angstrom^2, [n_atoms, 1].
    """

    def __init__(
        self,
        atoms: "Atoms",
        *,
        timestep: float,
        temperature: float,
        pressure: float | None = None,
        thermostat_time: float | None = 100.0,
        barostat_time: float = 1000.0,
    ) -> None:
        self.atoms, self.timestep = atoms, timestep
        self.cell: Array = np.array(atoms.cell.array, float)
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

    # read-only here; the host's are plain attributes
    @property
    @abstractmethod
    def positions(self) -> Array:
        """Angstrom, [n_atoms, 3], never wrapped."""

    @property
    @abstractmethod
    def velocities(self) -> Array:
        """Angstrom/fs, [n_atoms, 3]."""

    @property
    @abstractmethod
    def evaluation(self) -> Evaluation:
        """Of the present configuration."""

    @abstractmethod
    def recompute(self) -> None:
        """Evaluate the present configuration afresh, with new neighbour lists."""

    @abstractmethod
    def step(self) -> None:
        """Advance by one time step."""

    @abstractmethod
    def _put(self, positions: Array, velocities: Array) -> None:
        """Take other positions and velocities."""

    @abstractmethod
    def _twice_kinetic(self) -> float:
        """Return the sum of m v^2, eV."""

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

    def lists(self) -> dict[str, Array] | None:
        """Return where the neighbour lists were built: :meth:`restore` goes on with them, bit for bit.

        None where that cannot be known, so that only a state after :meth:`recompute` can be put back.
        """
        return None

    def recall(self, lists: dict[str, Array]) -> None:
        """Evaluate the present configuration with the neighbour lists that :meth:`lists` described."""
        self.recompute()

    def restore(self, state: dict[str, Array], lists: dict[str, Array] | None = None) -> None:
        """Put a state back and evaluate it, with new neighbour lists or those of :meth:`lists`."""
        self._put(state["positions"], state["velocities"])
        self.cell[:] = state["cell"]
        self.strain_rate = float(state["strain_rate"])
        for chain, name in ((self.thermostat, "thermostat"), (self.barostat, "barostat")):
            if chain is not None:
                chain.positions[:], chain.rates[:] = state[name]
        if lists is None:
            self.recompute()
        else:
            self.recall(lists)

    def _advance_chains(self, twice_kinetic: float, time: float) -> float:
        """Advance both chains by ``time`` and return the factor for the velocities."""
        if self.pressure is not None:
            twice = self.piston_mass * self.strain_rate**2
            self.strain_rate *= _bounded(self.barostat.advance(twice, time), twice, "barostat")
        if self.thermostat is None:
            return 1.0
        return _bounded(self.thermostat.advance(twice_kinetic, time), twice_kinetic, "thermostat")

    def _kick_piston(self, twice_kinetic: float, time: float) -> None:
        if self.pressure is None:
            return
        self.strain_rate += time * self._piston_force(twice_kinetic) / self.piston_mass
        # before anything is moved by it; also where it is no number
        if not abs(self.strain_rate * self.timestep) < MOST_STRAIN:
            raise Exploded(
                f"the barostat would change the edges of the box by a factor of "
                f"{_exp(self.strain_rate * self.timestep):.3g} in one step: the pressure is "
                f"{self.pressure_bar:.3g} bar",
                accepted=ADVICE + "; a longer <barostat_time>, a start near the density, or nvt first",
            )

    def _piston_force(self, twice_kinetic: float) -> float:
        """Return what accelerates the piston, eV."""
        assert self.pressure is not None
        volume = self.volume
        virial = -float(np.trace(self.evaluation.stress)) * volume
        return (1.0 + 3.0 / self.freedom) * twice_kinetic + virial - 3.0 * self.pressure * volume

    def _kick_factors(self, time: float) -> tuple[float, float]:
        """Return factor and effective time of v = factor v + time a under the piston's drag."""
        if self.pressure is None:
            return 1.0, time
        drag = -(1.0 + 3.0 / self.freedom) * self.strain_rate * time
        return math.exp(drag), time * exprel(drag)

    def _move_factors(self) -> tuple[float, float]:
        """Return factor and effective time of x = factor x + time v; the cell grows by the factor."""
        move = self.strain_rate * self.timestep
        return math.exp(move), self.timestep * exprel(move)


def _bounded(factor: float, twice_kinetic: float, what: str) -> float:
    """Return the factor of a chain, or refuse one that no integration gives (or that is no number)."""
    # velocities that are no numbers are found by the watch, with their atom
    if 1.0 / MOST_FACTOR < factor < MOST_FACTOR or math.isnan(twice_kinetic):
        return factor
    how = f"would scale velocities by {factor:.3g} in half a step"
    raise Exploded(
        f"the {what} {'has left the range of numbers' if math.isnan(factor) else how}",
        accepted=f"a longer <{what}_time> (many time steps); {ADVICE}",
    )


def _exp(x: float) -> float:
    """Return e^x, inf where that is beyond all numbers."""
    return math.exp(x) if x < 700.0 else math.nan if math.isnan(x) else math.inf


def exprel(x: float) -> float:
    """Return (e^x - 1)/x."""
    return math.expm1(x) / x if abs(x) > 1e-12 else 1.0 + 0.5 * x
