"""maml's JSON: a list of pymatgen structures with outputs of VASP."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.training.sources.raw import RawFrame


def read_maml(path: Path, elements: tuple[str, ...]) -> Iterator[RawFrame]:
    """Read the structures; values are the outputs (energy, forces, stress), stress as a matrix."""
    from ase.data import atomic_numbers

    for k, entry in enumerate(json.loads(path.read_text())):
        structure, outputs = entry["structure"], dict(entry["outputs"])
        sites = structure["sites"]
        numbers = [atomic_numbers[site["species"][0]["element"]] for site in sites]
        if "stress" in outputs and np.shape(outputs["stress"]) == (6,):
            outputs["stress"] = _vasp_matrix(outputs["stress"])
        yield RawFrame(
            np.array(numbers, np.int64),
            np.array([site["xyz"] for site in sites], float),
            np.array(structure["lattice"]["matrix"], float),
            np.ones(3, bool),
            outputs,
            f"entry {k + 1}",
        )


def _vasp_matrix(six: Any) -> np.ndarray:
    """Return the matrix of VASP's order xx, yy, zz, xy, yz, zx."""
    xx, yy, zz, xy, yz, zx = (float(value) for value in six)
    return np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]])
