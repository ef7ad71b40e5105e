"""Kind ``hippynn``: a HIP-NN file of ours, or a hippynn experiment."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.models.kind import Finding, ModelKind
from votca_mlp.models.load import named_path

if TYPE_CHECKING:
    from votca_mlp.models.hipnn.model import HipnnModel
    from votca_mlp.models.options import MLPSettings


def _load(mlp: "MLPSettings", main_directory: Path) -> "HipnnModel":
    from votca_mlp.models.hipnn.files import load_hipnn

    path = named_path(mlp, main_directory)
    return load_hipnn(path, trust_pickle=mlp.trust_pickle, energy_unit=mlp.energy_unit, level=mlp.level)


def _check(mlp: "MLPSettings") -> Iterator[Finding]:
    if mlp.energy_unit is not None and str(mlp.model).startswith("builtin:"):
        yield "energy_unit", f"is given for {mlp.model}, whose file says that its unit is eV", "no such tag"


def _described(mlp: "MLPSettings") -> str:
    """Return the level of theory, or the unit of an experiment's energies."""
    if mlp.level is not None:
        return f", level {mlp.level}"
    if mlp.energy_unit is not None:
        return f", trained in {mlp.energy_unit}"
    return ""


def _check_file(mlp: "MLPSettings", path: Path) -> Iterator[Finding]:
    from votca_mlp.models.hipnn.layout import NO_UNIT, UNITS, is_experiment
    from votca_mlp.models.hipnn.peek import levels_in

    if mlp.energy_unit is None and is_experiment(path):
        yield "energy_unit", NO_UNIT, UNITS
    levels = levels_in(path) if path.is_file() else None
    if levels is None and mlp.level is not None:
        yield "level", f"is '{mlp.level}', but the model has no levels of theory", "no such tag"
    elif levels is not None and mlp.level is None and len(levels) > 1:
        yield "level", "is missing: the model has several levels of theory", " | ".join(levels)
    elif levels is not None and mlp.level is not None and mlp.level not in levels:
        yield "level", f"is '{mlp.level}', which the model does not have", " | ".join(levels)


KIND = ModelKind(
    _load, uses=("energy_unit", "level"), check=_check, described=_described, check_file=_check_file
)
