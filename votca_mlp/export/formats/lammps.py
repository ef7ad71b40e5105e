"""Format lammps: the correction as ``pair_style table``, with the lines of input that go with it.

LAMMPS cannot change a table continuously. u(r; T) becomes tables on a grid of temperatures, and between two
``run`` commands the next one is read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from votca_mlp.deploy.compare import TABLE as TABLE_TOLERANCE
from votca_mlp.deploy.compare import Comparison, compare, of_correction, of_pair_function
from votca_mlp.export.content import ExportContent
from votca_mlp.export.formats.lammps_table import enough_points, keyword, pair_function, write_table_file
from votca_mlp.export.potential import CorrectedPotential, Written
from votca_mlp.export.provenance import comment_lines
from votca_mlp.files import atomic_write
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.temperature import TemperatureCorrection

TABLE = "correction.table"
FRAGMENT = "correction.in"
TEMPERATURES = 11
"""Number of tables, equally spaced from one end of the fitted range to the other."""
_TABLE_AT = "correction_{}K.table"


def write(potential: CorrectedPotential, folder: Path) -> Written:
    """Write table and input fragment, read the table as LAMMPS does and compare.

    Raises
    ------
    UserError
        A correction that LAMMPS's grid cannot hold, or a table that disagrees with it.
    """
    if potential.of_temperature is not None:
        return _write_temperatures(potential, potential.of_temperature, folder)
    files = write_table(folder, potential.correction, potential.content)
    what = "correction as LAMMPS reads it"
    comparison = _compare(what, potential, potential.correction, folder / TABLE)
    return Written(potential.content, files, (comparison,))


def _write_temperatures(
    potential: CorrectedPotential, correction: TemperatureCorrection, folder: Path
) -> Written:
    """Write a table a temperature and one input fragment, and compare each table."""
    files = write_tables(folder, correction, potential.content)
    comparisons = [
        _compare(f"correction as LAMMPS reads it at {text} K", potential, correction.at(kelvin),
                 folder / _TABLE_AT.format(text))
        for text, kelvin in table_temperatures(correction).items()
    ]  # fmt: skip
    return Written(potential.content, files, tuple(comparisons))


def _compare(what: str, potential: CorrectedPotential, correction: PairCorrection, table: Path) -> Comparison:
    exported = of_pair_function(pair_function(table), correction.cutoff, potential.atoms)
    return compare(what, exported, of_correction(correction, potential.atoms), TABLE_TOLERANCE)


def write_table(folder: Path, correction: PairCorrection, content: ExportContent) -> tuple[str, ...]:
    """Write table and input fragment; return the file names.

    Raises
    ------
    UserError
        See :func:`votca_mlp.export.formats.lammps_table.sample`.
    """
    points = enough_points(correction)
    write_table_file(folder / TABLE, correction, comment_lines(content), points)
    _write_fragment(folder, correction, content, points, TABLE)
    return TABLE, FRAGMENT


def write_tables(folder: Path, correction: TemperatureCorrection, content: ExportContent) -> tuple[str, ...]:
    """Write a table file a temperature and one input fragment; return the file names.

    Raises
    ------
    UserError
        See :func:`votca_mlp.export.formats.lammps_table.sample`.
    """
    tables = {text: correction.at(kelvin) for text, kelvin in table_temperatures(correction).items()}
    points = max(enough_points(table) for table in tables.values())
    assert content.joined is not None
    at_one = replace(content.joined, follows_temperature=False)
    for text, table in tables.items():
        own = replace(content, temperatures=(float(text),), joined=at_one)
        write_table_file(folder / _TABLE_AT.format(text), table, comment_lines(own), points)
    first = next(iter(tables.values()))
    name = _TABLE_AT.format("${correction_temperature}")
    _write_fragment(folder, first, content, points, name, _stepping(list(tables)))
    return (*(_TABLE_AT.format(text) for text in tables), FRAGMENT)


def table_temperatures(correction: TemperatureCorrection) -> dict[str, float]:
    """Return the temperatures of the tables in K, by the text that names them."""
    grid = np.linspace(correction.minimum, correction.maximum, TEMPERATURES)
    return {f"{kelvin:.6g}": float(f"{kelvin:.6g}") for kelvin in grid}


def _write_fragment(
    folder: Path,
    correction: PairCorrection,
    content: ExportContent,
    points: int,
    table: str,
    more: Iterable[str] = (),
) -> None:
    """Write the lines of input for the file ``table``; ``more`` comes before the first command."""
    lines = [*_explanation(correction, content, points), *more, "variable correction_folder index ."]
    types = _types(correction)
    for pair, spline in correction.pairs.items():
        a, b = sorted(types[z] for z in pair)
        lines.append(
            f"pair_coeff {a} {b} table ${{correction_folder}}/{table} {keyword(pair)} {spline.cutoff!r}"
        )
    with atomic_write(folder / FRAGMENT) as file:
        file.writelines(f"{line}\n" for line in lines)


def _types(correction: PairCorrection) -> dict[int, int]:
    """Return LAMMPS's type, from 1, of each atomic number."""
    numbers = sorted({z for pair in correction.pairs for z in pair})
    return {z: kind for kind, z in enumerate(numbers, start=1)}


def _explanation(correction: PairCorrection, content: ExportContent, points: int) -> Iterator[str]:
    yield from (f"# {line}" for line in comment_lines(content))
    yield "#"
    yield "# units metal; include this after the model's own pair_coeff, in an input with"
    yield f"#   pair_style hybrid/overlay MODEL_STYLE ... table spline {points}"
    yield "#   pair_coeff * * MODEL_STYLE ..."
    yield "# Types: " + ", ".join(f"{kind} is {keyword((z,))}" for z, kind in _types(correction).items())
    yield "# Run from another directory with: variable correction_folder index PATH"
    yield "# Compare step 0 with the ASE export: with the KOKKOS package some versions of hybrid/overlay"
    yield "# replaced forces instead of adding them."


def _stepping(temperatures: list[str]) -> Iterator[str]:
    yield "#"
    yield "# LAMMPS cannot change a table continuously. Step through the temperatures, here upwards:"
    yield "#   variable correction_temperature index " + " ".join(temperatures)
    yield "#   label    next_temperature"
    yield "#   fix      ensemble all npt temp ${correction_temperature} ${correction_temperature} 0.1 &"
    yield "#                             iso 1 1 1"
    yield "#   include  correction.in"
    yield "#   run      5000"
    yield "#   next     correction_temperature"
    yield "#   jump     SELF next_temperature"
    yield "# At each change the energy jumps by the work that the change of u(r; T) does. For a temperature"
    yield "# that is not listed: votca-mlp export FILE --format lammps --temperature T"
    yield f"variable correction_temperature index {temperatures[0]}"
