"""The VOTCA tables of an export: nm and kJ/mol, zero at the last point, with their provenance."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from votca_mlp.errors import UserError
from votca_mlp.export.provenance import header
from votca_mlp.tables import Table, make_table, write_table


def write_tables(folder: Path, tables: Mapping[str, Table], content: dict[str, Any]) -> list[str]:
    """Write ``NAME.table`` of every interaction; return the file names.

    Points flagged ``u`` are left out and the last value is subtracted, as in the simulation: the file holds
    what was simulated.

    Raises
    ------
    UserError
        A table that cannot be used.
    """
    names = []
    for entry in content["tables"]:
        table = tables[entry["name"]]
        used = table.flags != "u"
        if not used.any():
            raise UserError(
                "the table has no defined point", where=entry["name"], accepted="a u(r) of a finished step"
            )
        x, y = table.x[used], table.y[used]
        lines = [*header(content), f"{'-'.join(entry['types'])}: r (nm)  u (kJ/mol)  flag"]
        exported: Table = make_table(x, y - y[-1], comments=tuple(lines))
        write_table(folder / entry["file"], exported)
        names.append(entry["file"])
    return names
