"""Asking an exported TorchScript module as an engine would."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from votca_mlp.deploy.compare import Answer
from votca_mlp.deploy.scripted import quiet
from votca_mlp.errors import UserError
from votca_mlp.neighbours.verlet_lists import VerletPairList

if TYPE_CHECKING:
    from ase import Atoms

_LIST_MARGIN = 0.3  # Angstrom; engines hand over pairs beyond the cutoff too


def ask_module(path: Path, atoms: "Atoms", temperature: float | None = None) -> Answer:
    """Load a module and evaluate it on a configuration with a pair list made for it.

    The energy comes from ``forward`` and the forces from its derivative in the positions, as an engine such
    as GROMACS takes them; both must equal ``evaluate``'s. ``temperature`` (K) is set first when there is one.

    Raises
    ------
    UserError
        A file that is damaged, or whose two functions disagree.
    """
    with quiet():
        try:
            module = torch.jit.load(str(path), map_location="cpu")
        except (RuntimeError, OSError, ValueError) as error:
            what = f"not a TorchScript module: {str(error).splitlines()[0]}"
            raise UserError(what, where=path, accepted="a file of 'votca-mlp export'") from None
    if temperature is not None:
        module.set_temperature(temperature)
    positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
    pairs = VerletPairList(float(module.cutoff), _LIST_MARGIN)
    pairs.update(positions, cell, atoms.pbc)
    arrays = (atoms.numbers.astype(np.int64), cell, pairs.first, pairs.second, pairs.shifts)
    rest = [torch.from_numpy(array) for array in arrays]
    x = torch.from_numpy(positions).requires_grad_(True)
    # twice: TorchScript optimises at the second call
    for _ in range(2):
        energy = module(x, *rest)
        (slope,) = torch.autograd.grad(energy, x)
    energy = energy.detach()
    own_energy, own_forces, virial = module.evaluate(x, *rest)
    agree = torch.allclose(-slope, own_forces, rtol=0.0, atol=1e-4)
    if not agree or abs(float(own_energy) - float(energy)) > 1e-6 * len(atoms):
        raise UserError("forward and evaluate of the module disagree", where=path)
    return Answer(float(energy), -slope.numpy(), virial.numpy() / atoms.get_volume())
