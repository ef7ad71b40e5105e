"""u(r; T) for LAMMPS: tables on a grid of temperatures, and the input that steps through them.

LAMMPS cannot change a table continuously: between two ``run`` commands the next one is read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.export.lammps import FRAGMENT, enough_points, fragment, write_table_file
from votca_mlp.files import atomic_write
from votca_mlp.potentials.temperature import TemperatureCorrection

TEMPERATURES = 11
"""Number of tables, equally spaced from one end of the fitted range to the other."""
_NAME = "correction_{}K.table"


def table_temperatures(correction: TemperatureCorrection) -> dict[str, float]:
    """Return the temperatures of the tables in K, by the text that names them."""
    grid = np.linspace(correction.minimum, correction.maximum, TEMPERATURES)
    return {f"{kelvin:.6g}": float(f"{kelvin:.6g}") for kelvin in grid}


def table_name(text: str) -> str:
    """Return the file of a temperature, by its text."""
    return _NAME.format(text)


def write_lammps_tables(
    folder: Path, correction: TemperatureCorrection, content: dict[str, Any]
) -> list[str]:
    """Write a table file a temperature and one input fragment; return the file names.

    Raises
    ------
    UserError
        See :func:`votca_mlp.export.lammps.sample`.
    """
    tables = {text: correction.at(kelvin) for text, kelvin in table_temperatures(correction).items()}
    points = max(enough_points(table) for table in tables.values())
    for text, table in tables.items():
        joined = content["joined"] | {"follows_temperature": False}
        own = content | {"temperatures": [float(text)], "joined": joined}
        write_table_file(folder / table_name(text), table, own, points)
    first = next(iter(tables.values()))
    more = _stepping(list(tables))
    with atomic_write(folder / FRAGMENT) as file:
        name = table_name("${correction_temperature}")
        file.writelines(f"{line}\n" for line in fragment(first, content, points, name, more))
    return [*(table_name(text) for text in tables), FRAGMENT]


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
