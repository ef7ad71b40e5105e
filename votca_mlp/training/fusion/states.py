"""State points: the ensembles in which experiments were made and trajectories are run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3, KB_EV_PER_K

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms


@dataclass(frozen=True)
class StatePoint:
    """An ensemble, where it starts from, and how long its trajectories are.

    Attributes
    ----------
    name
        In messages and as a folder.
    temperature
        K.
    start
        Atoms in a rectangular periodic box; at constant volume that is the cell of the experiment.
    pressure
        bar; None holds the volume.
    timestep, equilibration, production, sample_every
        fs; the equilibration comes before each trajectory's production.
    """

    name: str
    temperature: float
    start: "Atoms"
    pressure: float | None = None
    timestep: float = 2.0
    equilibration: float = 2000.0
    production: float = 20000.0
    sample_every: float = 200.0

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated.

        Raises
        ------
        UserError
            Naming it.
        """
        where = f"state {self.name}"
        if not np.isfinite(self.temperature) or self.temperature <= 0.0:
            raise UserError(f"the temperature is {self.temperature}", where=where, accepted="K, above 0")
        if not self.name or any(letter in self.name for letter in "/\\\0") or self.name.startswith("."):
            raise UserError(f"'{self.name}' is no name of a state", accepted="letters, digits, - and _")
        steps = self.sample_every / self.timestep
        if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps:
            raise UserError(
                f"sample_every is {self.sample_every:g} fs, no multiple of the timestep {self.timestep:g} fs",
                where=where,
                accepted=f"for example {max(1, round(steps)) * self.timestep:g} fs",
            )
        if self.frames < 8:
            raise UserError(
                f"a trajectory has {self.frames} frames",
                where=where,
                accepted="at least 8: a longer production",
            )

    @property
    def frames(self) -> int:
        """Frames of a trajectory."""
        return int(self.production / self.sample_every * (1 + 1e-9))

    @property
    def beta(self) -> float:
        """1/kBT, 1/eV."""
        return 1.0 / (KB_EV_PER_K * self.temperature)

    @property
    def pressure_ev(self) -> float:
        """The pressure in eV/Angstrom^3, 0 at constant volume."""
        return 0.0 if self.pressure is None else self.pressure / BAR_PER_EV_PER_ANGSTROM3

    def plan(self, start: "Path", seed: int) -> MDPlan:
        """Return the simulation of one trajectory, from a configuration's file."""
        return MDPlan(
            temperature=self.temperature,
            ensemble="nvt" if self.pressure is None else "npt",
            pressure=1.0 if self.pressure is None else self.pressure,
            timestep=self.timestep,
            first_equilibration=self.equilibration,
            equilibration=self.equilibration,
            production=self.production,
            sample_every=self.sample_every,
            checkpoint_every=max(1000.0, self.production / 8),
            seed=seed,
            start=start,
            skin=0.5,
        )


def check_names(states: Sequence[StatePoint]) -> None:
    """Refuse two states of one name.

    Raises
    ------
    UserError
        Naming it.
    """
    names = [state.name for state in states]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"there are two states '{name}'", accepted="names that differ")
