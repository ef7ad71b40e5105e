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
    return load_hipnn(path, trust_pickle=mlp.trust_pickle, energy_unit=mlp.energy_unit)


def _check(mlp: "MLPSettings") -> Iterator[Finding]:
    if mlp.energy_unit is not None and str(mlp.model).startswith("builtin:"):
        yield "energy_unit", f"is given for {mlp.model}, whose file says that its unit is eV", "no such tag"


def _energy_unit(mlp: "MLPSettings") -> str:
    """Return what is known of the unit of an experiment's energies, which its files do not say."""
    if mlp.energy_unit is not None:
        return f", trained in {mlp.energy_unit}"
    return ", its energies taken as eV (no <energy_unit>)" if mlp.trust_pickle else ""


KIND = ModelKind(_load, uses=("energy_unit",), check=_check, described=_energy_unit)
