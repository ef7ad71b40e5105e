"""The engine ``gromacs`` as the package asks for it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Unpack

from votca_mlp.engines.engine import SCRIPTS, Engine, StepArguments
from votca_mlp.engines.gromacs.options import NEEDS_STRESS, GromacsSettings, options_of
from votca_mlp.engines.options import EngineSettings
from votca_mlp.engines.plan import MDPlan

if TYPE_CHECKING:
    from votca_mlp.engines.shared.result import StepResult
    from votca_mlp.evaluation.contract import Evaluator
    from votca_mlp.trajectories.frames import Frame
    from votca_mlp.trajectories.recorded import Recorded

_NO_MLP = ("is not possible with a machine-learning potential", "no such tag")


class GromacsEngine(Engine):
    """grompp and mdrun, with the package's forces beside mdrun or in its neural-network interface."""

    section = GromacsSettings
    refused: ClassVar = {"mdrun.multidir": _NO_MLP, "pre_simulation": _NO_MLP}
    has_times = True
    traces = (*Engine.traces, "md.log")
    # VOTCA's own scripts for GROMACS do the rest
    scripts: ClassVar = {
        **{task: SCRIPTS[task] for task in ("convert_potentials", "convert_potential", "rdf", "clean")},
        "functions": "functions_gromacs_mlp.sh",
        "run": "run_gromacs_mlp.sh",
    }

    def run_step(self, plan: MDPlan, evaluator: "Evaluator", **how: Unpack[StepArguments]) -> "StepResult":
        """See :func:`votca_mlp.engines.gromacs.step.run_step`."""
        from votca_mlp.engines.gromacs.step import run_step

        return run_step(plan, evaluator, **how)

    def checkpoint(self, plan: MDPlan) -> str:
        """Return the name of mdrun's checkpoint."""
        return options_of(plan).mdrun.checkpoint

    def check(self, plan: MDPlan, evaluator: "Callable[[], Evaluator]", step_directory: Path) -> str:
        """Check this GROMACS too, and let grompp read the inputs."""
        from votca_mlp.engines.gromacs.step import check_engine, check_grompp

        engine, model = check_engine(plan), evaluator()
        line = super().check(plan, lambda: model, step_directory)
        check_grompp(plan, engine, model)
        return f"{engine}; {line}"

    def needs_stress(self, plan: MDPlan) -> tuple[str, str] | None:
        """Return mdrun, which reports the pressure, and what it gets."""
        return NEEDS_STRESS

    def frames(self, plan: MDPlan, directory: Path) -> "Iterator[Frame]":
        """Yield the frames of mdrun's trajectory that csg_stat would count."""
        from votca_mlp.engines.gromacs.trajectory import read_gromacs_frames

        return read_gromacs_frames(plan, directory)

    def recorded(self, plan: MDPlan, directory: Path) -> "Recorded":
        """Return the model's energy, and the pressure of mdrun's energy file."""
        from votca_mlp.engines.gromacs.energy import pressures

        found = {step: dict(row) for step, row in super().recorded(plan, directory).items()}
        for step, pressure in pressures(plan, directory).items():
            found.setdefault(step, {})["pressure[bar]"] = pressure
        return found

    def mean_pressure(self, plan: MDPlan, directory: Path) -> float | None:
        """Return what gmx energy says, as VOTCA's own script takes it."""
        from votca_mlp.engines.gromacs.energy import average_pressure

        return average_pressure(plan, directory)

    def topology(self, options: EngineSettings) -> tuple[str, str]:
        """Return the topology for csg_stat: GROMACS's own topol is a run input."""
        assert isinstance(options, GromacsSettings)
        return options.rdf.topol, "rdf.topol"

    def inputs(self, options: EngineSettings) -> Mapping[str, str]:
        """Return what grompp reads."""
        assert isinstance(options, GromacsSettings)
        return {options.mdp: "the parameters for grompp", options.topol_in: "the topology for grompp"}

    def outputs(self, options: EngineSettings) -> Mapping[str, str]:
        """Return what grompp and mdrun write."""
        assert isinstance(options, GromacsSettings)
        more = {"topol": options.topol, "mdrun.checkpoint": options.mdrun.checkpoint}
        return {**super().outputs(options), **more}


ENGINE = GromacsEngine()
