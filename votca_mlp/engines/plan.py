"""What one step's molecular dynamics is, whatever program moves the atoms."""

import dataclasses
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from votca_mlp.engines.options import Crystal, EngineSettings, Limits
from votca_mlp.errors import UserError
from votca_mlp.models.options import MLPSettings
from votca_mlp.units import kbt_kjmol

MOST_SEED = 10**15
KBT_TOLERANCE = 0.002
"""Largest relative difference between kBT, or the plan's temperature, and a temperature said elsewhere."""


def _as_named(tag: str) -> str:
    return tag


@dataclass(frozen=True)
class MDPlan:
    """Molecular dynamics of one step; all but the temperature has a default.

    An engine whose user writes its input (LAMMPS, GROMACS) takes ensemble, pressure and lengths from there;
    it compares what it can with the plan.

    Attributes
    ----------
    temperature
        K.
    engine
        Name in :mod:`votca_mlp.engines.registry`.
    ensemble, pressure
        Constant pressure (bar) or constant volume.
    timestep
        fs.
    first_equilibration, equilibration, production
        Lengths, fs: before the first step's production, before that of later steps, and of the run that is
        measured.
    sample_every
        Time between two frames of the trajectory, fs.
    equi_time, first_frame
        Which frames count: those from this time (ps, as trajectories have it) and this number (from 1; 0 is
        also the first) on.
    frames_needed
        Fewest frames that can be measured.
    thermostat_time, barostat_time
        Relaxation times, fs.
    barostat_axes
        ``xyz``: the box keeps its shape. ``z``: its edges along x and y stay, as where a crystal in it sets
        them (engine ``ase``).
    checkpoint_every
        Time between two checkpoints, fs.
    seed
        Of every random number; None where the engine's input has its own.
    skin
        Margin of the neighbour list, Angstrom; changes speed only.
    limits
        The simulation stops with a message when one is passed.
    start
        Configuration to start from: the file of this name in the step directory, else this one. None with a
        ``crystal``.
    crystal
        Start that is molten first.
    symbols
        Element of each atom, in order; empty where the start alone says it.
    topology
        What says ``symbols``, for messages.
    r_max
        Largest distance of any g(r), Angstrom; half of each box edge must exceed it.
    traj, conf_out
        Names of the files that the engine leaves in the step directory: trajectory, last configuration.
    files
        Input files by the names that they have in a step directory, and where they come from.
    tables
        Names of the correction's tables in the step directory: a checkpoint belongs to their content.
    model, model_directory
        The model's options and where its relative paths start, for engines whose program evaluates by itself.
    directory
        Where relative paths of the options start.
    options
        What only this engine has: an object of its section class.
    where
        From a name such as ``lammps.script`` to the place that an error names, such as file, line and tag.
    """

    temperature: float
    engine: str = "ase"
    ensemble: Literal["npt", "nvt"] = "npt"
    pressure: float = 1.0
    timestep: float = 1.0
    first_equilibration: float = 20000.0
    equilibration: float = 2000.0
    production: float = 10000.0
    sample_every: float = 100.0
    equi_time: float = 0.0
    first_frame: int = 0
    frames_needed: int = 1
    thermostat_time: float = 100.0
    barostat_time: float = 1000.0
    barostat_axes: Literal["xyz", "z"] = "xyz"
    checkpoint_every: float = 1000.0
    seed: int | None = 1
    skin: float = 0.5
    limits: Limits = field(default_factory=Limits)
    start: Path | None = None
    crystal: Crystal | None = None
    symbols: tuple[str, ...] = ()
    topology: str | Path = "symbols"
    r_max: float = 0.0
    traj: str = "traj.dump"
    conf_out: str = "confout.extxyz"
    files: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    tables: tuple[str, ...] = ()
    model: MLPSettings | None = None
    model_directory: Path = Path()
    directory: Path = Path()
    options: EngineSettings | None = None
    where: Callable[[str], str] = field(default=_as_named, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be.

        Raises
        ------
        UserError
            A temperature, time step or production that is not above 0, another length below 0.
        """
        for name in ("temperature", "timestep", "production", "sample_every", "checkpoint_every"):
            if not getattr(self, name) > 0:
                self._refuse(name, "a number > 0")
        for name in ("first_equilibration", "equilibration", "equi_time", "first_frame", "skin"):
            if not getattr(self, name) >= 0:
                self._refuse(name, "a number >= 0")
        seed = self.seed
        if seed is not None and (not isinstance(seed, numbers.Integral) or not 0 <= seed <= MOST_SEED):
            self._refuse("seed", f"a whole number from 0 to {MOST_SEED}, or None")
        if self.ensemble not in ("npt", "nvt"):
            self._refuse("ensemble", "npt | nvt")
        if self.barostat_axes not in ("xyz", "z"):
            self._refuse("barostat_axes", "xyz | z")

    def _refuse(self, name: str, accepted: str) -> None:
        raise UserError(f"is {getattr(self, name)}", where=self.place(name), accepted=accepted)

    @classmethod
    def of(cls, engine: str, options: EngineSettings, **fields: Any) -> "MDPlan":
        """Return the plan of an engine's section: fields of the same name, then ``fields``.

        Raises
        ------
        UserError
            As the class itself.
        """
        names = {item.name for item in dataclasses.fields(cls)} - set(options.not_of_plan)
        common = {name: getattr(options, name) for name in type(options).model_fields if name in names}
        # an engine whose section has no seed has it in its own input
        return cls(**{"seed": None, "engine": engine, "options": options, **common, **fields})

    @property
    def kBT(self) -> float:
        """Thermal energy, kJ/mol, rounded to the twelve digits that no file's kBT exceeds."""
        return float(f"{kbt_kjmol(self.temperature):.12g}")

    def place(self, name: str) -> str:
        """Return the place of one of the engine's own names, such as ``script``, for messages."""
        return self.where(f"{self.engine}.{name}")
