"""Format table: VOTCA tables in nm and kJ/mol, zero at the last point, with their provenance."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from votca_mlp.deploy.compare import EXACT, RESAMPLED, compare, of_correction
from votca_mlp.errors import UserError
from votca_mlp.export.content import ExportContent
from votca_mlp.export.load import read_correction_of
from votca_mlp.export.potential import CorrectedPotential, Written
from votca_mlp.export.provenance import comment_lines
from votca_mlp.files import sha256_of
from votca_mlp.tables import Table, make_table, write_table


def write(potential: CorrectedPotential, folder: Path) -> Written:
    """Write ``NAME.table`` of every interaction, read them back and compare.

    Raises
    ------
    UserError
        A table that cannot be used, or whose forces are not those of the correction.
    """
    content = write_tables(folder, potential.tables, potential.content)
    exported = of_correction(read_correction_of(content, folder), potential.atoms)
    original = of_correction(potential.correction, potential.atoms)
    joined = content.joined
    resampled = joined is not None and (joined.points_per_interval or 1) > 1
    comparison = compare("correction from the table", exported, original, RESAMPLED if resampled else EXACT)
    return Written(content, tuple(table.file for table in content.tables), (comparison,))


def write_tables(folder: Path, tables: Mapping[str, Table], content: ExportContent) -> ExportContent:
    """Write ``NAME.table`` of every interaction; return the content with their digests.

    Points flagged ``u`` are left out and the last value is subtracted, as in the simulation: the file holds
    what was simulated.

    Raises
    ------
    UserError
        A table that cannot be used.
    """
    entries = []
    for entry in content.tables:
        table = tables[entry.name]
        used = table.flags != "u"
        if not used.any():
            raise UserError(
                "the table has no defined point", where=entry.name, accepted="a u(r) of a finished step"
            )
        x, y = table.x[used], table.y[used]
        lines = [*comment_lines(content), f"{'-'.join(entry.types)}: r (nm)  u (kJ/mol)  flag"]
        write_table(folder / entry.file, make_table(x, y - y[-1], comments=tuple(lines)))
        entries.append(replace(entry, sha256=sha256_of(folder / entry.file)))
    return replace(content, tables=tuple(entries))
