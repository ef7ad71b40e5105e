"""The update of one interaction: from VOTCA's tables to VOTCA's table (nm, kJ/mol)."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.inverse.potentials import check_grid
from votca_mlp.tables import Table, grid_points, read_table
from votca_mlp.targets.agreement import compare_tables
from votca_mlp.update.weights import table_weight, target_weight
from votca_mlp.update.wibi import wibi_update

if TYPE_CHECKING:
    from votca_mlp.settings import Interaction, WibiSettings


def interaction_weight(
    wibi: "WibiSettings", grid: NDArray[np.float64], target: NDArray[np.float64], main_directory: Path
) -> NDArray[np.float64]:
    """Return w(r) of an interaction on its grid (nm), shape [n].

    Raises
    ------
    UserError
        A weight table that is missing, bad or too short.
    """
    if wibi.weight == "uniform":
        return np.ones(len(grid))
    if wibi.weight == "table":
        if not wibi.weight_file:
            raise UserError(
                "weight 'table' needs a file", where="inverse.wibi.weight_file", accepted="a VOTCA table"
            )
        path = main_directory / wibi.weight_file
        return table_weight(read_table(path), grid, where=str(path))
    return target_weight(target, wibi.power if wibi.weight == "power" else 1.0)


def update_table(
    interaction: "Interaction",
    *,
    target: Path,
    rdf: Path,
    potential: Path,
    kbt: float,
    main_directory: Path,
) -> Table:
    """Return the update of an interaction's potential, kJ/mol, flagged ``o`` where it is only held.

    Parameters
    ----------
    interaction
        Gives the grid, alpha and the weight.
    target, rdf, potential
        VOTCA tables of the target RDF, the simulated RDF and the current potential.
    kbt
        kJ/mol.
    main_directory
        Where a weight table lies.

    Raises
    ------
    UserError
        Tables on other grids, a zero or non-finite RDF.
    """
    grid = grid_points(interaction.min, interaction.max, interaction.step)
    tables = {path: read_table(path) for path in (target, rdf, potential)}
    for path, table in tables.items():
        check_grid(table, grid, where=path)
    wanted, measured, current = (tables[path] for path in (target, rdf, potential))
    defined = np.asarray((current.flags != "u") & (wanted.flags != "u") & (measured.flags != "u"))
    weight = interaction_weight(interaction.wibi, grid, np.nan_to_num(wanted.y), main_directory)
    try:
        update, flags = wibi_update(
            # an undefined point may hold anything, also nan
            np.where(np.isfinite(measured.y), measured.y, 0.0),
            np.where(np.isfinite(wanted.y), wanted.y, 0.0),
            kbt,
            alpha=interaction.wibi.alpha,
            weight=weight,
            defined=defined,
        )
    except UserError as error:
        raise UserError(
            error.what,
            where=f"interaction {interaction.name}, {rdf} against {target}",
            accepted=error.accepted,
        ) from None
    comment = f"wIBI update, alpha {interaction.wibi.alpha:g}, weight {interaction.wibi.weight}"
    return Table(grid, update, flags, comments=(comment,))


def described_agreement(name: str, rdf: Path, target: Path) -> str:
    """Return a line about how far the simulated RDF is from its target."""
    found = compare_tables(read_table(rdf), read_table(target))
    error = f" +- {found.rms_error:.2g}" if np.isfinite(found.rms_error) else ""
    chi2 = "" if found.chi2 is None else f", chi^2 a point {found.chi2:.3g}"
    return f"{name}: g(r) is {found.rms:.4f}{error} (rms) from its target{chi2}"
