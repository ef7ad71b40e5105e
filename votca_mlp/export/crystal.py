"""A crystal of some elements, where no run has left a configuration to compare on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms


def crystal_of(numbers: Sequence[int]) -> "Atoms":
    """Return 256 atoms of these elements, fcc and rattled, to compare on.

    Neighbours are 1.1 times as far apart as atoms that touch; numbers are atomic numbers in ascending order.
    """
    from ase.build import bulk
    from ase.data import chemical_symbols, covalent_radii

    apart = 2.2 * float(max(covalent_radii[z] for z in numbers))
    atoms: Atoms = bulk(chemical_symbols[numbers[0]], "fcc", a=apart * 2**0.5, cubic=True).repeat(4)
    atoms.numbers[:] = np.random.default_rng(1).choice(numbers, len(atoms))
    atoms.rattle(0.1, seed=1)
    return atoms
