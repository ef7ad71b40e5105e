"""A step of csg_inverse as the stages of our own loop see it, and its simulation."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.csg.environment import CsgEnvironment
from votca_mlp.csg.terminal import Terminal
from votca_mlp.engines.shared.deadline import on_steady_clock
from votca_mlp.inverse.context import Context, run_context, state_context
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.stages.simulate import result_lines, run_md

if TYPE_CHECKING:
    from votca_mlp.settings import Settings


def csg_context(plan: InversePlan, environment: CsgEnvironment) -> Context:
    """Return the context of csg_inverse's run: its terminal, wall time and limit of steps.

    Raises
    ------
    UserError
        A model that is not there.
    """
    ending = on_steady_clock(environment.ending)
    return run_context(
        plan,
        Terminal(),
        time_left=lambda: None if ending is None else ending - time.monotonic(),
        max_steps=environment.max_steps,
    )


def run_simulation(context: Context, environment: CsgEnvironment) -> None:
    """Run or resume the MD of a state in a step; returns when it is finished or has stopped at a checkpoint.

    Raises
    ------
    UserError
        Bad input, or a simulation that has gone wrong.
    """
    for line in result_lines(run_md(context, environment.step_number)):
        context.messages.say(line)


def context_of_state(settings: "Settings", name: str, environment: CsgEnvironment) -> Context:
    """Return the context of one state of several, from the settings in its folder of the step.

    Raises
    ------
    UserError
        A model that is not there.
    """
    plan = plan_of(settings)
    state = replace(plan.states[0], name=name)
    run = replace(plan, directory=Path(environment.main_directory), states=(state,))
    return state_context(csg_context(run, environment), state)
