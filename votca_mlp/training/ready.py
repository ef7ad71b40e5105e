"""All that a training begins with, read and checked before anything is trained or written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from votca_mlp.training.assemble import Prepared, assemble
from votca_mlp.training.fusion.from_settings import FusionTargets, check_network, check_section
from votca_mlp.training.settings.models import TrainSettings
from votca_mlp.training.start import Start, prepare_start, read_start

Say = Callable[[str], None]


@dataclass(frozen=True)
class Ready:
    """What a settings.yaml and its files hold.

    Attributes
    ----------
    data
        Labelled frames, their split, and self energies.
    start
        The model that the training begins with; None: random numbers.
    targets
        Of the section ``experiments``; None without it.
    """

    settings: TrainSettings
    data: Prepared
    start: Start | None
    targets: FusionTargets | None

    @property
    def network(self) -> dict[str, Any]:
        """Hyperparameters of the network."""
        return self.start.network if self.start else self.settings.network.model_dump()


def get_ready(settings: TrainSettings, directory: Path, say: Say) -> Ready:
    """Read and check all that the settings name; what is soon read comes first.

    Parameters
    ----------
    directory
        Where relative paths start.
    say
        Takes one line on each thing that was found.

    Raises
    ------
    UserError
        The first thing that is wrong.
    """
    section, targets = settings.experiments, None
    if section is not None:
        targets = check_section(section, directory, list(settings.levels), settings.training.method)
    start = read_start(settings, directory)
    data = prepare_start(start, settings, assemble(settings, directory, say), say)
    ready = Ready(settings, data, start, targets)
    if section is not None and targets is not None:
        species = start.model.numbers if start else data.frames.species
        check_network(section, targets, ready.network, species, len(data.split.held_out), say)
    return ready
