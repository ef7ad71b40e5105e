"""From tables in memory to the potential that is exported: of a run in Python, without a settings.xml."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.errors import UserError
from votca_mlp.export.content import ExportContent, ExportedTable, band_of
from votca_mlp.export.potential import CorrectedPotential
from votca_mlp.models.origin import describe_model
from votca_mlp.potentials.correction import correction_of_tables
from votca_mlp.tables import Table

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.models.options import MLPSettings


def potential_of_tables(
    mlp: "MLPSettings",
    main_directory: Path,
    tables: Mapping[tuple[str, str], Table],
    atoms: "Atoms",
    *,
    temperature: float,
    pressure: float | None,
    step: int,
    skin: float = 0.5,
) -> CorrectedPotential:
    """Return what is exported of a model and tables u(r).

    Parameters
    ----------
    mlp, main_directory
        The model, and where its relative paths start.
    tables
        u(r) in kJ/mol of r in nm, by pair of chemical symbols.
    atoms
        A configuration with all of the pairs, to compare on.
    temperature, pressure
        That the correction holds at: K; bar, or None at constant volume.
    step
        Number of the simulation that ran with these tables.
    skin
        Of the neighbour list, Angstrom.

    Raises
    ------
    UserError
        A model that is missing, a table that cannot be used, a correction that is zero.
    """
    names = {pair: "-".join(pair) for pair in tables}
    correction = correction_of_tables({pair: (table, names[pair]) for pair, table in tables.items()})
    if not any(spline.coefficients.any() for spline in correction.pairs.values()):
        raise UserError("u(r) is zero", where=", ".join(names.values()), accepted="a correction")
    content = ExportContent(
        model=describe_model(mlp, main_directory, skin),
        settings=None,
        settings_sha256=None,
        step=step,
        temperatures=(temperature,),
        ensemble="nvt" if pressure is None else "npt",
        pressure=pressure,
        tables=tuple(
            ExportedTable(name, pair, f"{name}.table", band=band_of(tables[pair]))
            for pair, name in names.items()
        ),
    )
    compared = atoms.copy()
    compared.rattle(0.05, seed=1)
    named = {names[pair]: table for pair, table in tables.items()}
    return CorrectedPotential(content, mlp, correction, named, compared)
