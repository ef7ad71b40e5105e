"""Initial, current and exported pair corrections in a step directory."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, read_json
from votca_mlp.tables import Table, make_table, read_table
from votca_mlp.units import ANGSTROM_PER_NM, EV_PER_KJMOL, KJMOL_PER_EV
from votca_mlp.update.rule import PairGrid

if TYPE_CHECKING:
    from votca_mlp.potentials.correction import PairCorrection

GRID_TOLERANCE = 1e-6
"""Grids agree when their points differ by less than this, nm."""

LARGEST = 1e15
"""Of an initial u(r), kJ/mol: cores of tables that others make end far below it, float32 not far above."""


def check_grid(table: Table, grid: NDArray[np.float64], *, where: str | Path) -> None:
    """Refuse a table that is not on min:step:max (nm).

    Raises
    ------
    UserError
        Naming ``where`` and the command that resamples the table.
    """
    x = table.x
    if len(x) == len(grid) and np.abs(x - grid).max() < GRID_TOLERANCE:
        return
    wanted = f"{grid[0]:g}:{grid[1] - grid[0]:g}:{grid[-1]:g}"
    raise UserError(
        f"the table has {len(x)} points from {x[0]:g} to {x[-1]:g} nm, not those of the grid {wanted}",
        where=where,
        accepted=f"min:step:max of the interaction; csg_resample --in OLD --out NEW --grid {wanted} makes it "
        "where OLD covers the range",
    )


def initial_potential(pair: PairGrid, main_directory: Path, table_name: str = "") -> tuple[Table, bool]:
    """Return u^0 on the interaction's grid (nm, kJ/mol), and whether it was given.

    ``NAME.pot.in`` of the main directory is used as it is, zero otherwise. Nothing is extrapolated: u is
    constant below the grid and zero beyond it.

    Parameters
    ----------
    table_name
        NAME of a further term of u(r; T); that of the interaction by default.

    Raises
    ------
    UserError
        A pot.in that is not on the grid, has undefined points or values that no simulation can have.
    """
    path = main_directory / f"{table_name or pair.name}.pot.in"
    if not path.exists():
        return make_table(pair.points, np.zeros(len(pair.points)), comments=("no correction yet",)), False
    table = read_table(path)
    check_grid(table, pair.points, where=path)
    if (table.flags == "u").any() or not np.isfinite(table.y).all():
        x = table.x[(table.flags == "u") | ~np.isfinite(table.y)][0]
        raise UserError(f"the value at {x:g} nm is undefined", where=path, accepted="a value at every point")
    if np.abs(table.y).max() > LARGEST:
        k = np.abs(table.y).argmax()
        what = f"the value at {table.x[k]:g} nm is {table.y[k]:g} kJ/mol"
        raise UserError(what, where=path, accepted=f"at most {LARGEST:g}, also where no atoms come")
    return make_table(pair.points, table.y, comments=(f"from {path.name}",)), True


TERMS = "terms.json"
"""In a state's folder of a step, where u(r) is a sum of terms in temperature: tables and factors."""


def current_correction(pairs: Sequence[PairGrid], directory: Path) -> "PairCorrection":
    """Return the correction that a step, or a state of it, is simulated with.

    The splines of u(r; T)'s terms are added, not their tables: Akima's rule is not linear in a table, and the
    simulation must have the forces that the file ``u_of_T.yaml`` has at this temperature.

    Raises
    ------
    UserError
        A damaged table or list of terms.
    """
    from votca_mlp.potentials.correction import read_correction

    if not (directory / TERMS).is_file():
        return read_correction({pair.species: directory / f"{pair.name}.pot.cur" for pair in pairs})
    from votca_mlp.potentials.temperature import from_terms

    try:
        data = read_json(directory / TERMS)
        temperature, reference, scale = (float(data[k]) for k in ("temperature", "reference", "scale"))
        stems = {pair.name: data["tables"][pair.name] for pair in pairs}
        count = min(map(len, stems.values()))
        tables = [
            {pair.species: directory.parent / stems[pair.name][k] for pair in pairs} for k in range(count)
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        accepted = "the file as it was, or remove the step to make it again"
        raise UserError(f"cannot be read: {error!r}", where=directory / TERMS, accepted=accepted) from None
    terms = [read_correction(table) for table in tables]
    return from_terms(terms, reference, scale, minimum=temperature, maximum=temperature).at(temperature)


def export_potential(source: Path, out: Path) -> None:
    """Write r (nm), u (kJ/mol), -du/dr (kJ/mol/nm) of a potential, as the engine uses it.

    Raises
    ------
    UserError
        A bad table.
    """
    # scipy's import would double the time of the commands that do not need it
    from votca_mlp.potentials.akima import akima_from_table

    table = read_table(source)
    spline = akima_from_table(table, where=str(source))
    u, slope = spline.evaluate(table.x * ANGSTROM_PER_NM)
    columns = (table.x, u / EV_PER_KJMOL, -slope * KJMOL_PER_EV * ANGSTROM_PER_NM)
    with atomic_write(out) as file:
        file.write("# r (nm)  u (kJ/mol)  -du/dr (kJ/mol/nm)\n")
        for row in zip(*columns, strict=True):
            file.write(" ".join(f"{value:.12g}" for value in row) + "\n")


def hold_ends(table: Table) -> Table:
    """Return the table with the points outside the valid ones (flag i) held at the nearest valid value.

    Raises
    ------
    UserError
        No valid point.
    """
    valid = np.flatnonzero(table.valid)
    if not len(valid):
        raise UserError("the table has no valid point", accepted="points flagged i")
    y = table.y.copy()
    y[: valid[0]] = y[valid[0]]
    y[valid[-1] + 1 :] = y[valid[-1]]
    return table.with_y(y)
