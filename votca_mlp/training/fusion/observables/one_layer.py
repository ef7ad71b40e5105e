"""Strain derivatives of HIP-NN with one interaction layer, in closed form as far as pairs go.

An atom's energy is a function of its environment e_i = sum_j s(r_ij), a sum over pairs for each sensitivity
(and species of the neighbour). By Lagrange's strain eta r^2 changes as 2 d eta d, so that with the dyads
p_I = d_i d_j in Voigt's order

    ds/d(eta_I) = s'/r p_I,      d2s/d(eta_I)d(eta_J) = (s'' - s'/r)/r^2 p_I p_J.

With G and K the first and second derivatives of the atom's energy by e and A_I = de/d(eta_I),

    dU/d(eta_I) = sum_i G A_I,   d2U/d(eta_I)d(eta_J) = sum_i [G d2e/d(eta_I)d(eta_J) + A_I K A_J].

Pairs enter by three functions of r and products of matrices; only the small layers on atoms are left to
automatic differentiation.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.fusion.observables.frames import PairChunk
from votca_mlp.training.fusion.observables.strain import StrainDerivatives, dtype_of
from votca_mlp.training.fusion.observables.voigt import QUARTICS, dyads_of


class _Neighbours(NamedTuple):
    """Pairs in rows of their first atoms, filled up with pairs beyond the cutoff.

    Attributes
    ----------
    r
        Angstrom, [n_atoms, most].
    dyads
        [n_atoms, most, 6].
    kinds
        One-hot species of the neighbours, [n_atoms, most, n_species].
    """

    r: Tensor
    dyads: Tensor
    kinds: Tensor


def serves(model: PairModel) -> bool:
    """Whether a model is of the kind that :func:`one_layer_derivatives` is for."""
    if not isinstance(model, HipnnModel):
        return False
    from hippynn.layers.hiplayers import GaussianSensitivityModule, InteractLayer, InverseSensitivityModule

    network: Any = model.network
    if len(network.interaction_layers) != 1 or type(network.interaction_layers[0]) is not InteractLayer:
        return False
    return type(network.sensitivity_layers[0]) in (InverseSensitivityModule, GaussianSensitivityModule)


def one_layer_derivatives(
    model: PairModel, chunk: PairChunk, order: int, *, graph: bool
) -> StrainDerivatives:
    """Return energies and derivatives by strain; see :func:`.derivatives.strain_derivatives`."""
    assert isinstance(model, HipnnModel)
    network: Any = model.network
    kinds, features = model.species_index[chunk.numbers], _features(model, chunk.numbers)
    near = _neighbours(chunk, features, model.cutoff)
    with torch.set_grad_enabled(graph or order > 0):
        layer = network.interaction_layers[0]
        radial = _sensitivities(near.r.unsqueeze(-1), layer.sensitivity, model.cutoff, order)
        environment = radial[0].transpose(1, 2) @ near.kinds
        if not environment.requires_grad:
            environment.requires_grad_(order > 0)
        atomic = _atomic_energies(model, environment, features) + model.self_energies.double()[kinds]
        energy = _by_frame(atomic, chunk.n_frames)
        virial = born = None
        if order > 0:
            (slope,) = torch.autograd.grad(atomic.sum(), environment, create_graph=graph or order > 1)
            columns = (near.kinds.unsqueeze(-1) * near.dyads.unsqueeze(-2)).flatten(2)
            first = (radial[1].transpose(1, 2) @ columns).unflatten(2, (-1, 6))
            virial = _by_frame((slope.unsqueeze(-1) * first).sum((1, 2)).double(), chunk.n_frames)
        if order > 1:
            born = _second(chunk, near, radial[2], environment, slope, first, graph=graph)
    found = StrainDerivatives(energy, virial, born)
    return found if graph else found.detached()


def environments_of(model: HipnnModel, chunk: PairChunk) -> Tensor:
    """Return each atom's sums over pairs, [n_atoms, n_sensitivities, n_species]."""
    network: Any = model.network
    near = _neighbours(chunk, _features(model, chunk.numbers), model.cutoff)
    sensitivity = network.interaction_layers[0].sensitivity
    radial = _sensitivities(near.r.unsqueeze(-1), sensitivity, model.cutoff, 0)
    return radial[0].transpose(1, 2) @ near.kinds


def energies_of(model: HipnnModel, numbers: Tensor, n_frames: int, environment: Tensor) -> Tensor:
    """Return the energies of frames, eV, [n_frames], from their atoms' numbers and environments."""
    self_energies = model.self_energies.double()[model.species_index[numbers]]
    atomic = _atomic_energies(model, environment, _features(model, numbers)) + self_energies
    return _by_frame(atomic, n_frames)


def _features(model: HipnnModel, numbers: Tensor) -> Tensor:
    kinds = model.species_index[numbers]
    return torch.nn.functional.one_hot(kinds, len(model.numbers)).to(dtype_of(model))


def _second(
    chunk: PairChunk,
    near: _Neighbours,
    radial: Tensor,
    environment: Tensor,
    slope: Tensor,
    first: Tensor,
    *,
    graph: bool,
) -> Tensor:
    """Return second derivatives [n_frames, 6, 6]: slope and first are G and A of the module's equations."""
    weights = ((radial @ slope) * near.kinds).sum(-1)
    rows, columns = (list(each) for each in zip(*QUARTICS, strict=True))
    quartics = near.dyads[..., rows] * near.dyads[..., columns]
    direct = _by_frame((weights.unsqueeze(1) @ quartics).squeeze(1).double(), chunk.n_frames)
    found = direct.new_zeros(chunk.n_frames, 6, 6)
    found[:, rows, columns] = direct
    found[:, columns, rows] = direct
    curved = []
    for k in range(6):
        # the six strains do not mix: each has its own pass through the small layers
        along = (slope * first[..., k]).sum()
        (turned,) = torch.autograd.grad(along, environment, create_graph=graph, retain_graph=True)
        curved.append((turned.unsqueeze(-1) * first).sum((1, 2)))
    return found + _by_frame(torch.stack(curved, 1).double(), chunk.n_frames)


def _atomic_energies(model: HipnnModel, environment: Tensor, features: Tensor) -> Tensor:
    """Return atomic energies without self energies, eV, float64, [n_atoms]; as of HipnnModel.forward.

    environment [n_atoms, n_sensitivities, n_species], features [n_atoms, n_species].
    """
    network: Any = model.network
    energy: Any = model.energy
    block: Any = network.blocks[0]
    layer = network.interaction_layers[0]
    inner = torch.einsum("isf,sof->io", environment, layer.int_weights) + layer.selfint(features)
    if network.resnet:
        wrapper = block[0]
        skip = wrapper.adjust_layer(features) if wrapper.needs_size_adjust else features
        x = wrapper.res_layer(wrapper.activation(inner)) + skip
    else:
        x = network.activation(inner)
    for atom_layer in block[1:]:
        x = atom_layer(x) if network.resnet else network.activation(atom_layer(x))
    levels = [x] if energy.first_is_interacting else [features, x]
    total: Tensor = sum(each(level) for each, level in zip(energy.layers, levels, strict=True))
    return total.squeeze(1).double()


def _neighbours(chunk: PairChunk, features: Tensor, cutoff: float) -> _Neighbours:
    atoms = len(chunk.numbers)
    counts = torch.bincount(chunk.first, minlength=atoms)
    most = max(1, int(counts.max()))
    begins = torch.cumsum(counts, 0) - counts
    at = chunk.first * most + torch.arange(len(chunk.first)) - begins[chunk.first]
    # beyond the cutoff, where all is zero, and no zero that would be divided by
    vectors = torch.full((atoms * most, 3), 2.0 * cutoff, dtype=torch.float64)
    vectors[at] = chunk.vectors
    kinds = features.new_zeros(atoms * most, features.shape[1])
    kinds[at] = features[chunk.second]
    return _Neighbours(
        vectors.norm(dim=1).to(features.dtype).reshape(atoms, most),
        dyads_of(vectors).to(features.dtype).reshape(atoms, most, 6),
        kinds.reshape(atoms, most, -1),
    )


def _sensitivities(r: Tensor, module: Any, cutoff: float, order: int) -> tuple[Tensor, ...]:
    """Return s, s'/r and (s'' - s'/r)/r^2 up to an order, each [..., n_sensitivities]; r [..., 1]."""
    inverse = 1.0 / r
    width, shift = module.sigma[0].square(), inverse - 1.0 / module.mu[0]
    base = torch.exp(-0.5 * width * shift.square()) * (r <= cutoff)
    rate = 0.5 * math.pi / cutoff
    cut = torch.cos(rate * r).square()
    found = [base * cut]
    if order > 0:
        # the Gaussian's derivative by r over itself
        log = width * shift * inverse.square()
        cut1 = -rate * torch.sin(2.0 * rate * r)
        ratio = (log * cut + cut1) * inverse
        found.append(base * ratio)
    if order > 1:
        log1 = -inverse * (width * inverse**3 + 2.0 * log)
        cut2 = -2.0 * rate**2 * torch.cos(2.0 * rate * r)
        found.append(
            base * ((log.square() + log1) * cut + 2.0 * log * cut1 + cut2 - ratio) * inverse.square()
        )
    return tuple(found)


def _by_frame(values: Tensor, n_frames: int) -> Tensor:
    """Return sums of atoms' values [n_atoms, ...] over each frame's atoms."""
    return values.reshape(n_frames, -1, *values.shape[1:]).sum(1)
