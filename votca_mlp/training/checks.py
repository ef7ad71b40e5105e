"""What is wrong with labelled frames, found before any training: one message each."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.split import Split

RARE = 0.01
"""Of a file's frames: a composition that is rarer, where all others are one and the same, is looked at."""
NEAREST = 0.3
"""Angstrom: atoms nearer than this are one atom twice, or positions in another unit."""
KINDS = ("energies", "forces", "stress")
SAME = 0.05
"""eV/atom: energies of the same frame differ by less; published data do so by 1e-3."""


def refuse_missing_atoms(frames: LabelledFrames) -> None:
    """Refuse the rare frame of a file that lacks atoms which all others have.

    Raises
    ------
    UserError
        Naming the frame and what it lacks.
    """
    if len(frames) < 3:
        return
    compositions = [
        tuple(np.sort(frames.numbers[frames.offsets[k] : frames.offsets[k + 1]])) for k in range(len(frames))
    ]
    counted = Counter(compositions)
    common, number = counted.most_common(1)[0]
    if len(frames) - number > max(1, RARE * len(frames)):
        return
    for k, composition in enumerate(compositions):
        missing = Counter(common) - Counter(composition)
        if missing and not Counter(composition) - Counter(common):
            lacks = " ".join(f"{_symbol(z)}{n if n > 1 else ''}" for z, n in missing.items())
            what = f"lacks {lacks} that the other {number} frames of this file have"
            accepted = "all atoms, or 'mixed: yes' where this is meant"
            raise UserError(what, where=str(frames.origins[k]), accepted=accepted)


def refuse_overlaps(frames: LabelledFrames) -> None:
    """Refuse atoms on top of each other in one frame: an atom twice, or positions in another unit.

    Raises
    ------
    UserError
        Naming the frame and the distance.
    """
    from scipy.spatial import cKDTree

    for k in range(len(frames)):
        positions = frames.positions[frames.offsets[k] : frames.offsets[k + 1]]
        pairs = cKDTree(positions).query_pairs(NEAREST, output_type="ndarray")
        if len(pairs):
            a, b = pairs[0]
            distance = float(np.linalg.norm(positions[a] - positions[b]))
            what = f"atoms {a + 1} and {b + 1} are {distance:.3g} Angstrom apart"
            raise UserError(
                what, where=str(frames.origins[k]), accepted="each atom once; 'length' is the positions' unit"
            )


def refuse_unknown_levels(named: Mapping[str, Sequence[str]], known: Sequence[str]) -> None:
    """Refuse a level of theory that is not among the levels.

    Parameters
    ----------
    named
        Levels by the place in the settings where they are named.

    Raises
    ------
    UserError
        With the nearest name.
    """
    for where, levels in named.items():
        for level in levels:
            if level not in known:
                near = difflib.get_close_matches(level, known, 1, 0.5)
                guess = f" (is it '{near[0]}'?)" if near else ""
                what = f"there is no level '{level}'{guess}"
                raise UserError(what, where=where, accepted=" | ".join(known))


def refuse_levels_without_labels(
    frames: LabelledFrames, split: Split, levels: Mapping[str, Sequence[str]]
) -> None:
    """Refuse a level whose head no label would train.

    Parameters
    ----------
    levels
        By level, the kinds of labels that have a weight.

    Raises
    ------
    UserError
        Naming the level, and where its labels are when it has some.
    """
    for level, kinds in levels.items():
        there = _labelled(frames, level, kinds)
        if not there.any():
            has = [kind for kind in KINDS if level in frames.levels and frames.has(level, kind).any()]
            what = f"has {', '.join(has)} of weight 0 alone" if has else "has no labels"
            accepted = "energies, forces or stress of this level in 'data', or no such level"
            if has:
                accepted = "a weight above 0 for labels that it has, or no such level"
            raise UserError(
                f"{what}: its head would stay as it began", where=f"level '{level}'", accepted=accepted
            )
        if not there[split.training].any():
            what = f"none of its {int(there.sum())} labelled frames is for training"
            accepted = "training frames with labels of this level: more groups, or smaller fractions"
            raise UserError(what, where=f"level '{level}'", accepted=accepted)


def refuse_new_species(frames: LabelledFrames, split: Split) -> None:
    """Refuse a species in validation or held-out frames that no training frame has.

    Raises
    ------
    UserError
        Naming the frame and the species.
    """
    seen = set(frames.take(split.training).species)
    for use, chosen in (("validation", split.validation), ("held out", split.held_out)):
        for k in chosen:
            numbers = frames.numbers[frames.offsets[k] : frames.offsets[k + 1]]
            new = sorted(set(numbers.tolist()) - seen)
            if new:
                what = f"has {_symbol(new[0])}, which no training frame has ({use})"
                raise UserError(what, where=str(frames.origins[k]), accepted="species that are trained")


def refuse_contradictions(frames: LabelledFrames, keys: Sequence[bytes]) -> None:
    """Refuse the same frame twice with different energies of one level.

    Raises
    ------
    UserError
        Naming both frames and both energies.
    """
    for level, labels in frames.levels.items():
        first: dict[bytes, int] = {}
        for k in np.flatnonzero(frames.has(level, "energies")).tolist():
            other = first.setdefault(keys[k], k)
            a, b = labels.energies[other], labels.energies[k]
            if abs(a - b) > SAME * frames.atom_counts[k]:
                what = f"is the same frame as {frames.origins[other]}, but its energy of level '{level}' is "
                what += f"{b:.6f}, not {a:.6f} eV"
                accepted = "one energy; different units of the files look like this, too"
                raise UserError(what, where=str(frames.origins[k]), accepted=accepted)


def _labelled(frames: LabelledFrames, level: str, kinds: Sequence[str]) -> np.ndarray:
    there = np.zeros(len(frames), bool)
    for kind in kinds if level in frames.levels else ():
        there |= frames.has(level, kind)
    return there


def _symbol(z: int) -> str:
    from ase.data import chemical_symbols

    return str(chemical_symbols[z])
