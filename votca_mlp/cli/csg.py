"""Hidden commands ``votca-mlp csg ...`` that VOTCA's scripts call; not for users' hands."""

import gc
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.csg.environment import CsgEnvironment, read_environment
from votca_mlp.csg.terminal import complain, say
from votca_mlp.errors import UserError
from votca_mlp.interrupts import raise_on_sigterm
from votca_mlp.processes import is_interrupt

if TYPE_CHECKING:
    from votca_mlp.inverse.plan import InversePlan
    from votca_mlp.settings import Settings

_Function = Callable[..., None]
COMMANDS: dict[str, _Function] = {}
"""By name; their parameters are what stands behind the name, in the types that they are annotated with."""


def run_command(words: list[str]) -> None:
    """Run ``votca-mlp csg NAME ...``; show a failure on the terminal behind csg_inverse's log, and log it.

    Without typer and what it imports: csg_inverse starts some ten of these in a step.
    """
    raise_on_sigterm()
    if words[:1] != ["run"]:
        # the imports make many objects and no garbage: looking for some takes a sixth of a start
        gc.set_threshold(100_000)
    try:
        _call(words)
        return
    except UserError as error:
        complain(f"votca-mlp: {error}")
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        if is_interrupt(error):
            complain("votca-mlp: interrupted; run csg_inverse again to go on from the last checkpoint")
            # for functions_mlp.sh, which need not say it again
            print(f"interrupted: csg_inverse {os.environ.get('CSG_MASTER_PID')}", flush=True)
            sys.exit(130)
        if isinstance(error, SystemExit):
            raise
        traceback.print_exc()
        complain(f"votca-mlp: {type(error).__name__}: {error} (the log has the traceback)")
    sys.exit(1)


def _call(words: list[str]) -> None:
    name, *given = words or [""]
    if name not in COMMANDS:
        raise UserError(f"votca-mlp csg has no '{name}'", accepted=", ".join(COMMANDS))
    function = COMMANDS[name]
    signature = inspect.signature(function)
    kinds = [parameter.annotation for parameter in signature.parameters.values()]
    try:
        values = [kind(word) for kind, word in zip(kinds, given, strict=False)]
        bound = signature.bind(*values, *given[len(values) :])
    except (TypeError, ValueError) as error:
        raise UserError(f"votca-mlp csg {name}: {error}", accepted=f"{name}{signature}") from None
    function(*bound.args)


def _command(name: str) -> Callable[[_Function], _Function]:
    def enter(function: _Function) -> _Function:
        COMMANDS[name] = function
        return function

    return enter


def _load() -> tuple["Settings", CsgEnvironment]:
    from votca_mlp.settings import load_settings

    environment = read_environment()
    return load_settings(environment.settings), environment


def _plan() -> tuple["InversePlan", CsgEnvironment]:
    from votca_mlp.inverse.from_settings import plan_of

    settings, environment = _load()
    return plan_of(settings), environment


@_command("defaults")
def defaults(stock: Path) -> None:
    """Print the path of a defaults file that holds STOCK's tags and ours."""
    from votca_mlp.csg.defaults import merged_defaults_file

    print(merged_defaults_file(stock))


@_command("claim")
def claim(process: int) -> None:
    """Claim the working directory for csg_inverse, whose process number is given; refuse a second one.

    What an earlier run left broken off is removed, as nothing else works there now.
    """
    from votca_mlp.runs import claim as claims
    from votca_mlp.runs.left_over import remove_left_over_of_run
    from votca_mlp.runs.lock import locked

    main = Path.cwd()
    claims.claim(main, process)
    # nor may our own loop work here
    with locked(main, master=process, patience=3.0):
        remove_left_over_of_run(main)


@_command("check")
def check() -> None:
    """Step 0: check settings, files, model, start and VOTCA itself."""
    from votca_mlp.csg.check import check_before_start

    for line in check_before_start(*_load()):
        say(line)


@_command("prepare")
def prepare(name: str) -> None:
    """Write the initial potential NAME.pot.new."""
    from votca_mlp.inverse.stages.prepare import write_initial

    plan, environment = _plan()
    for line in write_initial(plan, name, environment.step_directory).values():
        say(line)


@_command("convert")
def convert(source: Path, out: Path) -> None:
    """Write r, u and force of a potential as the engine uses it."""
    from votca_mlp.inverse.potentials import export_potential

    export_potential(source, out)


@_command("run")
def run() -> None:
    """Run or resume the simulation of this step, or those of its states."""
    from votca_mlp.csg.orphan import end_with
    from votca_mlp.runs.lock import locked

    environment = read_environment()
    # before anything slow: csg_inverse may end at any time
    end_with(environment.master)
    from votca_mlp.csg.run import csg_context, run_simulation
    from votca_mlp.csg.states import run_states

    plan, environment = _plan()
    # no second loop, of either kind, may write into the same step
    with locked(environment.main_directory, master=environment.master):
        context = csg_context(plan, environment)
        (run_states if plan.several else run_simulation)(context, environment)


@_command("run-state")
def run_state(name: str) -> None:
    """Run or resume the simulation of state NAME in this step; the loop that starts it holds the lock."""
    from votca_mlp.csg.orphan import end_with

    environment = read_environment()
    end_with(environment.master)
    from votca_mlp.csg.run import context_of_state, run_simulation
    from votca_mlp.settings.states import read_state_settings

    # what the loop has read: settings.xml may have been edited since
    path = environment.step_directory / name / "settings.xml"
    settings = read_state_settings(path, environment.main_directory, name)
    run_simulation(context_of_state(settings, name, environment), environment)


@_command("has-checkpoint")
def has_checkpoint() -> None:
    """Exit with 0 when this step can be resumed."""
    from votca_mlp.csg.states import can_resume

    plan, environment = _plan()
    sys.exit(0 if can_resume(plan, environment.step_directory) else 1)


@_command("observe")
def observe(state: str = "") -> None:
    """Keep the values by frame of this step, or of STATE in its folder of it."""
    from votca_mlp.inverse.stages.measure import observe as measure_step

    plan, environment = _plan()
    measure_step(next(found for found in plan.states if found.name == state), environment.step_directory)


@_command("windows")
def windows(state: str = "") -> None:
    """Write g(r) of this step, or of STATE in its folder of it, as the targets were seen: NAME.dist.new."""
    from votca_mlp.inverse.stages.measure import write_windowed
    from votca_mlp.observables.store import read_observables

    plan, environment = _plan()
    found = next(item for item in plan.states if item.name == state)
    directory = environment.step_directory / state
    write_windowed(found, read_observables(directory), directory)


@_command("update")
def update(name: str, target: Path, rdf: Path, potential: Path, out: Path, kbt: float) -> None:
    """Write the update of interaction NAME to OUT; KBT in kJ/mol."""
    from votca_mlp.inverse.agreement import compared_files
    from votca_mlp.inverse.stages.measure import few_blocks
    from votca_mlp.inverse.stages.update import update_of_files
    from votca_mlp.tables import write_table

    plan, environment = _plan()
    files = {"dist.tgt": target, "dist.new": rdf, "pot.cur": potential}
    step = environment.step_directory
    write_table(out, update_of_files(plan, environment.step_number, name, files, kbt=kbt, directory=step))
    words = "" if plan.several else few_blocks(plan.states[0], step)
    say(compared_files(name, rdf, target) + words)


@_command("correct-pressure")
def correct_pressure(name: str, update: Path, out: Path) -> None:
    """Write the update of table NAME (an interaction's, or a term's of it) with its pressure corrected."""
    from votca_mlp.inverse.stages.pressure import with_pressure
    from votca_mlp.tables import read_table, write_table

    plan, environment = _plan()
    step, number = environment.step_directory, environment.step_number
    table, lines = with_pressure(plan, number, name, read_table(update), step)
    write_table(out, table)
    for line in lines:
        say(line)


@_command("begin-states")
def begin() -> None:
    """Bring files, potentials and start of each state into its folder of the step."""
    from votca_mlp.csg.states import begin_states

    begin_states(*_plan())


@_command("state-settings")
def state_settings() -> None:
    """Write STATE/settings.xml for every state into the step."""
    from votca_mlp.csg.states import write_settings

    plan, environment = _plan()
    write_settings(plan, environment.step_directory)


@_command("term-settings")
def term_settings(out: Path) -> None:
    """Write a settings.xml in which every term of u(r; T) is an interaction."""
    from votca_mlp.csg.terms import write_term_settings
    from votca_mlp.inverse.from_settings import plan_of

    settings, _ = _load()
    write_term_settings(settings, plan_of(settings), out)


@_command("update-states")
def update_of_states(name: str) -> None:
    """Write the update of interaction NAME that all states share, NAME.dpot.pure_ibi, and of its terms."""
    from votca_mlp.csg.states import update_states

    update_states(*_plan(), name)


@_command("update-all")
def update_of_all() -> None:
    """Write the updates of all interactions and terms, NAME.dpot.pure_ibi, and their targets."""
    from votca_mlp.inverse.stages.update import write_all_updates
    from votca_mlp.inverse.temperature import write_u_of_t

    plan, environment = _plan()
    for line in write_all_updates(plan, environment.step_number, environment.step_directory):
        say(line)
    if plan.several:
        write_u_of_t(plan, environment.step_number)


@_command("checks")
def checks() -> None:
    """Make the checks of the end after the last of iterations_max steps."""
    plan, environment = _plan()
    if environment.step_number == plan.iterations_max:
        _final_checks(plan, environment)


def _final_checks(plan: "InversePlan", environment: CsgEnvironment) -> None:
    from votca_mlp.csg.run import csg_context
    from votca_mlp.inverse.final_checks import run_checks

    if plan.checks is not None and not run_checks(csg_context(plan, environment), environment.step_number):
        say("the wall time is up in the checks; votca-mlp inverse makes the rest")


@_command("bands")
def bands() -> None:
    """Put the error bands of the updates into NAME.pot.new."""
    from votca_mlp.inverse.stages.update import add_bands

    plan, environment = _plan()
    add_bands(plan, environment.step_directory)


@_command("agreement")
def agreement() -> None:
    """Say how far the states are from their targets and whether they are in conflict; write u(r; T)."""
    from votca_mlp.csg.states import described_states
    from votca_mlp.inverse.temperature import write_u_of_t

    plan, environment = _plan()
    for line in described_states(plan, environment):
        say(line)
    write_u_of_t(plan, environment.step_number)


@_command("verdict")
def verdict() -> None:
    """Say at the end of a run whether it has worked."""
    from votca_mlp.inverse.in_words import plan_in_words

    plan, _ = _plan()
    for line in plan_in_words(plan):
        say(line)


@_command("hold")
def hold(source: Path, out: Path) -> None:
    """Hold a table constant outside its valid points."""
    from votca_mlp.inverse.potentials import hold_ends
    from votca_mlp.tables import read_table, write_table

    write_table(out, hold_ends(read_table(source)))


@_command("converged")
def converged() -> None:
    """Leave ``stop`` in the step, and ``done`` in the main directory, when the iterations are to end."""
    from votca_mlp.inverse.history import verdict

    plan, environment = _plan()
    found = verdict(plan, environment.step_number)
    say(f"Convergence check {plan.convergence.type}: {found.reason}")
    if found.stop:
        _final_checks(plan, environment)
        # csg_inverse ends on the second; without the first it would go on when it is started again
        (environment.main_directory / "done").touch()
        if not found.met:
            # for csg_inverse an end without an error is convergence
            raise UserError(
                "the iterations are at their end, but not converged",
                accepted="states that one correction can fit, or more temperature_terms",
            )
        Path("stop").touch()
