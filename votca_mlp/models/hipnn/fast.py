"""The fast evaluation of a one-species HIP-NN with one interaction layer on the CPU."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.kernels.blocks import RowStarts, block_edges
from votca_mlp.kernels.chunks import chunks_for, use_threads
from votca_mlp.kernels.simd import WIDTH
from votca_mlp.models.contract import ModelSums
from votca_mlp.models.hipnn import full_list, half_list
from votca_mlp.models.hipnn.layers import Layers
from votca_mlp.models.hipnn.table import sensitivity_table
from votca_mlp.neighbours.half_pairs import HalfPairs

Array = NDArray[np.float64]

BLOCK = 128
"""Atoms that are one thread's work at a time."""


class FastHipnn:
    """Atomic energies and gradient in float32.

    The sensitivities come from a table of the network's own sensitivity module, exact to float32's rounding;
    the layers after it are written out by hand, forward and backward.

    Parameters
    ----------
    network, energy
        hippynn's ``Hipnn`` and ``HEnergy``.
    self_energies
        Of the one species, eV, shape [1].

    Raises
    ------
    ValueError
        When :func:`is_simple` does not hold, or the sensitivities are too narrow to be tabulated.
    """

    def __init__(self, network: Any, energy: Any, self_energies: Tensor) -> None:
        if not is_simple(network, energy):
            raise ValueError("only one species, one interaction layer, residual layers, softplus")
        network, energy = copy.deepcopy(network).double(), copy.deepcopy(energy).double()
        interaction, *atom_layers = network.blocks[0]
        layer = interaction.base_layer
        self.table, self.grid = sensitivity_table(layer.sensitivity, float(network.dist_hard_max))
        with torch.no_grad():
            one = torch.ones(1, 1, dtype=torch.float64)
            # int_weights is [n_sensitivities, out, 1]; the one-hot input is 1 for every atom
            entrance = torch.zeros(layer.nf_out, self.table.shape[2], dtype=torch.float64)
            entrance[:, : layer.n_dist] = layer.int_weights[:, :, 0].T
            skip = interaction.adjust_layer(one) if interaction.needs_size_adjust else one
            parts = [(entrance, layer.selfint(one)[0], *_back(interaction, skip))]
            for wrapper in atom_layers:
                linear = wrapper.base_layer
                parts.append((linear.weight, linear.bias, *_back(wrapper, 0.0)))
            exit_layer = energy.layers[-1]
            self.layers = stacked(parts, exit_layer.weight[0])
            # the constant parts join in float64
            self.constant = float(exit_layer.bias[0]) + float(self_energies[0])
            if not energy.first_is_interacting:
                self.constant += float(energy.layers[0](one)[0, 0])
        # a tuple's length is part of its type: the compiler knows how many vectors a row has
        self._chunks = (0,) * (self.table.shape[2] // WIDTH)
        self.starts = RowStarts()

    def __call__(
        self, kinds: NDArray[np.int64], first: Tensor, second: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """Return atomic energies [atoms], float64, and d(their sum)/d(vectors) [n_pairs, 3], float32.

        kinds [n_atoms] and ``second`` are not needed for one species; first [n_pairs] sorted; vectors
        [n_pairs, 3] float32, Angstrom. None when a pair is closer than the table reaches. Runs in as many
        threads as torch is set to; the atoms are cut into the same blocks whatever their number, so it does
        not change a bit.
        """
        atoms, rows = len(kinds), vectors.detach().contiguous().numpy()
        outputs, gradient = np.empty(atoms), np.empty((len(rows), 3), np.float32)
        use_threads(atoms // BLOCK)
        pairs = (block_edges(atoms, BLOCK), self.starts.of(first, atoms), rows)
        model = (self.table, self.grid, self._chunks, self.layers)
        if full_list.evaluate(*pairs, *model, outputs, gradient):
            return None
        return torch.from_numpy(outputs + self.constant), torch.from_numpy(gradient)

    def sums(
        self, pairs: HalfPairs, positions: Array, cell: Array, pbc: NDArray[np.bool_]
    ) -> ModelSums | None:
        """Return energy, forces and virial; positions [n_atoms, 3] and cell [3, 3] in Angstrom.

        ``pairs`` are brought up to date, and every pair is read once. None when one is closer than the table
        reaches.
        """
        atoms = len(positions)
        use_threads(chunks_for(atoms))
        pairs.update(positions, cell, pbc)
        rows, edges = pairs.list.rows, pairs.edges
        listed = (rows.begins, rows.counts)
        table = (pairs.vectors, self.table, self.grid, self._chunks)
        environment, (row, other, squared), missed = half_list.environments(
            pairs.coordinates, *listed, rows.neighbours, rows.owners, edges, *table
        )
        if missed:
            return None
        outputs = np.empty(atoms)
        use_threads(atoms // BLOCK)
        half_list.atoms_alone(block_edges(atoms, BLOCK), environment, self.layers, outputs)
        use_threads(chunks_for(atoms))
        forces, (xx, yy, zz, yz, xz, xy) = half_list.forces(
            rows.source, *listed, rows.owners, edges, *table, environment[0]
        )
        energy = outputs.sum() + atoms * self.constant
        virial = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        closest = (int(rows.source[row]), int(rows.source[other]), float(np.sqrt(squared)))
        return ModelSums(np.array([energy]), forces, virial, closest if other >= 0 else None)


class HalfListEvaluation:
    """A :class:`votca_mlp.models.contract.FastEvaluation` of HIP-NN, on a half list of its own.

    Parameters
    ----------
    current
        Returns what evaluates the model with the parameters that it has now, None where nothing does.
    cutoff, skin
        Of the list, Angstrom.
    """

    def __init__(self, current: Callable[[], FastHipnn | None], cutoff: float, skin: float) -> None:
        self.current, self.pairs = current, HalfPairs(cutoff, skin)
        self.list = self.pairs.list

    def sums(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> ModelSums | None:
        """Return energy, forces and virial; None when a pair is closer than the table reaches."""
        fast = self.current()
        return None if fast is None else fast.sums(self.pairs, positions, cell, pbc)

    def forget(self) -> None:
        """Rebuild the neighbour list at the next call."""
        self.list.forget()


def stacked(parts: list[tuple[Tensor, Tensor, Tensor, Tensor]], exit_weight: Tensor) -> Layers:
    """Return layers from weight [inner, in], bias, back [outer, inner] and shift of each."""
    inputs = np.array([part[0].shape[1] for part in parts])
    inners = np.array([part[0].shape[0] for part in parts])
    outer, inner = len(exit_weight), inners.max()
    weights = np.zeros((len(parts), inner, inputs.max()), np.float32)
    biases = np.zeros((len(parts), inner), np.float32)
    backs = np.zeros((len(parts), outer, inner), np.float32)
    shifts = np.zeros((len(parts), outer), np.float32)
    for k, (weight, bias, back, shift) in enumerate(parts):
        m, n = weight.shape
        weights[k, :m, :n], biases[k, :m] = weight.numpy(), bias.numpy()
        backs[k, :, :m], shifts[k] = back.numpy(), shift.numpy()
    return Layers(weights, biases, backs, shifts, inputs, inners, exit_weight.float().numpy())


def is_simple(network: Any, energy: Any) -> bool:
    """Whether :class:`FastHipnn` can evaluate these layers: of :func:`is_plain`, one species, one layer."""
    return network.nf_in == 1 and is_plain(network, energy) and len(network.blocks) == 1


def is_plain(network: Any, energy: Any) -> bool:
    """Whether these layers are HIP-NN without tensor terms, with residual layers and softplus."""
    from hippynn.layers.hiplayers import InteractLayer
    from hippynn.layers.targets import HEnergy
    from hippynn.layers.transform import ResNetWrapper
    from hippynn.networks.hipnn import Hipnn

    if type(network) is not Hipnn or type(energy) is not HEnergy or energy.layers[-1].out_features != 1:
        return False
    for block in network.blocks:
        if not all(type(wrapper) is ResNetWrapper for wrapper in block):
            return False
        activations = [wrapper.activation for wrapper in block]
        if not all(type(each) is torch.nn.Softplus and each.beta == 1.0 for each in activations):
            return False
        interaction, *atom_layers = block
        if type(interaction.base_layer) is not InteractLayer:
            return False
        if not all(type(w.base_layer) is torch.nn.Linear and not w.needs_size_adjust for w in atom_layers):
            return False
    return True


def _back(wrapper: Any, skip: Any) -> tuple[Tensor, Tensor]:
    shift = wrapper.res_layer.bias + skip
    return wrapper.res_layer.weight, shift.reshape(-1)
