"""What a run of the inverse method consists of, typed; where it comes from makes no difference to the loop.

An :class:`InversePlan` is made from a settings.xml by :mod:`votca_mlp.inverse.from_settings`, or by hand:

1. Make a directory. Write each target there with :func:`votca_mlp.targets.target.write_target`
   (``NAME.dist.tgt``) and, where one is known, an initial correction ``NAME.pot.in``.
2. A :class:`PairPlan` for each pair of species: its grid in nm, the path of its target, the options of the
   update rule (``WibiSettings(alpha=0.5)``).
3. One :class:`StatePlan` without a name, or several with names and weights; each has its pairs, model and
   MD. The MD names the tables of its pairs, ``NAME.pot.cur``, and the largest distance of their grids.
4. ``InversePlan(directory=..., pairs=..., states=(state,), model=..., iterations_max=...)``, and
   :func:`votca_mlp.inverse.start.run_plan` runs it or goes on with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from votca_mlp.errors import UserError
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.inverse.state_plan import Origin, StatePlan
from votca_mlp.update.registry import DEFAULT
from votca_mlp.update.rule import Group
from votca_mlp.update.states import TemperatureBasis, temperature_basis

if TYPE_CHECKING:
    from votca_mlp.fields import Section
    from votca_mlp.models.options import MLPSettings
    from votca_mlp.settings.final_checks import FinalChecks


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
    rule_options
        Its section of the run, None for a rule without one.
    groups
        Interactions that the rule solves for together; empty for one group of all.
    checks
        What is measured at the end, None for nothing.
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
    rule_options: "Section | None" = None
    groups: tuple[Group, ...] = ()
    checks: "FinalChecks | None" = None
    terms: int = 1
    initial_configuration: Literal["maindir", "laststep"] = "laststep"
    convergence: Convergence = field(default_factory=Convergence)
    average_steps: int = 2
    cleanlist: tuple[str, ...] = ()
    log_file: str = "inverse.log"
    restart_file: str = "restart_points.log"
    at_once: int = 1
    launch: tuple[str, ...] = ()
    origin: Origin = field(default_factory=Origin)
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
