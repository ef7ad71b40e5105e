"""Format gromacs: a TorchScript module for NNPot, and the lines of the mdp file that load it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from votca_mlp.deploy.compare import FLOAT32, FLOAT64, Answer, compare, of_evaluator, other_configuration
from votca_mlp.deploy.nnpot import ask_as_nnpot, load_pair_model, write_module
from votca_mlp.deploy.nnpot_mdp import MODULE, mdp_fragment
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.load import pick_dtype
from votca_mlp.export.potential import CorrectedPotential, Written
from votca_mlp.files import atomic_write
from votca_mlp.units import ANGSTROM_PER_NM

if TYPE_CHECKING:
    from ase import Atoms


def write(potential: CorrectedPotential, folder: Path) -> Written:
    """Write ``nnpot.pt`` and the mdp lines for both kinds of GROMACS, and compare.

    Raises
    ------
    UserError
        A model that cannot be exported, or a module that disagrees with the package's own evaluator.
    """
    content, correction, mlp = potential.content, potential.correction, potential.mlp
    dtype = pick_dtype(mlp.dtype)
    model = load_pair_model(mlp, content.main_directory)
    cutoff = write_module(folder / MODULE, model, correction, dtype, content.as_data())
    fresh = load_pair_model(mlp, content.main_directory)
    evaluator = PairListEvaluator(fresh, correction, device="cpu", dtype=dtype, skin=0.0)
    comparisons = []
    for atoms in (potential.atoms, other_configuration(potential.atoms)):
        own = of_evaluator(evaluator, _as_gromacs_rounds(atoms))
        for pairs in (False, True):
            answer = ask_as_nnpot(folder / MODULE, atoms, pairs=pairs)
            # NNPot has no virial: its own is compared with itself
            found = Answer(answer.energy, answer.forces, own.stress)
            which = "GROMACS's pairs" if pairs else "own pairs"
            what = f"module as NNPot calls it, without virial, {which} (GROMACS itself was not run)"
            comparisons.append(compare(what, found, own, FLOAT32 if dtype == torch.float32 else FLOAT64))
    fragments = {
        "nnpot_2025.mdp": mdp_fragment(MODULE, 2025),
        "nnpot_2026.mdp": mdp_fragment(MODULE, 2026, cutoff),
    }
    for name, text in fragments.items():
        with atomic_write(folder / name) as file:
            file.write(f"; Constant volume only (pcoupl = no): NNPot adds no virial.\n{text}")
    return Written(content, (MODULE, *fragments), tuple(comparisons))


def _as_gromacs_rounds(atoms: "Atoms") -> "Atoms":
    """Return the configuration with positions and cell in single precision nm."""
    rounded: Atoms = atoms.copy()
    rounded.set_cell((atoms.cell.array / ANGSTROM_PER_NM).astype(np.float32).astype(float) * ANGSTROM_PER_NM)
    positions = (atoms.get_positions() / ANGSTROM_PER_NM).astype(np.float32).astype(float)
    rounded.set_positions(positions * ANGSTROM_PER_NM)
    return rounded
