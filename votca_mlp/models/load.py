"""From ``cg.inverse.mlp`` of a settings.xml to a model."""

import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.files import refuse_special
from votca_mlp.models.arguments import CUTOFF_MAX

if TYPE_CHECKING:
    from votca_mlp.models.contract import PairModel
    from votca_mlp.models.options import MLPSettings

_TAG = "cg.inverse.mlp"
BUILTIN = "builtin:"
"""Before the name of a model that comes with the package."""


def load_model(mlp: "MLPSettings", main_directory: str | Path) -> "PairModel | Any":
    """Return the model that the settings name: a :class:`PairModel`, or an ASE calculator.

    Raises
    ------
    UserError
        A model that does not exist or cannot be read, a cutoff that cannot be; names what is accepted.
    """
    from votca_mlp.models.kind import model_kind

    model = model_kind(mlp.kind).load(mlp, Path(main_directory))
    cutoff = getattr(model, "cutoff", None)
    # of an ASE calculator it may be anything, and in any unit
    if hasattr(model, "energies_and_gradient") and not _is_cutoff(cutoff):
        what, accepted = (
            f"the model's cutoff is {cutoff}",
            f"a number above 0, at most {CUTOFF_MAX:g} Angstrom",
        )
        raise UserError(what, where=f"{_TAG} ({mlp.kind})", accepted=accepted)
    return model


def _is_cutoff(value: object) -> bool:
    return isinstance(value, int | float) and 0.0 < value <= CUTOFF_MAX


def named_path(mlp: "MLPSettings", main_directory: str | Path) -> Path:
    """Return the path that ``<model>`` names, see :func:`model_path`.

    Raises
    ------
    UserError
        None is named; as :func:`model_path`.
    """
    if not mlp.model:
        raise UserError("no model is named", where=f"{_TAG}.model", accepted="a path or builtin:NAME")
    return model_path(mlp.model, main_directory)


def model_path(model: str, main_directory: str | Path, where: str = f"{_TAG}.model") -> Path:
    """Return the path of a model: ``builtin:NAME``, or a path with ~ and $VAR, relative to the settings.

    Parameters
    ----------
    where
        What names it, for messages.

    Raises
    ------
    UserError
        An unknown builtin (the names that exist are listed), an unset variable, no such file.
    """
    if model.startswith(BUILTIN):
        name = model.removeprefix(BUILTIN)
        names = builtin_models()
        if name not in names:
            known = ", ".join(BUILTIN + known for known in sorted(names)) or "none in this installation"
            raise UserError(f"no builtin model '{name}'", where=where, accepted=known)
        return names[name]
    expanded = os.path.expanduser(os.path.expandvars(model))
    if "$" in expanded:
        raise UserError(f"a variable in '{model}' is not set", where=where, accepted="an existing path")
    path = Path(main_directory) / expanded
    if not path.exists():
        raise UserError(f"no such file or folder: {path}", where=where, accepted="a path or builtin:NAME")
    refuse_special(path)
    return path


def builtin_models() -> dict[str, Path]:
    """Return the models that come with the package, by name."""
    folder = Path(str(resources.files("votca_mlp"))) / "data"
    return {path.stem: path for path in folder.glob("*.pt")}
