"""Kind ``ani``: a committee of ANI networks in NeuroChem's format."""

from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.models.kind import ModelKind
from votca_mlp.models.load import named_path

if TYPE_CHECKING:
    from votca_mlp.models.ani.model import AniModel
    from votca_mlp.models.options import MLPSettings


def _load(mlp: "MLPSettings", main_directory: Path) -> "AniModel":
    path = named_path(mlp, main_directory)
    from votca_mlp.models.ani.model import AniModel
    from votca_mlp.models.ani.neurochem import read_neurochem

    return AniModel(read_neurochem(path, None if mlp.members is None else tuple(mlp.members)))


KIND = ModelKind(_load, uses=("members",))
