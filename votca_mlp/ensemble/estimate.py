"""A number with its error."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error, both in the unit of the samples; the error is nan when unknown."""

    mean: float
    error: float
