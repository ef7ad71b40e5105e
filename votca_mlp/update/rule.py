"""What an update rule is given, what it returns, and how it is entered in the registry.

A rule looks at one iteration as a whole: every state with its measured curves, targets and potentials, and
the interactions whose potentials it is asked to change. Energies are in kJ/mol and grids in nm, as in the
tables of a step, so that both loops carry the same digits on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from votca_mlp.fields import Section
from votca_mlp.scattering.source import ScatteringSource
from votca_mlp.tables import Table, grid_points
from votca_mlp.targets.target import Target
from votca_mlp.targets.window import RdfWindow
from votca_mlp.update.conflict import Misfit
from votca_mlp.update.convergence import Verdict
from votca_mlp.update.states import TemperatureBasis

if TYPE_CHECKING:
    from votca_mlp.observables.step import StepObservables

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PairGrid:
    """An interaction: name, two chemical symbols, and the grid of g(r) and u(r) in nm."""

    name: str
    species: tuple[str, str]
    min: float
    max: float
    step: float

    @property
    def points(self) -> Array:
        """min, min + step, ... max in nm, shape [n]."""
        return grid_points(self.min, self.max, self.step)


@dataclass(frozen=True)
class Group:
    """Interactions that are solved for together (VOTCA's ``inverse.imc.group``).

    Attributes
    ----------
    name
        Of the group.
    members
        Names of its interactions.
    regularisation
        ``cg.inverse.imc.NAME.reg``, None where none was given.
    """

    name: str
    members: tuple[str, ...]
    regularisation: float | None = None


@dataclass(frozen=True)
class Measured:
    """What a state's simulation gave for one observable.

    Attributes
    ----------
    table
        x (nm), value, standard error where it is known, flag.
    source
        The file, for messages.
    """

    table: Table
    source: str = ""


@dataclass(frozen=True)
class StateData:
    """One state of an iteration; mappings are by the name of an interaction, those that the state has.

    Attributes
    ----------
    name
        Empty for the only state of a run.
    weight
        Normalised: those of all states sum to 1.
    kBT
        kJ/mol.
    temperature
        K.
    options
        The rule's section of each interaction, as this state has it.
    targets
        On the interaction's grid.
    measured
        g(r) of the simulation; an interaction whose g(r) is not there (yet) is missing.
    potentials
        u(r) that the simulation ran with (nm, kJ/mol).
    inputs
        The folder where files named by options are looked for.
    directory
        The state's folder of the step: the trajectory and the values by frame are here.
    density
        The measured mass density: one value in kg/m^3, and its standard error where it is known; None
        where no density is given.
    pressure
        Likewise the pressure (bar) that a run at constant volume is to have.
    scattering
        Measured F(Q).
    windows
        Through what a target was seen; its ``measured`` g(r) is as seen through it.
    """

    name: str
    weight: float
    kBT: float
    temperature: float
    options: Mapping[str, Any]
    targets: Mapping[str, Target]
    measured: Mapping[str, Measured]
    potentials: Mapping[str, Table]
    inputs: Path
    directory: Path
    density: Target | None = None
    pressure: Target | None = None
    scattering: tuple[ScatteringSource, ...] = ()
    windows: Mapping[str, RdfWindow] = field(default_factory=dict)

    @property
    def numbers(self) -> Mapping[str, Target]:
        """Measured numbers by the name of their observable."""
        given = {"density": self.density, "pressure": self.pressure}
        return {name: target for name, target in given.items() if target is not None}

    def by_frame(self) -> "StepObservables":
        """Return the values by frame that the step keeps: pair histograms, volume, energy and others.

        Raises
        ------
        UserError
            A step without them, or damaged ones.
        """
        from votca_mlp.observables.store import read_observables

        return read_observables(self.directory)


@dataclass(frozen=True)
class StepData:
    """One iteration as a rule sees it.

    Attributes
    ----------
    number
        Of the step, from 1.
    pairs
        The interactions by name.
    states
        One or several.
    basis
        c_k(T) of u(r; T) = sum_k c_k(T) u_k(r); one term for a u(r) that all states share.
    potentials
        The u_k (nm, kJ/mol) of each interaction, one table a term: what the step ran with.
    directory
        ``step_NNN``; that of the step before holds what a rule left there for itself.
    options
        The rule's section of the run (``run_options`` of its entry), None for a rule without one.
    groups
        Interactions that are solved for together; empty for one group of all.
    earlier
        Returns the steps before this one whose values by frame are still there, oldest first.
    """

    number: int
    pairs: Mapping[str, PairGrid]
    states: tuple[StateData, ...]
    basis: TemperatureBasis
    potentials: Mapping[str, tuple[Table, ...]]
    directory: Path
    options: Section | None = None
    groups: tuple[Group, ...] = ()
    earlier: Callable[[], tuple["StepData", ...]] = tuple

    def having(self, name: str) -> tuple[StateData, ...]:
        """Return the states that contain the types of an interaction."""
        return tuple(state for state in self.states if name in state.targets)


@dataclass(frozen=True)
class Update:
    """The change of one interaction.

    Attributes
    ----------
    terms
        A table (nm, kJ/mol) for each u_k: flag ``i`` where it is determined, ``o`` where it is only held.
    of_states
        What each state asks for by itself, where the rule knows it; written into the states' folders.
    """

    terms: tuple[Table, ...]
    of_states: Mapping[str, Table] = field(default_factory=dict)


class Rule(Protocol):
    """From the measured curves of an iteration to the change of its potentials."""

    def update(self, step: StepData, names: Sequence[str]) -> Mapping[str, Update]:
        """Return the update of each interaction in ``names``.

        Raises
        ------
        UserError
            What makes an update impossible, such as a g(r) that is zero everywhere.
        """
        ...

    def said(self, directory: Path) -> Sequence[str]:
        """Return lines for the user about the update that was made in a step's directory."""
        return ()

    def verdict(self, directory: Path) -> Verdict | None:
        """Return whether the data of a step are met, or nothing better can come; None: cannot say."""
        return None

    def misfit(self, step: StepData, name: str) -> Misfit | None:
        """Return how far the states agree on the update of an interaction, None where the rule cannot say."""
        return None


@dataclass(frozen=True)
class OptionProblem:
    """What is wrong with a tag of a rule's section, and what would be accepted."""

    tag: str
    what: str
    accepted: str


def _none(*_: object) -> Iterable[OptionProblem]:
    return ()


@dataclass(frozen=True)
class RuleEntry:
    """A rule in the registry.

    Attributes
    ----------
    name
        Of the rule and of its section below an interaction's ``<inverse>``.
    options
        The section's tags; each has a default.
    rule
        Makes the rule.
    described
        A few words about the options of an interaction.
    check
        What in the options contradicts itself.
    check_files
        What is wrong with the files that they name, given the folder and the interaction's grid.
    files
        Tags that name a file.
    instead
        Tags that go when a state gives the tag before them in its own settings.
    affects
        What a change of the options affects; ``{step}`` is the step that comes next.
    run_options
        A section ``cg.inverse.NAME`` of what holds for the whole run; each tag has a default.
    check_run
        What in that section contradicts itself.
    method
        VOTCA's method that csg_inverse runs the rule as: ``imc`` solves for all interactions at once.
    weighs_errors
        Whether data count by their standard errors.
    """

    name: str
    options: type[Section]
    rule: Callable[[], Rule]
    described: Callable[[Any], str] = str
    check: Callable[[Any], Iterable[OptionProblem]] = _none
    check_files: Callable[[Any, Path, PairGrid], Iterable[OptionProblem]] = _none
    files: tuple[str, ...] = ()
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    affects: str = "the updates from step {step} on"
    run_options: type[Section] | None = None
    check_run: Callable[[Any], Iterable[OptionProblem]] = _none
    method: Literal["ibi", "imc"] = "ibi"
    weighs_errors: bool = False

    def named_files(self, options: Section) -> tuple[str, ...]:
        """Return the names of the files that the options name."""
        return tuple(name for tag in self.files if (name := getattr(options, tag)))
