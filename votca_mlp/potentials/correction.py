"""The pair correction of a system: one Akima table for each pair of species."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.potentials.akima import AkimaPair, akima_from_table
from votca_mlp.tables import Table, read_table

Species = tuple[int, int]


def species_pair(a: int, b: int) -> Species:
    """Return the pair of atomic numbers, smaller first."""
    return (a, b) if a <= b else (b, a)


class StackedTables(NamedTuple):
    """All splines in one coefficient array, so that one gather serves every pair of species.

    Table 0 stands for pairs without a correction; its cutoff is 0. Lengths in Angstrom, energies in eV.
    ``pair_index`` [z, z] gives the table of two atomic numbers; ``offset`` and ``last`` the first row and
    the number of the last interval of each table in ``coefficients`` [n_rows, 4].
    """

    pair_index: NDArray[np.int64]
    coefficients: NDArray[np.float64]
    first: NDArray[np.float64]
    inverse_step: NDArray[np.float64]
    cutoffs: NDArray[np.float64]
    offset: NDArray[np.int64]
    last: NDArray[np.int64]


@dataclass(frozen=True)
class PairCorrection:
    """u(r) by pair of atomic numbers; pairs without a table have none.

    Attributes
    ----------
    pairs
        From (Z_a, Z_b) with Z_a <= Z_b to its spline.
    """

    pairs: Mapping[Species, AkimaPair]

    @property
    def cutoff(self) -> float:
        """Largest r_max, Angstrom; 0 when there is no table."""
        return max((pair.cutoff for pair in self.pairs.values()), default=0.0)

    def pair_energies(
        self, numbers_i: NDArray[np.int64], numbers_j: NDArray[np.int64], r: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return u(r) (eV) and du/dr (eV/Angstrom) of each pair; all shapes [n_pairs], r in Angstrom."""
        energy, slope = np.zeros_like(r), np.zeros_like(r)
        low, high = np.minimum(numbers_i, numbers_j), np.maximum(numbers_i, numbers_j)
        for (a, b), spline in self.pairs.items():
            mask = (low == a) & (high == b)
            energy[mask], slope[mask] = spline.evaluate(r[mask])
        return energy, slope

    def stacked(self) -> StackedTables:
        """Return all tables in one set of arrays, for kernels."""
        splines = list(self.pairs.values())
        size = 1 + max((b for _, b in self.pairs), default=0)
        pair_index = np.zeros((size, size), np.int64)
        for number, (a, b) in enumerate(self.pairs, start=1):
            pair_index[a, b] = pair_index[b, a] = number
        lengths = np.array([1] + [len(spline.coefficients) for spline in splines])
        return StackedTables(
            pair_index=pair_index,
            coefficients=np.concatenate([np.zeros((1, 4))] + [spline.coefficients for spline in splines]),
            first=np.array([0.0] + [spline.first for spline in splines]),
            inverse_step=np.array([1.0] + [1.0 / spline.step for spline in splines]),
            cutoffs=np.array([0.0] + [spline.cutoff for spline in splines]),
            offset=np.cumsum(lengths) - lengths,
            last=lengths - 1,
        )


def read_correction(tables: Mapping[tuple[str, str], str | Path]) -> PairCorrection:
    """Read VOTCA potential tables (nm, kJ/mol), by pair of chemical symbols.

    Raises
    ------
    UserError
        An unknown chemical symbol, a pair given twice, or a bad table.
    """
    _check_pairs(tables)
    return correction_of_tables({pair: (read_table(path), path) for pair, path in tables.items()})


def correction_of_tables(tables: Mapping[tuple[str, str], tuple[Table, str | Path]]) -> PairCorrection:
    """Return the correction of potential tables (nm, kJ/mol), each with its file, by pair of symbols.

    Raises
    ------
    UserError
        As :func:`read_correction`.
    """
    pairs = _check_pairs({pair: where for pair, (_, where) in tables.items()})
    return PairCorrection(
        {
            key: akima_from_table(table, where=str(where))
            for key, (table, where) in zip(pairs, tables.values(), strict=True)
        }
    )


def _check_pairs(files: Mapping[tuple[str, str], str | Path]) -> list[Species]:
    """Return the pairs of atomic numbers, in order."""
    from ase.data import atomic_numbers

    pairs: list[Species] = []
    for (a, b), path in files.items():
        for symbol in (a, b):
            if symbol not in atomic_numbers:
                raise UserError(
                    f"bead type '{symbol}' is not a chemical symbol",
                    where=path,
                    accepted="type1 and type2 named by chemical symbols, such as Al",
                )
        key = species_pair(atomic_numbers[a], atomic_numbers[b])
        if key in pairs:
            raise UserError(f"two tables for the pair {a}-{b}", where=path, accepted="one interaction a pair")
        pairs.append(key)
    return pairs
