"""Entries of a registry: the built-in ones, and those that installed packages bring as entry points."""

import functools
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

_T = TypeVar("_T")


def read_entries(builtin: Mapping[str, str], group: str, kind: type[_T]) -> dict[str, _T]:
    """Return the entries of a registry by name, the built-in ones first.

    Parameters
    ----------
    builtin
        ``module:attribute`` of an entry, by name.
    group
        Of entry points of installed packages, such as ``votca_mlp.rules``; each names its entry in the same
        way.
    kind
        What an entry must be.

    Raises
    ------
    UserError
        A package whose entry cannot be loaded, is something else, or has a name that is taken.
    """
    found = {name: _load(target) for name, target in builtin.items()}
    for point in installed(group):
        where = f"entry point {point.name} = {point.value} of group {group}"
        if point.name in builtin:
            raise UserError("the name is taken", where=where, accepted="a name of its own")
        try:
            found[point.name] = _load(point.value)
        except Exception as error:  # another package's code raises what it likes
            what = f"cannot be loaded: {type(error).__name__}: {error}"
            raise UserError(what, where=where, accepted="a package that works, or none") from error
        if not isinstance(found[point.name], kind):
            raise UserError(
                f"is a {type(found[point.name]).__name__}", where=where, accepted=f"a {kind.__name__}"
            )
    return {name: entry for name, entry in found.items() if isinstance(entry, kind)}


@functools.cache
def _all_points() -> "EntryPoints":
    from importlib.metadata import entry_points

    # reads a file of every installed package, so once for all registries
    return entry_points()


def installed(group: str) -> "EntryPoints":
    """Return the entry points of a group, nothing imported."""
    return _all_points().select(group=group)


def read_names(builtin: Mapping[str, str], group: str) -> tuple[str, ...]:
    """Return the names of a registry's entries, the built-in ones first, without importing any."""
    return *builtin, *(point.name for point in installed(group) if point.name not in builtin)


def _load(target: str) -> object:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
