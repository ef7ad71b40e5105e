"""The fast evaluation of an ANI model of several species on the CPU."""

import itertools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.kernels.blocks import RowStarts, block_edges, run_blocks
from votca_mlp.kernels.products import ROWS, filled
from votca_mlp.models.ani import networks, species_descriptor, species_gradient
from votca_mlp.models.ani.neurochem import AevConstants
from votca_mlp.models.ani.surroundings import Terms

Indices = NDArray[np.int64]
_BLOCK = 128  # atoms; the networks' intermediates of a block stay in the cache
_LOG2E = 1.0 / math.log(2.0)


class SeveralAni:
    """Energies and gradient of networks on the AEV in float32.

    Atoms are evaluated in blocks of one species. The AEV has the columns of the species that are there: the
    others would be zero.

    Parameters
    ----------
    constants
        Of the AEV.
    layers
        By species: weight [members, out, in] and bias [members, 1, out] by layer, float32.
    alpha
        Of the CELU.
    """

    def __init__(
        self, constants: AevConstants, layers: list[list[tuple[Tensor, Tensor]]], alpha: float
    ) -> None:
        self.alpha, self.layers = np.float32(alpha), layers
        self.members = len(layers[0][0][0])
        kept = len(constants.sections)
        sections = np.zeros(filled(kept, ROWS))
        sections[:kept] = constants.sections
        self.terms = Terms(
            radial=np.array(constants.radial_shifts, np.float32),
            angular=np.array(constants.angular_shifts, np.float32),
            sections=np.stack([np.cos(sections), np.sin(sections)]).astype(np.float32),
            kept=kept,
            radial_cutoff=np.float32(constants.radial_cutoff),
            radial_scale=np.float32(-constants.radial_eta * _LOG2E),
            angular_cutoff=np.float32(constants.angular_cutoff),
            angular_scale=np.float32(-constants.angular_eta * _LOG2E),
            zeta=np.float32(constants.zeta),
        )
        self.starts = RowStarts()
        self._arrangement = Arrangement(np.empty(0, np.int64))
        self._networks = self._networks_of(())

    def __call__(
        self, kinds: Indices, first: Tensor, second: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the networks' outputs [members, atoms] and d(sum of their mean)/d(vectors) [n_pairs, 3].

        kinds [n_atoms] number the species; first [n_pairs] sorted; vectors [n_pairs, 3] float32, Angstrom.
        Runs in as many threads as torch is set to; the atoms are cut into the same blocks whatever their
        number, so it does not change a bit.
        """
        arrangement = self._arrangement
        if not np.array_equal(kinds, arrangement.kinds):
            arrangement = Arrangement(kinds)
            if arrangement.present != self._arrangement.present:
                self._networks = self._networks_of(arrangement.present)
            self._arrangement = arrangement
        species = len(arrangement.present)
        columns = filled(self._size(species))
        rows = vectors.detach().contiguous().numpy()
        pairs = (species, self.starts.of(first, len(kinds)), rows, second.numpy(), arrangement.numbers)
        outputs = np.empty((self.members, len(kinds)), np.float32)
        gradient = np.empty((len(rows), 3), np.float32)

        def block(low: int, high: int) -> None:
            mine = arrangement.order[low:high]
            # rows beyond the atoms are zero
            tall = filled(high - low, ROWS)
            environment = np.zeros(tall * columns, np.float32)
            slopes, found = np.empty_like(environment), np.empty((self.members, tall), np.float32)
            common = (mine, *pairs, self.terms, columns)
            species_descriptor.descriptors(*common, environment)
            own = self._networks[arrangement.numbers[mine[0]]]
            networks.evaluate(tall, own, self.alpha, environment, slopes, found)
            outputs[:, mine] = found[:, : len(mine)]
            species_gradient.gradients(*common, slopes, gradient)

        run_blocks(block, arrangement.blocks)
        return torch.from_numpy(outputs), torch.from_numpy(gradient)

    def _size(self, species: int) -> int:
        terms = len(self.terms.angular) * self.terms.kept
        return species * len(self.terms.radial) + species * (species + 1) // 2 * terms

    def _networks_of(self, present: tuple[int, ...]) -> list[networks.Networks]:
        """Return the networks of the species that are there, on the columns of these species."""
        radial, angular = len(self.terms.radial), len(self.terms.angular) * self.terms.kept
        read = [kind * radial + k for kind in present for k in range(radial)]
        species = range(len(self.layers))
        pairs = list(itertools.combinations_with_replacement(species, 2))
        for pair in itertools.combinations_with_replacement(present, 2):
            begin = len(species) * radial + pairs.index(pair) * angular
            read += range(begin, begin + angular)
        columns = filled(self._size(len(present)))
        return [networks.networks_of(self.layers[kind], read, columns) for kind in present]


class Arrangement:
    """Atoms sorted by species and cut into blocks.

    Attributes
    ----------
    kinds
        Of the atoms, [n_atoms].
    present, numbers
        The species that are there, and the number of each atom's among them, [n_atoms].
    order, blocks
        Atoms by species, and begin and end of blocks of one species in it.
    """

    def __init__(self, kinds: Indices) -> None:
        self.kinds = kinds.copy()
        present, self.numbers = np.unique(kinds, return_inverse=True)
        self.present = tuple(int(kind) for kind in present)
        self.order = np.argsort(kinds, kind="stable")
        self.blocks: list[tuple[int, int]] = []
        begin = 0
        for count in np.bincount(self.numbers).tolist():
            edges = begin + block_edges(count, _BLOCK)
            self.blocks += itertools.pairwise(edges.tolist())
            begin += count
