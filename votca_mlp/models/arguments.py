"""``<arguments>`` of a calculator: files that they name, numbers that nothing can use, wrong names."""

import hashlib
import importlib.machinery
import inspect
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.files import sha256_of

if TYPE_CHECKING:
    from votca_mlp.models.options import MLPSettings

CUTOFF_MAX = 100.0
"""Angstrom; models have 4 to 12. A neighbour list beyond it fills the memory, and takes for ever."""
CUTOFFS = ("cutoff", "rc", "rcut", "r_cut", "r_max", "rmax", "cutoff_radius")


def resolved(value: Any, main_directory: Path) -> Any:
    """Return arguments in which every file beside the settings is named by its absolute path.

    Text counts as a file where one of that name is there (~ and $VARIABLES expanded), relative to
    ``main_directory``; as a folder only where it is written with a slash, as ``small`` may mean a model.
    """
    if isinstance(value, Mapping):
        return {key: resolved(item, main_directory) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(item, main_directory) for item in value]
    path = _file(value, main_directory)
    return value if path is None else str(path)


def _file(value: Any, main_directory: Path) -> Path | None:
    if not isinstance(value, str) or not value.strip() or "\n" in value or "\0" in value:
        return None
    path = main_directory.absolute() / os.path.expanduser(os.path.expandvars(value))
    try:
        there = path.is_file() or ("/" in value and path.is_dir())
    except OSError:  # a name too long for a file
        return None
    return path if there else None


def user_module(calculator: str | None, main_directory: Path) -> Path | None:
    """Return the file or package beside the settings that ``module:callable`` comes from; None elsewhere."""
    top = (calculator or "").partition(":")[0].partition(".")[0].strip()
    if not top.isidentifier():
        return None
    for path in (main_directory / f"{top}.py", main_directory / top / "__init__.py"):
        if path.is_file():
            break
    else:
        return None
    try:
        # not what happens to be imported: that may be of another run
        spec = importlib.machinery.PathFinder.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    # what is installed comes first
    if spec is not None and spec.origin and Path(spec.origin).resolve() != path.resolve():
        return None
    return path.parent if path.name == "__init__.py" else path


def code_digest(mlp: "MLPSettings", main_directory: Path) -> str | None:
    """Return a digest of the files that ``<arguments>`` name and of the module beside the settings.

    By their place in the arguments and their content, not by their paths. None where there are none.
    """
    found: dict[str, str] = {
        place: sha256_of(path) for place, path in _files(mlp.arguments, main_directory, "arguments")
    }
    module = user_module(mlp.calculator, main_directory)
    if module is not None:
        sources = sorted(module.rglob("*.py")) if module.is_dir() else [module]
        found |= {f"module {path.relative_to(module.parent)}": sha256_of(path) for path in sources}
    if not found:
        return None
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()


def own_files(mlp: "MLPSettings", main_directory: Path) -> list[Path]:
    """Return the files of a model: that of <model>, the module beside the settings, what <arguments> name."""
    found = [path for _, path in _files([mlp.model, mlp.arguments], main_directory, "")]
    module = user_module(mlp.calculator, main_directory)
    return found if module is None else [*found, module]


def _files(value: Any, main_directory: Path, place: str) -> Iterator[tuple[str, Path]]:
    items = dict(enumerate(value)) if isinstance(value, list | tuple) else value
    if isinstance(items, Mapping):
        for key, item in items.items():
            yield from _files(item, main_directory, f"{place}.{key}")
    path = _file(value, main_directory)
    if path is not None:
        yield place, path


def unusable(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with numbers among the arguments, and what is accepted."""
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            yield from unusable(value)
        cutoff = str(name).lower() in CUTOFFS
        if cutoff and isinstance(value, bool):
            yield f"{name} is {str(value).lower()}", f"above 0, at most {CUTOFF_MAX:g} Angstrom"
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if math.isnan(value) or (cutoff and not 0.0 < value <= CUTOFF_MAX):
            accepted = f"above 0, at most {CUTOFF_MAX:g} Angstrom" if cutoff else "a number"
            yield f"{name} is {value:g}", accepted


def swallowed(target: Any, calculator: Any, arguments: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the names among the arguments that nothing declares, and those that are declared.

    For a callable with ``**kwargs``: ASE's own base class takes any name, keeps it as a parameter and never
    looks at it. Declared are the arguments of the callable and of the calculator's classes, and the
    calculator's ``default_parameters``. Both are empty where the class says nothing: what it does with other
    names cannot be known.
    """
    defaults = getattr(calculator, "default_parameters", None)
    known = set(defaults) if isinstance(defaults, Mapping) else set()
    for function in (target, *(vars(kind).get("__init__") for kind in type(calculator).__mro__)):
        if callable(function):
            known |= _explicit(function)
    known -= {"self", "args", "kwargs"}
    return sorted(set(arguments) - known), sorted(known)


def _explicit(function: Any) -> set[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return set()
    return {each.name for each in parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)}


def takes_any(signature: inspect.Signature | None) -> bool:
    """Return whether a callable has ``**kwargs``."""
    return signature is not None and any(
        each.kind is each.VAR_KEYWORD for each in signature.parameters.values()
    )
