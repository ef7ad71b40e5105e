"""DFT frames and measured numbers of titanium, read from the folders of the data.

The archive of the DFT frames is unpacked into a temporary folder and nothing of it is kept.
"""

import csv
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from votca_mlp.training.dataset import Dataset, concatenate

HIGHEST_ENERGY = -7.4
"""eV/atom; the most stable frames have -7.66, MD of a crystal comes near none above."""
LARGEST_FORCE = 3.0
"""eV/Angstrom, of one atom's component; some frames of the archive have 280."""
VOLUMES = (15.4, 20.6)
"""Angstrom^3 an atom; the crystal has 17.6."""
AMU_PER_ANGSTROM3 = 1.66053907
"""One amu/Angstrom^3 in g/cm^3."""
TITANIUM = 47.867
"""amu."""


@dataclass(frozen=True)
class DftFrames:
    """Labelled frames, and the stress of each (eV/Angstrom^3, positive under tension), [n, 3, 3]."""

    dataset: Dataset
    stress: np.ndarray
    left_out: int


def dft_frames(archive: Path) -> DftFrames:
    """Return the frames near the crystals; ``runs`` numbers the cells that trajectories started from.

    Trajectories at 475 and 1900 K from one cell share their first frame, so they are one run.
    """
    parts, stress, left_out = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        cells: dict[str, int] = {}
        for path in sorted(Path(folder).rglob("set.000")):
            names = path.relative_to(folder).parts
            cell = "/".join(names[2:-1])
            kind, run = names[2], cells.setdefault(cell, len(cells))
            data, sigma = _one_folder(path, kind, run)
            spread = np.abs(data.forces).max(axis=(1, 2))
            count = data.atom_counts
            volume = np.abs(np.linalg.det(data.cells)) / count
            near = (data.energies / count < HIGHEST_ENERGY) & (spread < LARGEST_FORCE)
            near &= (volume > VOLUMES[0]) & (volume < VOLUMES[1])
            chosen = np.flatnonzero(near)
            left_out += len(data) - len(chosen)
            if len(chosen):
                parts.append(data.take(chosen))
                stress.append(sigma[chosen])
    return DftFrames(concatenate(parts), np.concatenate(stress), left_out)


def _one_folder(path: Path, kind: str, run: int) -> tuple[Dataset, np.ndarray]:
    arrays = {
        name: np.load(path / f"{name}.npy").astype(float) for name in ("box", "coord", "force", "virial")
    }
    energies = np.load(path / "energy.npy").astype(float).ravel()
    frames = len(energies)
    cells, positions = arrays["box"].reshape(-1, 3, 3), arrays["coord"].reshape(frames, -1, 3)
    numbers = np.full(positions.shape[:2], 22)
    forces, kinds, runs = (
        arrays["force"].reshape(positions.shape),
        np.full(frames, kind),
        np.full(frames, run),
    )
    # the archive's virial is positive under compression: finite differences of the energy say so, see verify
    volume = np.abs(np.linalg.det(cells))[:, None, None]
    return Dataset(numbers, positions, cells, energies, forces, kinds, runs), (
        -arrays["virial"].reshape(-1, 3, 3) / volume
    )


def split(dataset: Dataset, seed: int, share: float = 0.12) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the frames to learn from and of those held out; runs are never split."""
    random = np.random.default_rng(seed)
    held: set[int] = set()
    for kind in sorted(set(dataset.kinds.tolist())):
        runs = np.unique(dataset.runs[dataset.kinds == kind])
        held.update(random.permutation(runs)[: max(1, round(share * len(runs)))].tolist())
    out = np.isin(dataset.runs, list(held))
    return np.flatnonzero(~out), np.flatnonzero(out)


@dataclass(frozen=True)
class Measured:
    """Elastic constants in GPa by name, and hcp's a and c in Angstrom, at one temperature in K."""

    temperature: float
    constants: dict[str, float]
    a: float
    c: float


def measured(folder: Path) -> dict[float, Measured]:
    """Return what was measured, by temperature.

    Elastic constants: Fisher and Renken 1964, as tabulated with Rocken and Zavadlav 2024 beside the density
    (second column, g/cm^3). That gives the volume; c/a is the line through Spreadborough and Christian 1959.
    """
    ratios = []
    for row in csv.reader((folder / "Ti_lattice_constants_hcp.csv").read_text().splitlines()):
        if row and not row[0].startswith("#"):
            ratios.append((float(row[0]), float(row[2])))
    temperatures, values = np.array(ratios).T
    slope, start = np.polyfit(temperatures, values, 1)
    found = {}
    for line in (folder / "Ti_elastic_constants_exp.txt").read_text().splitlines():
        if line[:1] in "#T":
            continue
        temperature, density, c11, c12, c13, c33, c44 = map(float, line.split())
        volume = TITANIUM * AMU_PER_ANGSTROM3 / density
        ratio = start + slope * temperature
        a = (4.0 * volume / (np.sqrt(3.0) * ratio)) ** (1 / 3)
        constants = {"C11": c11, "C33": c33, "C44": c44, "C12": c12, "C13": c13}
        found[temperature] = Measured(
            temperature, {name: 100.0 * value for name, value in constants.items()}, a, a * ratio
        )
    return found
