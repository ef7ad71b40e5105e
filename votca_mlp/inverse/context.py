"""What every stage of a run needs to know."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from votca_mlp.inverse.messages import Output
from votca_mlp.inverse.model import model_loader
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.state_plan import Origin, StatePlan
from votca_mlp.models.identity import model_identity


@dataclass
class Context:
    """A run, or one state of a run of several.

    Attributes
    ----------
    plan
        Of the run.
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
    run
        Of one state of several: the context of the whole run.
    """

    plan: InversePlan
    messages: Output
    load_model: Callable[[], Any]
    model_identity: str
    time_left: Callable[[], float | None] = lambda: None
    max_steps: int | None = None
    run: "Context | None" = None
    _state: StatePlan | None = None
    _model: Any = field(default=None, repr=False)
    _contexts: dict[str, "Context"] = field(default_factory=dict, repr=False)

    @property
    def state(self) -> StatePlan:
        """The state: of the run itself, its only one."""
        assert self._state is not None, "the context of several states"
        return self._state

    @property
    def simulates(self) -> bool:
        """Whether it is a state's; a run of several has only what they share."""
        return self._state is not None

    @property
    def name(self) -> str:
        """Of one state of several, else empty."""
        return self._state.name if self._state is not None else ""

    @property
    def pairs(self) -> tuple[PairPlan, ...]:
        """The interactions; of a state, its own view of those that it has."""
        return self.plan.pairs if self._state is None else self._state.pairs

    @property
    def origin(self) -> Origin:
        """What the run, or the state, was made from."""
        return self.plan.origin if self.run is None or self._state is None else self._state.origin

    @property
    def main(self) -> Path:
        """The main directory; of a state, the folder of its inputs."""
        return self.plan.directory if self.run is None else self.state.inputs

    @property
    def model(self) -> Any:
        """The model, loaded once."""
        if self._model is None:
            self._model = self.load_model()
        return self._model

    def step_directory(self, number: int) -> Path:
        """Return ``step_NNN``; of a state, its folder in there."""
        return self.plan.step_directory(number) / self.name


def run_context(
    plan: InversePlan,
    messages: Output,
    *,
    time_left: Callable[[], float | None] = lambda: None,
    max_steps: int | None = None,
) -> Context:
    """Return the context of a run.

    Raises
    ------
    UserError
        An environment variable that is not a number; a model that is not there.
    """
    return Context(
        plan=plan,
        messages=messages,
        load_model=model_loader(plan.model, plan.directory),
        model_identity=model_identity(plan.model, plan.directory),
        time_left=time_left,
        max_steps=max_steps,
        _state=None if plan.several else plan.states[0],
    )


def state_contexts(run: Context) -> list[Context]:
    """Return the context of each state: of the only one, the run's own.

    Raises
    ------
    UserError
        A model that is not there.
    """
    return [state_context(run, state) for state in run.plan.states] if run.plan.several else [run]


def state_context(run: Context, state: StatePlan) -> Context:
    """Return the context of one state of several, always the same one: a model of its own is loaded once.

    Where the state has the run's model it shares the run's.

    Raises
    ------
    UserError
        A model that is not there.
    """
    if state.name not in run._contexts:
        same, directory = state.model == run.plan.model, run.plan.directory
        run._contexts[state.name] = replace(
            run,
            load_model=(lambda: run.model) if same else model_loader(state.model, directory),
            model_identity=run.model_identity if same else model_identity(state.model, directory),
            run=run,
            _state=state,
            _model=None,
            _contexts={},
        )
    return run._contexts[state.name]
