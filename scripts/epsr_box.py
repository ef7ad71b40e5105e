"""EPSR's box of water (.ato) and its output files, read for comparisons."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.trajectories.frames import Frame

Array = NDArray[np.float64]


def read_ato(path: Path) -> Frame:
    """Return the atoms of an .ato file: elements, positions and the cubic box, Angstrom."""
    lines = path.read_text().splitlines()
    molecules, edge = int(lines[0].split()[0]), float(lines[0].split()[1])
    at = 2
    symbols: list[str] = []
    positions: list[Array] = []
    for _ in range(molecules):
        head = lines[at].split()
        centre = np.array([float(word) for word in head[1:4]])
        at += 1
        for _ in range(int(head[0])):
            symbols.append(lines[at].split()[0][0])
            positions.append(centre + np.array([float(word) for word in lines[at + 1].split()]))
            at += 2
            # restraints of the atom, until the next label or the line that ends the molecule
            while lines[at].split()[0] not in ("OW", "HW") and len(lines[at].split()) > 1:
                at += 1
        at += 1
    return Frame(np.array(positions), np.full(3, edge), np.array(symbols))


def read_columns(path: Path) -> Array:
    """Return Q, then value and error of each function, of a .u01 or .f01 file, shape [n, 1 + 2 k]."""
    return np.loadtxt(path)
