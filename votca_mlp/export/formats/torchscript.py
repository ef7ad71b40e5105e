"""Format torchscript: the correction as a module, and model + correction as one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from votca_mlp.deploy.ask import ask_module
from votca_mlp.deploy.compare import (
    EXACT,
    FLOAT32,
    FLOAT64,
    Answer,
    Comparison,
    compare,
    of_correction,
    of_evaluator,
    other_configuration,
)
from votca_mlp.deploy.scripted import save_module, scripted
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.load import pick_dtype
from votca_mlp.export.potential import CorrectedPotential, Written, compared_temperatures
from votca_mlp.models.contract import PairModel
from votca_mlp.models.load import load_model
from votca_mlp.potentials.correction import PairCorrection

if TYPE_CHECKING:
    from ase import Atoms

CORRECTION = "correction.pt"
CORRECTED = "corrected.pt"
MODEL = "model.pt"


def write(potential: CorrectedPotential, folder: Path) -> Written:
    """Write ``correction.pt`` and, where the kind of model allows it, ``corrected.pt``, and compare them.

    A model without a correction gives ``model.pt`` alone.

    Raises
    ------
    UserError
        A module that disagrees with the package's own evaluator.
    """
    content, mlp = potential.content, potential.mlp
    correction = potential.of_temperature or potential.correction
    if potential.of_temperature is None and not potential.correction.pairs:
        _save_whole(potential, folder / MODEL)
        return Written(content, (MODEL,), tuple(_compared(potential, folder / MODEL, "model")))
    save_module(folder / CORRECTION, scripted(None, correction, torch.float64), content.as_data())
    comparisons = [
        compare(f"correction {case.which}", case.answer, of_correction(case.correction, case.atoms), EXACT)
        for case in _cases(potential, folder / CORRECTION)
    ]
    try:
        _save_whole(potential, folder / CORRECTED)
    except UserError as error:
        left_out = f"{CORRECTED} (model + correction): kind {mlp.kind}: {error.what}"
        return Written(content, (CORRECTION,), tuple(comparisons), (left_out,))
    comparisons += _compared(potential, folder / CORRECTED, "model + correction")
    return Written(content, (CORRECTION, CORRECTED), tuple(comparisons))


def _save_whole(potential: CorrectedPotential, file: Path) -> None:
    """Write model and correction as one module.

    Raises
    ------
    UserError
        A kind of model that TorchScript cannot hold; no space.
    """
    content, mlp = potential.content, potential.mlp
    correction = potential.of_temperature or potential.correction
    # a model of its own: tracing switches its gradients off
    model = load_model(mlp, content.main_directory)
    if not isinstance(model, PairModel):
        raise UserError(f"{mlp.calculator} is an ASE calculator, Python code")
    save_module(file, scripted(model, correction, pick_dtype(mlp.dtype)), content.as_data())


def _compared(potential: CorrectedPotential, file: Path, what: str) -> list[Comparison]:
    """Compare a module of model and correction with the package's own evaluator.

    Raises
    ------
    UserError
        It disagrees.
    """
    content, mlp = potential.content, potential.mlp
    dtype = pick_dtype(mlp.dtype)
    fresh = load_model(mlp, content.main_directory)
    assert isinstance(fresh, PairModel)
    tolerance = FLOAT32 if dtype == torch.float32 else FLOAT64
    comparisons = []
    for case in _cases(potential, file):
        evaluator = PairListEvaluator(fresh, case.correction, device="cpu", dtype=dtype, skin=0.0)
        original = of_evaluator(evaluator, case.atoms)
        comparisons.append(compare(f"{what} {case.which}", case.answer, original, tolerance))
    return comparisons


@dataclass(frozen=True)
class _Case:
    """What a module answers on a configuration, and the u(r) that it has there."""

    answer: Answer
    correction: PairCorrection
    atoms: "Atoms"
    which: str


def _cases(potential: CorrectedPotential, file: Path) -> Iterator[_Case]:
    """Ask a module, at every temperature that is compared, on two configurations."""
    of_temperature = potential.of_temperature
    for kelvin in [None] if of_temperature is None else compared_temperatures(of_temperature):
        if of_temperature is None or kelvin is None:
            correction, which = potential.correction, "in TorchScript"
        else:
            correction, which = of_temperature.at(kelvin), f"in TorchScript at {kelvin:g} K"
        for atoms in (potential.atoms, other_configuration(potential.atoms)):
            yield _Case(ask_module(file, atoms, kelvin), correction, atoms, which)
