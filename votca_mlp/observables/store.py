"""``observables.npz``: the values by frame that a step keeps, small and written as a whole."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.observables.low_q import LowFactors
from votca_mlp.observables.protocol import Series
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.step import StepObservables

NAME = "observables.npz"
_FORMAT = 1


def write_observables(directory: Path, measured: StepObservables) -> None:
    """Write ``observables.npz`` into a step's directory, or a state's folder of it."""
    arrays: dict[str, NDArray[np.generic]] = {
        "format": np.array(_FORMAT),
        "steps": measured.steps,
        "grids": np.array(len(measured.histograms)),
        "names": np.array(list(measured.series), dtype=np.str_),
        "units": np.array([series.unit for series in measured.series.values()], dtype=np.str_),
    }
    counted = {f"grid{number}": found for number, found in enumerate(measured.histograms)}
    if measured.whole is not None:
        counted["whole"] = measured.whole
    for label, found in counted.items():
        arrays[f"{label}.r"] = found.r
        arrays[f"{label}.pairs"] = np.array(found.pairs, dtype=np.str_)
        # a bin of a frame holds far fewer pairs than 2^31
        arrays[f"{label}.counts"] = found.counts.astype(np.int32)
        arrays[f"{label}.volumes"] = found.volumes
        arrays[f"{label}.norms"] = found.norms
    if measured.low is not None:
        arrays |= {
            "low.q": measured.low.q,
            "low.pairs": np.array(measured.low.pairs, dtype=np.str_),
            "low.values": measured.low.values,
        }
    for name, series in measured.series.items():
        arrays[f"value.{name}"] = series.values
    with atomic_write(directory / NAME, "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read_observables(directory: Path) -> StepObservables:
    """Return what :func:`write_observables` left in a step's directory.

    Raises
    ------
    UserError
        No such file, or a damaged one.
    """
    path = directory / NAME
    try:
        with np.load(path, allow_pickle=False) as data:
            if int(data["format"]) != _FORMAT:
                raise ValueError(f"format {int(data['format'])}")
            histograms = tuple(_counted(data, f"grid{number}") for number in range(int(data["grids"])))
            whole = _counted(data, "whole") if "whole.r" in data else None
            low = None
            if "low.q" in data:
                low = LowFactors(data["low.q"], _pairs(data, "low"), data["low.values"])
            names = zip(data["names"].tolist(), data["units"].tolist(), strict=True)
            series = {name: Series(data[f"value.{name}"], unit) for name, unit in names}
            return StepObservables(data["steps"], histograms, series, whole, low)
    except FileNotFoundError:
        what = "the step has no values by frame"
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        what = f"cannot read the values by frame: {error}"
    raise UserError(what, where=path, accepted=f"the {NAME} of a finished step; make the step again")


def _pairs(data: Mapping[str, NDArray[Any]], label: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(a), str(b)) for a, b in data[f"{label}.pairs"])


def _counted(data: Mapping[str, NDArray[Any]], label: str) -> PairHistograms:
    return PairHistograms(
        data[f"{label}.r"],
        _pairs(data, label),
        data[f"{label}.counts"].astype(np.int64),
        data[f"{label}.volumes"],
        data[f"{label}.norms"],
    )
