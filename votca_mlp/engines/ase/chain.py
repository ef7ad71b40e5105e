"""Nose-Hoover chains: Martyna, Klein, Tuckerman, J. Chem. Phys. 97, 2635 (1992)."""

import math

CHAIN_LENGTH = 3
_OUTER = 1.0 / (2.0 - 2.0 ** (1.0 / 3.0))
_WEIGHTS = (_OUTER, 1.0 - 2.0 * _OUTER, _OUTER)
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
        self.masses = [freedom * kbt * time**2] + [kbt * time**2] * (CHAIN_LENGTH - 1)
        self.positions = [0.0] * CHAIN_LENGTH
        self.rates = [0.0] * CHAIN_LENGTH

    @property
    def energy(self) -> float:
        """Share of the conserved quantity, eV."""
        kinetic = sum(0.5 * q * v * v for q, v in zip(self.masses, self.rates, strict=True))
        return kinetic + self.kbt * (self.freedom * self.positions[0] + sum(self.positions[1:]))

    def advance(self, twice_kinetic: float, time: float) -> float:
        """Advance by ``time`` (fs) and return the factor for the velocities; ``twice_kinetic`` in eV."""
        factor = 1.0
        for weight in _WEIGHTS:
            delta = weight * time
            for k in reversed(range(CHAIN_LENGTH)):
                self._kick(k, twice_kinetic, delta)
            for k in range(CHAIN_LENGTH):
                self.positions[k] += delta * self.rates[k]
            scale = math.exp(-delta * self.rates[0])
            factor *= scale
            twice_kinetic *= scale * scale
            for k in range(CHAIN_LENGTH):
                self._kick(k, twice_kinetic, delta)
        return factor

    def _kick(self, k: int, twice_kinetic: float, delta: float) -> None:
        rates, masses = self.rates, self.masses
        if k == 0:
            force = twice_kinetic - self.freedom * self.kbt
        else:
            force = masses[k - 1] * rates[k - 1] ** 2 - self.kbt
        drag = math.exp(-0.25 * delta * rates[k + 1]) if k + 1 < CHAIN_LENGTH else 1.0
        rates[k] = (rates[k] * drag + 0.5 * delta * force / masses[k]) * drag
