"""What every format is given, and what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.deploy.compare import Comparison
from votca_mlp.export.content import ExportContent
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.tables import Table

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.models.options import MLPSettings
    from votca_mlp.potentials.temperature import TemperatureCorrection


@dataclass(frozen=True)
class CorrectedPotential:
    """A model and its correction, to be written in some format.

    Attributes
    ----------
    content
        Where it comes from: what ``export.json`` will hold.
    mlp
        The model's settings.
    correction
        u(r); of a correction that depends on T the one at the middle of its range.
    tables
        u(r) by name of the interaction, nm and kJ/mol; empty when it depends on T.
    atoms
        Configuration to compare on.
    of_temperature
        u(r; T) when the export is to follow the temperature, None when it is for one temperature.
    """

    content: ExportContent
    mlp: "MLPSettings"
    correction: PairCorrection
    tables: Mapping[str, Table]
    atoms: "Atoms"
    of_temperature: "TemperatureCorrection | None" = None


@dataclass(frozen=True)
class Written:
    """What a format has written into a folder.

    Attributes
    ----------
    content
        The potential's, with the digests of files that are checked when the folder is loaded.
    files
        Their names.
    comparisons
        What was read back against the package's own energy, forces and stress.
    left_out
        What was left out and why.
    """

    content: ExportContent
    files: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    left_out: tuple[str, ...] = ()


def compared_temperatures(correction: "TemperatureCorrection") -> list[float]:
    """Return the temperatures that exports are compared at, K: those fitted and some between them."""
    between = np.linspace(correction.minimum, correction.maximum, 4)
    outside = [1.02 * correction.maximum] if correction.allow_extrapolation else []
    return sorted({*(float(kelvin) for kelvin in between), *correction.nodes, *outside})
