"""Which files a hippynn experiment has, found without torch: hippynn's own trainer's, or those of Lightning.

hippynn's trainer leaves ``experiment_structure.pt``, ``best_model.pt`` and ``best_checkpoint.pt`` in one
folder. Its Lightning module leaves ``LOGS/version_N/checkpoints/NAME.ckpt``, which has weights alone, and is
meant to leave ``LOGS/version_N/experiment_structure.pt`` with the model; hippynn up to 0.1.3, and its
development version at 626e7c7, do not write the latter.
"""

from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.units import EV_PER_ENERGY_UNIT

STRUCTURE, *WEIGHTS = FILES = ("experiment_structure.pt", "best_model.pt", "best_checkpoint.pt")
LIGHTNING = ".ckpt"
NO_UNIT = "is missing: the files of a hippynn experiment do not say in which unit its energies are"
UNITS = f"{' | '.join(EV_PER_ENERGY_UNIT)}, as it was trained (hippynn's own default is kcal/mol)"
EXPORT = (
    "where it was trained, votca_mlp.models.hipnn.files.save_graph('model.pt', module.model, "
    "energy_unit=...) writes a file that is read here"
)


@dataclass(frozen=True)
class ExperimentFiles:
    """The file of an experiment with the model's graph, and the one with its weights."""

    structure: Path
    weights: Path

    @property
    def from_lightning(self) -> bool:
        """Whether hippynn's Lightning module wrote them."""
        return self.weights.suffix == LIGHTNING


def is_experiment(path: Path) -> bool:
    """Return whether a path names a hippynn experiment, and no file of ours: by its name, or as a folder."""
    return path.is_dir() or path.name in FILES or path.suffix == LIGHTNING


def experiment_files(path: Path) -> ExperimentFiles:
    """Return the files of the experiment that a folder or one of its files names.

    Raises
    ------
    UserError
        Files are missing, or there are several checkpoints to choose from.
    """
    if path.suffix == LIGHTNING and path.is_file():
        return _of_lightning(path)
    directory = path if path.is_dir() else path.parent
    weights = next((directory / name for name in WEIGHTS if (directory / name).is_file()), None)
    if weights is not None and (directory / STRUCTURE).is_file():
        return ExperimentFiles(directory / STRUCTURE, weights)
    checkpoints = sorted(directory.glob(f"checkpoints/*{LIGHTNING}")) or sorted(
        directory.glob(f"*{LIGHTNING}")
    )
    if len(checkpoints) == 1:
        return _of_lightning(checkpoints[0])
    if checkpoints:
        what, names = "there are several checkpoints", " | ".join(path.name for path in checkpoints)
        raise UserError(what, where=checkpoints[0].parent, accepted=f"the path of one: {names}")
    accepted = (
        f"{STRUCTURE} and one of {', '.join(WEIGHTS)} of hippynn, or a checkpoint of its Lightning module"
    )
    raise UserError("not a hippynn experiment", where=directory, accepted=accepted)


def _of_lightning(checkpoint: Path) -> ExperimentFiles:
    folders = (checkpoint.parent.parent, checkpoint.parent)
    found = next((folder / STRUCTURE for folder in folders if (folder / STRUCTURE).is_file()), None)
    if found is None:
        what = f"a Lightning checkpoint has weights and no model, and there is no {STRUCTURE} in {folders[0]}"
        raise UserError(what, where=checkpoint, accepted=EXPORT)
    return ExperimentFiles(found, checkpoint)
