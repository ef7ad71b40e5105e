"""What an update rule is given, what it returns, and how it is entered in the registry.

A rule looks at one iteration as a whole: every state with its measured curves, targets and potentials, and
the interactions whose potentials it is asked to change. Energies are in kJ/mol and grids in nm, as in the
tables of a step, so that both loops carry the same digits on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from votca_mlp.fields import Section
from votca_mlp.tables import Table, grid_points
from votca_mlp.targets.target import Target
from votca_mlp.update.conflict import Misfit
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
    """

    number: int
    pairs: Mapping[str, PairGrid]
    states: tuple[StateData, ...]
    basis: TemperatureBasis
    potentials: Mapping[str, tuple[Table, ...]]
    directory: Path

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

    def named_files(self, options: Section) -> tuple[str, ...]:
        """Return the names of the files that the options name."""
        return tuple(name for tag in self.files if (name := getattr(options, tag)))
