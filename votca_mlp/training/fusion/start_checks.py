"""What an experiment asks of its state, found out at the state's start, before anything is simulated.

Each observable is evaluated once on the start, without a model: species that are not there, a curve beyond
half of the box or a constant in another unit are then said at once, not after hours.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.training.fusion.observables.angles import AngleDistribution
from votca_mlp.training.fusion.observables.cell import Density, LatticeConstants
from votca_mlp.training.fusion.observables.frames import pair_chunk, stored_frames
from votca_mlp.training.fusion.observables.protocol import FrameObservable, uniform
from votca_mlp.training.fusion.observables.structure import RadialDistribution

if TYPE_CHECKING:
    from votca_mlp.training.fusion.states import StatePoint

Problem = tuple[str, str]
"""What is wrong, and what is accepted."""
REACH, NEAR = 6.0, 0.5
"""Where neighbours are looked for, Angstrom; share of their distance within which g(r) is nothing but 0."""
TOUCHING = 0.5
"""Angstrom; the shortest bond, of hydrogen, is 0.74 long."""
FAR = 1.25
"""Factor between a start's density or lattice constant and the measured one that no equilibration mends."""


def start_problems(
    observable: FrameObservable, title: str, values: Tensor, state: "StatePoint"
) -> Iterator[Problem]:
    """Yield what of an experiment does not fit the start and the ensemble of its state.

    Parameters
    ----------
    observable, title, values
        The experiment's; values [n_values] in the observable's unit, nan where none was measured.
    state
        Where it was measured.
    """
    held = "volume" if state.pressure is None else "pressure"
    if observable.held not in (None, held):
        yield (
            f"{title} belongs to a state whose {observable.held} is held, state {state.name} is one "
            f"whose {held} is held",
            "a state with a pressure" if held == "volume" else "a state without a pressure",
        )
        return
    frames = stored_frames([state.start])
    try:
        observable.check(frames)
        own = observable.of_frames(frames)
    except UserError as error:
        yield (
            f"{title}: at the start of state {state.name}, {error.what}",
            "species of the start, a curve and a reach within half of its box",
        )
        return
    if isinstance(observable, AngleDistribution) and not any(bool(each.any()) for each in own.values()):
        yield f"{title}: the start of state {state.name} has no such angle", "its species, a longer reach"
    if isinstance(observable, RadialDistribution):
        near = pair_chunk(frames, REACH).vectors.norm(dim=1)
        if len(near) and observable.r[-1] < NEAR * float(near.min()):
            yield (
                f"{title}: the curve ends at {observable.r[-1]:g} Angstrom, the nearest atoms of state "
                f"{state.name} are {float(near.min()):.3g} Angstrom apart",
                "r in Angstrom, not in nm",
            )
    if isinstance(observable, (Density, LatticeConstants)):
        with torch.no_grad():
            here = observable.value(uniform(frames), {"volume": frames.volumes} | own)
        for label, value, wanted in zip(observable.labels, here, values, strict=True):
            if not 1.0 / FAR < float(value / wanted) < FAR and bool(wanted.isfinite()):
                yield (
                    f"{title}: {label} is {float(wanted):g} {observable.unit}, the start of state "
                    f"{state.name} has {float(value):.4g}",
                    f"a start near it, {label} in {observable.unit}",
                )


def overlaps(state: "StatePoint") -> Iterator[Problem]:
    """Yield a start with two atoms in one place, which no model can simulate."""
    near = pair_chunk(stored_frames([state.start]), TOUCHING).vectors.norm(dim=1)
    if len(near):
        yield (
            f"two atoms of the start of state {state.name} are {float(near.min()):.2g} Angstrom apart",
            "a start whose atoms do not overlap, in the unit of its format",
        )
