"""Scale and background of a measurement: measured = scale F + background, by least squares."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from votca_mlp.scattering.data import ScatteringData

Array = NDArray[np.float64]


class Calibration(NamedTuple):
    """What makes a measurement comparable."""

    scale: float = 1.0
    background: float = 0.0

    def corrected(self, values: Array) -> Array:
        """Return what F the measurement stands for."""
        return np.asarray((values - self.background) / self.scale)


def calibrated(data: ScatteringData, found: Array) -> Calibration:
    """Return the scale and background that a data set asks to be fitted, for F of a simulation, shape [n].

    A scale that comes out at a half or less, or at two or more, is no calibration: it stays at the nearer of
    these.
    """
    columns = [found] if data.fit_scale else []
    if data.fit_background:
        columns.append(np.ones_like(found))
    if not columns:
        return Calibration()
    known = np.zeros_like(found) if data.fit_scale else found
    root = (
        np.ones_like(found)
        if data.errors is None
        else 1.0 / np.maximum(data.errors, np.median(data.errors) * 0.1)
    )
    design = np.stack(columns, axis=1) * root[:, None]
    answer = list(np.linalg.lstsq(design, (data.values - known) * root, rcond=None)[0])
    scale = float(np.clip(answer.pop(0), 0.5, 2.0)) if data.fit_scale else 1.0
    return Calibration(scale, float(answer.pop(0)) if data.fit_background else 0.0)
