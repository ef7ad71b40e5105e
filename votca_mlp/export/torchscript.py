"""Writing the TorchScript modules, and asking them as an engine would."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from votca_mlp.deploy.compare import EXACT, Answer, Tolerance, compare, of_correction, of_evaluator
from votca_mlp.deploy.scripted import quiet, save_module, scripted
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.load import pick_dtype
from votca_mlp.export.of_temperature import probes
from votca_mlp.export.work import Outcome, Work
from votca_mlp.models.contract import PairModel
from votca_mlp.models.load import load_model
from votca_mlp.neighbours.verlet_lists import VerletPairList
from votca_mlp.potentials.correction import PairCorrection

if TYPE_CHECKING:
    from ase import Atoms

CORRECTION = "correction.pt"
CORRECTED = "corrected.pt"
FLOAT32 = Tolerance(2e-5, 2e-3, 50.0)
"""A float32 model summed in another order."""
FLOAT64 = Tolerance(1e-8, 1e-6, 0.1)
_LIST_MARGIN = 0.3  # Angstrom; engines hand over pairs beyond the cutoff too


def write_torchscript(work: Work) -> Outcome:
    """Write ``correction.pt`` and, where the kind of model allows it, ``corrected.pt``, and compare them.

    Returns
    -------
    The file names, the comparisons, and what was left out and why.

    Raises
    ------
    UserError
        A module that disagrees with the package's own evaluator.
    """
    folder, content, mlp = work.folder, work.content, work.mlp
    correction = work.varying or work.correction
    save_module(folder / CORRECTION, scripted(None, correction, torch.float64), content)

    def answers(file: str) -> Iterator[tuple[Answer, PairCorrection, "Atoms", str]]:
        for kelvin in [None] if work.varying is None else probes(work.varying):
            at = work.correction if work.varying is None or kelvin is None else work.varying.at(kelvin)
            for atoms in (work.atoms, other_configuration(work.atoms)):
                where = "in TorchScript" if kelvin is None else f"in TorchScript at {kelvin:g} K"
                yield ask(folder / file, atoms, kelvin), at, atoms, where

    comparisons = [
        compare(f"correction {where}", answer, of_correction(at, atoms), EXACT)
        for answer, at, atoms, where in answers(CORRECTION)
    ]
    dtype = pick_dtype(mlp.dtype)
    # a model of its own: tracing switches its gradients off
    model: Any = load_model(mlp, work.main)
    try:
        if not isinstance(model, PairModel):
            raise UserError(f"{mlp.calculator} is an ASE calculator, Python code")
        module = scripted(model, correction, dtype)
    except UserError as error:
        left_out = f"{CORRECTED} (model + correction): kind {mlp.kind}: {error.what}"
        return [CORRECTION], comparisons, [left_out]
    save_module(folder / CORRECTED, module, content)
    fresh: Any = load_model(mlp, work.main)
    tolerance = FLOAT32 if dtype == torch.float32 else FLOAT64
    for answer, at, atoms, where in answers(CORRECTED):
        evaluator = PairListEvaluator(fresh, at, device="cpu", dtype=dtype, skin=0.0)
        original = of_evaluator(evaluator, atoms)
        comparisons.append(compare(f"model + correction {where}", answer, original, tolerance))
    return [CORRECTION, CORRECTED], comparisons, []


def ask(path: Path, atoms: "Atoms", temperature: float | None = None) -> Answer:
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


def other_configuration(atoms: "Atoms") -> "Atoms":
    """Return a configuration with another number of atoms and pairs: a module may have frozen either."""
    other = atoms[[k for k in range(len(atoms)) if k % 7 != 3]]
    other.rattle(0.05, seed=2)
    return other
