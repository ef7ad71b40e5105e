"""Format ``gromacs``: a TorchScript module for NNPot, and the lines of the mdp file that load it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from votca_mlp.deploy.compare import Answer, compare, of_evaluator
from votca_mlp.deploy.nnpot import MARGIN, ask_as_nnpot, nnpot_module
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.load import pick_dtype
from votca_mlp.export.torchscript import FLOAT32, FLOAT64, other_configuration, save
from votca_mlp.export.work import Outcome, Work
from votca_mlp.files import atomic_write
from votca_mlp.models.contract import PairModel
from votca_mlp.models.load import load_model
from votca_mlp.units import ANGSTROM_PER_NM

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.settings import Settings

MODULE = "nnpot.pt"
PAIRS_SINCE = 2026
_INPUTS = ("atom-positions", "atom-numbers", "box", "pbc")
_PAIR_INPUTS = ("atom-pairs", "pair-shifts")


def mdp_fragment(module: str, year: int, cutoff: float | None = None) -> str:
    """Return the lines of an mdp file that load a module.

    Parameters
    ----------
    year
        Of GROMACS: from 2026 on with its own pairs.
    cutoff
        Of model and correction, Angstrom; without it no pairs are asked for.
    """
    inputs: tuple[str, ...] = _INPUTS
    lines = ["nnpot-active = yes", f"nnpot-modelfile = {module}", "nnpot-input-group = System"]
    if year >= PAIRS_SINCE and cutoff is not None:
        inputs += _PAIR_INPUTS
        lines.append(f"nnpot-pair-cutoff = {cutoff / ANGSTROM_PER_NM + MARGIN:.4g}")
    lines += [f"nnpot-model-input{number} = {name}" for number, name in enumerate(inputs, start=1)]
    return "\n".join(lines) + "\n"


def write_gromacs(work: Work) -> Outcome:
    """Write ``nnpot.pt`` and the mdp lines for both kinds of GROMACS, and compare.

    Raises
    ------
    UserError
        A model that cannot be exported, or a module that disagrees with the package's own evaluator.
    """
    dtype = pick_dtype(work.mlp.dtype)
    module = nnpot_module(_pair_model(work.mlp, work.main), work.correction, dtype)
    save(work.folder / MODULE, module, work.content)
    evaluator = PairListEvaluator(
        _pair_model(work.mlp, work.main), work.correction, device="cpu", dtype=dtype, skin=0.0
    )
    comparisons = []
    for atoms in (work.atoms, other_configuration(work.atoms)):
        own = of_evaluator(evaluator, _as_gromacs_rounds(atoms))
        for pairs in (False, True):
            answer = ask_as_nnpot(work.folder / MODULE, atoms, pairs=pairs)
            # NNPot has no virial: its own is compared with itself
            found = Answer(answer.energy, answer.forces, own.stress)
            which = "GROMACS's pairs" if pairs else "own pairs"
            what = f"module as NNPot calls it, without virial, {which} (GROMACS itself was not run)"
            comparisons.append(compare(what, found, own, FLOAT32 if dtype == torch.float32 else FLOAT64))
    cutoff = float(module.cutoff)
    files = {
        "nnpot_2025.mdp": mdp_fragment(MODULE, 2025),
        "nnpot_2026.mdp": mdp_fragment(MODULE, 2026, cutoff),
    }
    for name, text in files.items():
        with atomic_write(work.folder / name) as file:
            file.write(f"; Constant volume only (pcoupl = no): NNPot adds no virial.\n{text}")
    return [MODULE, *files], comparisons, []


def write_module(settings: "Settings", step_directory: Path, main_directory: Path, path: Path) -> None:
    """Write the module of a step's model and correction.

    Raises
    ------
    UserError
        A model that cannot be exported.
    """
    from votca_mlp.inverse.potentials import current_correction

    correction = current_correction(settings, step_directory)
    model = _pair_model(settings.mlp, main_directory)
    save(path, nnpot_module(model, correction, pick_dtype(settings.mlp.dtype)), {})


def _as_gromacs_rounds(atoms: "Atoms") -> "Atoms":
    """Return the configuration with positions and cell in single precision nm."""
    rounded = atoms.copy()
    rounded.set_cell((atoms.cell.array / ANGSTROM_PER_NM).astype(np.float32).astype(float) * ANGSTROM_PER_NM)
    positions = (atoms.get_positions() / ANGSTROM_PER_NM).astype(np.float32).astype(float)
    rounded.set_positions(positions * ANGSTROM_PER_NM)
    return rounded


def _pair_model(mlp: Any, main: Path) -> PairModel:
    model = load_model(mlp, main)
    if not isinstance(model, PairModel):
        raise UserError(
            f"{mlp.calculator} is an ASE calculator, Python code that TorchScript cannot hold",
            where="cg.inverse.mlp.kind",
            accepted="kind hippynn or ani, or GROMACS through its PLUMED slot",
        )
    return model
