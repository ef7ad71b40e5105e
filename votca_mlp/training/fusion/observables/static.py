"""Fixed configurations: differences of their energies, and elastic constants of a crystal at 0 K.

Nothing is sampled: weights do not enter, and there is no statistical error. At 0 K atoms that are not on
centres of symmetry move inside a strained cell until they feel no force, which softens the crystal:

    C_IJ = [ d2U/d(eta_I)d(eta_J) - sum_ab L_aI (H^-1)_ab L_bJ ] / V,

L = d2U/d(x)d(eta) at constant fractional coordinates, H = d2U/d(x)d(x) without translations (M. Born and
K. Huang, Dynamical Theory of Crystal Lattices (1954); J. F. Lutsko, J. Appl. Phys. 65, 2991 (1989)).
"""

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.observables.by_autograd import strained_energies
from votca_mlp.training.fusion.observables.crystals import constants_of, crystal_of
from votca_mlp.training.fusion.observables.elastic import hooke
from votca_mlp.training.fusion.observables.frames import StoredFrames, pair_chunk
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.strain import dtype_of

LARGEST_FORCE = 1e-3
"""eV/Angstrom, on an atom of a crystal that counts as relaxed."""
MOST_ATOMS = 64
"""Of a cell whose matrix of second derivatives is made."""


def energy_difference(
    model: PairModel, first: StoredFrames, second: StoredFrames, chunk: int | None = None
) -> Tensor:
    """Return U(second) - U(first) per atom, frame by frame, eV/atom, [n_frames]; differentiable.

    The two may have other numbers of atoms, as two crystals have.

    Raises
    ------
    UserError
        Other numbers of frames.
    """
    if len(first) != len(second):
        raise UserError(
            f"{len(first)} and {len(second)} configurations", accepted="as many of the second as of the first"
        )
    before, after = (
        measure(model, frames, ["energy"], chunk)["energy"] / frames.n_atoms for frames in (first, second)
    )
    return after - before


def cold_elastic_constants(model: PairModel, crystal: StoredFrames, name: str) -> Tensor:
    """Return the constants of a crystal class at 0 K, eV/Angstrom^3; differentiable in the parameters.

    Coefficients of Hooke's law, as :class:`.elastic.ElasticConstants` gives them; without zero-point motion.

    Parameters
    ----------
    model
        In float64.
    crystal
        One frame, a small cell whose atoms feel no force.
    name
        Of the class, in :data:`.crystals.CRYSTALS`.

    Raises
    ------
    UserError
        Several frames, too many atoms, or forces.
    """
    crystal_of(name)
    return constants_of(cold_elastic_matrix(model, crystal), name)


def cold_elastic_matrix(model: PairModel, crystal: StoredFrames) -> Tensor:
    """Return all elastic constants [6, 6]; see :func:`cold_elastic_constants`."""
    if len(crystal) != 1 or crystal.n_atoms > MOST_ATOMS:
        raise UserError(
            f"{len(crystal)} frames of {crystal.n_atoms} atoms",
            accepted=f"one crystal of at most {MOST_ATOMS} atoms",
        )
    graph = torch.is_grad_enabled() and any(p.requires_grad for p in model.parameters())
    volume = crystal.volumes[0]
    with torch.enable_grad():
        chunk = pair_chunk(crystal, model.cutoff)
        moves = torch.zeros(crystal.n_atoms, 3, dtype=torch.float64, requires_grad=True)
        strain = torch.zeros(1, 6, dtype=torch.float64, requires_grad=True)
        vectors = (chunk.vectors + moves[chunk.second] - moves[chunk.first]).to(dtype_of(model))
        energy = strained_energies(model, chunk, vectors, strain).sum()
        slopes = torch.autograd.grad(energy, (strain, moves), create_graph=True)
        largest = float(slopes[1].detach().norm(dim=1).max())
        if largest > LARGEST_FORCE:
            raise UserError(
                f"an atom of the crystal feels a force of {largest:.2g} eV/Angstrom",
                accepted="a relaxed crystal for elastic constants at 0 K",
            )
        gradient = torch.cat([slopes[0].flatten(), slopes[1].flatten()])
        rows = []
        for element in gradient:
            parts = torch.autograd.grad(element, (strain, moves), create_graph=graph, retain_graph=True)
            rows.append(torch.cat([part.flatten() for part in parts]))
        second = torch.stack(rows)
    second = second if graph else second.detach()
    direct, mixed, hessian = second[:6, :6], second[6:, :6], second[6:, 6:]
    # translations cost nothing: a stiffness for them alone makes the matrix one that can be inverted
    translations = torch.eye(3, dtype=torch.float64).repeat(crystal.n_atoms, crystal.n_atoms)
    relaxation = mixed.T @ torch.linalg.solve(hessian + translations, mixed)
    stress = slopes[0][0] / volume
    return hooke((direct - relaxation) / volume, stress if graph else stress.detach())
