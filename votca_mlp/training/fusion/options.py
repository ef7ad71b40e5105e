"""How a fusion runs, and what it leaves by iteration."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from votca_mlp.errors import UserError


@dataclass(frozen=True)
class FusionOptions:
    """Settings of a fusion.

    Attributes
    ----------
    iterations
        The most steps of the parameters.
    effective
        A state gets a new trajectory when its stored frames are worth less than this share of one.
    least_effective
        A step that would leave less of a trajectory than this share is shortened.
    variance
        Largest variance of U / kBT over a state's frames that a step is to cause.
    keep
        Trajectories of a state that are in use at once.
    label_weight
        Factor of the labels' chi^2 at first; 1 takes each independent frame as one measurement with the error
        that the model had before fusion. It grows when steps would go beyond ``limits``, and falls back to
        this after steps that do not.
    damping
        Of the first step, by the mean diagonal element of the labels' matrix; later ones adapt it.
    limits
        Largest error on labels by kind, relative to before, held out or learnt from; steps beyond are taken
        back.
    held_alone
        Whether the limits are those of held-out labels alone. A model that has learnt its labels by heart has
        errors on them far below those on others, and cannot keep them.
    by_kind
        Whether the weight grows by kind of label: of those kinds alone that a full step takes beyond their
        limit, and the step is made anew with it at once. Otherwise it grows for all kinds, and only where a
        quarter of the step is beyond, too.
    wall
        Smallest share that a step may leave of what pushing two atoms together costs (:class:`.wall.Wall`); 0
        for any.
    patience
        Ends after as many iterations without a better model.
    probes
        Random combinations of frames by which the trust region is known; 0: every frame, exactly.
    seed
        Of velocities and probes.
    """

    iterations: int = 12
    effective: float = 0.5
    least_effective: float = 0.1
    variance: float = 1.0
    keep: int = 3
    label_weight: float = 1.0
    damping: float = 0.1
    limits: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"energy": 1.5, "force": 1.06, "stress": 1.5})
    )
    held_alone: bool = False
    by_kind: bool = False
    wall: float = 0.3
    patience: int = 4
    probes: int = 12
    seed: int = 1

    def shaping(self) -> dict[str, Any]:
        """Return what shapes a fusion's numbers; limits and what ends it may be changed on the way."""
        found = dataclasses.asdict(dataclasses.replace(self, iterations=1, patience=1, limits={}))
        if not self.by_kind:
            # so that fusions go on that began before there was this way
            del found["by_kind"]
        return found

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be.

        Raises
        ------
        UserError
            Naming it.
        """
        bounds = {
            "iterations": (1, 10**6),
            "effective": (0.0, 1.0),
            "least_effective": (0.0, 1.0),
            "variance": (1e-6, 100.0),
            "keep": (1, 100),
            "label_weight": (1e-12, 1e12),
            "damping": (1e-9, 1e9),
            "wall": (0.0, 0.9),
            "patience": (1, 10**6),
            "probes": (0, 10**4),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise UserError(
                    f"is {getattr(self, name)}", where=name, accepted=f"a number from {low:g} to {high:g}"
                )
        for name, limit in self.limits.items():
            if not limit >= 1.0:
                raise UserError(
                    f"is {limit}",
                    where=f"limits of {name}",
                    accepted="a factor of the error before, 1 or more",
                )


@dataclass
class Iteration:
    """One iteration: what the parameters before its step gave.

    Attributes
    ----------
    number
        From 0; 0 is the model before fusion.
    experiments
        chi^2 of the experiments by value.
    values, errors
        Of all experiments in their order; the errors are statistical.
    effective
        n_eff over all stored frames by state, at most 1.
    new
        States with a new trajectory, made with these parameters.
    labels, held
        Root mean square residuals by kind, learnt from and held out.
    step
        Share of the full step that was taken from here; 0 where none was.
    damping, label_weight
        Of the next one.
    wall
        Smallest share of what pushing two atoms together cost before fusion; None if that is not watched.
    """

    number: int
    experiments: float
    values: list[float]
    errors: list[float]
    effective: dict[str, float]
    new: list[str]
    labels: dict[str, float]
    held: dict[str, float]
    step: float = 0.0
    damping: float = 0.0
    label_weight: float = 0.0
    seconds: float = 0.0
    wall: float | None = None

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))
