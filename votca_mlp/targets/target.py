"""One measured curve that a correction is fitted to."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.tables import Table, grid_points, make_table, read_table, undefined_table, write_table
from votca_mlp.targets.window import RdfWindow
from votca_mlp.units import ANGSTROM_PER_NM

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """An observable's measured values.

    Attributes
    ----------
    observable
        Its name in the registry of observables; ``rdf`` is g(r) of a pair of species.
    species
        Chemical symbols that it is of, two for ``rdf``.
    x
        Where it was measured, increasing, shape [n]: r in Angstrom for ``rdf``.
    values
        Shape [n]: g for ``rdf``.
    errors
        Standard errors, shape [n], or None where they are not known.
    weight
        Of this target among those of a fit.
    flags
        ``i`` valid, ``o`` outside the measured range, ``u`` undefined, shape [n]; all valid by default.
    source
        The file, or what else messages are to name.
    window
        For ``rdf``: through what it was seen (:class:`votca_mlp.targets.window.RdfWindow`); the simulated
        g(r) is compared as seen through it. None: as it is.
    """

    observable: str
    species: tuple[str, ...]
    x: Array
    values: Array
    errors: Array | None = None
    weight: float = 1.0
    flags: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype="<U1"))
    source: str = ""
    window: RdfWindow | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", np.asarray(self.x, float))
        object.__setattr__(self, "values", np.asarray(self.values, float))
        if self.errors is not None:
            object.__setattr__(self, "errors", np.asarray(self.errors, float))
        if not len(self.flags):
            object.__setattr__(self, "flags", np.full(len(self.x), "i"))
        columns = [self.values, self.flags] + ([] if self.errors is None else [self.errors])
        if self.x.ndim != 1 or any(column.shape != self.x.shape for column in columns):
            raise ValueError("x, values, errors and flags must be one-dimensional and equally long")

    def __repr__(self) -> str:
        """In a line: a notebook shows it."""
        errors = "without errors" if self.errors is None else "with errors"
        ends = f" from {self.x[0]:g} to {self.x[-1]:g}" if len(self.x) else ""
        source = f", {self.source}" if self.source else ""
        name = f"{self.observable} {'-'.join(self.species)}".strip()
        return f"Target({name}: {len(self.x)} points{ends}, {errors}{source})"

    @property
    def known(self) -> bool:
        """Whether anything was measured of it (:func:`no_target`)."""
        return bool((self.flags != "u").any())

    @property
    def table(self) -> Table:
        """The same as VOTCA's table NAME.dist.tgt: r in nm."""
        x = np.round(self.x / ANGSTROM_PER_NM, 12)
        return Table(x, self.values, self.flags, self.errors)


def target_of_table(
    table: Table,
    species: tuple[str, str],
    *,
    weight: float = 1.0,
    source: str | Path = "",
    seen: RdfWindow | None = None,
) -> Target:
    """Return g(r) of a pair of species from VOTCA's table (r in nm), and through what it was seen."""
    r = table.x * ANGSTROM_PER_NM
    return Target("rdf", species, r, table.y, table.yerr, weight, table.flags, str(source), seen)


def no_target(species: tuple[str, str], grid: tuple[float, float, float], *, weight: float = 1.0) -> Target:
    """Return what stands for the g(r) of a pair of species that nothing was measured of.

    u(r) of the pair follows from the other data; it begins at the grid's first point, and its g(r) is
    compared with nothing.

    Parameters
    ----------
    grid
        First point, last point and spacing of g(r) and u(r), Angstrom; the first > 0, beyond bonds that u(r)
        is to leave alone.

    Raises
    ------
    UserError
        A grid that is none.
    """
    low, high, step = (value / ANGSTROM_PER_NM for value in grid)
    if not (0.0 < low < high and 0.0 < step < high - low):
        raise UserError(
            f"the grid is {grid[0]:g} to {grid[1]:g} Angstrom in steps of {grid[2]:g}",
            where="no_target",
            accepted="0 < first < last, spacing > 0: without a target u(r) begins at the first point",
        )
    return target_of_table(undefined_table(grid_points(low, high, step)), species, weight=weight)


def read_target(
    path: str | Path, species: tuple[str, str], *, weight: float = 1.0, seen: RdfWindow | None = None
) -> Target:
    """Read g(r) of a pair of species from a NAME.dist.tgt.

    Raises
    ------
    UserError
        No such table, or a damaged one.
    """
    return target_of_table(read_table(path), species, weight=weight, source=path, seen=seen)


def write_target(path: str | Path, target: Target) -> None:
    """Write a target as the NAME.dist.tgt of a run."""
    write_table(path, target.table)


def density_target(value: float, sigma: float | None = None, *, source: str | Path = "") -> Target:
    """Return a measured mass density as a target of one point.

    Parameters
    ----------
    value, sigma
        kg/m^3; the standard error is None where it is not known.
    """
    return number_target("density", value, sigma, source=source)


def number_target(
    observable: str, value: float, sigma: float | None = None, *, source: str | Path = ""
) -> Target:
    """Return a measured number, in the unit of its observable, as a target of one point."""
    errors = None if sigma is None else np.array([sigma])
    return Target(observable, (), np.zeros(1), np.array([value]), errors, source=str(source))


def rdf_target(
    species: tuple[str, str],
    r: Array,
    g: Array,
    sigma: Array | None = None,
    *,
    weight: float = 1.0,
    seen: RdfWindow | None = None,
) -> Target:
    """Return a target g(r) from arrays.

    Parameters
    ----------
    species
        Two chemical symbols.
    r
        Angstrom, increasing, shape [n].
    g, sigma
        g(r) and its standard error, shape [n].
    seen
        The range of Q and the window that g was made with, where it is not the liquid's own.
    """
    made = make_table(np.round(np.asarray(r, float) / ANGSTROM_PER_NM, 12), g, yerr=sigma)
    return target_of_table(made, species, weight=weight, seen=seen)
