"""Frames of SiO2 for the labels: crystals, displaced and strained, and melts and quenches of a cheap model.

What moves the atoms is the pair potential of B. W. H. van Beest, G. J. Kramer and R. A. van Santen, Phys.
Rev. Lett. 64, 1955 (1990), in LAMMPS, its Coulomb part damped, shifted and cut (C. J. Fennell and J. D.
Gezelter, J. Chem. Phys. 124, 234104 (2006)), and with a wall of ours that keeps atoms out of its well at
small r.
"""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read, write
from ase.spacegroup import crystal
from numpy.typing import NDArray
from scipy.special import erfc

Array = NDArray[np.float64]

DENSITY = 0.0664
"""Atoms per cubic Angstrom of the glass that was measured."""
CHARGES = {8: -1.2, 14: 2.4}
SHORT = {(14, 8): (18003.7572, 4.87318, 133.5381), (8, 8): (1388.773, 2.76, 175.0), (14, 14): (0.0, 1.0, 0.0)}
"""A (eV), b (1/Angstrom) and C (eV Angstrom^6) of A exp(-b r) - C / r^6."""
WALLS = {(14, 8): 1.25, (8, 8): 1.75, (14, 14): 2.0}
"""Angstrom: where (radius / r)^24 eV is 1."""
COULOMB, DAMPING = 14.3996454, 0.25
"""eV Angstrom, 1/Angstrom."""
CUTOFF, POINTS = 9.0, 6000
"""Angstrom; points of a table."""
TYPES = {"SIO": "1 2", "OO": "2 2", "SISI": "1 1"}
LADDER, MELTING = (6000.0, 4000.0, 3500.0, 3000.0, 2500.0, 2000.0, 1300.0, 700.0, 300.0), 1
"""K; how many of them make the melt, without frames."""
HOT = 18
"""Of a quench's frames, those above 3000 K."""
SWEEP = (0.95, 1.0, 1.0, 1.05)
"""Densities of the quenches over that of the glass."""
STEP, SETTLE, RUN, APART = 1.0, 3000.0, 4000.0, 800.0
"""fs; a temperature's first and second part, and between two frames of the second."""
DISPLACED = (0.01, 0.02, 0.03, 0.04, 0.05)  # Angstrom
STRAIN = 0.04


class Failed(Exception):
    """LAMMPS has ended with an error."""


def quenched(edge: float, units: int, ladder: Sequence[float], seed: int, directory: Path) -> list[Atoms]:
    """Return frames of a melt and its quench at constant volume, by LAMMPS.

    SETTLE and then RUN fs a temperature, with frames of the second part.
    The first temperatures make the melt, of which no frames are taken. The last frame is the quenched glass.
    """
    directory.mkdir(parents=True, exist_ok=True)
    start = packed(edge, units, np.random.default_rng(1000 + seed))
    write(directory / "start.data", start, format="lammps-data", specorder=["Si", "O"])
    _write_tables(directory / "silica.table")
    commands = [
        "units metal",
        "read_data start.data",
        "mass 1 28.085",
        "mass 2 15.999",
        f"pair_style table linear {POINTS}",
        *(f"pair_coeff {one} silica.table {name}" for name, one in TYPES.items()),
        "neigh_modify every 1 delay 2 check yes",
        "minimize 0 1e-3 500 5000",
        f"velocity all create {ladder[0]} {seed + 1} mom yes",
        f"timestep {0.001 * STEP}",
        "fix move all nve",
        "dump frames all custom 1000000000 frames.dump type x y z",
        "dump_modify frames sort id format float %.6f first no",
    ]
    for number, temperature in enumerate(ladder):
        commands += [
            f"fix heat all langevin {temperature} {temperature} 0.1 {100 * seed + number + 1} zero yes",
            f"run {round(SETTLE / STEP)}",
        ]
        commands += [f"dump_modify frames every {round(APART / STEP)}"] if number == MELTING else []
        commands += [f"run {round(RUN / STEP)}"]
    (directory / "in.lmp").write_text("\n".join(commands) + "\n")
    done = subprocess.run(["lmp", "-in", "in.lmp"], cwd=directory, capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stdout[-500:] + done.stderr[-500:])
    found = read(directory / "frames.dump", ":", format="lammps-dump-text")
    return [
        Atoms(np.where(atoms.numbers == 1, 14, 8), atoms.positions, cell=start.cell, pbc=True)
        for atoms in found
    ]


def _write_tables(path: Path) -> None:
    lines = []
    for name, one in TYPES.items():
        high, low = (14 if kind == "1" else 8 for kind in one.split())
        r = np.linspace(0.6, CUTOFF, POINTS)
        numbers = np.full(POINTS, high), np.full(POINTS, low)
        energy, slope = _pairs(*numbers, r, CUTOFF)
        lines += [name, f"N {POINTS} R {r[0]} {r[-1]}", ""]
        lines += [
            f"{k + 1} {a:.8f} {b:.10g} {-c:.10g}"
            for k, (a, b, c) in enumerate(zip(r, energy, slope, strict=True))
        ]
        lines.append("")
    path.write_text("\n".join(lines))


def _pairs(a: NDArray[np.int64], b: NDArray[np.int64], r: Array, cutoff: float) -> tuple[Array, Array]:
    """Return energy and its slope for each pair."""
    high, low = np.maximum(a, b), np.minimum(a, b)
    energy, slope = np.zeros(len(r)), np.zeros(len(r))
    for pair, (size, rate, sixth) in SHORT.items():
        of = (high == pair[0]) & (low == pair[1])
        s = r[of]
        wall = (WALLS[pair] / s) ** 24
        energy[of] = size * np.exp(-rate * s) - sixth / s**6 + wall
        slope[of] = -rate * size * np.exp(-rate * s) + 6.0 * sixth / s**7 - 24.0 * wall / s
        q = COULOMB * CHARGES[pair[0]] * CHARGES[pair[1]]
        energy[of] += q * (_damped(s) - _damped(cutoff) - (s - cutoff) * _damped_slope(cutoff))
        slope[of] += q * (_damped_slope(s) - _damped_slope(cutoff))
    return energy, slope


def _damped(r: Any) -> Any:
    return erfc(DAMPING * r) / r


def _damped_slope(r: Any) -> Any:
    gauss = 2.0 * DAMPING / np.sqrt(np.pi) * np.exp(-((DAMPING * r) ** 2))
    return -erfc(DAMPING * r) / r**2 - gauss / r


def crystals() -> dict[str, Atoms]:
    """Return alpha-quartz, alpha- and beta-cristobalite (ideal), 72 or 96 atoms each."""
    quartz = crystal(
        ["Si", "O"],
        [(0.4697, 0, 2 / 3), (0.4135, 0.2669, 0.7858)],
        spacegroup=154,
        cellpar=[4.914, 4.914, 5.405, 90, 90, 120],
    )
    low = crystal(
        ["Si", "O"],
        [(0.3003, 0.3003, 0), (0.2392, 0.1044, 0.1787)],
        spacegroup=92,
        cellpar=[4.972, 4.972, 6.922, 90, 90, 90],
    )
    return {
        "quartz": quartz.repeat(2),
        "low cristobalite": low.repeat((2, 2, 2)),
        "cristobalite": high(3, 1, 1),
    }


def high(*multiples: int) -> Atoms:
    """Return ideal beta-cristobalite at the density of the glass, 24 atoms a cell."""
    edge = (24.0 / DENSITY) ** (1.0 / 3.0)
    cell = crystal(
        ["Si", "O"],
        [(0.125, 0.125, 0.125), (0, 0, 0)],
        spacegroup=227,
        setting=2,
        cellpar=[edge] * 3 + [90] * 3,
    )
    found = cell.repeat(multiples)
    assert isinstance(found, Atoms)
    return found


def displaced(seed: int = 1) -> Iterator[Atoms]:
    """Yield crystals with atoms displaced and cells strained at random; a group for each crystal and size."""
    random = np.random.default_rng(seed)
    for name, perfect in crystals().items():
        for size in DISPLACED:
            for _ in range(4):
                atoms = perfect.copy()
                strain = random.uniform(-STRAIN, STRAIN, (3, 3))
                atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.5 * (strain + strain.T)), scale_atoms=True)
                atoms.positions += random.normal(0.0, size, atoms.positions.shape)
                atoms.info["group"] = f"{name} {size:g}"
                yield atoms


def molten(seed: int, directory: Path, *, hot: bool) -> Iterator[Atoms]:
    """Yield frames of 72 atoms at one of several densities: the melt above 3000 K, or the quench below."""
    edge = (72.0 / (DENSITY * SWEEP[seed % len(SWEEP)])) ** (1.0 / 3.0)
    frames = quenched(edge, 24, LADDER, seed, directory)
    for frame in frames[:HOT] if hot else frames[HOT:]:
        frame.wrap()
        frame.info["group"] = f"{'melt' if hot else 'quench'} {seed}"
        yield frame


def packed(edge: float, units: int, random: np.random.Generator) -> Atoms:
    """Return SiO2 at random in a cubic box, silicon first, none nearer than they are in a melt."""
    numbers, placed = [14] * units + [8] * (2 * units), np.zeros((0, 3))
    for number in numbers:
        for _ in range(20000):
            site = random.uniform(0.0, edge, 3)
            away = placed - site
            away -= edge * np.rint(away / edge)
            limits = [2.3 if number == other == 14 else 1.9 if number == other else 1.45 for other in numbers]
            if np.all(np.sum(away**2, axis=1) > np.square(limits[: len(placed)])):
                break
        else:
            return packed(edge, units, random)
        placed = np.vstack([placed, site])
    return Atoms(numbers, placed, cell=[edge] * 3, pbc=True)
