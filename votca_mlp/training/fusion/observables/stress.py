"""Energy, stress and pressure of an ensemble.

Stress is positive under tension, as in ASE:

    sigma_ij = <W_ij / V> - N kB T <1/V> delta_ij,      p = -(sigma_xx + sigma_yy + sigma_zz) / 3,

with W = dU/d(eta) the virial of :mod:`.derivatives`. Momenta are not looked at: their part is the mean of the
canonical ensemble, N kB T / V, which has no noise.
"""

import torch
from torch import Tensor

from votca_mlp.training.fusion.observables.protocol import FrameObservable, Values
from votca_mlp.training.fusion.observables.voigt import LABELS
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3, KB_EV_PER_K


class MeanEnergy(FrameObservable):
    """Potential energy per atom, eV."""

    labels, unit, needs = ("energy",), "eV/atom", frozenset({"energy"})

    def __init__(self, n_atoms: int) -> None:
        self.n_atoms = n_atoms

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the mean, [1]."""
        return (weights @ values["energy"] / self.n_atoms).reshape(1)


class StressTensor(FrameObservable):
    """Stress in Voigt's order xx, yy, zz, yz, xz, xy, eV/Angstrom^3, positive under tension.

    Parameters
    ----------
    temperature
        K.
    n_atoms
        Of each frame; both for the kinetic part.
    """

    labels = tuple(f"stress_{label}" for label in LABELS)
    unit, needs = "eV/Angstrom^3", frozenset({"virial"})

    def __init__(self, temperature: float, n_atoms: int) -> None:
        self.temperature, self.n_atoms = float(temperature), int(n_atoms)

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the mean stress with its kinetic part, [6]."""
        return mean_stress(weights, values, self.temperature, self.n_atoms)


class Pressure(FrameObservable):
    """Pressure, bar; parameters as of :class:`StressTensor`."""

    labels, unit, needs = ("pressure",), "bar", frozenset({"virial"})
    # where a barostat holds it, it is the barostat's
    held = "volume"

    def __init__(self, temperature: float, n_atoms: int) -> None:
        self.temperature, self.n_atoms = float(temperature), int(n_atoms)

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the mean pressure with its kinetic part, [1]."""
        stress = mean_stress(weights, values, self.temperature, self.n_atoms)
        return -BAR_PER_EV_PER_ANGSTROM3 * stress[:3].mean().reshape(1)


def mean_stress(weights: Tensor, values: Values, temperature: float, n_atoms: int) -> Tensor:
    """Return the stress of weighted frames in Voigt's order, eV/Angstrom^3, [6]; temperature in K."""
    inverse = 1.0 / values["volume"]
    diagonal = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    kinetic = n_atoms * KB_EV_PER_K * temperature * (weights @ inverse)
    return weights @ (values["virial"] * inverse.unsqueeze(1)) - kinetic * diagonal
