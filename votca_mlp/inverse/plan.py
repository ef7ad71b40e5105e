"""What a run of the inverse method consists of, typed; where it comes from makes no difference to the loop.

An :class:`InversePlan` is made from a settings.xml by :mod:`votca_mlp.inverse.from_settings`, or by hand:

1. Make a directory. Write each target there with :func:`votca_mlp.targets.target.write_target`
   (``NAME.dist.tgt``), a start configuration and the topology that :class:`MDPlan` names, and, where one is
   known, an initial correction ``NAME.pot.in``.
2. A :class:`PairPlan` for each pair of species: its grid in nm, the path of its target, the options of the
   update rule (``WibiSettings(alpha=0.5)``).
3. One :class:`StatePlan` with an empty name, or several with names; each has its pairs, model and MD.
4. ``InversePlan(directory=..., pairs=..., states=(state,), model=..., iterations_max=...)``, and
   :func:`votca_mlp.inverse.start.run_plan` runs it or goes on with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.update.registry import DEFAULT
from votca_mlp.update.rule import PairGrid
from votca_mlp.update.states import TemperatureBasis, temperature_basis

if TYPE_CHECKING:
    from votca_mlp.fields import Section
    from votca_mlp.models.options import MLPSettings


@dataclass(frozen=True)
class PairTasks:
    """Options of one interaction's post_update and post_add tasks; cycles are 0 and 1 by iteration."""

    scale: float = 1.0
    smooth_iterations: int = 1
    splinesmooth_step: float = 0.0
    extrapolate_points: int = 5
    ibi_do: tuple[int, ...] = (1,)
    overwrite_do: tuple[int, ...] = (1,)
    convergence: tuple[tuple[str, str, float, int], ...] = (("dist", "tgt", 1.0, 1),)
    """what, base, weight, norm of each part of the measure."""
    copyback: tuple[str, ...] = ()
    compress: tuple[str, ...] = ()
    compress_program: str = "gzip"
    compress_options: tuple[str, ...] = ("-9",)


@dataclass(frozen=True)
class PairPlan:
    """One interaction of a run, or a state's view of it.

    Attributes
    ----------
    grid
        Name, species and grid in nm.
    target
        The table of the target as it was given; it is read anew for every update.
    options
        The section of the update rule.
    do_potential
        Cycle of updates by iteration: 1 updates, 0 does not.
    post_update, post_add
        VOTCA's tasks around the sum of potential and update, in order.
    tasks
        Their options.
    """

    grid: PairGrid
    target: Path
    options: "Section"
    do_potential: tuple[int, ...] = (1,)
    post_update: tuple[str, ...] = ()
    post_add: tuple[str, ...] = ()
    tasks: PairTasks = PairTasks()

    @property
    def name(self) -> str:
        """Of the interaction; names its files."""
        return self.grid.name


@dataclass(frozen=True)
class Origin:
    """What a run or a state was made from, for its records and messages.

    Attributes
    ----------
    path
        settings.xml, None without one.
    tags
        What shapes a step as plain values by tag; a change is told of.
    watched
        Targets and other tables by the name under which a change of their content is told of.
    files
        All input files by name, for the run's summary.
    settings
        Everything that was set, as plain data, for the run's summary.
    """

    path: Path | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    watched: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StatePlan:
    """One thermodynamic state.

    Attributes
    ----------
    name
        Of its folder in each step; empty for the only state of a run, which has the step itself.
    weight
        Normalised: those of all states sum to 1.
    kBT
        kJ/mol.
    temperature
        K.
    inputs
        The folder of its input files.
    pairs
        The interactions whose species it has, with its own targets and options.
    model
        Of its simulations.
    md
        Its simulation.
    block_length
        Frames in a block for the errors of g(r); None without errors.
    filelist
        Files copied into its folder of each step, by the name of the copy.
    conf
        The start configuration, None for a crystal.
    write_settings
        Writes what a process of its own reads (``votca-mlp csg run-state``); without it all states are
        simulated in this process, one after another.
    """

    name: str
    weight: float
    kBT: float
    temperature: float
    inputs: Path
    pairs: tuple[PairPlan, ...]
    model: "MLPSettings"
    md: MDPlan
    block_length: int | None = None
    filelist: Mapping[str, Path] = field(default_factory=dict)
    conf: Path | None = None
    origin: Origin = Origin()
    write_settings: Callable[[Path], None] | None = None

    def pair(self, name: str) -> PairPlan | None:
        """Return the state's view of an interaction, None when it does not have its species."""
        return next((pair for pair in self.pairs if pair.name == name), None)


@dataclass(frozen=True)
class Convergence:
    """When the iterations stop early; see :mod:`votca_mlp.update.convergence`."""

    type: str = "none"
    limit: float = 0.0
    iterations: int = 3


def _nothing() -> None:
    pass


def _tag(tag: str) -> str:
    return tag


@dataclass(frozen=True)
class InversePlan:
    """A run.

    Attributes
    ----------
    directory
        The main directory: steps, log, lock and summary are here.
    pairs
        All interactions.
    states
        One with an empty name, or several.
    model
        That is corrected; states may have others.
    iterations_max
        Number of iterations.
    rule
        Name of the update rule.
    terms
        K of u(r; T) = sum_k c_k(T) u_k(r); 1 is one u for all states.
    initial_configuration
        Each step starts from the given configuration, or from the last one of the step before.
    convergence
        When to stop early.
    average_steps
        Potentials that the post_add task ``average`` takes.
    cleanlist
        Files removed from a finished step (patterns).
    log_file, restart_file
        Names, in the main and in the step directory.
    at_once
        States simulated at the same time.
    launch
        Words put before the command that simulates one state.
    origin
        What the plan was made from.
    where
        Names a setting in messages.
    check
        Raises what is wrong with the input files; called before step 0 and every update.
    """

    directory: Path
    pairs: tuple[PairPlan, ...]
    states: tuple[StatePlan, ...]
    model: "MLPSettings"
    iterations_max: int
    rule: str = DEFAULT
    terms: int = 1
    initial_configuration: Literal["maindir", "laststep"] = "laststep"
    convergence: Convergence = Convergence()
    average_steps: int = 2
    cleanlist: tuple[str, ...] = ()
    log_file: str = "inverse.log"
    restart_file: str = "restart_points.log"
    at_once: int = 1
    launch: tuple[str, ...] = ()
    origin: Origin = Origin()
    where: Callable[[str], str] = _tag
    check: Callable[[], None] = _nothing

    @property
    def several(self) -> bool:
        """Whether there are several states, each with a folder of its own."""
        return self.states[0].name != ""

    @property
    def basis(self) -> TemperatureBasis:
        """The c_k(T)."""
        return temperature_basis(
            self.terms,
            [state.temperature for state in self.states],
            [state.weight for state in self.states],
        )

    def pair(self, name: str) -> PairPlan:
        """Return the interaction of that name.

        Raises
        ------
        UserError
            There is none.
        """
        for pair in self.pairs:
            if pair.name == name:
                return pair
        known = ", ".join(pair.name for pair in self.pairs)
        raise UserError(f"no interaction is named '{name}'", where=self.origin.path, accepted=known)

    def tables(self, name: str) -> tuple[str, ...]:
        """Return the names of an interaction's shared tables: NAME for u_0, NAME.term1 for u_1 and so on."""
        return (name, *(f"{name}.term{k}" for k in range(1, self.terms)))

    def step_directory(self, number: int) -> Path:
        """Return ``step_NNN``."""
        return self.directory / f"step_{number:03d}"


def cycle(values: tuple[int, ...], step: int) -> bool:
    """Return whether a cycle such as ``1 1 0`` says yes in iteration ``step`` (from 1)."""
    return values[(step - 1) % len(values)] == 1
