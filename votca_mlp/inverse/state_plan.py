"""One thermodynamic state of a run: its simulation, model, targets and input files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.engines.plan import MDPlan
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.scattering.source import ScatteringSource
from votca_mlp.targets.target import Target

if TYPE_CHECKING:
    from votca_mlp.models.options import MLPSettings


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
    md
        Its simulation, and with it the temperature.
    pairs
        The interactions whose species it has, with its own targets and options.
    model
        Of its simulations.
    inputs
        The folder of its input files.
    name
        Of its folder in each step; empty for the only state of a run, which has the step itself.
    weight
        Normalised: those of all states sum to 1.
    kBT
        kJ/mol; 0 stands for that of the simulation's temperature.
    block_length
        Frames in a block for the errors of g(r); None without errors.
    filelist
        Files copied into its folder of each step, by the name of the copy.
    origin
        What it was made from.
    write_settings
        Writes what a process of its own reads (``votca-mlp csg run-state``); without it all states are
        simulated in this process, one after another.
    density
        The measured mass density (:func:`votca_mlp.targets.target.density_target`), None where none is given.
    pressure
        The pressure that a run at constant volume is to have, bar; None where none is given.
    scattering
        Measured F(Q).
    density_limit, pressure_limit
        Largest relative difference of the density, and largest difference of the pressure (bar), from these
        or from the first step: beyond it the run has left its phase (:mod:`votca_mlp.inverse.phase`).
        None: 5 N kBT/V.
    """

    md: MDPlan
    pairs: tuple[PairPlan, ...]
    model: "MLPSettings"
    inputs: Path
    name: str = ""
    weight: float = 1.0
    kBT: float = 0.0
    block_length: int | None = None
    filelist: Mapping[str, Path] = field(default_factory=dict)
    origin: Origin = Origin()
    write_settings: Callable[[Path], None] | None = None
    density: Target | None = None
    pressure: Target | None = None
    scattering: tuple[ScatteringSource, ...] = ()
    density_limit: float = 0.1
    drift_limit: float = 0.02
    pressure_limit: float | None = None

    def __post_init__(self) -> None:
        if self.kBT == 0.0:
            object.__setattr__(self, "kBT", self.md.kBT)

    @property
    def temperature(self) -> float:
        """K."""
        return self.md.temperature

    @property
    def counts_all(self) -> bool:
        """Whether all pairs are counted to half the box: for F(Q), and for targets seen through a window."""
        return bool(self.scattering) or any(pair.window for pair in self.pairs)

    def pair(self, name: str) -> PairPlan | None:
        """Return the state's view of an interaction, None when it does not have its species."""
        return next((pair for pair in self.pairs if pair.name == name), None)
