"""Isothermal elastic constants at constant volume, from fluctuations of the stress.

    C_IJ = [ <d2U/d(eta_I)d(eta_J)> - cov(W_I, W_J)/kB T + N kB T (dd + dd)_IJ ] / V

with W = dU/d(eta), eta Lagrange's strain, and (dd + dd)_ijkl = d_ik d_jl + d_il d_jk (D. R. Squire,
A. C. Holt and W. G. Hoover, Physica 42, 388 (1969); J. F. Lutsko, J. Appl. Phys. 65, 2991 (1989);
K. Van Workum et al., Phys. Rev. E 71, 061102 (2005)). These are second derivatives of the free energy by
Lagrange's strain. Under stress sigma the coefficients of Hooke's law, d sigma_ij = B_ijkl d eps_kl, are
others (T. H. K. Barron and M. L. Klein, Proc. Phys. Soc. 85, 523 (1965)):

    B_ijkl = C_ijkl + (d_ik s_jl + d_il s_jk + d_jk s_il + d_jl s_ik)/2 - d_kl s_ij,

C11 - p, C12 + p and C44 - p under a pressure p. Without stress they agree.
"""

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.training.fusion.observables.crystals import constants_of, crystal_of
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.observables.protocol import FrameObservable, Values
from votca_mlp.training.fusion.observables.stress import mean_stress
from votca_mlp.training.fusion.observables.voigt import full_of, matrix_of, tensor_of
from votca_mlp.units import KB_EV_PER_K

STRAINS = ("hooke", "lagrange")
"""Which constants: coefficients of Hooke's law (B above), or derivatives of the free energy (C above)."""


class ElasticConstants(FrameObservable):
    """Elastic constants of a crystal class at constant cell, eV/Angstrom^3.

    Parameters
    ----------
    temperature
        K.
    n_atoms
        Of each frame.
    crystal
        Name in :data:`.crystals.CRYSTALS`; the frames' axes are those of the class.
    kind
        One of :data:`STRAINS`.
    """

    unit, needs, held = "eV/Angstrom^3", frozenset({"virial", "born"}), "volume"

    def __init__(self, temperature: float, n_atoms: int, crystal: str, kind: str = "hooke") -> None:
        if kind not in STRAINS:
            raise UserError(f"'{kind}' is no kind of elastic constants", accepted=" or ".join(STRAINS))
        self.temperature, self.n_atoms = float(temperature), int(n_atoms)
        self.crystal, self.kind = crystal, kind
        self.labels = crystal_of(crystal).labels

    def check(self, frames: StoredFrames) -> None:
        """Refuse frames with another number of atoms, or whose cells differ.

        Raises
        ------
        UserError
            Naming which.
        """
        if frames.n_atoms != self.n_atoms:
            raise UserError(
                f"frames of {frames.n_atoms} atoms for elastic constants of {self.n_atoms}",
                accepted="the number of atoms of the frames",
            )
        if not torch.allclose(frames.cells, frames.cells[:1].expand_as(frames.cells), rtol=1e-10, atol=1e-8):
            raise UserError(
                "elastic constants from frames whose cells differ", accepted="a trajectory at constant cell"
            )

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the constants of the class, [n_values]."""
        return constants_of(self.matrix(weights, values), self.crystal)

    def matrix(self, weights: Tensor, values: Values) -> Tensor:
        """Return all constants before symmetry is used, [6, 6]."""
        kbt, virial = KB_EV_PER_K * self.temperature, values["virial"]
        volume = values["volume"][0]
        born = (weights[:, None, None] * values["born"]).sum(0)
        deviations = virial - weights @ virial
        scatter = deviations.T @ (weights.unsqueeze(1) * deviations)
        free = torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0, 1.0, 1.0], dtype=torch.float64))
        matrix = (born - scatter / kbt + self.n_atoms * kbt * free) / volume
        if self.kind == "lagrange":
            return matrix
        return hooke(matrix, mean_stress(weights, values, self.temperature, self.n_atoms))


def hooke(matrix: Tensor, stress: Tensor) -> Tensor:
    """Return the coefficients of Hooke's law from derivatives of the free energy, [6, 6], eV/Angstrom^3.

    ``matrix`` [6, 6] and ``stress`` [6], positive under tension. Under a stress that is not the same in all
    directions the coefficients of (I, J) and (J, I) differ; their mean is returned.
    """
    s, one = tensor_of(stress), torch.eye(3, dtype=stress.dtype)
    turned = (
        torch.einsum("ik,jl->ijkl", one, s)
        + torch.einsum("il,jk->ijkl", one, s)
        + torch.einsum("jk,il->ijkl", one, s)
        + torch.einsum("jl,ik->ijkl", one, s)
    )
    found = matrix_of(full_of(matrix) + 0.5 * turned - torch.einsum("kl,ij->ijkl", one, s))
    return 0.5 * (found + found.T)
