"""How a network is trained."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from votca_mlp.errors import UserError

SCHEDULES = ("plateau", "cosine", "constant")
"""Learning rate: halved when validation no longer gets better; half a cosine over all epochs; as it is."""


KEPT = ("best", "last")
"""Which model is kept: that of the best validation loss, or of the last epoch."""
LAST_LAYERS = ("trained", "least_squares", "all_energies")
"""Heads of levels with energies alone: as they were trained; fitted in closed form at the end to the energies
of training; or to those and the ones of validation, which have done their work then."""


@dataclass(frozen=True)
class LevelWeights:
    """What the labels of a level count in the loss, each times RMSE + MAE of its kind.

    Errors of energies are eV per atom, of forces eV/Angstrom, of stress eV/Angstrom^3.
    """

    energy: float = 100.0
    force: float = 1.0
    stress: float = 100.0

    def __post_init__(self) -> None:
        """Refuse what is no weight.

        Raises
        ------
        UserError
            Naming it.
        """
        for name in ("energy", "force", "stress"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise UserError(f"is {value}", where=f"weights.{name}", accepted="a number, 0 or more")

    def of(self, kind: str) -> float:
        """Return the weight of a kind of label."""
        return float(getattr(self, kind))


@dataclass(frozen=True)
class TrainOptions:
    """How long and how fast to train.

    Attributes
    ----------
    epochs
        At most so many.
    batch_size
        Frames.
    share
        Of each batch that frames of every level have at least, those of a scarce one several times in an
        epoch; 0: all frames once.
    learning_rate, smallest_rate
        Of Adam at first; where the schedule ends.
    schedule
        One of :data:`SCHEDULES`.
    patience
        Epochs without a better validation loss after which ``plateau`` halves the rate.
    stop_after
        Epochs without a better validation loss after which training ends, 0 for never. With ``plateau`` it
        ends too when the rate falls below ``smallest_rate``.
    keep
        One of :data:`KEPT`. A few validation energies choose an epoch by their noise; where the schedule ends
        at a small rate, the last one is better then.
    decay
        Of the sum of squares of the network's weights in the loss.
    weights
        By level; the default for those that are not named.
    last_layer
        One of :data:`LAST_LAYERS`, see :mod:`votca_mlp.training.trainer.last_layer`.
    hierarchy
        Weight of the hierarchicality of each head's energies (Lubbers 2018, equation 13).
    seed
        Of initial parameters and the order of frames.
    precision
        float32 or float64.
    compiled
        Take compiled sums where they serve.
    freeze_network
        Train the heads alone.
    """

    epochs: int = 500
    batch_size: int = 16
    share: float = 0.25
    learning_rate: float = 1e-3
    smallest_rate: float = 1e-5
    schedule: str = "plateau"
    patience: int = 15
    stop_after: int = 0
    keep: str = "best"
    decay: float = 1e-6
    weights: Mapping[str, LevelWeights] = field(default_factory=dict)
    last_layer: str = "trained"
    hierarchy: float = 0.0
    seed: int = 1
    precision: str = "float32"
    compiled: bool = True
    freeze_network: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        UserError
            Naming the option.
        """
        checks = (
            ("seed", 0 <= self.seed < 2**63, "a whole number from 0 to 2^63 - 1"),
            ("epochs", self.epochs >= 1, "1 or more"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            ("share", 0.0 <= self.share <= 0.5, "0 to 0.5"),
            ("learning_rate", 0.0 < self.learning_rate < math.inf, "a number above 0"),
            ("smallest_rate", 0.0 <= self.smallest_rate <= self.learning_rate, "0 to learning_rate"),
            ("schedule", self.schedule in SCHEDULES, " | ".join(SCHEDULES)),
            ("keep", self.keep in KEPT, " | ".join(KEPT)),
            ("last_layer", self.last_layer in LAST_LAYERS, " | ".join(LAST_LAYERS)),
            ("patience", self.patience >= 0, "0 or more"),
            ("stop_after", self.stop_after >= 0, "0 or more"),
            ("decay", 0.0 <= self.decay < math.inf, "0 or more"),
            ("hierarchy", 0.0 <= self.hierarchy < math.inf, "0 or more"),
            ("precision", self.precision in ("float32", "float64"), "float32 | float64"),
        )
        for name, good, accepted in checks:
            if not good:
                raise UserError(f"is {getattr(self, name)}", where=name, accepted=accepted)

    def weight(self, level: str) -> LevelWeights:
        """Return the weights of a level."""
        return self.weights.get(level) or LevelWeights()
