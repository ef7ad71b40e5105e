"""The engine ``ase`` as the package asks for it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack

from votca_mlp.engines.ase.options import AseSettings
from votca_mlp.engines.engine import Engine, Finding, StepArguments
from votca_mlp.engines.options import EngineSettings
from votca_mlp.engines.plan import MDPlan

if TYPE_CHECKING:
    from votca_mlp.engines.shared.result import StepResult
    from votca_mlp.evaluation.contract import Evaluator


class AseEngine(Engine):
    """Molecular dynamics in this process: an integrator of the package's own over ASE's atoms."""

    section = AseSettings

    def run_step(self, plan: MDPlan, evaluator: "Evaluator", **how: Unpack[StepArguments]) -> "StepResult":
        """See :func:`votca_mlp.engines.ase.step.run_step`."""
        from votca_mlp.engines.ase.step import run_step

        return run_step(plan, evaluator, **how)

    def needs_stress(self, plan: MDPlan) -> tuple[str, str] | None:
        """Return the barostat."""
        return ("ensemble", "npt") if plan.ensemble == "npt" else None

    def checkpoint(self, plan: MDPlan) -> str:
        """Return the name of the checkpoint."""
        return "ase_checkpoint.npz"

    def problems(self, options: EngineSettings, r_max: float) -> Iterator[Finding]:
        """Yield times that do not fit each other, and a start that is missing or too small."""
        from votca_mlp.engines.ase.problems import start_problems, time_problems

        assert isinstance(options, AseSettings)
        yield from time_problems(options)
        yield from start_problems(options, r_max)

    def described(self, plan: MDPlan, held: str) -> str:
        """Return ensemble, temperature and pressure, time step."""
        held += f", {plan.pressure:g} bar" if plan.ensemble == "npt" else ""
        return f"{plan.ensemble} at {held}, timestep {plan.timestep:g} fs"

    def differing(self, options: EngineSettings, others: EngineSettings) -> list[str]:
        """Return another pressure."""
        assert isinstance(options, AseSettings)
        assert isinstance(others, AseSettings)
        other = options.ensemble == "npt" and options.pressure != others.pressure
        return [f"{options.pressure:g} bar"] if other else []

    def lengths(self, plan: MDPlan, *, iterations: int, laststep: bool) -> list[str]:
        """Return the steps of each part of a run, and of all together."""
        melt = (
            f"{_steps(plan, plan.crystal.melt_time)} steps of melting, " if plan.crystal is not None else ""
        )
        frames = int(plan.production / plan.sample_every * (1 + 1e-9))
        first, later = self.md_steps(plan)
        return [
            f"step_001     {melt}{_steps(plan, plan.first_equilibration)} steps of equilibration",
            f"later steps  {_steps(plan, plan.equilibration)} steps of equilibration, "
            f"from {'the step before' if laststep else 'the first start'}",
            f"each step    {_steps(plan, plan.production)} steps of production, {frames} frames",
            f"iterations   {iterations}, {first + (iterations - 1) * later} steps together",
        ]

    def md_steps(self, plan: MDPlan) -> tuple[int, int]:
        """Return the MD steps of step_001 and of a later step."""
        melting = plan.crystal.melt_time if plan.crystal is not None else 0.0
        first = melting + plan.first_equilibration + plan.production
        return _steps(plan, first), _steps(plan, plan.equilibration + plan.production)


def _steps(plan: MDPlan, time: float) -> int:
    return round(time / plan.timestep)


ENGINE = AseEngine()
