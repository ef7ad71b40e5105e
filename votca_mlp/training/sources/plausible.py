"""Energies and forces in one wrong unit agree with each other: what says so nevertheless, as a doubt.

Two things have a size that is known. Energies of all electrons are those of the atoms to a few percent; if
they are so but for a ratio of units, that is hardly chance. And forces have a limit: at a temperature T their
mean square is kBT times the mean curvature of the energy, 0.9 eV/Angstrom at 1000 K and 10 eV/Angstrom^2.
Neither is certain, so nothing is refused: energies of pseudopotentials have any origin.
"""

import numpy as np

from votca_mlp.training.labelled import FloatArray, LabelledFrames
from votca_mlp.training.self_energies import atoms_by_species
from votca_mlp.training.sources.label_units import ENERGIES, ratios

# C. Froese Fischer, The Hartree-Fock Method for Atoms (1977): H to Kr, Hartree
ATOMS = (
    *(-0.5000, -2.8617, -7.4327, -14.5730, -24.5291, -37.6886, -54.4009, -74.8094, -99.4093, -128.5471),
    *(-161.8589, -199.6146, -241.8767, -288.8544, -340.7188, -397.5049, -459.4821, -526.8175, -599.1648),
    *(-676.7582, -759.7357, -848.4060, -942.8843, -1043.3564, -1149.8663, -1262.4437, -1381.4146),
    *(-1506.8709, -1638.9637, -1777.8481, -1923.2610, -2075.3597, -2234.2386, -2399.8676, -2572.4413),
    -2752.0550,
)
"""Energies of atoms by atomic number - 1, Hartree."""
BOUND = (0.995, 1.03)
"""All-electron energies over those of their atoms: correlation and bonds of hydrogen make up to 2 %."""
STRONG = 10.0
"""eV/Angstrom: root mean square force of frames that is doubtful where half of them have more."""


def doubtful_units(frames: LabelledFrames) -> list[str]:
    """Return what speaks against the units of a level's labels as a whole, in words."""
    said = []
    for level, labels in frames.levels.items():
        energies = frames.has(level, "energies")
        name = _of_atoms(frames.take(energies), labels.energies[energies]) if energies.any() else ""
        if name:
            said.append(
                f"energies of '{level}': DOUBTFUL: nearly those of their atoms with all electrons, but in "
                f"another unit: {name}"
            )
        forces = frames.has(level, "forces")
        if forces.any():
            squares = np.square(labels.forces).sum(1) / 3.0
            sums = np.bincount(frames.frame_of_atom, weights=squares, minlength=len(frames))
            middle = float(np.sqrt(np.median((sums / np.maximum(frames.atom_counts, 1))[forces])))
            if middle > STRONG:
                said.append(
                    f"forces of '{level}': DOUBTFUL: in half of the frames their root mean square is above "
                    f"{middle:.3g} eV/Angstrom, as hardly any atoms have: look at units of both labels"
                )
    return said


def _of_atoms(frames: LabelledFrames, energies: FloatArray) -> str:
    """Return the mistakes in units by which energies are away from their atoms'; empty where none is."""
    if max(frames.species) > len(ATOMS):
        return ""
    known = ENERGIES["Hartree"] * np.array([ATOMS[z - 1] for z in frames.species])
    factor = float(np.median(energies / (atoms_by_species(frames, frames.species) @ known)))
    low, high = BOUND
    return ", or ".join(name for name, ratio in ratios(ENERGIES).items() if low < factor / ratio < high)
