"""Pairs of atoms of one molecule, which count in g(r) and feel u(r) as any other: said before a run begins.

A model knows no bonds, so nothing tells such a pair from another one but its distance. An interaction whose
grid begins beyond a bond leaves it alone: closer pairs are not counted, and there u(r) is constant.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.plan import MDPlan
from votca_mlp.units import ANGSTROM_PER_NM
from votca_mlp.update.rule import PairGrid


def said_of_molecules(md: MDPlan, grids: Sequence[PairGrid], step_directory: Path) -> str:
    """Return which interactions act inside molecules of the start; nothing where none does or none is known.

    Raises
    ------
    UserError
        A start or topology that cannot be read.
    """
    from votca_mlp.engines.shared.start import load_start
    from votca_mlp.settings.topology import read_topology

    if not isinstance(md.topology, Path) or md.start is None:
        # one element, or a LAMMPS script that reads its own start
        return ""
    molecules = np.array(read_topology(md.topology).molecules)
    if len(molecules) < 2 or not (np.diff(molecules) == 0).any():
        return ""
    atoms = load_start(md, step_directory).atoms
    edges = atoms.cell.lengths()
    symbols, positions = np.array(atoms.get_chemical_symbols()), atoms.get_positions()
    words = []
    for grid in grids:
        found = np.concatenate([[], *_distances(molecules, symbols, positions, edges, grid.species)])
        inside = found[(found >= grid.min * ANGSTROM_PER_NM) & (found <= grid.max * ANGSTROM_PER_NM)]
        if len(inside):
            words.append(f"{grid.name} at {inside.min():.2f} to {inside.max():.2f} Angstrom")
    if not words:
        return ""
    return (
        f"pairs of one molecule are within the grid and count as any other: {', '.join(words)}. Where u(r) "
        "is to leave them alone, <min> of the interaction belongs beyond them, as does the target's begin"
    )


def _distances(
    molecules: NDArray[np.int64],
    symbols: NDArray[np.str_],
    positions: NDArray[np.float64],
    edges: NDArray[np.float64],
    species: tuple[str, str],
) -> Iterator[NDArray[np.float64]]:
    """Yield distances (Angstrom) of pairs of these species in one molecule, by how far apart in the list."""
    one, other = species
    for apart in range(1, len(molecules)):
        same = molecules[apart:] == molecules[:-apart]
        if not same.any():
            return
        a, b = symbols[:-apart], symbols[apart:]
        chosen = np.flatnonzero(same & (((a == one) & (b == other)) | ((a == other) & (b == one))))
        vectors = positions[chosen + apart] - positions[chosen]
        vectors -= edges * np.round(vectors / edges)
        yield np.linalg.norm(vectors, axis=1)
