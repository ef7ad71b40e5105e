"""Frames with labels of one or several levels of theory, any of them absent, as flat arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ase import Atoms

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LevelLabels:
    """Labels of one level of theory; nan where a frame has none.

    Attributes
    ----------
    energies
        eV, shape [n_frames].
    forces
        eV/Angstrom, shape [n_atoms_total, 3]; a frame has all of its forces or none.
    stress
        eV/Angstrom^3, positive under tension as in ASE, shape [n_frames, 3, 3].
    """

    energies: FloatArray
    forces: FloatArray
    stress: FloatArray

    @staticmethod
    def none(n_frames: int, n_atoms: int) -> "LevelLabels":
        """Return labels that are all absent."""
        return LevelLabels(
            np.full(n_frames, np.nan), np.full((n_atoms, 3), np.nan), np.full((n_frames, 3, 3), np.nan)
        )


@dataclass(frozen=True)
class LabelledFrames:
    """Frames of any composition, periodic or not, side by side.

    Attributes
    ----------
    numbers, positions
        Atomic numbers [n_atoms_total]; Angstrom [n_atoms_total, 3].
    offsets
        Atoms of frame k are ``offsets[k]:offsets[k + 1]``, shape [n_frames + 1].
    cells, pbc
        Rows are lattice vectors, Angstrom [n_frames, 3, 3] (zeros: none); periodic directions [n_frames, 3].
    groups
        Frames that belong together (one trajectory, one molecule), shape [n_frames]: a group is never split
        between training and held-out frames.
    origins
        File and frame, for messages, shape [n_frames].
    levels
        Labels by the name of their level of theory.
    """

    numbers: NDArray[np.int64]
    positions: FloatArray
    offsets: NDArray[np.int64]
    cells: FloatArray
    pbc: NDArray[np.bool_]
    groups: NDArray[np.str_]
    origins: NDArray[np.str_]
    levels: dict[str, LevelLabels]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def atom_counts(self) -> NDArray[np.int64]:
        """Atoms of each frame, shape [n_frames]."""
        return np.diff(self.offsets)

    @property
    def frame_of_atom(self) -> NDArray[np.int64]:
        """Frame of each atom, shape [n_atoms_total]."""
        return np.repeat(np.arange(len(self)), self.atom_counts)

    @property
    def species(self) -> tuple[int, ...]:
        """Atomic numbers that occur, ascending."""
        return tuple(int(z) for z in np.unique(self.numbers))

    def has(self, level: str, kind: str) -> NDArray[np.bool_]:
        """Return which frames have a label, shape [n_frames]; kind is energies, forces or stress."""
        values = getattr(self.levels[level], kind)
        if kind == "forces":
            there = np.ones(len(self), bool)
            there[self.frame_of_atom[np.isnan(values).any(1)]] = False
            return there & (self.atom_counts > 0)
        return np.asarray(~np.isnan(values.reshape(len(self), 1 if kind == "energies" else 9)).any(1))

    def atoms(self, frame: int) -> "Atoms":
        """Return one frame as ASE's Atoms, without labels."""
        from ase import Atoms

        part = slice(self.offsets[frame], self.offsets[frame + 1])
        return Atoms(
            self.numbers[part], self.positions[part], cell=self.cells[frame], pbc=self.pbc[frame].tolist()
        )

    def take(self, indices: NDArray[np.int64] | NDArray[np.bool_] | Sequence[int]) -> "LabelledFrames":
        """Return the chosen frames in the order of their indices."""
        chosen = np.arange(len(self))[np.asarray(indices)] if len(indices) else np.zeros(0, np.int64)
        counts = self.atom_counts[chosen]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        # atom j of the new frames is atom j - its new offset + its old one
        atoms = np.arange(offsets[-1]) + np.repeat(self.offsets[chosen] - offsets[:-1], counts)
        return LabelledFrames(
            self.numbers[atoms],
            self.positions[atoms],
            offsets,
            self.cells[chosen],
            self.pbc[chosen],
            self.groups[chosen],
            self.origins[chosen],
            {
                name: LevelLabels(found.energies[chosen], found.forces[atoms], found.stress[chosen])
                for name, found in self.levels.items()
            },
        )


def labelled_frames(
    atoms: "Sequence[Atoms]",
    levels: Mapping[str, Mapping[str, Sequence[object]]],
    groups: Sequence[str] | None = None,
    origins: Sequence[str] | None = None,
) -> LabelledFrames:
    """Return frames of ASE's Atoms.

    Parameters
    ----------
    levels
        Labels by level and kind (energies, forces, stress), one for each frame, None where a frame has none;
        units as in :class:`LevelLabels`.
    groups, origins
        One name a frame; every frame is a group of its own, and its number its origin, where not given.
    """
    counts = [len(frame) for frame in atoms]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    names = [str(k) for k in range(len(counts))]
    labels = {}
    for level, kinds in levels.items():
        found = labels[level] = LevelLabels.none(len(counts), int(offsets[-1]))
        for kind, values in kinds.items():
            array = getattr(found, kind)
            for k, value in enumerate(values):
                if value is not None:
                    array[slice(offsets[k], offsets[k + 1]) if kind == "forces" else k] = value
    return LabelledFrames(
        np.concatenate([np.zeros(0, np.int64), *(frame.numbers for frame in atoms)]).astype(np.int64),
        np.concatenate([np.zeros((0, 3)), *(frame.positions for frame in atoms)]),
        offsets,
        np.array([frame.cell.array for frame in atoms]).reshape(-1, 3, 3),
        np.array([frame.pbc for frame in atoms], bool).reshape(-1, 3),
        np.array(names if groups is None else groups, np.str_),
        np.array(names if origins is None else origins, np.str_),
        labels,
    )


def concatenate(parts: Sequence[LabelledFrames]) -> LabelledFrames:
    """Return all frames in order; a level that a part lacks is absent in its frames."""
    counts = np.concatenate([np.zeros(0, np.int64), *(part.atom_counts for part in parts)])
    names = dict.fromkeys(name for part in parts for name in part.levels)
    levels = {}
    for name in names:
        found = [part.levels.get(name) or LevelLabels.none(len(part), len(part.numbers)) for part in parts]
        levels[name] = LevelLabels(
            *(np.concatenate([getattr(item, kind.name) for item in found]) for kind in fields(LevelLabels))
        )
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("numbers", "positions", "cells", "pbc", "groups", "origins")
    }
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return LabelledFrames(**columns, offsets=offsets, levels=levels)
