"""Which frames are the same: atoms, cell and positions, in whatever digits and periodic images."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from votca_mlp.training.labelled import FloatArray, LabelledFrames

SAME = 2e-5
"""Angstrom: positions and cell vectors of a frame in two files differ by less (digits, units)."""
_FAR = 6.0
"""Random projections of such differences are nearer than so many of their standard deviations."""


def frame_keys(frames: LabelledFrames) -> list[bytes]:
    """Return what two frames have in common when they are the same, and only then.

    Atoms of the same order; positions but for lattice vectors of periodic directions.
    """
    keys = [_digest(frames, k) for k in range(len(frames))]
    first: dict[bytes, int] = {}
    for k, key in enumerate(keys):
        first.setdefault(key, k)
    alike: dict[bytes, list[int]] = {}
    for k in first.values():
        part = slice(frames.offsets[k], frames.offsets[k + 1])
        alike.setdefault(frames.numbers[part].tobytes() + frames.pbc[k].tobytes(), []).append(k)
    named: dict[bytes, bytes] = {}
    for members in alike.values():
        for a, b in _near(frames, np.array(members)):
            if _are_same(frames, members[a], members[b]):
                one, other = (_root(named, keys[members[k]]) for k in (a, b))
                if one != other:
                    named[other] = one
    return [_root(named, key) for key in keys]


def _digest(frames: LabelledFrames, k: int) -> bytes:
    part = slice(frames.offsets[k], frames.offsets[k + 1])
    digest = hashlib.sha256(frames.numbers[part].tobytes())
    for array in (frames.positions[part], frames.cells[k]):
        # + 0.0: -0.0 and 0.0 differ in their bytes
        digest.update((np.round(array, 5) + 0.0).tobytes())
    return digest.digest()


def _root(named: dict[bytes, bytes], key: bytes) -> bytes:
    while key in named:
        key = named[key]
    return key


def _near(frames: LabelledFrames, members: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return pairs of frames of the same atoms that may be the same: their random projections are near."""
    from scipy.spatial import cKDTree

    if len(members) < 2:
        return []
    size = len(_features(frames, int(members[0])))
    directions = np.random.default_rng(0).normal(size=(size, 3))
    points = np.array([_features(frames, int(k)) @ directions for k in members])
    pairs = cKDTree(points).query_pairs(_FAR * SAME * np.sqrt(size), output_type="ndarray")
    return [(int(a), int(b)) for a, b in np.sort(pairs, axis=1)]


def _features(frames: LabelledFrames, k: int) -> FloatArray:
    """Return numbers that change by no more than positions and cell do, and not by lattice vectors."""
    cell, periodic = _full(frames.cells[k]), frames.pbc[k]
    along = _fractions(frames, k)
    length = np.linalg.norm(cell, axis=1)
    angle, scale = 2 * np.pi * along[:, periodic], length[periodic] / (2 * np.pi)
    rows = (scale * np.cos(angle), scale * np.sin(angle), (length * along)[:, ~periodic], frames.cells[k])
    return np.concatenate([row.ravel() for row in rows])


def _are_same(frames: LabelledFrames, a: int, b: int) -> bool:
    if np.abs(frames.cells[a] - frames.cells[b]).max() > SAME:
        return False
    change = _fractions(frames, a) - _fractions(frames, b)
    change -= np.round(change) * frames.pbc[a]
    return bool(np.abs(change @ _full(frames.cells[a])).max(initial=0.0) <= SAME)


def _fractions(frames: LabelledFrames, k: int) -> FloatArray:
    positions = frames.positions[frames.offsets[k] : frames.offsets[k + 1]]
    return np.asarray(positions @ np.linalg.inv(_full(frames.cells[k])))


def _full(cell: FloatArray) -> FloatArray:
    """Return a cell with unit vectors where it has none."""
    if not cell.any():
        return np.eye(3)
    from ase.geometry import complete_cell

    return np.asarray(complete_cell(cell))
