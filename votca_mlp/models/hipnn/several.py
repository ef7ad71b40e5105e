"""The compiled evaluation of HIP-NN on the CPU: several species, interaction layers, tensor orders."""

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.kernels.blocks import RowStarts, block_edges
from votca_mlp.kernels.chunks import chunks_for, use_threads
from votca_mlp.kernels.products import ROWS, filled
from votca_mlp.models.hipnn import pair_loops
from votca_mlp.models.hipnn.interaction import COMPONENTS, interaction_of
from votca_mlp.models.hipnn.near_pairs import NearPairs, fill_near
from votca_mlp.models.hipnn.table import closest_of
from votca_mlp.neighbours.half_pairs import parts_of


class SeveralHipnn:
    """Atomic energies and gradient in float32.

    Sensitivities come from tables, exact to float32's rounding; everything else is written out by hand,
    forward and backward.

    Parameters
    ----------
    network, energy
        hippynn's ``Hipnn``, ``HipnnVec`` or ``HipnnQuad`` and ``HEnergy``.
    self_energies
        eV, shape [n_species].

    Raises
    ------
    ValueError
        When :func:`is_served` does not hold, or sensitivities are too narrow to be tabulated.
    """

    def __init__(self, network: Any, energy: Any, self_energies: Tensor) -> None:
        if not is_served(network, energy):
            raise ValueError("only HIP-NN of tensor order 0 to 2 with softplus")
        network, energy = copy.deepcopy(network).double(), copy.deepcopy(energy).double()
        self.cutoff = float(network.dist_hard_max)
        self.closest = closest_of(self.cutoff)
        first = 0 if energy.first_is_interacting else 1
        self.layers = [
            interaction_of(block, head, self.cutoff, ROWS)
            for block, head in zip(network.blocks, energy.layers[first:], strict=True)
        ]
        with torch.no_grad():
            one = torch.eye(network.nf_in, dtype=torch.float64)
            # the constant parts join in float64
            constants = self_energies.detach().double() + sum(float(h.bias[0]) for h in energy.layers[first:])
            if first:
                constants = constants + energy.layers[0](one)[:, 0]
        self.constants = constants.numpy()
        self.species = int(network.nf_in)
        self.starts = RowStarts()
        none = np.empty(0, np.int64)
        self._room = NearPairs(none, none, np.empty((0, 4), np.float32), none, none)

    def __call__(
        self, kinds: NDArray[np.int64], first: Tensor, second: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """Return atomic energies [atoms], float64, and d(their sum)/d(vectors) [n_pairs, 3], float32.

        kinds [n_atoms] number the species; first [n_pairs] sorted; vectors [n_pairs, 3] float32, Angstrom.
        None when a pair is closer than the tables reach. Runs in as many threads as are set; what they share
        out does not depend on their number, so it does not change a bit.
        """
        atoms = len(kinds)
        parts = chunks_for(atoms)
        use_threads(parts)
        near = self._near(atoms, first, len(vectors))
        rows = vectors.detach().contiguous().numpy()
        edges = block_edges(atoms, 8 * pair_loops.BLOCK)
        limits = np.float32(self.cutoff), np.float32(1.0 / self.closest)
        if fill_near(edges, rows, second.numpy(), *limits, near):
            return None
        padded = filled(atoms, pair_loops.BLOCK)
        features = np.zeros((padded, filled(self.species)), np.float32)
        features[np.arange(atoms), kinds] = 1.0
        energies, passed = self.constants[kinds], []
        for layer in self.layers:
            inputs, columns = features.reshape(-1), features.shape[1]
            tensors = np.empty(padded * layer.components * layer.middle, np.float32)
            slopes = np.empty((1 + layer.atom_layers, padded * layer.middle), np.float32)
            features = np.empty((padded, layer.outputs), np.float32)
            pair_loops.forward(near, layer, inputs, columns, tensors, slopes, features.reshape(-1), energies)
            passed.append((layer, inputs, columns, tensors, slopes))
        in_blocks = np.add.reduceat(near.counts, np.arange(0, atoms, pair_loops.BLOCK))
        shares = parts_of(in_blocks, parts)
        gradient = np.zeros((len(rows), 3), np.float32)
        incoming = np.empty((0, 0), np.float32)
        for number in range(len(passed) - 1, -1, -1):
            terms = parts + 1 if number else 0
            outgoing = np.empty((terms, padded * passed[number][2]), np.float32)
            pair_loops.backward(shares, near, *passed[number], incoming, outgoing, gradient)
            incoming = outgoing
        return torch.from_numpy(energies), torch.from_numpy(gradient)

    def _near(self, atoms: int, first: Tensor, pairs: int) -> NearPairs:
        """Return room for the pairs within the cutoff."""
        if len(self._room.pairs) < pairs:
            # memory that is new takes as long as filling it
            more = pairs + pairs // 8
            units = np.empty((more, 4), np.float32)
            numbers = [np.empty(more, np.int64) for _ in range(2)]
            self._room = NearPairs(self._room.starts, self._room.counts, units, *numbers)
        starts = self.starts.of(first, atoms)
        return self._room._replace(starts=starts, counts=np.empty(atoms, np.int64))


def is_served(network: Any, energy: Any) -> bool:
    """Return whether :class:`SeveralHipnn` can evaluate these layers: tensor order 0 to 2, softplus."""
    from hippynn.layers.targets import HEnergy
    from hippynn.layers.transform import ResNetWrapper
    from hippynn.networks.hipnn import Hipnn, HipnnQuad, HipnnVec

    if type(network) not in (Hipnn, HipnnVec, HipnnQuad) or type(energy) is not HEnergy:
        return False
    if energy.layers[-1].out_features != 1 or not len(network.blocks):
        return False
    for block in network.blocks:
        residual = [type(wrapper) is ResNetWrapper for wrapper in block]
        if any(residual) != all(residual):
            return False
        wrapped = all(residual)
        functions = [wrapper.activation for wrapper in block] if wrapped else [network.activation]
        if not all(type(function) is torch.nn.Softplus and function.beta == 1.0 for function in functions):
            return False
        entrance, *others = [wrapper.base_layer for wrapper in block] if wrapped else block
        if type(entrance).__name__ not in COMPONENTS:
            return False
        if wrapped and any(wrapper.needs_size_adjust for wrapper in block[1:]):
            return False
        if not all(type(each) is torch.nn.Linear for each in others):
            return False
    return True
