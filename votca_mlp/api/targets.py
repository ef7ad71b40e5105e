"""A measured g(r) as a target."""

from collections.abc import Sequence
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.scattering.lengths import strength_of
from votca_mlp.targets.choices import Core, Function, Spline, Tail, Unit, Window
from votca_mlp.targets.target import Target, target_of_table
from votca_mlp.targets.target import read_target as read_table_target
from votca_mlp.targets.window import RdfWindow


def read_target(
    path: str | Path,
    species: tuple[str, str],
    *,
    grid: tuple[float, float, float] | None = None,
    unit: Unit = "angstrom",
    columns: Sequence[int] | None = None,
    core: Core = "zero",
    tail: Tail = "refuse",
    spline: Spline = "akima",
    function: Function | None = None,
    density: float | None = None,
    isotopes: str | None = None,
    sigma: float | None = None,
    window: Window = "auto",
    weight: float = 1.0,
    seen: RdfWindow | None = None,
) -> Target:
    """Read g(r) of a pair of species, or make it of another function that was measured.

    Parameters
    ----------
    path
        With a ``grid``: two or three columns r, g(r) [, sigma], or Q, S(Q) [, sigma], as ``votca-mlp target``
        reads them. Without: VOTCA's table NAME.dist.tgt (nm), on its own grid.
    species
        Two chemical symbols.
    grid
        First point, last point and spacing of g(r) and u(r), Angstrom.
    function, density
        What the file holds where it is not g(r), such as ``"S"`` (:mod:`votca_mlp.targets.functions`); atoms
        per cubic Angstrom, for S(Q), G, D, T and RDF.
    isotopes
        For ``"F"``, F(Q) in barn/sr: the sample's one element or its isotopes, such as ``"36Ar"``.
    sigma
        Standard error of all points, where no column has it.
    unit, columns, core, tail, spline, window
        See :func:`votca_mlp.targets.build.target_from` and :func:`votca_mlp.targets.measured.read_measured`.
    weight
        Of this target among several.
    seen
        The range of Q and the window that g(r) was made with, such as ``RdfWindow(12.0, "lorch")``: the
        simulated g(r) goes through the same before it is compared. None: it is the liquid's own.

    Raises
    ------
    UserError
        A file that cannot be read, or that holds something else; data that do not cover the grid; options for
        measured data without a grid.
    """
    if grid is None:
        named = {
            "function": function,
            "density": density,
            "isotopes": isotopes,
            "sigma": sigma,
            "columns": columns,
        }
        given = [name for name, value in named.items() if value is not None]
        if given:
            raise UserError(
                f"{' and '.join(given)} without a grid: without one a file is VOTCA's table of g(r)",
                where="read_target",
                accepted="grid=(first, last, spacing) in Angstrom",
            )
        return read_table_target(path, species, weight=weight, seen=seen)
    from votca_mlp.tables import grid_points
    from votca_mlp.targets.build import target_from
    from votca_mlp.targets.measured import read_measured
    from votca_mlp.units import ANGSTROM_PER_NM

    low, high, step = (value / ANGSTROM_PER_NM for value in grid)
    if not (0.0 <= low < high and 0.0 < step < high - low):
        raise UserError(
            f"the grid is {grid[0]:g} to {grid[1]:g} Angstrom in steps of {grid[2]:g}",
            where="read_target",
            accepted="0 <= first < last, spacing > 0",
        )
    table, _ = target_from(
        read_measured(path, columns, sigma),
        grid_points(low, high, step),
        unit=unit,
        core=core,
        tail=tail,
        spline=spline,
        function=function,
        density=density,
        window=window,
        strength=None if isotopes is None else strength_of(isotopes),
    )
    return target_of_table(table, species, weight=weight, source=path, seen=seen)
