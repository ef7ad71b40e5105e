"""Kind ``ase``: any ASE calculator, named as ``module:callable`` with keyword arguments."""

import importlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.models.kind import ModelKind
from votca_mlp.processes import is_interrupt

if TYPE_CHECKING:
    from votca_mlp.models.options import MLPSettings

_CALCULATOR = "cg.inverse.mlp.calculator"
_ARGUMENTS = "cg.inverse.mlp.arguments"
_ACCEPTED = "module:callable, such as ase.calculators.lj:LennardJones"
_CUTOFFS = ("rc", "cutoff", "rcut", "r_cut", "r_max")
_MOST_CUTOFF = 1000.0  # Angstrom; what an own model may have is in load.py
_NEEDED = ("energy", "forces", "stress")


def load_calculator(name: str | None, arguments: Mapping[str, Any], main_directory: str | Path) -> Any:
    """Call ``module:callable`` with ``arguments``; modules beside the settings file are found too.

    Raises
    ------
    UserError
        A missing module or callable, arguments that it does not take, an exception of its own, a result
        that is no ASE calculator or has no energy, forces and stress.
    """
    module_name, separator, attribute = (name or "").strip().partition(":")
    parts = [*module_name.split("."), *attribute.split(".")]
    if not separator or not all(part.isidentifier() for part in parts):
        raise UserError(f"'{name or ''}' is not module:callable", where=_CALCULATOR, accepted=_ACCEPTED)
    if not all(isinstance(key, str) for key in arguments):
        raise UserError("argument names must be text", where=_ARGUMENTS, accepted="a YAML mapping")
    target: Any = _import(module_name, main_directory)
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
    try:
        if signature is not None:
            signature.bind(**arguments)
        calculator = target(**arguments)
    except TypeError as error:
        takes = f"arguments of {attribute}{signature}" if signature is not None else "its arguments"
        raise UserError(f"{name}: {error}", where=_ARGUMENTS, accepted=takes) from error
    except (Exception, SystemExit) as error:
        if is_interrupt(error):
            raise
        what = f"{name} failed: {type(error).__name__}: {error}"
        raise UserError(what, where=_CALCULATOR, accepted="a callable giving an ASE calculator") from error
    _check(calculator, str(name))
    return calculator


def _import(module_name: str, main_directory: str | Path) -> Any:
    folder = str(Path(main_directory).resolve())
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
        what = f"importing '{module_name}' failed: {type(error).__name__}: {error}"
        raise UserError(what, where=_CALCULATOR, accepted="a module that can be imported") from error
    finally:
        if added:
            sys.path.remove(folder)


def _check(calculator: Any, name: str) -> None:
    from votca_mlp.models.contract import PairModel

    if isinstance(calculator, PairModel):
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
    for key in _CUTOFFS:
        value = parameters.get(key)
        if isinstance(value, int | float) and not 0.0 <= value <= _MOST_CUTOFF:
            accepted = f"from 0 to {_MOST_CUTOFF:g} Angstrom"
            raise UserError(f"{name} has {key} = {value:g} Angstrom", where=_ARGUMENTS, accepted=accepted)


def _load(mlp: "MLPSettings", main_directory: Path) -> Any:
    return load_calculator(mlp.calculator, dict(mlp.arguments or {}), main_directory)


KIND = ModelKind(
    _load, named_by="calculator", uses=("calculator", "arguments"), without_pairs="is any ASE calculator"
)
