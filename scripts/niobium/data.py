"""PBE frames of niobium (maml_Nb) and measured elastic constants (elastic_reference) from their files."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from votca_mlp.training.labelled import LabelledFrames, concatenate, labelled_frames
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

LEVEL = "pbe"
LARGEST_FORCE = 6.0
"""eV/Angstrom, of one atom's component."""
KBAR = 1000.0 / BAR_PER_EV_PER_ANGSTROM3
"""1 kbar in eV/Angstrom^3."""
SETS = ("AIMD", "Elastic", "Surface")


def dft_frames(folder: Path) -> tuple[LabelledFrames, LabelledFrames]:
    """Return the frames to learn from and the held-out ones, which the data set calls its test."""
    return concatenate([_frames(folder, name) for name in SETS]), _frames(folder, "Test")


def _frames(folder: Path, name: str) -> LabelledFrames:
    atoms, energies, forces, stress, groups, origins = [], [], [], [], [], []
    for number, entry in enumerate(json.loads((folder / f"Nb_{name}.json").read_text())):
        outputs, sites = entry["outputs"], entry["structure"]["sites"]
        force = np.array(outputs["forces"], float)
        if np.abs(force).max() > LARGEST_FORCE:
            continue
        positions, cell = [site["xyz"] for site in sites], entry["structure"]["lattice"]["matrix"]
        atoms.append(Atoms(f"Nb{len(sites)}", positions, cell=cell, pbc=True))
        energies.append(float(outputs["energy"]))
        forces.append(force)
        # VASP: xx, yy, zz, xy, yz, zx, positive under compression, as the strained cells of the set say
        xx, yy, zz, xy, yz, zx = outputs["stress"]
        stress.append(-KBAR * np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]]))
        # 300-37 is a snapshot of a trajectory, 4---0.0900 a size of strain 4: what a model gets wrong of one
        # it gets wrong of the others; surfaces go by themselves
        note = str(next(iter(entry["notes"].values())))
        run = note.split("-")[0] if name == "Elastic" else note.rsplit("-", 1)[0]
        groups.append(f"{name} {note if name == 'Surface' else run}")
        origins.append(f"Nb_{name}.json {number}")
    labels: dict[str, Sequence[object]] = {"energies": energies, "forces": forces, "stress": stress}
    return labelled_frames(atoms, {LEVEL: labels}, groups, origins)


def elastic_constants(folder: Path, source: str) -> dict[str, float]:
    """Return C11, C12 and C44 in GPa: ``experiment``, or ``vasp_pbe``."""
    found = json.loads((folder / "elastic_metals.json").read_text())[source]["Nb"]
    return {name.upper(): float(value) for name, value in found.items()}
