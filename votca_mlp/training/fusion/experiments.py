"""Measured values at state points, with errors, and what is refused of them before any simulation."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from votca_mlp.engines.plan import KBT_TOLERANCE
from votca_mlp.errors import UserError
from votca_mlp.observables.density import density
from votca_mlp.training.fusion.observables.cell import Density, LatticeConstants
from votca_mlp.training.fusion.observables.crystals import matrix_with
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.protocol import FrameObservable
from votca_mlp.training.fusion.observables.rest import ColdElasticConstants, RestObservable
from votca_mlp.training.fusion.observables.stress import Pressure, StressTensor
from votca_mlp.training.fusion.start_checks import overlaps, start_problems
from votca_mlp.training.fusion.states import StatePoint
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

VOLUME_TOLERANCE = 0.005
"""Largest relative difference between a state's volume and that of an experiment at constant volume."""
CONTRADICTION = 5.0
"""Two measurements of one quantity that differ by more of their joint errors cannot both be met."""


class Labelled(Protocol):
    """What has names for its values."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Of its values."""

    @property
    def unit(self) -> str:
        """Of all of them."""


class Compared(ABC):
    """Values that were measured, some of them perhaps nan, of an observable."""

    observable: Labelled
    values: Tensor
    errors: Tensor
    name: str

    @property
    def used(self) -> Tensor:
        """Which values are compared, bool, [n_values]."""
        return torch.isfinite(self.values)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of those that are compared."""
        return tuple(
            label for label, used in zip(self.observable.labels, self.used.tolist(), strict=True) if used
        )

    @property
    def title(self) -> str:
        """Name for messages."""
        return self.name or f"{type(self.observable).__name__} {self.place}"

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it was measured, for messages."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What tells its place from others."""


@dataclass(frozen=True)
class RestExperiment(Compared):
    """An observable of fixed configurations, what was measured, and its error.

    Attributes
    ----------
    observable
        What is compared.
    values, errors
        In the observable's unit, [n_values]; a value of nan is not compared.
    name
        In messages and results.
    """

    observable: RestObservable
    values: Tensor
    errors: Tensor
    name: str = ""

    @property
    def place(self) -> str:
        """Where it was measured, for messages."""
        return "at rest"

    @property
    def key(self) -> str:
        """What tells its place from others: the configurations."""
        return repr([each.positions.tolist() + each.cells.tolist() for each in self.observable.frames])


@dataclass(frozen=True)
class Experiment(Compared):
    """An observable at a state point, what was measured, and its error.

    Attributes
    ----------
    state
        Name of a state point.
    observable
        What is compared.
    values, errors
        In the observable's unit, [n_values]; a value of nan is not compared.
    temperature
        Of the measurement, K; None where it is the state's.
    volume
        Of the measured sample, Angstrom^3 an atom; None where unknown.
    name
        In messages and results.
    """

    state: str
    observable: FrameObservable
    values: Tensor
    errors: Tensor
    temperature: float | None = None
    volume: float | None = None
    name: str = ""

    @property
    def place(self) -> str:
        """Where it was measured, for messages."""
        return f"at {self.state}"

    @property
    def key(self) -> str:
        """What tells its place from others."""
        return self.state


def check_experiments(
    experiments: Sequence[Experiment], states: Sequence[StatePoint], rest: Sequence[RestExperiment] = ()
) -> None:
    """Refuse experiments that cannot be trained to, one message for all of them.

    Raises
    ------
    UserError
        A state that is not there; values without errors; a temperature or volume that is not the state's;
        measurements of one quantity that contradict each other.
    """
    if not experiments and not rest:
        raise UserError("there are no experiments", accepted="at least one, with values and errors")
    problems = [problem for each in experiments for problem in _problems(each, states)]
    problems += [problem for each in rest for problem in _wrong_values(each)]
    problems += [problem for each in states for problem in overlaps(each)]
    problems += _contradictions([*experiments, *rest])
    if problems:
        what = problems[0][0] if len(problems) == 1 else "; ".join(text for text, _ in problems)
        raise UserError(what, where="experiments", accepted=problems[0][1])


def _problems(experiment: Experiment, states: Sequence[StatePoint]) -> list[tuple[str, str]]:
    title = experiment.title
    state = next((each for each in states if each.name == experiment.state), None)
    if state is None:
        known = ", ".join(each.name for each in states)
        return [(f"{title}: there is no state '{experiment.state}'", f"one of {known}")]
    found = _wrong_values(experiment)
    own = getattr(experiment.observable, "temperature", None)
    for what, temperature in (("was measured", experiment.temperature), ("is defined", own)):
        if temperature is not None and not _agree(temperature, state.temperature, KBT_TOLERANCE):
            found.append(
                (
                    f"{title} {what} at {temperature:g} K, state {state.name} is at {state.temperature:g} K",
                    "a state at the temperature of the experiment",
                )
            )
    if experiment.volume is not None and state.pressure is None:
        volume = state.start.get_volume() / len(state.start)
        if not _agree(experiment.volume, volume, VOLUME_TOLERANCE):
            found.append(
                (
                    f"{title} was measured at {experiment.volume:.4g} Angstrom^3 an atom, the cell of state "
                    f"{state.name} has {volume:.4g}",
                    "a start with the cell of the experiment, or a state with a pressure",
                )
            )
    return found or list(start_problems(experiment.observable, title, experiment.values, state))


def _wrong_values(experiment: Compared) -> list[tuple[str, str]]:
    found, count, title = [], len(experiment.observable.labels), experiment.title
    if experiment.values.shape != (count,) or experiment.errors.shape != (count,):
        return [
            (
                f"{title}: {experiment.values.numel()} values and {experiment.errors.numel()} errors for "
                f"{count} quantities ({', '.join(experiment.observable.labels[:6])})",
                "a value and an error for each, nan for a value that was not measured",
            )
        ]
    if not bool(experiment.used.any()):
        found.append((f"{title}: no value is a number", "at least one measured value"))
    wrong = experiment.used & ~(torch.isfinite(experiment.errors) & (experiment.errors > 0.0))
    found += _unstable(experiment)
    if bool(wrong.any()):
        which = ", ".join(np.array(experiment.observable.labels)[wrong.numpy()][:6])
        found.append(
            (
                f"{title}: {which} without an error",
                "a standard error above 0 for each value: experiments are weighted by them",
            )
        )
    return found


def _unstable(experiment: Compared) -> list[tuple[str, str]]:
    """Elastic constants that no crystal has: some strain would lower its energy (M. Born 1940)."""
    observable = experiment.observable
    if not isinstance(observable, (ElasticConstants, ColdElasticConstants)) or not bool(
        experiment.used.all()
    ):
        return []
    crystal = observable.crystal if isinstance(observable, ElasticConstants) else observable.name
    if float(torch.linalg.eigvalsh(matrix_with(experiment.values, crystal))[0]) > 0.0:
        return []
    what = f"{experiment.title}: no {crystal} crystal with these elastic constants is stable"
    return [(what, f"constants that belong together, {', '.join(observable.labels)}")]


def _contradictions(experiments: Sequence[Compared]) -> list[tuple[str, str]]:
    seen: dict[tuple[str, str, str], tuple[float, float, str]] = {}
    found = []
    for each in experiments:
        if each.values.shape != (len(each.observable.labels),) or each.errors.shape != each.values.shape:
            continue
        for kind, label, value, error in _quantities(each):
            if not (math.isfinite(value) and error > 0.0):
                continue
            key = (each.key, kind, label)
            other = seen.setdefault(key, (value, error, each.title))
            joint = math.hypot(error, other[1])
            if abs(value - other[0]) > CONTRADICTION * joint:
                found.append(
                    (
                        f"{label} {each.place} is {other[0]:g} +- {other[1]:g} in {other[2]}, "
                        f"{value:g} +- {error:g} in {each.title}",
                        "measurements that agree within their errors, larger errors, or one of them",
                    )
                )
    return found


def _quantities(each: Compared) -> Iterator[tuple[str, str, float, float]]:
    """Yield class, label, value and error of all values, and of what they imply.

    A stress has a pressure; a density and lattice constants of all edges have a volume of the box.
    """
    values, errors = each.values, each.errors
    for label, value, error in zip(each.observable.labels, values.tolist(), errors.tolist(), strict=True):
        yield type(each.observable).__name__, label, value, error
    if isinstance(each.observable, StressTensor):
        mean, error = float(values[:3].mean()), float(errors[:3].square().sum().sqrt()) / 3.0
        bar = BAR_PER_EV_PER_ANGSTROM3
        yield Pressure.__name__, Pressure.labels[0], -bar * mean, bar * error
    volume = _box(each)
    if volume is not None:
        yield "box", "volume of the box (Angstrom^3)", *volume


def _box(each: Compared) -> tuple[float, float] | None:
    """Return the volume of the box and its error, Angstrom^3, from a density or lattice constants."""
    observable, values, errors = each.observable, each.values.tolist(), each.errors.tolist()
    if isinstance(observable, Density):
        # which of density and volume is divided by makes no difference
        volume = density(observable.mass, values[0])
        return volume, volume * errors[0] / values[0]
    if not isinstance(observable, LatticeConstants):
        return None
    volume, squares, edges = 1.0, 0.0, set[int]()
    for (_, multiples), value, error in zip(observable.multiples.items(), values, errors, strict=True):
        edges |= {axis for axis, _ in multiples}
        volume *= math.prod(number * value for _, number in multiples)
        squares += (len(multiples) * error / value) ** 2
    return (volume, volume * squares**0.5) if len(edges) == 3 else None


def _agree(first: float, second: float, tolerance: float) -> bool:
    return math.isfinite(first) and abs(first - second) <= tolerance * abs(second)
