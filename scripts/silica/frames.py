"""Frames of SiO2 for the labels: crystals, displaced and strained, and melts and quenches of a cheap model.

What moves the atoms is the pair potential of B. W. H. van Beest, G. J. Kramer and R. A. van Santen, Phys.
Rev. Lett. 64, 1955 (1990), its Coulomb part damped, shifted and cut at half of a small box, and with a wall
of ours that keeps atoms out of its well at small r: good enough to choose frames, and for nothing else.
"""

from collections.abc import Iterator
from typing import Any

import ase.units
import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
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
MELT, QUENCH = (7000.0, 5000.0, 4000.0, 3000.0), (2200.0, 1500.0, 900.0, 300.0)  # K
SWEEP = (0.9, 1.0, 1.0, 1.1)
"""Densities of the melts over that of the glass."""
STEP, APART, SETTLE, FRAMES = 1.5, 40, 240, 8
"""fs; MD steps between two frames and before the first of a temperature; frames of one."""
DISPLACED = (0.02, 0.04, 0.06, 0.08, 0.1)  # Angstrom
STRAIN = 0.04


class CheapSilica(Calculator):
    """Energy (eV) and forces (eV/Angstrom) of silica in a rectangular box, nearest images alone."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 - ASE's own name and form

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate; see ASE."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        x, z = atoms.get_positions(), atoms.numbers
        edges = np.diag(atoms.cell.array)
        first, second = np.triu_indices(len(x), 1)
        vectors = x[first] - x[second]
        vectors -= edges * np.rint(vectors / edges)
        r = np.sqrt(np.sum(vectors**2, axis=1))
        cutoff = 0.5 * edges.min()
        near = r < cutoff
        first, second, vectors, r = first[near], second[near], vectors[near], r[near]
        energy, slope = _pairs(z[first], z[second], r, float(cutoff))
        each = (-slope / r)[:, None] * vectors
        forces = np.zeros_like(x)
        np.add.at(forces, first, each)
        np.add.at(forces, second, -each)
        self.results = {"energy": float(energy.sum()), "forces": forces}


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


def molten(seed: int) -> Iterator[Atoms]:
    """Yield frames of a melt of 72 atoms and of its quench; a group for the melt and one for the quench."""
    random = np.random.default_rng(1000 + seed)
    while True:
        frames = list(_molten(seed, random))
        # a start too close together can throw atoms out: another one, then
        if all(np.isfinite(atoms.positions).all() for atoms in frames):
            yield from frames
            return


def _molten(seed: int, random: np.random.Generator) -> Iterator[Atoms]:
    edge = (72.0 / (DENSITY * SWEEP[seed % len(SWEEP)])) ** (1.0 / 3.0)
    atoms = packed(edge, random)
    atoms.calc = CheapSilica()  # type: ignore[no-untyped-call]
    MaxwellBoltzmannDistribution(atoms, temperature_K=MELT[0], rng=random)
    md = Langevin(
        atoms,
        STEP * ase.units.fs,
        temperature_K=MELT[0],
        friction=0.02 / ase.units.fs,
        fixcm=False,
        rng=random,
    )
    for temperature in MELT + QUENCH:
        md.set_temperature(temperature_K=temperature)
        md.run(SETTLE - APART)
        for _ in range(FRAMES):
            md.run(APART)
            frame = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
            frame.wrap()
            frame.info["group"] = f"{'melt' if temperature in MELT else 'quench'} {seed}"
            yield frame


def packed(edge: float, random: np.random.Generator) -> Atoms:
    """Return 24 Si and 48 O at random in a cubic box, none nearer than they are in a melt."""
    numbers, placed = [14] * 24 + [8] * 48, np.zeros((0, 3))
    for number in numbers:
        for _ in range(20000):
            site = random.uniform(0.0, edge, 3)
            away = placed - site
            away -= edge * np.rint(away / edge)
            limits = [2.3 if number == other == 14 else 1.9 if number == other else 1.45 for other in numbers]
            if np.all(np.sum(away**2, axis=1) > np.square(limits[: len(placed)])):
                break
        else:
            return packed(edge, random)
        placed = np.vstack([placed, site])
    return Atoms(numbers, placed, cell=[edge] * 3, pbc=True)
