"""The learning rate from epoch to epoch, and when training has done its part."""

import math
from typing import Any

from votca_mlp.training.trainer.options import TrainOptions


class Schedule:
    """See :attr:`TrainOptions.schedule`.

    Attributes
    ----------
    rate
        Of the coming epoch.
    """

    ALL = "all epochs are done"

    def __init__(self, options: TrainOptions) -> None:
        self.options, self.rate, self.waited = options, options.learning_rate, 0

    def after(self, epoch: int, since_best: int, better: bool) -> str:
        """Go on to the next epoch; return why there is none, empty where there is one."""
        options = self.options
        if options.schedule == "plateau":
            self.waited = 0 if better else self.waited + 1
            if self.waited > options.patience:
                self.rate, self.waited = 0.5 * self.rate, 0
        elif options.schedule == "cosine":
            half = 0.5 * (1.0 + math.cos(math.pi * epoch / options.epochs))
            self.rate = options.smallest_rate + half * (options.learning_rate - options.smallest_rate)
        if options.schedule == "plateau" and self.rate < options.smallest_rate:
            return "the learning rate has come to its end"
        if options.stop_after and since_best >= options.stop_after:
            return f"{options.stop_after} epochs without a better validation loss"
        return self.ALL if epoch >= options.epochs else ""

    def state(self) -> list[Any]:
        """Return what changes."""
        return [self.rate, self.waited]

    def restore(self, state: list[Any]) -> None:
        """Take up a state."""
        self.rate, self.waited = state
