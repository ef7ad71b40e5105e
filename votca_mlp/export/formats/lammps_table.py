"""The file of LAMMPS's ``pair_style table``: its grid, writing it, reading it as LAMMPS does.

The grid is equally spaced in r^2 (keyword RSQ) and has as many points as ``pair_style table spline`` is asked
for: LAMMPS then takes the numbers as they are instead of a spline through a spline. LAMMPS's spline is smooth
where the curvature of an Akima spline jumps, which costs an error in the force that falls with the spacing:
2000 points are far too few, 20000 mostly enough; more are taken where u(r) bends sharply.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.deploy.compare import PairFunction
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.potentials.akima import AkimaPair
from votca_mlp.potentials.correction import PairCorrection, species_pair

POINTS = (20000, 50000, 100000)
"""Numbers of points, the first of which is taken whose force is good to ``FORCE_ERROR`` everywhere."""
FORCE_ERROR = 3e-4
"""eV/Angstrom."""
INNER = 1.0
"""First point, Angstrom; LAMMPS stops with an error when two atoms come closer."""
Array = NDArray[np.float64]


def keyword(pair: tuple[int, ...]) -> str:
    """Return the name of a pair's section, such as ``Ar-Kr``."""
    from ase.data import chemical_symbols

    return "-".join(chemical_symbols[z] for z in pair)


def enough_points(correction: PairCorrection) -> int:
    """Return the number of points that these tables need.

    Raises
    ------
    UserError
        See :func:`sample`.
    """
    for points in POINTS[:-1]:
        if all(_force_error(spline, points) <= FORCE_ERROR for spline in correction.pairs.values()):
            return points
    return POINTS[-1]


def _force_error(spline: AkimaPair, points: int) -> float:
    # a spacing that is no multiple of the table's, so that all parts of an interval are met
    r = np.arange(INNER, spline.cutoff, spline.step / 203.7)
    _, slope = LammpsTable(np.stack(sample(spline, points), axis=1)).evaluate(r)
    return float(np.abs(slope - spline.evaluate(r)[1]).max())


def sample(spline: AkimaPair, points: int) -> tuple[Array, Array, Array]:
    """Return r (Angstrom), u (eV) and -du/dr (eV/Angstrom) on LAMMPS's grid; both zero at the last point.

    Raises
    ------
    UserError
        A correction that ends within ``INNER``.
    """
    if spline.cutoff <= INNER:
        raise UserError(
            f"u(r) ends at {spline.cutoff:g} Angstrom", accepted=f"a correction beyond {INNER:g} Angstrom"
        )
    r = np.sqrt(np.linspace(INNER**2, spline.cutoff**2, points))
    energy, slope = spline.evaluate(r)
    energy[-1] = slope[-1] = 0.0
    return r, energy, 0.0 - slope


def write_table_file(path: Path, correction: PairCorrection, comments: Iterable[str], points: int) -> None:
    """Write the file of ``pair_style table``, a section a pair.

    Raises
    ------
    UserError
        See :func:`sample`.
    """
    with atomic_write(path) as file:
        # LAMMPS reads the unit from the first line
        file.write("# UNITS: metal  pair correction of votca-mlp, r in Angstrom, energy in eV\n")
        file.writelines(f"# {line}\n" for line in comments)
        for pair, spline in correction.pairs.items():
            file.write(f"\n{keyword(pair)}\nN {points} RSQ {INNER!r} {spline.cutoff!r}\n\n")
            for number, (r, u, f) in enumerate(zip(*sample(spline, points), strict=True), start=1):
                file.write(f"{number} {r:.15g} {u:.15g} {f:.15g}\n")


def read_table_file(path: Path) -> dict[str, Array]:
    """Return the sections of a table file: by keyword an array [n, 3] of r, u, -du/dr.

    Raises
    ------
    UserError
        A section that is cut short or has numbers that cannot be read.
    """
    sections: dict[str, Array] = {}
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    at = 0
    while at < len(lines):
        name = lines[at].strip()
        try:
            count = int(lines[at + 1].split()[1])
            rows = np.array(
                [[float(word) for word in line.split()] for line in lines[at + 2 : at + 2 + count]]
            )
            if rows.shape != (count, 4) or not np.isfinite(rows).all():
                raise ValueError("rows are missing")
        except (IndexError, ValueError) as error:
            accepted = "a whole section of pair_style table"
            raise UserError(f"section {name}: {error}", where=path, accepted=accepted) from None
        sections[name] = rows[:, 1:]
        at += 2 + count
    return sections


def pair_function(path: Path) -> PairFunction:
    """Return u and du/dr of two atomic numbers as LAMMPS reads them from a table file.

    Raises
    ------
    UserError
        See :func:`read_table_file`.
    """
    tables = {name: LammpsTable(rows) for name, rows in read_table_file(path).items()}

    def pair(a: int, b: int, r: Array) -> tuple[Array, Array]:
        table = tables.get(keyword(species_pair(a, b)))
        return (0.0 * r, 0.0 * r) if table is None else table.evaluate(r)

    return pair


class LammpsTable:
    """A section as ``pair_style table spline`` evaluates it: cubic splines of u and -u'/r in r^2."""

    def __init__(self, rows: Array) -> None:
        from scipy.interpolate import CubicSpline

        r, u, force = rows.T
        squared = r * r
        ends = ((1, -0.5 * force[0] / r[0]), (1, -0.5 * force[-1] / r[-1]))
        self.cutoff = float(r[-1])
        self._energy = CubicSpline(squared, u, bc_type=ends)
        self._force_over_r = CubicSpline(squared, force / r)

    def evaluate(self, r: Array) -> tuple[Array, Array]:
        """Return u (eV) and du/dr (eV/Angstrom) at r (Angstrom)."""
        within, squared = r < self.cutoff, r * r
        slope = -r * self._force_over_r(squared)
        return np.where(within, self._energy(squared), 0.0), np.where(within, slope, 0.0)
