"""Errors of averages over correlated samples."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error, both in the unit of the samples; the error is nan when unknown."""

    mean: float
    error: float


@dataclass(frozen=True)
class Equilibration:
    """Where a series becomes stationary.

    Attributes
    ----------
    start
        Index of the first sample to use.
    inefficiency
        Statistical inefficiency of the samples from there on, >= 1.
    effective_samples
        Independent samples from there on.
    """

    start: int
    inefficiency: float
    effective_samples: float


def statistical_inefficiency(series: NDArray[np.float64]) -> float:
    """Return how many samples count as one independent one, >= 1 (Chodera et al. 2007, by pymbar).

    Parameters
    ----------
    series
        Equally spaced samples, shape [n_samples]. A constant series has inefficiency 1.
    """
    series = np.asarray(series, float)
    if len(series) < 4 or np.ptp(series) == 0.0:
        return 1.0
    return float(_timeseries().statistical_inefficiency(series))


def detect_equilibration(series: NDArray[np.float64]) -> Equilibration:
    """Return the start that leaves most independent samples (Chodera 2016, by pymbar); shape [n_samples]."""
    series = np.asarray(series, float)
    if len(series) < 10 or np.ptp(series) == 0.0:
        return Equilibration(0, 1.0, float(len(series)))
    skip = max(1, len(series) // 200)
    start, inefficiency, effective = _timeseries().detect_equilibration(series, fast=True, nskip=skip)
    return Equilibration(int(start), float(inefficiency), float(effective))


def mean_with_error(series: NDArray[np.float64]) -> Estimate:
    """Return mean and standard error s sqrt(g/n) with the statistical inefficiency g; shape [n_samples]."""
    series = np.asarray(series, float)
    if len(series) < 2:
        return Estimate(float(series.mean()), float("nan"))
    inefficiency = min(statistical_inefficiency(series), float(len(series)))
    error = series.std(ddof=1) * np.sqrt(inefficiency / len(series))
    return Estimate(float(series.mean()), float(error))


def block_error(samples: NDArray[np.float64], block_length: int) -> NDArray[np.float64]:
    """Return the standard error of the mean from averages over blocks.

    Parameters
    ----------
    samples
        Shape [n_samples, ...]; left-over samples after the last full block are dropped.
    block_length
        Samples in a block; at least two blocks must fit (ValueError).

    Returns
    -------
    Shape of one sample.
    """
    samples = np.asarray(samples, float)
    blocks = len(samples) // block_length
    if blocks < 2:
        raise ValueError(f"{len(samples)} samples hold {blocks} blocks of {block_length}")
    means = samples[: blocks * block_length].reshape(blocks, block_length, *samples.shape[1:]).mean(axis=1)
    return np.asarray(means.std(axis=0, ddof=1) / np.sqrt(blocks))


def block_error_curve(series: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return block lengths 1, 2, 4, ... with at least four blocks, and the block errors.

    The error rises to a plateau once blocks are longer than the correlation (Flyvbjerg & Petersen 1989).
    """
    lengths = [2**k for k in range(64) if 2**k * 4 <= len(series)]
    errors = [float(block_error(series, length)) for length in lengths]
    return np.array(lengths, np.int64), np.array(errors)


def _timeseries() -> Any:
    # pymbar prints advertisements through its loggers on import
    logger = logging.getLogger("pymbar")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        from pymbar import timeseries
    finally:
        logger.setLevel(level)
    return timeseries
