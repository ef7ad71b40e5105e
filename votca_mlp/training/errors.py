"""Errors of a model on labelled frames, by kind of frame."""

from dataclasses import dataclass

import numpy as np

from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.training.dataset import Dataset


@dataclass(frozen=True)
class Errors:
    """Errors on some frames: energy per atom in meV, forces by component in eV/Angstrom.

    ``force_spread`` is the root mean square of the labels' forces, for comparison.
    """

    frames: int
    energy_rmse: float
    energy_mae: float
    force_rmse: float
    force_mae: float
    force_spread: float


def errors_by_kind(evaluator: Evaluator, dataset: Dataset) -> dict[str, Errors]:
    """Return the errors for each kind of frame, and for ``all``."""
    energies = np.zeros(len(dataset))
    forces, labels = [], []
    for k in range(len(dataset)):
        atoms = dataset.atoms(k)
        evaluation = evaluator.evaluate(atoms)
        energies[k] = 1e3 * (evaluation.energy - dataset.energies[k]) / len(atoms)
        labels.append(dataset.forces[k, : len(atoms)])
        forces.append(evaluation.forces - labels[-1])
    result = {}
    for kind in [*sorted(set(dataset.kinds.tolist())), "all"]:
        chosen = np.flatnonzero((dataset.kinds == kind) | (kind == "all"))
        force = np.concatenate([forces[k].ravel() for k in chosen])
        label = np.concatenate([labels[k].ravel() for k in chosen])
        result[kind] = Errors(
            len(chosen),
            float(np.sqrt((energies[chosen] ** 2).mean())),
            float(np.abs(energies[chosen]).mean()),
            float(np.sqrt((force**2).mean())),
            float(np.abs(force).mean()),
            float(np.sqrt((label**2).mean())),
        )
    return result
