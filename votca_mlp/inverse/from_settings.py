"""The plan of a run from its settings: with options.py and refused.py all that knows settings.xml."""

import functools
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from votca_mlp.errors import UserError
from votca_mlp.inverse.options import PRESSURE_TAGS, LoopOptions, loop_options, pressure_task
from votca_mlp.inverse.pair_plan import PairPlan, PairTasks
from votca_mlp.inverse.plan import Convergence, InversePlan
from votca_mlp.inverse.state_plan import Origin, StatePlan
from votca_mlp.models.options import FREE
from votca_mlp.processes import cores
from votca_mlp.settings import Interaction, Settings, SettingsError
from votca_mlp.settings.groups import imc_groups
from votca_mlp.settings.inputs import check_inputs
from votca_mlp.settings.iterations import PhaseSettings
from votca_mlp.settings.plans import md_plan
from votca_mlp.settings.scattering import scattering_sources
from votca_mlp.settings.states import State, states_of, write_state_settings
from votca_mlp.targets.target import Target, number_target
from votca_mlp.update.registry import DEFAULT, rules

_TASKS = "cg.inverse.simulation.tasks"
_FREE = (*(f"cg.inverse.mlp.{tag}" for tag in FREE), "cg.inverse.multistate.launch")
"""Tags that may change in mid-run without a word."""


def inverse_plan(settings: Settings) -> InversePlan:
    """Return the plan of our own loop.

    Raises
    ------
    UserError
        An option that csg_inverse knows and this loop does not, a value that is not accepted, bad states.
    """
    options = loop_options(settings)
    try:
        return plan_of(settings, options)
    except SettingsError:
        raise
    except UserError:
        # one file that is missing is no reason not to say what else is
        check_inputs(settings)
        raise


def plan_of(settings: Settings, options: LoopOptions | None = None) -> InversePlan:
    """Return the plan of a run.

    Parameters
    ----------
    options
        VOTCA's options of tasks that our loop obeys. Without them, for a run of csg_inverse, VOTCA's scripts
        look after their own.

    Raises
    ------
    UserError
        Bad states, a number of tasks or a launch command that cannot be used.
    """
    several = settings.multistate.enabled
    states: tuple[StatePlan, ...]
    if several:
        states = tuple(_state(state, options) for state in states_of(settings))
    else:
        states = (state_plan(settings, options=options),)
    check, multistate = settings.convergence_check, settings.multistate
    return InversePlan(
        directory=settings.main_directory,
        pairs=_pairs(settings, options),
        states=states,
        model=settings.mlp,
        iterations_max=settings.iterations_max,
        rule=settings.rule,
        rule_options=settings.rule_options,
        groups=imc_groups(settings),
        checks=settings.checks,
        terms=multistate.temperature_terms if several else 1,
        initial_configuration=settings.initial_configuration,
        convergence=Convergence(check.type, check.limit, check.iterations),
        average_steps=2 if options is None else options.average_steps,
        cleanlist=() if options is None else options.cleanlist,
        log_file="inverse.log" if options is None else options.log_file,
        restart_file=Path(settings.text("cg.inverse.restart_file") or "restart_points.log").name,
        at_once=_at_once(settings) if several else 1,
        launch=_launch(settings) if several else (),
        origin=_origin(settings, options, {"path"}),
        where=settings.where,
        check=lambda: check_inputs(settings),
    )


def state_plan(
    settings: Settings, *, name: str = "", weight: float = 1.0, options: LoopOptions | None = None
) -> StatePlan:
    """Return the plan of a state from its own settings; of the only state of a run, from those of the run."""
    rdf = settings.engine.rdf
    return StatePlan(
        md=md_plan(settings),
        pairs=_pairs(settings, options, of_state=weight > 0),
        model=settings.mlp,
        inputs=settings.main_directory,
        name=name,
        weight=weight,
        kBT=settings.kBT,
        block_length=rdf.block_length if rdf.with_errors else None,
        # as cp of csg_inverse: the step itself has the copies, whatever folders they come from
        filelist={Path(file).name: settings.input_path(file) for file in settings.filelist},
        origin=_origin(settings, options, {"path", "multistate"}),
        density=_measured(settings, "density"),
        pressure=_measured(settings, "pressure"),
        scattering=scattering_sources(settings),
        density_limit=settings.phase.density,
        drift_limit=settings.phase.drift,
        pressure_limit=settings.phase.pressure,
    )


def _measured(settings: Settings, observable: str) -> Target | None:
    """Return the measured number of ``<target_OBSERVABLE>``, None where there is none."""
    given = getattr(settings, f"target_{observable}")
    if given is None:
        return None
    where = settings.where(f"cg.inverse.target_{observable}.value")
    return number_target(observable, given.value, given.sigma, source=where)


def _state(state: State, options: LoopOptions | None) -> StatePlan:
    plan = state_plan(state.settings, name=state.name, weight=state.weight, options=options)
    return replace(plan, write_settings=functools.partial(write_state_settings, state))


def _pairs(
    settings: Settings, options: LoopOptions | None, *, of_state: bool = False
) -> tuple[PairPlan, ...]:
    return tuple(
        PairPlan(
            grid=pair.grid,
            target=None if pair.target is None else settings.main_directory / pair.target,
            options=pair.options(settings.rule),
            do_potential=pair.do_potential,
            post_update=pair.post_update,
            post_add=pair.post_add,
            tasks=PairTasks() if options is None else options.pairs[pair.name],
            # what the pressure is to be, each state says for itself
            pressure=pressure_task(settings, pair) if of_state else None,
            window=pair.seen_through,
        )
        for pair in settings.interactions
    )


def _origin(settings: Settings, options: LoopOptions | None, left_out: set[str]) -> Origin:
    tables = {file: settings.input_path(file) for file in _tables(settings)}
    names = [settings.path.name, *settings.filelist]
    names += [pair.target for pair in settings.interactions if pair.target is not None]
    names += [name for pair in settings.interactions for name in _named(settings, pair)]
    names += [settings.engine.conf] if settings.engine.conf else []
    names += [source.file for source in settings.scattering]
    names += [f"{pair.name}.pot.in" for pair in settings.interactions]
    return Origin(
        path=settings.path,
        tags=_tags(settings, options),
        watched=tables,
        files={name: settings.input_path(name) for name in dict.fromkeys(names)},
        settings=settings.model_dump(mode="json", exclude=left_out),
    )


def _tables(settings: Settings) -> Iterator[str]:
    for pair in settings.interactions:
        yield from _named(settings, pair) if pair.target is None else (pair.target, *_named(settings, pair))
    yield from (source.file for source in settings.scattering)


def _named(settings: Settings, pair: Interaction) -> tuple[str, ...]:
    """Return the files that the options of the rule name."""
    return rules()[settings.rule].named_files(pair.options(settings.rule))


def _tags(settings: Settings, options: LoopOptions | None) -> dict[str, Any]:
    """Return what shapes a step, by tag."""
    found: dict[str, Any] = {}
    others = set(rules()) - {settings.rule}
    data = settings.model_dump(mode="json", exclude={"path", "interactions", "scriptpath"} | others)
    _flatten("cg.inverse", data, found)
    for pair in settings.interactions:
        _flatten(f"cg.non-bonded[{pair.name}]", pair.model_dump(mode="json", exclude=others), found)
    if options is not None:
        _flatten("cg.inverse", {"cleanlist": list(options.cleanlist)}, found)
        for pair in settings.interactions:
            _flatten(f"cg.non-bonded[{pair.name}].options", asdict(options.pairs[pair.name]), found)
    for pair in settings.interactions:
        inverse = f"cg.non-bonded[{pair.name}].inverse"
        for tag in PRESSURE_TAGS if "pressure" in pair.post_update else ():
            found[f"{inverse}.{tag}"] = settings.text(f"{inverse}.{tag}")
    if settings.rule == DEFAULT:
        # as in runs that began before there was a choice
        del found["cg.inverse.rule"]
    if not settings.scattering:
        found.pop("cg.inverse.scattering", None)
    for pair in settings.interactions:
        if pair.seen_through is None:
            for tag in ("q_max", "function"):
                found.pop(f"cg.non-bonded[{pair.name}].window.{tag}", None)
    if settings.phase == PhaseSettings():
        found = {tag: value for tag, value in found.items() if not tag.startswith("cg.inverse.phase.")}
    # what is measured at the end shapes no step
    found = {tag: value for tag, value in found.items() if not tag.startswith("cg.inverse.checks")}
    return {tag: value for tag, value in found.items() if tag not in _FREE}


def _flatten(prefix: str, value: Any, into: dict[str, Any]) -> None:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            _flatten(f"{prefix}.{name}", item, into)
    else:
        into[prefix] = value


def _at_once(settings: Settings) -> int:
    """Return how many states are simulated at the same time.

    ``cg.inverse.simulation.tasks``: a number, or ``auto`` for the cores of this process. Without the tag one
    after another, or all at once when ``multistate.launch`` says how to start them.
    """
    count = len(settings.multistate.state_names)
    text = (settings.text(_TASKS) or "").strip()
    if not text:
        return count if settings.multistate.launch else 1
    if text == "auto":
        return min(count, cores())
    return min(count, int(text))


def _launch(settings: Settings) -> tuple[str, ...]:
    launch = settings.multistate.launch or ""
    return tuple(shlex.split(launch))
