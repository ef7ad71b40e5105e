"""What the package asks of a kind of model that ``<mlp><kind>`` names."""

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from votca_mlp.errors import UserError
from votca_mlp.models.registry import BUILTIN, GROUP, kind_names
from votca_mlp.plugins import read_entries

if TYPE_CHECKING:
    from votca_mlp.models.contract import PairModel
    from votca_mlp.models.options import MLPSettings

_NOT_FOR_ALL = ("calculator", "arguments", "members", "energy_unit", "level")
"""Tags of ``<mlp>`` that are refused unless a kind uses them."""

Finding = tuple[str, str, str]
"""A tag of ``<mlp>``, what is wrong with it, what is accepted."""


@dataclass(frozen=True)
class ModelKind:
    """A kind of model. Its module is imported with the settings: what is slow is imported in ``load``.

    Attributes
    ----------
    load
        From ``cg.inverse.mlp`` and the folder that relative paths start from to a ``PairModel``, or to an ASE
        calculator with energy, forces and stress; raises :class:`UserError`.
    named_by
        The tag of ``<mlp>`` that names the model and must be there: ``model`` for one with a file or folder,
        whose checksum then belongs to it, ``calculator`` for Python code; None for no such tag.
    uses
        Which of the tags ``calculator``, ``arguments``, ``members``, ``energy_unit`` and ``level`` it reads;
        the others are refused.
    without_pairs
        For a model that is no ``PairModel``: what it is, in words such as "is any ASE calculator". It chooses
        device and precision for itself, and nothing can ask it by pairs (LAMMPS's ML-IAP, TorchScript).
    check
        What else is wrong with the settings.
    check_file
        What is wrong with the settings, given the model's file or folder, which is there.
    described
        What ``votca-mlp check`` says behind the model's name, such as its unit of energy.
    """

    load: "Callable[[MLPSettings, Path], PairModel | Any]"
    named_by: str | None = "model"
    uses: tuple[str, ...] = ()
    without_pairs: str = ""
    check: "Callable[[MLPSettings], Iterable[Finding]] | None" = None
    described: "Callable[[MLPSettings], str] | None" = None
    check_file: "Callable[[MLPSettings, Path], Iterable[Finding]] | None" = None

    @property
    def has_file(self) -> bool:
        """Whether the model is a file or folder that ``<model>`` names."""
        return self.named_by == "model"

    @property
    def names_code(self) -> bool:
        """Whether the settings name Python code, which whoever gets them from others has to trust."""
        return self.named_by == "calculator"

    def name(self, mlp: "MLPSettings") -> str:
        """Return what the settings call the model; empty where nothing names it."""
        return str(getattr(mlp, self.named_by) or "") if self.named_by else ""


@functools.cache
def model_kinds() -> dict[str, ModelKind]:
    """Return all kinds by name.

    Raises
    ------
    UserError
        As :func:`votca_mlp.plugins.read_entries`.
    """
    return read_entries(BUILTIN, GROUP, ModelKind)


def model_kind(name: str) -> ModelKind:
    """Return a kind by its name.

    Raises
    ------
    UserError
        No such kind.
    """
    found = model_kinds().get(name)
    if found is None:
        *others, last = kind_names()
        accepted = f"{', '.join(others)} or {last}"
        raise UserError(f"'{name}' is no kind of model", where="cg.inverse.mlp.kind", accepted=accepted)
    return found


def is_pair_model(model: object) -> "TypeGuard[PairModel]":
    """Return whether a model is a ``PairModel``; none is where that class, with torch, is not loaded."""
    contract = sys.modules.get("votca_mlp.models.contract")
    return contract is not None and isinstance(model, contract.PairModel)


def pair_kinds() -> str:
    """Return the names of the kinds that can be asked by pairs, in words."""
    return " or ".join(name for name, kind in model_kinds().items() if not kind.without_pairs)


def model_problems(mlp: "MLPSettings") -> Iterator[Finding]:
    """Yield what is wrong with the settings of a model, by its kind."""
    from votca_mlp.fields import accepted

    kind = model_kind(mlp.kind)
    if kind.named_by and getattr(mlp, kind.named_by) is None:
        words = accepted(type(mlp).model_fields[kind.named_by])
        yield kind.named_by, f"is missing for kind {mlp.kind}", words
    for tag in _NOT_FOR_ALL:
        if tag not in kind.uses and getattr(mlp, tag) not in (None, {}):
            users = " or ".join(name for name, each in model_kinds().items() if tag in each.uses)
            yield tag, f"is not used by kind {mlp.kind}", f"kind {users} with it"
    if kind.check is not None:
        yield from kind.check(mlp)
