"""Energy of frames and its derivatives by strain, exact, and differentiable in the model's parameters.

A homogeneous deformation takes pair vectors d to F d with F symmetric and F^2 = 1 + 2 eta, eta Lagrange's
strain. The derivatives of the potential energy at eta = 0 are what stress and elastic constants are made of
(K. Van Workum et al., Phys. Rev. E 71, 061102 (2005); J. F. Lutsko, J. Appl. Phys. 65, 2991 (1989)):

    dU/d(eta)            virial, V times the stress without its kinetic part,
    d2U/d(eta)d(eta)     V times the Born term.
"""

import torch

from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.observables.by_autograd import autograd_derivatives
from votca_mlp.training.fusion.observables.environments import holds, kept_energies
from votca_mlp.training.fusion.observables.frames import PairChunk, StoredFrames, pair_chunk
from votca_mlp.training.fusion.observables.one_layer import one_layer_derivatives, serves
from votca_mlp.training.fusion.observables.strain import StrainDerivatives


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
    by = one_layer_derivatives if serves(model) else autograd_derivatives
    return by(model, chunk, order, graph=graph)


def derivatives_of_frames(
    model: PairModel, frames: StoredFrames, order: int, *, graph: bool
) -> StrainDerivatives:
    """Return the same of stored frames; energies alone from sums over pairs that are kept if they can be."""
    if order > 0 or not holds(model):
        return strain_derivatives(model, pair_chunk(frames, model.cutoff), order, graph=graph)
    with torch.set_grad_enabled(graph):
        return StrainDerivatives(kept_energies(model, frames), None, None)
