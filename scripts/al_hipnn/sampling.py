"""Configurations of a metal to label, from short MD: solid, strained, liquid, hot, close pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from ase.neighborlist import neighbor_list

from votca_mlp.evaluation.calculator import MLPCalculator
from votca_mlp.evaluation.contract import Evaluator


@dataclass(frozen=True)
class Trajectory:
    """One short Langevin run to take frames from.

    Attributes
    ----------
    kind
        ``solid``, ``strained``, ``liquid`` or ``hot``.
    temperature
        K.
    density
        Atoms per cubic Angstrom.
    strain
        Largest element of a random symmetric strain.
    repeat
        Cubic fcc cells along each side (4 atoms each).
    frames, spacing
        How many frames, how many steps apart.
    """

    kind: str
    temperature: float
    density: float
    strain: float = 0.0
    repeat: int = 3
    frames: int = 30
    spacing: int = 20


MELT_TEMPERATURE = 3500.0
MELT_STEPS = 250
SETTLE_STEPS = 120
TIMESTEP_FS = 3.0


def plan(scale: float = 1.0) -> list[Trajectory]:
    """Return the runs of the training set; ``scale`` shortens them for tests."""
    frames = max(1, round(30 * scale))
    runs = [
        Trajectory("liquid", temperature, density, frames=frames)
        for temperature in (900.0, 950.0, 1023.0, 1100.0, 1200.0, 1323.0, 1500.0)
        for density in (0.0485, 0.0515, 0.0530, 0.0550)
    ]
    runs += [
        Trajectory("liquid", temperature, 0.0525, repeat=4, frames=max(1, frames // 3))
        for temperature in (950.0, 1023.0, 1150.0, 1323.0)
    ]
    runs += [
        Trajectory("hot", temperature, density, frames=frames // 2 or 1)
        for temperature in (2000.0, 2600.0, 3500.0)
        for density in (0.048, 0.0525, 0.060)
    ]
    lattice = np.array([3.85, 3.95, 4.02, 4.05, 4.10, 4.18, 4.30])
    runs += [
        Trajectory("solid", temperature, 4.0 / a**3, frames=frames // 3 or 1)
        for temperature in (100.0, 300.0, 700.0, 1000.0)
        for a in lattice
    ]
    runs += [
        Trajectory("strained", 300.0, 4.0 / 4.05**3, strain=strain, repeat=2, frames=frames // 3 or 1)
        for strain in (0.02, 0.04, 0.06, 0.08)
        for _ in range(4)
    ]
    return runs


def start(run: Trajectory, element: str, random: np.random.Generator) -> Atoms:
    """Return the crystal that the run starts from, strained and rattled."""
    atoms: Atoms = bulk(element, "fcc", a=(4.0 / run.density) ** (1.0 / 3.0), cubic=True).repeat(run.repeat)
    strain = random.uniform(-run.strain, run.strain, (3, 3))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.5 * (strain + strain.T)), scale_atoms=True)
    atoms.positions += 0.02 * random.standard_normal(atoms.positions.shape)
    return atoms


def sample(
    runs: list[Trajectory],
    evaluator: Evaluator,
    element: str,
    seed: int,
    only: Sequence[int] | None = None,
) -> Iterator[tuple[int, Atoms]]:
    """Yield (index of the run, frame) for every frame of every run.

    Parameters
    ----------
    runs
        See :func:`plan`.
    evaluator
        Drives the dynamics; a cheap member of an ensemble will do, as frames are labelled afterwards.
    element
        Chemical symbol.
    seed
        The same seed gives the same frames, whichever other runs are sampled.
    only
        Indices of the runs to do, all of them when None.
    """
    for number in range(len(runs)) if only is None else only:
        run = runs[number]
        random = np.random.default_rng((seed, number))
        atoms = start(run, element, random)
        atoms.calc = MLPCalculator(evaluator)
        molten = run.kind in ("liquid", "hot")
        MaxwellBoltzmannDistribution(
            atoms, temperature_K=MELT_TEMPERATURE if molten else 2 * run.temperature, rng=random
        )
        dynamics = Langevin(
            atoms,
            TIMESTEP_FS * units.fs,
            temperature_K=run.temperature,
            friction=0.02 / units.fs,
            fixcm=False,
            rng=random,
        )
        if molten:
            dynamics.set_temperature(temperature_K=MELT_TEMPERATURE)
            dynamics.run(MELT_STEPS)
            dynamics.set_temperature(temperature_K=run.temperature)
        dynamics.run(SETTLE_STEPS)
        for _ in range(run.frames):
            dynamics.run(run.spacing)
            frame = atoms.copy()
            frame.calc = None
            yield number, frame


def push_together(
    atoms: Atoms, random: np.random.Generator, closest: float = 1.55, farthest: float = 2.15
) -> Atoms:
    """Return a frame with one pair moved to a distance (Angstrom) that MD hardly visits.

    Without such frames a network's energy may fall where it has seen no pair, and atoms fuse.
    """
    first, second, distances = neighbor_list("ijd", atoms, 3.2)
    pick = random.choice(np.flatnonzero(distances < np.quantile(distances, 0.2)))
    i, j = first[pick], second[pick]
    pushed: Atoms = atoms.copy()
    direction = atoms.get_distance(i, j, mic=True, vector=True) / distances[pick]
    shift = 0.5 * (distances[pick] - random.uniform(closest, farthest)) * direction
    pushed.positions[i] += shift
    pushed.positions[j] -= shift
    return pushed
