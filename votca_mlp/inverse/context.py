"""What every stage of a run needs to know."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from votca_mlp.csg.environment import whole_number
from votca_mlp.inverse.messages import Messages
from votca_mlp.inverse.options import LoopOptions
from votca_mlp.settings import Settings
from votca_mlp.settings.states import State


@dataclass
class Context:
    """A run of the loop, or one state of a run of several.

    Attributes
    ----------
    settings, options
        As read at the start; of a state, its view of them.
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
    states
        Of a run of several states, else empty.
    state, run
        Of one state: which, and the context of the whole run.
    """

    settings: Settings
    options: LoopOptions
    messages: Messages
    load_model: Callable[[], Any]
    model_identity: str
    time_left: Callable[[], float | None]
    max_steps: int | None = None
    states: tuple[State, ...] = ()
    state: State | None = None
    run: "Context | None" = None
    _model: Any = field(default=None, repr=False)
    _contexts: dict[str, "Context"] = field(default_factory=dict, repr=False)

    @property
    def main(self) -> Path:
        """The main directory; of a state, the folder of its inputs."""
        return self.settings.main_directory

    @property
    def model(self) -> Any:
        """The model, loaded once."""
        if self._model is None:
            self._model = self.load_model()
        return self._model

    def step_directory(self, number: int) -> Path:
        """Return ``step_NNN``; of a state, its folder in there."""
        step = self.settings.run_directory / f"step_{number:03d}"
        return step if self.state is None else step / self.state.name


def state_context(run: Context, state: State) -> Context:
    """Return the context of one state, always the same one: a model of its own is loaded once.

    Where the state has the run's settings of the model it shares the run's.

    Raises
    ------
    UserError
        A model that is not there.
    """
    if state.name in run._contexts:
        return run._contexts[state.name]
    settings = state.settings
    same = settings.mlp == run.settings.mlp
    run._contexts[state.name] = replace(
        run,
        settings=settings,
        load_model=(lambda: run.model) if same else model_loader(settings),
        model_identity=run.model_identity if same else identity_of(settings),
        states=(),
        state=state,
        run=run,
        _model=None,
        _contexts={},
    )
    return run._contexts[state.name]


def model_loader(settings: Settings) -> Callable[[], Any]:
    """Return what loads the model of the settings; obeys CSG_NUM_THREADS.

    Raises
    ------
    UserError
        CSG_NUM_THREADS is not a number.
    """
    from votca_mlp.csg.run import with_threads

    mlp = with_threads(settings.mlp, whole_number("CSG_NUM_THREADS"))

    def load() -> Any:
        from votca_mlp.kernels.threads import set_threads
        from votca_mlp.models.load import load_model

        set_threads(mlp.threads)
        return load_model(mlp, settings.run_directory)

    return load


def identity_of(settings: Settings) -> str:
    """Return a digest of the model's settings and files.

    Raises
    ------
    UserError
        A model that is not there.
    """
    from votca_mlp.csg.run import model_identity

    return model_identity(settings.mlp, settings.run_directory)
