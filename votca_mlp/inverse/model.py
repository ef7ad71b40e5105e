"""The model of a run: what names it and its files, and its loading."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.runs.environment import whole_number
from votca_mlp.runs.record import digest

if TYPE_CHECKING:
    from votca_mlp.models.options import MLPSettings


def with_threads(mlp: "MLPSettings", threads: int | None) -> "MLPSettings":
    """Return the settings with VOTCA's CSG_NUM_THREADS in the place of ``auto``."""
    if threads is None or mlp.threads is not None:
        return mlp
    return mlp.model_copy(update={"threads": threads})


def model_loader(mlp: "MLPSettings", directory: Path) -> Callable[[], Any]:
    """Return what loads the model; obeys CSG_NUM_THREADS.

    Raises
    ------
    UserError
        CSG_NUM_THREADS is not a number.
    """
    threaded = with_threads(mlp, whole_number("CSG_NUM_THREADS"))

    def load() -> Any:
        from votca_mlp.kernels.threads import set_threads
        from votca_mlp.models.load import load_model

        set_threads(threaded.threads)
        return load_model(threaded, directory)

    return load


def model_facts(mlp: "MLPSettings", directory: Path, identity: str) -> dict[str, Any]:
    """Return kind, path and SHA-256 of the model (of every file of a folder)."""
    from votca_mlp.models.identity import model_file
    from votca_mlp.models.kind import model_kind
    from votca_mlp.models.options import later_facts

    facts: dict[str, Any] = {"kind": mlp.kind, "identity": identity}
    path = model_file(mlp, directory)
    if path is None:
        return {**facts, **{tag: getattr(mlp, tag) for tag in model_kind(mlp.kind).uses}}
    if path.is_dir():
        files = sorted(item for item in path.rglob("*") if item.is_file())
        sums: Any = {str(item.relative_to(path)): digest(item)[1] for item in files}
    else:
        sums = digest(path)[1]
    facts |= later_facts(mlp)
    return {**facts, "name": mlp.model, "path": str(path), "sha256": sums}
