"""Stop a simulation that has gone wrong, saying where and what to change."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.options import Limits
from votca_mlp.engines.shared.first_evaluation import not_finite
from votca_mlp.engines.shared.stages import Stage
from votca_mlp.errors import UserError
from votca_mlp.evaluation.result import Evaluation

VOLUME_RATIO = 3.0
"""A box that has grown or shrunk by this factor has boiled off or collapsed."""

ADVICE = (
    "a smaller <timestep>, a longer <equilibration>, or a smaller <alpha> of the interaction; "
    "look at u(r) below the first peak of g(r). The last checkpoint stays"
)


class Moving(Protocol):
    """The present state of a simulation, in the package's units; 0 K and velocities of 0 where not known."""

    @property
    def evaluation(self) -> Evaluation: ...
    @property
    def velocities(self) -> NDArray[np.float64]: ...
    @property
    def cell(self) -> NDArray[np.float64]: ...
    @property
    def timestep(self) -> float: ...
    @property
    def temperature(self) -> float: ...
    @property
    def volume(self) -> float: ...


class Integrated(Moving, Protocol):
    """The same with masses [n_atoms, 1], eV fs^2/Angstrom^2, of what we integrate ourselves."""

    @property
    def masses(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Watch:
    """Limits that every MD step must keep.

    Attributes
    ----------
    distance_min
        Angstrom, or None.
    temperature_max
        K; None means ten times the stage's temperature plus 1000 K.
    spread_max
        Standard deviation over the ensemble's members, eV/atom, or None.
    r_max
        Half of each box edge must exceed it, Angstrom (csg_stat checks the first frame only).
    volume
        Of the start, Angstrom^3.
    """

    distance_min: float | None
    temperature_max: float | None
    spread_max: float | None
    r_max: float
    volume: float

    def check(self, md: Moving, stage: Stage, step: int) -> None:
        """Look at the integrator's present state after ``step`` steps in all.

        Raises
        ------
        UserError
            Naming step, time, atoms and what to change.
        """
        wrong = self._wrong(md, stage)
        if wrong is not None:
            what, accepted = wrong
            raise UserError(what, where=place(md.timestep, stage, step), accepted=accepted)

    def _wrong(self, md: Moving, stage: Stage) -> tuple[str, str] | None:
        """Return what is wrong, and what to change. Asked in every step: single numbers, words only then."""
        evaluation = md.evaluation
        temperature = md.temperature
        # a non-finite force or position makes the kinetic energy non-finite
        if not (math.isfinite(evaluation.energy) and math.isfinite(temperature)):
            return f"{_not_finite(md)}{_closest(md)}", ADVICE
        closest = evaluation.closest
        if self.distance_min is not None and closest is not None and closest[2] < self.distance_min:
            what = f"two atoms are closer than distance_min = {self.distance_min:g} Angstrom{_closest(md)}"
            return what, ADVICE + "; if such distances are real, a smaller limits.distance_min"
        limit = self.temperature_max or 10.0 * stage.temperature + 1000.0
        if temperature > limit:
            fastest = int(np.argmax((md.velocities**2).sum(1)))
            what = (
                f"the temperature is {temperature:.0f} K, above {limit:.0f} K (temperature_max); "
                f"the fastest atom is {fastest + 1}{_closest(md)}"
            )
            return what, ADVICE
        if self.spread_max is not None and evaluation.spread > self.spread_max:
            what = (
                f"the ensemble's members differ by {evaluation.spread * 1000:.2f} meV/atom, more than "
                f"spread_max = {self.spread_max * 1000:.2f} meV/atom: the model is used outside its "
                f"training{_closest(md)}"
            )
            return what, "a smaller <alpha>, a state that the model was trained for, or a larger spread_max"
        ratio = md.volume / self.volume
        if not 1.0 / VOLUME_RATIO < ratio < VOLUME_RATIO:
            what = f"the volume is {ratio:.2f} times that of the start: the system boils off or collapses"
            return what, "another <pressure>, a longer <barostat_time>, a start near the density, or nvt"
        half = 0.5 * min(md.cell.item(0), md.cell.item(4), md.cell.item(8))
        if half <= self.r_max:
            what = (
                f"half the box has shrunk to {half:.3f} Angstrom, not more than the grid's maximum of "
                f"{self.r_max:.3f} Angstrom, so g(r) would be wrong"
            )
            return what, "more atoms, or a smaller <max> (it is in nm)"
        return None


def check_first(md: Integrated, stage: Stage, step: int) -> None:
    """Refuse a configuration that the first step would take nowhere; the watch sees only those after steps.

    Raises
    ------
    UserError
        Energy, forces or stress that are no finite numbers; a force by which an atom would cross the box.
    """
    evaluation, where = md.evaluation, place(md.timestep, stage, step)
    wrong = not_finite(evaluation)
    if wrong:
        raise UserError(f"{wrong}{_closest(md)}", where=where, accepted=ADVICE)
    moves = 0.5 * md.timestep**2 * np.abs(evaluation.forces / md.masses).max(axis=1)
    fastest = int(moves.argmax())
    if moves[fastest] > 0.5 * float(np.diag(md.cell).min()):
        force = float(np.abs(evaluation.forces[fastest]).max())
        raise UserError(
            f"a force of {force:.3g} eV/Angstrom would move atom {fastest + 1} by {moves[fastest]:.3g} "
            f"Angstrom in one step{_closest(md)}",
            where=where,
            accepted="a start whose atoms are apart, a u(r) without such slopes; " + ADVICE,
        )


def place(timestep: float, stage: Stage, step: int) -> str:
    """Return the place of an MD step for messages; ``timestep`` in fs."""
    return f"MD step {step} ({stage.name}, {(step - stage.start) * timestep:g} fs into it)"


def make_watch(limits: Limits, *, r_max: float, volume: float) -> Watch:
    """Return the watch of a plan's limits; r_max in Angstrom, volume of the start in Angstrom^3."""
    return Watch(limits.distance_min, limits.temperature_max, limits.spread_max, r_max, volume)


def _closest(md: Moving) -> str:
    pair = md.evaluation.closest
    if pair is None:
        return ""
    first, second, distance = pair
    return f"; closest are atoms {first + 1} and {second + 1} (counted from 1), {distance:.3f} Angstrom apart"


def _not_finite(md: Moving) -> str:
    for name, array in (("force", md.evaluation.forces), ("velocity", md.velocities)):
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        if len(bad):
            return f"the {name} of atom {bad[0] + 1} is not a finite number ({len(bad)} such atoms)"
    return f"the potential energy is {md.evaluation.energy}"
