"""Nose-Hoover chains: Martyna, Klein, Tuckerman, J. Chem. Phys. 97, 2635 (1992)."""

import math

import numba
import numpy as np

CHAIN_LENGTH = 3
_OUTER = 1.0 / (2.0 - 2.0 ** (1.0 / 3.0))
_WEIGHTS = np.array([_OUTER, 1.0 - 2.0 * _OUTER, _OUTER])
"""Yoshida's fourth-order weights for the chain's splitting (Phys. Lett. A 150, 262 (1990))."""


class NoseHooverChain:
    """A chain of thermostats on ``freedom`` degrees of freedom.

    Parameters
    ----------
    freedom
        Number of degrees of freedom whose kinetic energy it holds at ``kbt``.
    kbt
        eV.
    time
        Characteristic time, fs: Q_1 = freedom kT time^2, Q_k = kT time^2.
    """

    def __init__(self, freedom: int, kbt: float, time: float) -> None:
        self.freedom, self.kbt = freedom, kbt
        self.masses = kbt * time**2 * np.array([freedom] + [1.0] * (CHAIN_LENGTH - 1))
        self.positions = np.zeros(CHAIN_LENGTH)
        self.rates = np.zeros(CHAIN_LENGTH)

    @property
    def energy(self) -> float:
        """Share of the conserved quantity, eV."""
        kinetic = 0.5 * float((self.masses * self.rates**2).sum())
        return kinetic + self.kbt * float(self.freedom * self.positions[0] + self.positions[1:].sum())

    def advance(self, twice_kinetic: float, time: float) -> float:
        """Advance by ``time`` (fs) and return the factor for the velocities; ``twice_kinetic`` in eV."""
        mean = self.freedom * self.kbt
        return float(_advance(self.positions, self.rates, self.masses, mean, self.kbt, twice_kinetic, time))


# some hundred operations on single numbers, twice a step: in Python a tenth of a small system's step
@numba.njit(cache=True)
def _advance(positions, rates, masses, mean, kbt, twice_kinetic, time):  # type: ignore[no-untyped-def]
    factor = 1.0
    for weight in _WEIGHTS:
        delta = weight * time
        for k in range(CHAIN_LENGTH - 1, -1, -1):
            _kick(rates, masses, mean, kbt, k, twice_kinetic, delta)
        for k in range(CHAIN_LENGTH):
            positions[k] += delta * rates[k]
        scale = math.exp(-delta * rates[0])
        factor *= scale
        twice_kinetic *= scale * scale
        for k in range(CHAIN_LENGTH):
            _kick(rates, masses, mean, kbt, k, twice_kinetic, delta)
    return factor


@numba.njit(cache=True)
def _kick(rates, masses, mean, kbt, k, twice_kinetic, delta):  # type: ignore[no-untyped-def]
    force = twice_kinetic - mean if k == 0 else masses[k - 1] * rates[k - 1] ** 2 - kbt
    drag = math.exp(-0.25 * delta * rates[k + 1]) if k + 1 < CHAIN_LENGTH else 1.0
    rates[k] = (rates[k] * drag + 0.5 * delta * force / masses[k]) * drag
