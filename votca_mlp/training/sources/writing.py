"""Labelled frames as files, in eV and Angstrom: LEVEL_energy, LEVEL_forces, LEVEL_stress, and group."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.sources.hdf5 import import_h5py

KINDS = {"energies": "energy", "forces": "forces", "stress": "stress"}
"""Kinds of labels, and how they are called in files."""


def write_frames(path: Path, frames: LabelledFrames) -> None:
    """Write frames as extended XYZ, ASE database, npz or HDF5, by the name of the file.

    npz and HDF5 have nan where a frame has no label: read them with ``missing: nan``. Stress is positive
    under tension.

    Raises
    ------
    UserError
        Another name; a database that is there already; h5py is not installed.
    """
    writer = next((write for suffix, write in _WRITERS.items() if path.name.endswith(suffix)), None)
    if writer is None:
        what = "no format for labelled frames has this name"
        raise UserError(what, where=path, accepted=", ".join(f"NAME{suffix}" for suffix in _WRITERS))
    writer(path, frames)


def labels_of_frame(frames: LabelledFrames, k: int) -> dict[str, Any]:
    """Return the labels that one frame has, by their names in files."""
    found = {}
    for level, labels in frames.levels.items():
        for kind, name in KINDS.items():
            rows = slice(frames.offsets[k], frames.offsets[k + 1]) if kind == "forces" else k
            value = getattr(labels, kind)[rows]
            if not np.isnan(value).any():
                found[f"{level}_{name}"] = float(value) if kind == "energies" else value
    return found


def _write_extxyz(path: Path, frames: LabelledFrames) -> None:
    from ase.io import write

    everything = []
    for k in range(len(frames)):
        atoms = frames.atoms(k)
        for name, value in labels_of_frame(frames, k).items():
            (atoms.arrays if name.endswith("_forces") else atoms.info)[name] = value
        atoms.info["group"] = str(frames.groups[k])
        everything.append(atoms)
    with atomic_write(path) as file:
        write(file, everything, format="extxyz")


def _write_database(path: Path, frames: LabelledFrames) -> None:
    from ase.db import connect

    if path.exists():
        raise UserError("is there already", where=path, accepted="a name that is free")
    with connect(path) as base:
        for k in range(len(frames)):
            base.write(frames.atoms(k), data={**labels_of_frame(frames, k), "group": str(frames.groups[k])})


def _write_npz(path: Path, frames: LabelledFrames) -> None:
    with atomic_write(path, "wb") as file:
        np.savez_compressed(file, **_padded(frames))


def _write_h5(path: Path, frames: LabelledFrames) -> None:
    """Write a group of the file for each group of frames and each list of species in it."""
    h5py = import_h5py(path)
    rows: dict[tuple[str, bytes], list[int]] = {}
    for k in range(len(frames)):
        species = frames.numbers[frames.offsets[k] : frames.offsets[k + 1]].tobytes()
        rows.setdefault((str(frames.groups[k]), species), []).append(k)
    with atomic_write(path, "wb") as file, h5py.File(file, "w") as root:
        for number, ((name, _), chosen) in enumerate(rows.items()):
            part = root.create_group(f"{number:06d}")
            for key, array in _padded(frames.take(chosen)).items():
                if key == "numbers":
                    part["atomic_numbers"] = array[0]
                elif key != "groups":
                    part["coordinates" if key == "positions" else key] = array
            part["groups"] = np.array([name.encode()] * len(chosen))


def _padded(frames: LabelledFrames) -> dict[str, Any]:
    """Return arrays with one row a frame, padded to the largest frame."""
    count, most = len(frames), int(frames.atom_counts.max(initial=0))
    atom = np.arange(len(frames.numbers)) - np.repeat(frames.offsets[:-1], frames.atom_counts)
    place = (frames.frame_of_atom, atom)
    numbers, positions = np.zeros((count, most), np.int64), np.zeros((count, most, 3))
    numbers[place], positions[place] = frames.numbers, frames.positions
    arrays: dict[str, Any] = {
        "numbers": numbers,
        "positions": positions,
        "cells": frames.cells,
        "pbc": frames.pbc,
        "groups": frames.groups,
    }
    for level, labels in frames.levels.items():
        for kind, name in KINDS.items():
            if not frames.has(level, kind).any():
                continue
            values = getattr(labels, kind)
            if kind == "forces":
                values = np.zeros((count, most, 3))
                values[place] = labels.forces
            arrays[f"{level}_{name}"] = values
    return arrays


_WRITERS: dict[str, Callable[[Path, LabelledFrames], None]] = {
    ".xyz": _write_extxyz,
    ".db": _write_database,
    ".npz": _write_npz,
    ".h5": _write_h5,
}
