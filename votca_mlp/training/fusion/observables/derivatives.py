"""Energy of frames and its derivatives by strain, exact, and differentiable in the model's parameters.

A homogeneous deformation takes pair vectors d to F d with F symmetric and F^2 = 1 + 2 eta, eta Lagrange's
strain. The derivatives of the potential energy at eta = 0 are what stress and elastic constants are made of
(K. Van Workum et al., Phys. Rev. E 71, 061102 (2005); J. F. Lutsko, J. Appl. Phys. 65, 2991 (1989)):

    dU/d(eta)            virial, V times the stress without its kinetic part,
    d2U/d(eta)d(eta)     V times the Born term.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.observables.frames import PairChunk
from votca_mlp.training.fusion.observables.voigt import tensor_of


class StrainDerivatives(NamedTuple):
    """Of each frame, in eV; strains as of :mod:`.voigt`.

    Attributes
    ----------
    energy
        [n_frames].
    virial
        First derivatives, [n_frames, 6]; None where they were not asked for.
    born
        Second ones, [n_frames, 6, 6]; None likewise.
    """

    energy: Tensor
    virial: Tensor | None
    born: Tensor | None

    def detached(self) -> "StrainDerivatives":
        """Return the same without a graph."""
        virial = None if self.virial is None else self.virial.detach()
        return StrainDerivatives(
            self.energy.detach(), virial, None if self.born is None else self.born.detach()
        )


Derivatives = Callable[..., StrainDerivatives]


def strain_derivatives(model: PairModel, chunk: PairChunk, order: int, *, graph: bool) -> StrainDerivatives:
    """Return the energies of frames and their derivatives by strain, up to an order from 0 to 2.

    By the fastest way that the model has. In the precision of the model's parameters, which should be
    float64.

    Parameters
    ----------
    model, chunk
        Any model; of a committee the mean energy counts.
    order
        Of the highest derivative.
    graph
        Whether the results are to be differentiated by the model's parameters.
    """
    from votca_mlp.training.fusion.observables.one_layer import one_layer_derivatives, serves

    by = one_layer_derivatives if serves(model) else autograd_derivatives
    return by(model, chunk, order, graph=graph)


def autograd_derivatives(model: PairModel, chunk: PairChunk, order: int, *, graph: bool) -> StrainDerivatives:
    """Return the same by differentiating the model once, twice by six strains of each frame."""
    vectors = chunk.vectors.to(dtype_of(model))
    with torch.set_grad_enabled(graph or order > 0):
        strain = torch.zeros(chunk.n_frames, 6, dtype=torch.float64, requires_grad=order > 0)
        if order > 0:
            tensor = tensor_of(strain, strain=True)
            # F = sqrt(1 + 2 eta) to second order, which is all that two derivatives see
            deformation = torch.eye(3, dtype=torch.float64) + tensor - 0.5 * tensor @ tensor
            of_pairs = deformation.to(vectors.dtype)[chunk.frame[chunk.first]]
            vectors = torch.einsum("pi,pij->pj", vectors, of_pairs)
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


def frame_energies(model: PairModel, chunk: PairChunk, vectors: Tensor) -> Tensor:
    """Return the energy of each frame, eV, float64, [n_frames]; vectors [n_pairs, 3] in Angstrom."""
    atomic = model(chunk.numbers, chunk.first, chunk.second, vectors).mean(0).double()
    found: Tensor = atomic.new_zeros(chunk.n_frames).index_add(0, chunk.frame, atomic)
    return found


def dtype_of(model: PairModel) -> torch.dtype:
    """Return the precision that a model is in: that of its parameters, else of its buffers."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype
    return torch.float64
