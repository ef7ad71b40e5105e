"""A Lennard-Jones mixture as a pair-list model: cheap known answers, and baselines for simple fluids."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel


class LennardJones(PairModel):
    """u(r) = 4 eps [(s/r)^12 - (s/r)^6], truncated with shifted force (C1 at the cutoff).

    Parameters
    ----------
    numbers
        Atomic numbers, n of them.
    epsilon, sigma
        Pair parameters in eV and Angstrom, shape [n, n], symmetric.
    cutoff
        Angstrom.
    """

    epsilon: Tensor
    sigma: Tensor
    index: Tensor

    def __init__(self, numbers: Sequence[int], epsilon: np.ndarray, sigma: np.ndarray, cutoff: float) -> None:
        super().__init__()
        self.numbers, self.cutoff = tuple(numbers), float(cutoff)
        index = torch.zeros(max(numbers) + 1, dtype=torch.long)
        index[list(numbers)] = torch.arange(len(numbers))
        self.register_buffer("index", index)
        self.register_buffer("epsilon", torch.as_tensor(epsilon, dtype=torch.float64))
        self.register_buffer("sigma", torch.as_tensor(sigma, dtype=torch.float64))

    def pair_energies(self, kind_i: Tensor, kind_j: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
        """Return u(r) in eV and du/dr in eV/Angstrom, shapes [n_pairs]; kinds index the parameters."""
        epsilon, sigma = self.epsilon[kind_i, kind_j], self.sigma[kind_i, kind_j]
        energy, slope = _plain(epsilon, sigma, r)
        end, end_slope = _plain(epsilon, sigma, torch.full_like(r, self.cutoff))
        within = r < self.cutoff
        return (energy - end - (r - self.cutoff) * end_slope) * within, (slope - end_slope) * within

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return atomic energies in eV, shape [1, n_atoms]."""
        kinds = self.index[numbers]
        energy, _ = self.pair_energies(kinds[first], kinds[second], vectors.norm(dim=1))
        atomic = torch.zeros(len(numbers), dtype=energy.dtype, device=energy.device)
        return atomic.index_add(0, first, 0.5 * energy).unsqueeze(0)

    def energies_and_gradient(
        self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return atomic energies [1, n_atoms] and the gradient [n_pairs, 3] from the closed form."""
        kinds = self.index[numbers]
        r = vectors.norm(dim=1)
        energy, slope = self.pair_energies(kinds[first], kinds[second], r)
        atomic = torch.zeros(len(numbers), dtype=energy.dtype, device=energy.device)
        return atomic.index_add(0, first, 0.5 * energy).unsqueeze(0), (0.5 * slope / r).unsqueeze(1) * vectors


def _plain(epsilon: Tensor, sigma: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
    s6 = (sigma / r) ** 6
    return 4.0 * epsilon * (s6 * s6 - s6), -24.0 * epsilon * (2.0 * s6 * s6 - s6) / r


def lennard_jones_mixture(
    species: Mapping[str, Sequence[float]], cutoff: float, pairs: Mapping[str, Sequence[float]] | None = None
) -> LennardJones:
    """Return a Lennard-Jones mixture with Lorentz-Berthelot mixing.

    Parameters
    ----------
    species
        From chemical symbol to (epsilon in eV, sigma in Angstrom).
    cutoff
        Angstrom.
    pairs
        The same for pairs such as ``Ar-Kr``, instead of the mixing rule.

    Raises
    ------
    UserError
        An unknown symbol, or parameters that are not two positive numbers.
    """
    from ase.data import atomic_numbers

    where = "cg.inverse.mlp.arguments"
    for name, values in {**species, **(pairs or {})}.items():
        if any(symbol not in atomic_numbers for symbol in name.split("-")):
            raise UserError(f"'{name}' is not made of chemical symbols", where=where, accepted="Ar, or Ar-Kr")
        if len(values) != 2 or not all(float(value) > 0 for value in values):
            raise UserError(
                f"{name}: {values}", where=where, accepted="[epsilon in eV, sigma in Angstrom], both > 0"
            )
    symbols = list(species)
    eps, sig = (np.array([float(species[s][k]) for s in symbols]) for k in (0, 1))
    epsilon, sigma = np.sqrt(np.outer(eps, eps)), 0.5 * np.add.outer(sig, sig)
    for name, (e, s) in (pairs or {}).items():
        a, b = name.split("-")
        if a not in species or b not in species:
            raise UserError(f"{name} names a species without parameters", where=where, accepted=str(symbols))
        i, j = symbols.index(a), symbols.index(b)
        epsilon[i, j] = epsilon[j, i] = float(e)
        sigma[i, j] = sigma[j, i] = float(s)
    return LennardJones([atomic_numbers[s] for s in symbols], epsilon, sigma, float(cutoff))
