"""Atomic environment vectors on a sorted pair list, in plain torch.

J. S. Smith, O. Isayev, A. E. Roitberg, Chem. Sci. 8, 3192 (2017), equations 3 and 4, with the factors of the
programs that ANI potentials are trained with (NeuroChem, torchani 2.9 ``AEVComputer``): 0.25 before the
radial terms, the angle of the triple taken as acos(0.95 cos), 2^(1 - zeta) before the angular terms.
"""

import math

import torch
from torch import Tensor, nn

from votca_mlp.models.ani.neurochem import AevConstants


class AtomicEnvironment(nn.Module):
    """AEV of every atom.

    Layout: the radial terms by species of the neighbour, then the angular terms by pair of species (0-0,
    0-1, ..., 1-1, ...); within an angular block the shift in distance is the slower index.
    """

    radial_shifts: Tensor
    angular_shifts: Tensor
    cos_sections: Tensor
    sin_sections: Tensor
    species_pair: Tensor

    def __init__(self, constants: AevConstants) -> None:
        super().__init__()
        self.constants = constants
        self.register_buffer("radial_shifts", torch.tensor(constants.radial_shifts, dtype=torch.float64))
        self.register_buffer("angular_shifts", torch.tensor(constants.angular_shifts, dtype=torch.float64))
        sections = torch.tensor(constants.sections, dtype=torch.float64)
        self.register_buffer("cos_sections", sections.cos())
        self.register_buffer("sin_sections", sections.sin())
        # plain numbers: TorchScript, which exports compile this to, knows no dataclass
        self.radial_eta, self.radial_cutoff = constants.radial_eta, constants.radial_cutoff
        self.angular_eta, self.angular_cutoff = constants.angular_eta, constants.angular_cutoff
        self.zeta = constants.zeta
        self.species = len(constants.symbols)
        pair = torch.zeros(self.species, self.species, dtype=torch.long)
        rows, columns = torch.triu_indices(self.species, self.species)
        pair[rows, columns] = pair[columns, rows] = torch.arange(len(rows))
        self.register_buffer("species_pair", pair)

    def forward(self, species: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return the AEVs, shape [n_atoms, constants.size].

        species [n_atoms], numbered as in ``constants.symbols``; the pair list as for
        :class:`votca_mlp.models.contract.PairModel`.
        """
        distances = torch.linalg.vector_norm(vectors, dim=1)
        radial = self._radial(species, first, second, distances)
        angular = self._angular(species, first, second, vectors, distances)
        return torch.cat([radial, angular], dim=1)

    def _radial(self, species: Tensor, first: Tensor, second: Tensor, distances: Tensor) -> Tensor:
        offset = distances.unsqueeze(1) - self.radial_shifts
        terms = 0.25 * torch.exp(-self.radial_eta * offset * offset)
        terms = terms * cosine_cutoff(distances, self.radial_cutoff).unsqueeze(1)
        index = first if self.species == 1 else first * self.species + species[second]
        width = self.species * terms.shape[1]
        total = terms.new_zeros(len(species) * self.species, terms.shape[1]).index_add(0, index, terms)
        return total.view(len(species), width)

    def _angular(
        self, species: Tensor, first: Tensor, second: Tensor, vectors: Tensor, distances: Tensor
    ) -> Tensor:
        near = (distances < self.angular_cutoff).nonzero().squeeze(1)
        first, second, vectors, distances = first[near], second[near], vectors[near], distances[near]
        left, right = triples(first, len(species))
        cutoff = cosine_cutoff(distances, self.angular_cutoff)
        unit = vectors / distances.unsqueeze(1)

        cosine = 0.95 * (unit[left] * unit[right]).sum(1)
        sine = torch.sqrt(1.0 - cosine * cosine)
        # cos(acos(c) - section) by the addition theorem
        bent = cosine.unsqueeze(1) * self.cos_sections + sine.unsqueeze(1) * self.sin_sections
        angles = 2.0 * (0.5 + 0.5 * bent).clamp(min=0.0) ** self.zeta
        offset = (0.5 * (distances[left] + distances[right])).unsqueeze(1) - self.angular_shifts
        shells = torch.exp(-self.angular_eta * offset * offset)
        shells = shells * (cutoff[left] * cutoff[right]).unsqueeze(1)
        terms = (shells.unsqueeze(2) * angles.unsqueeze(1)).flatten(1)

        blocks = self.species * (self.species + 1) // 2
        index = first[left]
        if self.species > 1:
            index = index * blocks + self.species_pair[species[second[left]], species[second[right]]]
        total = terms.new_zeros(len(species) * blocks, terms.shape[1]).index_add(0, index, terms)
        return total.view(len(species), blocks * terms.shape[1])


def cosine_cutoff(distances: Tensor, cutoff: float) -> Tensor:
    """Return (1 + cos(pi r / r_c)) / 2, zero from r_c on."""
    value = 0.5 * torch.cos(distances * (math.pi / cutoff)) + 0.5
    return torch.where(distances < cutoff, value, torch.zeros_like(value))


def triples(first: Tensor, atoms: int) -> tuple[Tensor, Tensor]:
    """Return every unordered couple of pairs with the same first atom, as two lists of pair numbers.

    ``first`` must be sorted: a pair is coupled with those behind it in its atom's block.
    """
    ends = torch.bincount(first, minlength=atoms).cumsum(0)
    here = torch.arange(len(first), device=first.device)
    behind = ends[first] - here - 1
    left = torch.repeat_interleave(here, behind)
    starts = behind.cumsum(0) - behind
    right = torch.arange(len(left), device=first.device) - starts[left] + left + 1
    return left, right
