"""Kind ``hippynn``: a HIP-NN file of ours, or a hippynn experiment."""

from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.models.kind import ModelKind
from votca_mlp.models.load import named_path

if TYPE_CHECKING:
    from votca_mlp.models.hipnn.model import HipnnModel
    from votca_mlp.models.options import MLPSettings


def _load(mlp: "MLPSettings", main_directory: Path) -> "HipnnModel":
    from votca_mlp.models.hipnn.files import load_hipnn

    return load_hipnn(named_path(mlp, main_directory), trust_pickle=mlp.trust_pickle)


KIND = ModelKind(_load)
