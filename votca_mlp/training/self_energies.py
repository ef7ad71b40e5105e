"""Self energies: what one atom of each species adds to the energy, whatever is around it."""

from collections.abc import Mapping, Sequence

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import FloatArray, LabelledFrames


def self_energies(
    frames: LabelledFrames, level: str, given: Mapping[int, float] | None = None
) -> dict[int, float]:
    """Return eV by atomic number for every species of the frames: least squares of this level's energies.

    Each level is fitted on its own energies alone, so one with few of them keeps its own. Where compositions
    do not tell species apart (a single molecule), the solution of the least norm is taken: its sum over each
    frame is right, its parts mean nothing, see :func:`determined`. A level without energies, which gives
    forces alone, has zeros.

    Parameters
    ----------
    given
        Self energies that are fixed; the others are fitted to what they leave.

    Raises
    ------
    UserError
        A species of the level's frames that none of its energies has.
    """
    there = frames.has(level, "energies")
    given = dict(given or {})
    free = [z for z in frames.species if z not in given]
    if not there.any():
        return {z: given.get(z, 0.0) for z in frames.species}
    counts = atoms_by_species(frames, free)[there]
    _refuse_unknown(frames, level, [z for z, n in zip(free, counts.sum(0), strict=True) if n == 0])
    fixed = atoms_by_species(frames, list(given))[there] @ np.array(list(given.values()), float)
    left = frames.levels[level].energies[there] - fixed
    solution = np.linalg.lstsq(counts, left, rcond=1e-10)[0] if free else np.zeros(0)
    return {z: given[z] if z in given else float(solution[free.index(z)]) for z in frames.species}


def determined(frames: LabelledFrames, level: str, given: Mapping[int, float] | None = None) -> bool:
    """Return whether the level's compositions tell its species apart."""
    there = frames.has(level, "energies")
    free = [z for z in frames.species if z not in (given or {})]
    return not free or int(np.linalg.matrix_rank(atoms_by_species(frames, free)[there])) == len(free)


def atoms_by_species(frames: LabelledFrames, species: Sequence[int]) -> FloatArray:
    """Return how many atoms of each species each frame has, shape [n_frames, n_species]."""
    counts = np.zeros((len(frames), len(species)))
    frame = frames.frame_of_atom
    for column, z in enumerate(species):
        counts[:, column] = np.bincount(frame[frames.numbers == z], minlength=len(frames))
    return counts


def _refuse_unknown(frames: LabelledFrames, level: str, missing: list[int]) -> None:
    """Refuse a species that this level's energies never have, where the level has frames with it."""
    labelled = frames.has(level, "energies") | frames.has(level, "forces") | frames.has(level, "stress")
    for z in missing:
        from ase.data import chemical_symbols

        name = chemical_symbols[z]
        with_it = np.unique(frames.frame_of_atom[frames.numbers == z])
        concerned = with_it[labelled[with_it]]
        if len(concerned):
            raise UserError(
                f"{name} has no self energy at level '{level}': none of its training energies has {name}",
                where=str(frames.origins[concerned[0]]),
                accepted=f"an energy of level '{level}' with {name}, or its self energy in eV "
                f"(levels.{level}.self_energies.{name})",
            )
