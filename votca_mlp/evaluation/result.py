"""What an evaluation of a configuration gives: energy, forces and stress."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Evaluation:
    """Energy and its derivatives for one configuration.

    Attributes
    ----------
    energy
        Potential energy, eV (mean over members plus correction).
    forces
        eV/Angstrom, shape [n_atoms, 3].
    stress
        eV/Angstrom^3, shape [3, 3], ASE's sign: (1/V) dE/d(strain).
    member_energies
        Energies of the committee's members without the correction, eV, shape [n_members].
    correction_energy
        Energy of the pair correction alone, eV.
    closest
        (i, j, distance in Angstrom) of the closest pair, or None when no pair is within the cutoff.
    has_stress
        Whether the model gives a stress at all; where not, its numbers are nan.
    """

    energy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64]
    member_energies: NDArray[np.float64]
    correction_energy: float = 0.0
    closest: tuple[int, int, float] | None = None
    has_stress: bool = True

    @property
    def spread(self) -> float:
        """Standard deviation of the members' energies per atom, eV/atom; 0 for a single model."""
        if len(self.member_energies) < 2:
            return 0.0
        return float(self.member_energies.std(ddof=1)) / self.n_atoms

    @property
    def n_atoms(self) -> int:
        """Of the configuration."""
        return len(self.forces)


def stress_of(virial: NDArray[np.float64], volume: float) -> NDArray[np.float64]:
    """Return the stress, eV/Angstrom^3, of the sum of d x dE/dd over pairs (eV, [3, 3]); 0 without volume."""
    return 0.5 * (virial + virial.T) / volume if volume else np.zeros((3, 3))
