"""Kind ``ase``: any ASE calculator, named as ``module:callable`` with keyword arguments."""

import importlib
import inspect
import logging
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.kernels.threads import current_threads
from votca_mlp.models.arguments import CUTOFF_MAX, CUTOFFS, resolved, swallowed, takes_any, unusable
from votca_mlp.models.kind import Finding, ModelKind, is_pair_model
from votca_mlp.processes import is_interrupt

if TYPE_CHECKING:
    from votca_mlp.models.options import MLPSettings

_CALCULATOR = "cg.inverse.mlp.calculator"
_ARGUMENTS = "cg.inverse.mlp.arguments"
_ACCEPTED = "module:callable, such as ase.calculators.lj:LennardJones"
_log = logging.getLogger(__name__)
_NEEDED = ("energy", "forces")


def load_calculator(name: str | None, arguments: Mapping[str, Any], main_directory: str | Path) -> Any:
    """Call ``module:callable`` with ``arguments``; modules beside the settings file are found too.

    Raises
    ------
    UserError
        A missing module or callable, arguments that it does not take, an exception of its own, a result
        that is no ASE calculator or has no energy and forces.
    """
    module_name, separator, attribute = (name or "").strip().partition(":")
    parts = [*module_name.split("."), *attribute.split(".")]
    if not separator or not all(part.isidentifier() for part in parts):
        raise UserError(f"'{name or ''}' is not module:callable", where=_CALCULATOR, accepted=_ACCEPTED)
    if not all(isinstance(key, str) for key in arguments):
        raise UserError("argument names must be text", where=_ARGUMENTS, accepted="a YAML mapping")
    target: Any = _import(module_name, main_directory)
    # it may have brought torch
    current_threads()
    for part in attribute.split("."):
        if not hasattr(target, part):
            what = f"module '{module_name}' has no '{attribute}'"
            raise UserError(what, where=_CALCULATOR, accepted=_ACCEPTED)
        target = getattr(target, part)
    if not callable(target):
        raise UserError(f"'{name}' cannot be called", where=_CALCULATOR, accepted=_ACCEPTED)
    try:
        signature: inspect.Signature | None = inspect.signature(target)
    except (TypeError, ValueError):  # builtins have none
        signature = None
    arguments = resolved(arguments, Path(main_directory))
    try:
        if signature is not None:
            signature.bind(**arguments)
        calculator = target(**arguments)
    except TypeError as error:
        takes = f"arguments of {attribute}{signature}" if signature is not None else "its arguments"
        raise UserError(f"{name}: {error}", where=_ARGUMENTS, accepted=takes) from error
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        if is_interrupt(error):
            raise
        what = f"{name} failed: {said(error)}"
        raise UserError(what, where=_CALCULATOR, accepted="a callable giving an ASE calculator") from error
    _check(calculator, str(name))
    if takes_any(signature):
        _check_names(target, calculator, arguments, str(name))
    return calculator


def said(error: BaseException) -> str:
    """Return an exception of other people's code as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


def _check_names(target: Any, calculator: Any, arguments: Mapping[str, Any], name: str) -> None:
    """Refuse, or where it cannot be known say, that a name is swallowed by ``**kwargs``."""
    unknown, known = swallowed(target, calculator, arguments)
    if not unknown:
        return
    from ase.calculators.calculator import Calculator

    words = ", ".join(unknown)
    declared = getattr(calculator, "default_parameters", None)
    # programs with input files hand on any name
    if isinstance(calculator, Calculator) and declared and not hasattr(calculator, "command"):
        what = f"{name} would take {words} and never look at it"
        raise UserError(what, where=_ARGUMENTS, accepted=", ".join(known))
    _log.warning(
        "%s: %s declares no %s: check the spelling, it may never be looked at", _ARGUMENTS, name, words
    )


def _import(module_name: str, main_directory: str | Path) -> Any:
    folder = str(Path(main_directory).resolve())
    _forget_others(Path(folder))
    loaded = set(sys.modules)
    added = folder not in sys.path
    if added:
        # last, so that a file beside the settings never hides an installed module
        sys.path.append(folder)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        what = f"no module '{missing}'"
        if not f"{module_name}.".startswith(f"{missing}."):
            what += f", which '{module_name}' imports"
        accepted = "an installed module, or one beside the settings"
        raise UserError(what, where=_CALCULATOR, accepted=accepted) from None
    except (Exception, SystemExit) as error:
        if is_interrupt(error):
            raise
        what = f"importing '{module_name}' failed: {said(error)}"
        raise UserError(what, where=_CALCULATOR, accepted="a module that can be imported") from error
    finally:
        if added:
            sys.path.remove(folder)
        new = [name for name in sys.modules if name.partition(".")[0] not in loaded]
        _beside.update({name: path for name in new if (path := _file_in(folder, name))})


_beside: dict[str, str] = {}
"""Files of the modules that were found beside a settings file, by the modules' names."""


def _forget_others(folder: Path) -> None:
    """Let modules beside other settings go whose names are taken again beside these.

    One process may read the settings of several runs, each with a calc.py of its own.
    """
    for name, path in list(_beside.items()):
        if Path(path).is_relative_to(folder):
            continue
        root = folder / name.partition(".")[0]
        if root.is_dir() or root.with_suffix(".py").is_file():
            del _beside[name]
            sys.modules.pop(name, None)


def _file_in(folder: str, name: str) -> str | None:
    """Return the file of a module that lies in a folder, but for what is installed below it."""
    path = getattr(sys.modules[name], "__file__", None)
    if path is None or not Path(path).is_relative_to(folder) or "site-packages" in Path(path).parts:
        return None
    return str(path)


def _check(calculator: Any, name: str) -> None:
    if is_pair_model(calculator):
        return
    properties = getattr(calculator, "implemented_properties", None)
    if properties is None or not hasattr(calculator, "calculate"):
        what = f"{name} returned {type(calculator).__name__}, which is no ASE calculator"
        raise UserError(what, where=_CALCULATOR, accepted="an ASE calculator or a PairModel")
    missing = [item for item in _NEEDED if item not in properties]
    if missing:
        what = f"{name} has no {' and no '.join(missing)}"
        raise UserError(what, where=_CALCULATOR, accepted="a calculator with " + ", ".join(_NEEDED))
    _check_cutoff(calculator, name)


def _check_cutoff(calculator: Any, name: str) -> None:
    """Refuse a cutoff under one of ASE's names for it with which its search for neighbours would not end."""
    parameters = getattr(calculator, "parameters", None)
    if not isinstance(parameters, Mapping):
        return
    for key in CUTOFFS:
        value = parameters.get(key)
        if isinstance(value, int | float) and not 0.0 <= value <= CUTOFF_MAX:
            accepted = f"from 0 to {CUTOFF_MAX:g} Angstrom"
            raise UserError(f"{name} has {key} = {value:g} Angstrom", where=_ARGUMENTS, accepted=accepted)


def _load(mlp: "MLPSettings", main_directory: Path) -> Any:
    calculator = load_calculator(mlp.calculator, dict(mlp.arguments or {}), main_directory)
    given = {"device", "dtype"} & getattr(mlp, "model_fields_set", set())
    if given and not is_pair_model(calculator):
        tags = " and ".join(f"<{tag}>" for tag in sorted(given))
        _log.warning("%s: not used with %s, which has its own <arguments> for it", tags, mlp.calculator)
    return calculator


def _problems(mlp: "MLPSettings") -> Iterator[Finding]:
    for what, accepted in unusable(mlp.arguments):
        yield "arguments", what, accepted


KIND = ModelKind(
    _load,
    named_by="calculator",
    uses=("calculator", "arguments"),
    without_pairs="is any ASE calculator",
    check=_problems,
)
