"""Where a data set comes from: a file and how it is to be read, so that it is read only when it is needed."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from votca_mlp.observables.structure_factor import SHARP, Resolution
from votca_mlp.scattering.data import Normalisation, Radiation, ScatteringData
from votca_mlp.scattering.lengths import parsed_isotopes
from votca_mlp.scattering.read import Written, read_scattering


@dataclass(frozen=True)
class ScatteringSource:
    """A measured F(Q) on disk; see :class:`votca_mlp.scattering.data.ScatteringData` for what it becomes.

    Attributes
    ----------
    path
        The file.
    isotopes
        As :func:`votca_mlp.scattering.lengths.parsed_isotopes` reads them.
    written, columns, sigma, q_min, q_max
        As :func:`votca_mlp.scattering.read.read_scattering`.
    """

    path: Path
    name: str
    radiation: Radiation = "neutron"
    isotopes: str = ""
    written: Written = "F"
    normalisation: Normalisation = "none"
    columns: tuple[int, ...] | None = None
    sigma: float | None = None
    q_min: float | None = None
    q_max: float | None = None
    resolution: Resolution = SHARP
    weight: float = 1.0
    fit_scale: bool = False
    fit_background: bool = False
    low_q: bool = False

    @cached_property
    def data(self) -> ScatteringData:
        """The data set; read once.

        Raises
        ------
        UserError
            As :func:`votca_mlp.scattering.read.read_scattering`.
        """
        empty = np.zeros(0)
        template = ScatteringData(
            self.name,
            self.radiation,
            empty,
            empty,
            isotopes=parsed_isotopes(self.isotopes),
            normalisation=self.normalisation,
            resolution=self.resolution,
            weight=self.weight,
            fit_scale=self.fit_scale,
            fit_background=self.fit_background,
            low_q=self.low_q,
        )
        return read_scattering(
            self.path,
            template,
            written=self.written,
            columns=self.columns,
            sigma=self.sigma,
            q_min=self.q_min,
            q_max=self.q_max,
        )
