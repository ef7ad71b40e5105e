"""Which MD one step consists of: melting, equilibration, production."""

from dataclasses import dataclass

from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError

NAMES = ("melt", "equilibration", "production")
"""Of all stages in their order; a table of numbers has the place in it, from 0."""


@dataclass(frozen=True)
class Stage:
    """A stretch of MD in one ensemble.

    Attributes
    ----------
    name
        ``melt``, ``equilibration`` or ``production``.
    start, steps
        Number of MD steps before it and in it.
    temperature
        K.
    constant_volume
        No barostat.
    draw
        It begins with velocities drawn afresh; otherwise the previous stage goes on.
    """

    name: str
    start: int
    steps: int
    temperature: float
    constant_volume: bool
    draw: bool

    @property
    def end(self) -> int:
        """Number of MD steps before the next stage."""
        return self.start + self.steps


def plan_stages(
    plan: MDPlan, *, step_number: int, from_crystal: bool, max_steps: int | None = None
) -> tuple[Stage, ...]:
    """Return the stages of a step, in order.

    Parameters
    ----------
    plan
        Lengths, ensemble, temperature; a crystal to melt.
    step_number
        1 for the first; it has the long ``first_equilibration``.
    from_crystal
        Melt first, at constant volume, so that the hot liquid cannot boil off.
    max_steps
        Upper bound of the steps of every stage (VOTCA's ``CSG_MDRUN_STEPS``).

    Raises
    ------
    UserError
        No production.
    """
    equilibration = plan.first_equilibration if step_number == 1 or from_crystal else plan.equilibration
    nvt = plan.ensemble == "nvt"
    wanted: list[tuple[str, float, float, bool]] = []
    if from_crystal and plan.crystal is not None:
        wanted.append(("melt", plan.crystal.melt_time, plan.crystal.melt_temperature, True))
    wanted.append(("equilibration", equilibration, plan.temperature, nvt))
    wanted.append(("production", plan.production, plan.temperature, nvt))
    stages: list[Stage] = []
    start = 0
    for name, time, temperature, constant_volume in wanted:
        steps = round(time / plan.timestep)
        if max_steps is not None:
            steps = min(steps, max_steps)
        if steps > 0:
            last = stages[-1] if stages else None
            draw = last is None or (temperature, constant_volume) != (last.temperature, last.constant_volume)
            stages.append(Stage(name, start, steps, temperature, constant_volume, draw))
            start += steps
    if not stages or stages[-1].name != "production":
        raise UserError(
            f"there is no production: {plan.production:g} fs at a time step of {plan.timestep:g} fs",
            where=plan.place("production"),
            accepted="at least one time step",
        )
    return tuple(stages)


def steps_of(time: float, timestep: float) -> int:
    """Return a time (fs) as a number of steps, at least one."""
    return max(1, round(time / timestep))
