"""Strain derivatives of any model by automatic differentiation."""

import torch
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.observables.frames import PairChunk
from votca_mlp.training.fusion.observables.strain import StrainDerivatives, dtype_of
from votca_mlp.training.fusion.observables.voigt import tensor_of


def autograd_derivatives(model: PairModel, chunk: PairChunk, order: int, *, graph: bool) -> StrainDerivatives:
    """Return energies and derivatives by strain; see :func:`.derivatives.strain_derivatives`.

    The energies are differentiated by six strains of each frame, and the six derivatives once more.
    """
    vectors = chunk.vectors.to(dtype_of(model))
    with torch.set_grad_enabled(graph or order > 0):
        strain = torch.zeros(chunk.n_frames, 6, dtype=torch.float64, requires_grad=order > 0)
        if order > 0:
            energies = strained_energies(model, chunk, vectors, strain)
        else:
            energies = frame_energies(model, chunk, vectors)
        if order == 0:
            return StrainDerivatives(energies, None, None)
        more = graph or order > 1
        (virial,) = torch.autograd.grad(energies.sum(), strain, create_graph=more)
        born = None
        if order > 1:
            rows = [
                torch.autograd.grad(virial[:, k].sum(), strain, create_graph=graph, retain_graph=True)[0]
                for k in range(6)
            ]
            born = torch.stack(rows, 1)
    found = StrainDerivatives(energies, virial, born)
    return found if graph else found.detached()


def strained_energies(model: PairModel, chunk: PairChunk, vectors: Tensor, strain: Tensor) -> Tensor:
    """Return the energy of each frame under Lagrange's strains that are 0, for derivatives at them.

    eV, [n_frames]; vectors [n_pairs, 3] in Angstrom, strain [n_frames, 6] in Voigt's order.
    """
    tensor = tensor_of(strain, strain=True)
    # F = sqrt(1 + 2 eta) to second order, which is all that two derivatives see
    deformation = torch.eye(3, dtype=torch.float64) + tensor - 0.5 * tensor @ tensor
    of_pairs = deformation.to(vectors.dtype)[chunk.frame[chunk.first]]
    return frame_energies(model, chunk, torch.einsum("pi,pij->pj", vectors, of_pairs))


def frame_energies(model: PairModel, chunk: PairChunk, vectors: Tensor) -> Tensor:
    """Return the energy of each frame, eV, float64, [n_frames]; vectors [n_pairs, 3] in Angstrom."""
    atomic = model(chunk.numbers, chunk.first, chunk.second, vectors).mean(0).double()
    found: Tensor = atomic.new_zeros(chunk.n_frames).index_add(0, chunk.frame, atomic)
    return found
