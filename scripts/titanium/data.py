"""DFT frames and measured numbers of titanium, read from the folders of the data.

The archive of the DFT frames is unpacked into a temporary folder and nothing of it is kept.
"""

import csv
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from votca_mlp.training.labelled import LabelledFrames, concatenate, labelled_frames

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


LEVEL = "pbe"


def dft_frames(archive: Path) -> tuple[LabelledFrames, int]:
    """Return the frames near the crystals, and how many far ones are left out.

    A group is a cell that trajectories started from: those at 475 and 1900 K share their first frame. Its
    name begins with its number and the phase.
    """
    parts, left_out = [], 0
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            # Python before 3.11.4 has no filters
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            tar.extractall(folder)
        cells: dict[str, int] = {}
        for path in sorted(Path(folder).rglob("set.000")):
            names = path.relative_to(folder).parts
            cell = "/".join(names[2:-1])
            number = cells.setdefault(cell, len(cells))
            data = _one_folder(path, f"{number:03d} {cell}", "/".join(names[1:-1]))
            largest = np.abs(data.levels[LEVEL].forces).reshape(len(data), -1).max(1)
            volume = np.abs(np.linalg.det(data.cells)) / data.atom_counts
            near = (data.levels[LEVEL].energies / data.atom_counts < HIGHEST_ENERGY) & (
                largest < LARGEST_FORCE
            )
            near &= (volume > VOLUMES[0]) & (volume < VOLUMES[1])
            left_out += int((~near).sum())
            parts.append(data.take(near))
    return concatenate(parts), left_out


def _one_folder(path: Path, group: str, origin: str) -> LabelledFrames:
    arrays = {
        name: np.load(path / f"{name}.npy").astype(float) for name in ("box", "coord", "force", "virial")
    }
    energies = np.load(path / "energy.npy").astype(float).ravel()
    count = len(energies)
    cells, positions = arrays["box"].reshape(-1, 3, 3), arrays["coord"].reshape(count, -1, 3)
    atoms = [Atoms(f"Ti{len(x)}", x, cell=cell, pbc=True) for x, cell in zip(positions, cells, strict=True)]
    # the archive's virial is positive under compression: its sign is that of -dE/dV between its own cells
    volume = np.abs(np.linalg.det(cells))[:, None, None]
    labels = {
        "energies": list(energies),
        "forces": list(arrays["force"].reshape(positions.shape)),
        "stress": list(-arrays["virial"].reshape(-1, 3, 3) / volume),
    }
    origins = [f"{origin} frame {k}" for k in range(count)]
    return labelled_frames(atoms, {LEVEL: labels}, [group] * count, origins)


def split(frames: LabelledFrames, seed: int, share: float = 0.12) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames to learn from and those held out, a share of the groups of each phase."""
    random = np.random.default_rng(seed)
    names = sorted(set(frames.groups.tolist()))
    phases: dict[str, list[str]] = {}
    for name in names:
        phases.setdefault(name.split(" ")[1].split("/")[0], []).append(name)
    held: set[str] = set()
    for phase in sorted(phases):
        groups = phases[phase]
        held.update(random.permutation(groups)[: max(1, round(share * len(groups)))].tolist())
    out = np.isin(frames.groups, list(held))
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

    Elastic constants as tabulated with Rocken and Zavadlav 2024 beside the density (second column, g/cm^3,
    whose heading is missing there). That gives the volume; c/a is the line through Spreadborough and
    Christian 1959. The table names no experiment. Temperatures and values fit E. S. Fisher and C. J. Renken,
    Phys. Rev. 135, A482 (1964): ultrasound in single crystals, 4 to 1155 K, c66 falling by 75 % from 4 to
    1100 K; the row at 298 K is that of handbooks (162.4, 92.0, 69.0, 180.7, 46.7 GPa). The original was not
    at hand, and nothing states errors that could be taken over: those of :mod:`.states` are assumed.
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
