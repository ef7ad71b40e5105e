"""A measurement as settings have it, and its values by name or from a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from votca_mlp.scattering.data import Normalisation, Radiation
    from votca_mlp.scattering.read import Written

EDGES = ("x", "y", "z")


class Measured(Protocol):
    """A measurement as settings have it."""

    @property
    def state(self) -> str | None:
        """Name of the state; None for what is known of configurations at rest."""

    @property
    def quantity(self) -> str:
        """One of the names of :mod:`.quantities` or :mod:`.rest_quantities`."""

    @property
    def values(self) -> Mapping[str, float]:
        """By label."""

    @property
    def errors(self) -> Mapping[str, float]:
        """By label."""

    @property
    def file(self) -> str | None:
        """A curve."""

    @property
    def crystal(self) -> str:
        """Of elastic constants."""

    @property
    def species(self) -> tuple[str, ...]:
        """Of g(r), S(Q) and angles."""

    @property
    def reach(self) -> float | None:
        """Of S(Q), F(Q) and angles, Angstrom."""

    @property
    def radiation(self) -> "Radiation":
        """Of F(Q)."""

    @property
    def isotopes(self) -> str:
        """Of F(Q) of neutrons, as :func:`votca_mlp.scattering.lengths.parsed_isotopes` reads them."""

    @property
    def written(self) -> "Written":
        """What the second column of F(Q) is."""

    @property
    def normalisation(self) -> "Normalisation":
        """What F(Q) is divided by."""

    @property
    def multiples(self) -> Mapping[str, Mapping[str, float]]:
        """By lattice constant: edges of the box, and how many times it they are."""

    @property
    def configurations(self) -> tuple[str, ...]:
        """Files of what is at rest."""


def title(measured: Measured) -> str:
    """Return what messages and results call it."""
    if measured.state is not None:
        return f"{measured.quantity} at {measured.state}"
    return " ".join([measured.quantity, *(Path(name).stem for name in measured.configurations)])


def named_values(labels: tuple[str, ...], measured: Measured, unit: float = 1.0) -> "tuple[Tensor, Tensor]":
    """Return values and errors by label, nan where there is none; ``unit`` is how many of the observable's.

    Raises
    ------
    UserError
        Names that are not among the labels, an error without a value.
    """
    import torch

    for what, given in (("values", measured.values), ("errors", measured.errors)):
        unknown = [name for name in given if name not in labels]
        if unknown:
            raise UserError(
                f"{what} of {title(measured)}: {', '.join(unknown)} is not among them",
                where="experiments",
                accepted=", ".join(labels),
            )
    alone = [name for name in measured.errors if name not in measured.values]
    if alone:
        raise UserError(
            f"{title(measured)}: {', '.join(alone)} has an error and no value",
            where="experiments",
            accepted="a value with each error",
        )
    columns: list[Any] = [
        torch.tensor([given.get(label, np.nan) for label in labels], dtype=torch.float64) / unit
        for given in (measured.values, measured.errors)
    ]
    return columns[0], columns[1]


def multiples_of(measured: Measured) -> dict[str, list[tuple[int, float]]]:
    """Return how many times each lattice constant the edges of the box are, edges as numbers.

    Raises
    ------
    UserError
        None given, or an edge other than x, y and z.
    """
    found = {}
    for name, edges in measured.multiples.items():
        found[name] = [(EDGES.index(edge), number) for edge, number in edges.items() if edge in EDGES]
    if not found or any(len(found[name]) != len(edges) for name, edges in measured.multiples.items()):
        raise UserError(
            f"lattice constants of {title(measured)} without the edges of the box that they are of",
            where="experiments",
            accepted="multiples: {a: {x: 4, y: 4, z: 4}} for four cubic cells along x, y and z",
        )
    return found


def curve(measured: Measured, directory: Path, of: str, count: int) -> "tuple[NDArray[np.float64], Any, Any]":
    """Return the first column of a curve's file, its values and their errors.

    Parameters
    ----------
    measured, directory
        What names the file, and where relative paths start.
    of
        What the columns are, for messages.
    count
        Of species that there have to be.

    Raises
    ------
    UserError
        No file or other species, no such table, or one that is not evenly spaced.
    """
    import torch

    example = "[" + ", ".join(["Al"] * count) + "]"
    if measured.file is None or len(measured.species) != count:
        raise UserError(
            f"{title(measured)} without a file, or without {count} species",
            where="experiments",
            accepted=f"file: a table of {of}; species: {example}",
        )
    table = _table(directory / measured.file, of)
    return table[:, 0], torch.from_numpy(table[:, 1].copy()), torch.from_numpy(table[:, 2].copy())


def reach_of(measured: Measured, why: str) -> float:
    """Return the reach of a measurement.

    Raises
    ------
    UserError
        None given.
    """
    if measured.reach is None:
        raise UserError(f"{title(measured)} without reach", where="experiments", accepted=why)
    return measured.reach


def has_columns(path: Path, count: int) -> bool:
    """Whether a file is a plain table of so many columns."""
    try:
        return bool(np.loadtxt(path, ndmin=2).shape[1] == count)
    except (OSError, ValueError):
        return False


def _table(path: Path, of: str) -> "NDArray[np.float64]":
    accepted = f"a table of {of}, evenly spaced"
    try:
        table = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the curve: {error}", where=path, accepted=accepted) from None
    if table.shape[1] < 3:
        raise UserError("has no column of errors", where=path, accepted=accepted)
    steps = np.diff(table[:, 0])
    if len(table) < 2 or np.abs(steps - steps.mean()).max() > 1e-3 * steps.mean() or steps.mean() <= 0:
        raise UserError("the first column is not evenly spaced", where=path, accepted=accepted)
    return np.asarray(table[:, :3], np.float64)
