"""What every stage of a run needs to know."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from votca_mlp.inverse.messages import Messages
from votca_mlp.inverse.options import LoopOptions
from votca_mlp.settings import Settings


@dataclass
class Context:
    """A run of the loop.

    Attributes
    ----------
    settings, options
        As read at the start.
    messages
        Terminal and log.
    load_model
        Loads the model; called once, when it is first needed.
    model_identity
        Names model and files, as the engine's checkpoint does.
    time_left
        Seconds until the wall time is up, or None.
    max_steps
        ``CSG_MDRUN_STEPS``, or None.
    """

    settings: Settings
    options: LoopOptions
    messages: Messages
    load_model: Callable[[], Any]
    model_identity: str
    time_left: Callable[[], float | None]
    max_steps: int | None = None
    _model: Any = field(default=None, repr=False)

    @property
    def main(self) -> Path:
        """The main directory."""
        return self.settings.main_directory

    @property
    def model(self) -> Any:
        """The model, loaded once."""
        if self._model is None:
            self._model = self.load_model()
        return self._model

    def step_directory(self, number: int) -> Path:
        """Return ``step_NNN``."""
        return self.main / f"step_{number:03d}"
