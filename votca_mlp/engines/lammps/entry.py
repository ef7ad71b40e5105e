"""The engine ``lammps`` as the package asks for it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Unpack

from votca_mlp.engines.engine import Engine, StepArguments
from votca_mlp.engines.lammps.options import LammpsSettings, options_of
from votca_mlp.engines.options import EngineSettings
from votca_mlp.engines.plan import MDPlan

if TYPE_CHECKING:
    from votca_mlp.engines.shared.result import StepResult
    from votca_mlp.evaluation.contract import Evaluator


class LammpsEngine(Engine):
    """The user's LAMMPS script, command by command, with the package's forces."""

    section = LammpsSettings
    refused: ClassVar = {
        "opts": (
            "is not used: the script is handed over command by command",
            "no such tag; options of LAMMPS after its name in <command>",
        )
    }

    def run_step(self, plan: MDPlan, evaluator: "Evaluator", **how: Unpack[StepArguments]) -> "StepResult":
        """See :func:`votca_mlp.engines.lammps.step.run_step`."""
        from votca_mlp.engines.lammps.step import run_step

        return run_step(plan, evaluator, **how)

    def checkpoint(self, plan: MDPlan) -> str:
        """Return the name of the checkpoint."""
        return "lammps_checkpoint.zip"

    def check(self, plan: MDPlan, evaluator: "Callable[[], Evaluator]", step_directory: Path) -> str:
        """Carry out the script up to its first run and compare step 0."""
        from votca_mlp.engines.lammps.step import check_script

        return check_script(plan, evaluator())

    def inputs(self, options: EngineSettings) -> Mapping[str, str]:
        """Return the script."""
        assert isinstance(options, LammpsSettings)
        return {options.script: "the LAMMPS script"}

    def lengths(self, plan: MDPlan, *, iterations: int, laststep: bool) -> list[str]:
        """Return what the script will do, without LAMMPS."""
        from votca_mlp.engines.lammps.plan import check_frames, plan_script
        from votca_mlp.engines.lammps.script import read_script

        name = options_of(plan).script
        path = plan.files.get(name, plan.directory / name)
        script = plan_script(read_script(path), path=path, traj=plan.traj)
        check_frames(script, first_frame=plan.first_frame, needed=plan.frames_needed)
        runs, every = " + ".join(map(str, script.runs.values())), script.dump.every
        return [
            f"each step    {runs} MD steps of {name}, a frame every {every} steps",
            f"iterations   {iterations}",
        ]


ENGINE = LammpsEngine()
