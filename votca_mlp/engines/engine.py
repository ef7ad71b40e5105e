"""What the package asks of an engine that ``<program>`` names."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NotRequired, TypedDict, Unpack

from votca_mlp.engines.options import EngineSettings
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.registry import BUILTIN, GROUP, engine_names
from votca_mlp.engines.shared.result import SUMMARY, THERMO, production_mean, read_facts
from votca_mlp.errors import UserError
from votca_mlp.observables.registry import observables
from votca_mlp.plugins import read_entries

if TYPE_CHECKING:
    from votca_mlp.engines.shared.result import StepResult
    from votca_mlp.evaluation.contract import Evaluator
    from votca_mlp.progress import Progress
    from votca_mlp.trajectories.frames import Frame
    from votca_mlp.trajectories.recorded import Recorded

Finding = tuple[str, str, str]
"""A tag of the engine's section, what is wrong with it, what is accepted."""

SCRIPTS = MappingProxyType(
    {
        "functions": "functions_mlp.sh",
        "initstep": "initialize_step_mlp.sh",
        # the engine reads NAME.pot.cur itself
        "convert_potentials": "dummy.sh",
        "convert_potential": "convert_potential_mlp.sh",
        "run": "run_mlp.sh",
        "rdf": "calc_rdf_mlp.sh",
        "imc_stat": "imc_stat_generic.sh",
        "density": "calc_density_generic.sh",
        "clean": "clean_mlp.sh",
    }
)
"""Which script VOTCA's csg_inverse runs for a task, by the task: they fit any engine of this package."""


class StepArguments(TypedDict):
    """How one step is run.

    Attributes
    ----------
    step_directory
        Where the tables of the correction are and all files are left.
    step_number
        1 for the first step of MD.
    progress
        Where to report.
    deadline
        Seconds since the epoch at which to be done.
    max_steps
        Upper bound of the steps of each stage.
    identity
        Names model and correction, such as a digest; a checkpoint of another one is refused.
    """

    step_directory: Path
    step_number: int
    progress: "Progress"
    deadline: NotRequired[float | None]
    max_steps: NotRequired[int | None]
    identity: NotRequired[str]


class Engine(ABC):
    """An engine. Its module is imported with the settings: what is slow is imported in the methods.

    Attributes
    ----------
    section
        Class of ``cg.inverse.NAME``.
    refused
        VOTCA's tags in that section that it cannot obey: what to say of them, what is accepted.
    has_times
        Whether its trajectories have times, so that ``equi_time`` counts.
    scripts
        Its rows of VOTCA's csg_table, by task.
    traces
        Files (shell patterns) by which a step's simulation shows that it has begun.
    """

    section: ClassVar[type[EngineSettings]]
    refused: ClassVar[Mapping[str, tuple[str, str]]] = MappingProxyType({})
    has_times: ClassVar[bool] = False
    scripts: ClassVar[Mapping[str, str]] = SCRIPTS
    traces: ClassVar[tuple[str, ...]] = (SUMMARY, THERMO, "*.part")

    @abstractmethod
    def run_step(self, plan: MDPlan, evaluator: "Evaluator", **how: Unpack[StepArguments]) -> "StepResult":
        """Run or continue the MD of one step.

        A finished one leaves trajectory and last configuration under the names of the plan, complete, and
        ``md_step.json`` (:func:`votca_mlp.engines.shared.result.write_summary`).

        Raises
        ------
        UserError
            Input that does not fit, a simulation that has gone wrong.
        """

    @abstractmethod
    def checkpoint(self, plan: MDPlan) -> str:
        """Return the name of what an unfinished step leaves to resume from."""

    def check(self, plan: MDPlan, evaluator: "Callable[[], Evaluator]", step_directory: Path) -> str:
        """Check before the first step what would stop it; return a line about the system.

        Parameters
        ----------
        evaluator
            Returns model without correction; slow where it has to be loaded first.
        step_directory
            Of the first step, which need not be there.

        Raises
        ------
        UserError
            What does not fit.
        """
        from votca_mlp.engines.shared.first_evaluation import first_evaluation
        from votca_mlp.engines.shared.start import checked_start
        from votca_mlp.engines.shared.stress import refuse_wrong_stress, require_stress, without_wrong_stress

        start, needed = checked_start(plan, step_directory), self.needs_stress(plan)
        atoms, model = start.atoms, evaluator()
        if needed is not None:
            require_stress(plan, model, *needed)
        per_atom = first_evaluation(model, atoms, start.source).energy / len(atoms)
        if needed is not None:
            refuse_wrong_stress(plan, model, atoms, needed[0])
        said = without_wrong_stress(model, atoms) if needed is None else ""
        edges = " x ".join(f"{edge:.2f}" for edge in atoms.cell.lengths())
        line = f"{atoms.get_chemical_formula()} in {edges} Angstrom, {per_atom:.4f} eV an atom at the start"
        return f"{line}; {said}" if said else line

    def needs_stress(self, plan: MDPlan) -> tuple[str, str] | None:
        """Return the tag that needs the model's stress and what needs it, in words; None without need."""
        return None

    def frames(self, plan: MDPlan, directory: Path) -> "Iterator[Frame]":
        """Yield the frames of a step's trajectory that count; here those of a LAMMPS dump or gro file.

        Raises
        ------
        UserError
            A trajectory that cannot be read, or that ends before ``first_frame``.
        """
        from votca_mlp.trajectories.read import read_frames

        frames = islice(read_frames(directory / plan.traj), max(plan.first_frame - 1, 0), None)
        first = next(frames, None)
        if first is None:
            raise UserError(
                f"the trajectory ends before first_frame {plan.first_frame}",
                where=directory / plan.traj,
                accepted=f"a smaller cg.inverse.{plan.engine}.first_frame",
            )
        yield first
        yield from frames

    def recorded(self, plan: MDPlan, directory: Path) -> "Recorded":
        """Return what it has recorded beside the frames, by MD step and name such as ``pressure[bar]``."""
        from votca_mlp.trajectories.recorded import read_recorded

        return read_recorded(directory)

    def mean_pressure(self, plan: MDPlan, directory: Path) -> float | None:
        """Return the mean pressure of a finished step's production, bar; None where nothing says it."""
        found = production_mean(read_facts(directory), "pressure[bar]")
        return None if found is None else found.mean

    def topology(self, options: EngineSettings) -> tuple[str, str]:
        """Return the name of the topology that csg_stat reads, and the tag that has it."""
        return options.topol, "topol"

    def inputs(self, options: EngineSettings) -> Mapping[str, str]:
        """Return the input files, beside topology and start, that each step needs, and what they are."""
        return {}

    def outputs(self, options: EngineSettings) -> Mapping[str, str]:
        """Return the files that a simulation writes under names of the section, by tag."""
        return {"traj": options.traj, "conf_out": options.conf_out}

    def problems(self, options: EngineSettings, r_max: float) -> Iterator[Finding]:
        """Yield what contradicts itself in the section; ``r_max`` in Angstrom, 0 where it is not known."""
        yield from ()

    def affects(self, tag: str) -> str:
        """Return what a change of a tag of the section affects."""
        read_by = (entry for entry in observables().values() if tag.partition(".")[0] in entry.options)
        return next((entry.affects for entry in read_by), "the simulations")

    def described(self, plan: MDPlan, held: str) -> str:
        """Return what it will do, in a few words; ``held`` is the temperature, K, in words."""
        return "as its input says"

    def differing(self, options: EngineSettings, others: EngineSettings) -> list[str]:
        """Return what a state's section has otherwise than the run's, where that is worth a word."""
        return []

    def lengths(self, plan: MDPlan, *, iterations: int, laststep: bool) -> list[str]:
        """Return lines about the lengths of the runs; ``laststep``: each begins where the last ended."""
        return [f"iterations   {iterations}"]

    def md_steps(self, plan: MDPlan) -> tuple[int, int] | None:
        """Return the MD steps of step_001 and of a later step; None where only the engine's input knows."""
        return None


@functools.cache
def engines() -> dict[str, Engine]:
    """Return all engines by name.

    Raises
    ------
    UserError
        As :func:`votca_mlp.plugins.read_entries`.
    """
    return read_entries(BUILTIN, GROUP, Engine)  # type: ignore[type-abstract]


def engine_named(name: str) -> Engine:
    """Return an engine by its name.

    Raises
    ------
    UserError
        No such engine.
    """
    found = engines().get(name)
    if found is None:
        accepted = " | ".join(engine_names())
        raise UserError(f"'{name}' is no engine", where="cg.inverse.program", accepted=accepted)
    return found
