"""A TorchScript module of model + correction for GROMACS's NNPot interface.

NNPot (GROMACS 2025 and later, built with LibTorch) calls ``forward`` with the inputs that the mdp file lists,
in its order: positions (float32, nm), atomic numbers (int32), box (float32, nm), pbc (bool). From 2026 it can
add its own pairs (int32, each once) and their shifts (float32, nm), with d = x_second - x_first - shift. It
takes energies in kJ/mol and differentiates them in the positions. It adds no virial.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from votca_mlp.deploy.compare import Answer
from votca_mlp.deploy.nnpot_mdp import MARGIN
from votca_mlp.deploy.scripted import quiet, save_module, scripted
from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel
from votca_mlp.models.load import load_model
from votca_mlp.neighbours.verlet_lists import VerletPairList
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.models.options import MLPSettings

_CHUNK = 2_000_000


class NNPot(nn.Module):
    """A module of :mod:`votca_mlp.deploy.scripted` with NNPot's arguments and units.

    Without pairs it makes its own by minimum image, in chunks: half the box must exceed the cutoff.
    """

    def __init__(self, module: Any, cutoff: float, numbers: list[int]) -> None:
        super().__init__()
        self.module, self.cutoff, self.numbers = module, cutoff, numbers
        self.nm, self.kjmol, self.chunk = ANGSTROM_PER_NM, KJMOL_PER_EV, _CHUNK

    def forward(
        self,
        positions: Tensor,
        numbers: Tensor,
        box: Tensor,
        pbc: Tensor,
        pairs: Tensor | None = None,
        shifts: Tensor | None = None,
    ) -> Tensor:
        """Return the energy in kJ/mol, differentiable in positions; arguments as in the module's text."""
        x = positions.double() * self.nm
        z = numbers.long()
        if len(z) == 1:
            # grompp tries every module on one hydrogen atom
            return 0.0 * x.sum()
        for number in torch.unique(z):
            if int(number) not in self.numbers:
                raise ValueError(f"the model does not know atomic number {int(number)}")
        if pairs is not None and shifts is not None:
            a, b = pairs.long()[:, 0], pairs.long()[:, 1]
            vectors = x[b] - x[a] - shifts.double() * self.nm
            near = (torch.linalg.vector_norm(vectors.detach(), dim=1) < self.cutoff).nonzero().squeeze(1)
            a, b, vectors = a[near], b[near], vectors[near]
            first = torch.cat([a, b])
            order = torch.argsort(first, stable=True)
            second, vectors = torch.cat([b, a])[order], torch.cat([vectors, -vectors])[order]
            first = first[order]
        else:
            if not bool(pbc.all()):
                raise ValueError("the box must be periodic in x, y and z")
            first, second, vectors = self.own_pairs(x, box.double() * self.nm)
        energy: Tensor = self.module._energy(z, first, second, vectors)
        return energy * self.kjmol

    def own_pairs(self, x: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return every ordered pair within the cutoff, sorted by the first, and its vector (Angstrom)."""
        inverse = torch.linalg.inv(cell)
        # the columns of the inverse are 1 / height along the normals of the box's faces
        if 0.5 / float(torch.linalg.vector_norm(inverse, dim=0).max()) <= self.cutoff:
            raise ValueError(f"half the box must exceed the cutoff of {self.cutoff} Angstrom")
        fixed = x.detach()
        firsts: list[Tensor] = []
        seconds: list[Tensor] = []
        rows = max(self.chunk // len(fixed), 1)
        for begin in range(0, len(fixed), rows):
            d = fixed.unsqueeze(0) - fixed[begin : begin + rows].unsqueeze(1)
            d = d - torch.round(d @ inverse) @ cell
            a, b = torch.where(torch.linalg.vector_norm(d, dim=2) < self.cutoff)
            keep = (a + begin != b).nonzero().squeeze(1)
            firsts.append(a[keep] + begin)
            seconds.append(b[keep])
        first, second = torch.cat(firsts), torch.cat(seconds)
        d = x[second] - x[first]
        return first, second, d - torch.round(d.detach() @ inverse) @ cell


def nnpot_module(model: PairModel, correction: Any, dtype: torch.dtype) -> Any:
    """Return the scripted module of model + correction.

    Raises
    ------
    UserError
        A kind of model that TorchScript cannot hold.
    """
    inner = scripted(model, correction, dtype)
    with quiet():
        return torch.jit.script(NNPot(inner, float(inner.cutoff), [int(z) for z in inner.numbers]).eval())


def load_pair_model(mlp: "MLPSettings", main_directory: Path) -> PairModel:
    """Return a model that can become a module, loaded anew: scripting converts it in place.

    Raises
    ------
    UserError
        As :func:`votca_mlp.models.load.load_model`; a calculator, which is Python code.
    """
    model = load_model(mlp, main_directory)
    if not isinstance(model, PairModel):
        raise UserError(
            f"{mlp.calculator} is an ASE calculator, Python code that TorchScript cannot hold",
            where="cg.inverse.mlp.kind",
            accepted="kind hippynn or ani, or GROMACS through its PLUMED slot",
        )
    return model


def write_module(
    path: Path,
    model: PairModel,
    correction: PairCorrection,
    dtype: torch.dtype,
    provenance: Mapping[str, Any] | None = None,
) -> float:
    """Write the module that mdrun loads; return the cutoff of model and correction, Angstrom.

    Parameters
    ----------
    model
        Not used for anything else afterwards: see :func:`load_pair_model`.
    correction
        u(r); without pairs the model alone.
    dtype
        Precision of the model.
    provenance
        Plain data that the file keeps.

    Raises
    ------
    UserError
        A kind of model that TorchScript cannot hold; no space or no permission.
    """
    module = nnpot_module(model, correction, dtype)
    save_module(path, module, provenance or {})
    return float(module.cutoff)


def ask_as_nnpot(path: Path, atoms: "Atoms", *, pairs: bool) -> Answer:
    """Load a module and call it as NNPot does; the stress is zero, as NNPot has none.

    Parameters
    ----------
    pairs
        Hand over pairs and shifts, as 2026 can.
    """
    with quiet():
        module = torch.jit.load(str(path), map_location="cpu").eval()
    cell = np.asarray(atoms.cell.array, float)
    x = torch.from_numpy((atoms.get_positions() / ANGSTROM_PER_NM).astype(np.float32)).requires_grad_(True)
    inputs = [
        x,
        torch.from_numpy(atoms.numbers.astype(np.int32)),
        torch.from_numpy((cell / ANGSTROM_PER_NM).astype(np.float32)),
        torch.tensor([True, True, True]),
    ]
    if pairs:
        listed = VerletPairList(float(module.cutoff), ANGSTROM_PER_NM * MARGIN, full=False)
        listed.update(atoms.get_positions(), cell, atoms.pbc)
        shifts = -(listed.shifts @ cell) / ANGSTROM_PER_NM
        inputs.append(torch.from_numpy(np.stack([listed.first, listed.second], 1).astype(np.int32)))
        inputs.append(torch.from_numpy(shifts.astype(np.float32)))
    # twice: TorchScript optimises at the second call
    for _ in range(2):
        x.grad = None
        energy = module.forward(*inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            energy.backward()
    assert x.grad is not None
    forces = -x.grad.double().numpy() / (KJMOL_PER_EV * ANGSTROM_PER_NM)
    return Answer(float(energy.detach()) / KJMOL_PER_EV, forces, np.zeros((3, 3)))
