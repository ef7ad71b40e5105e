"""Crystal and melt of a model: lattice constant, elastic constants, g(r) at two levels of theory."""

from collections.abc import Sequence
from typing import Any

import ase.units
import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from numpy.typing import NDArray

from votca_mlp.evaluation.calculator import MLPCalculator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.observables.rdf import pair_histograms
from votca_mlp.trajectories.frames import frame_from_atoms

STRAIN = 0.005
GPA = 160.2176634
R = np.arange(0.0, 6.0, 0.1)


def lattice_and_constants(evaluator: Evaluator, guess: float) -> dict[str, float]:
    """Return the fcc lattice constant without pressure (Angstrom) and C11, C12, C44 there (GPa).

    All from the stress of strained cells: its atoms are on centres of symmetry and stay there.
    """

    def stress(a: float, strain: NDArray[np.float64]) -> Any:
        atoms = bulk("Al", "fcc", a, cubic=True).repeat(2)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
        return GPA * evaluator.evaluate(atoms).stress

    def pressure(a: float) -> float:
        return float(np.trace(stress(a, np.zeros((3, 3))))) / 3

    near, far = 0.97 * guess, 1.03 * guess
    for _ in range(12):
        middle = 0.5 * (near + far)
        near, far = (middle, far) if pressure(middle) < 0 else (near, middle)
    # a straight line over the last part, wider than rounding
    edges = np.array([middle - 0.01, middle + 0.01])
    values = np.array([pressure(a) for a in edges])
    a = float(edges[0] - values[0] * (edges[1] - edges[0]) / (values[1] - values[0]))
    along, shear = np.zeros((3, 3)), np.zeros((3, 3))
    along[0, 0], shear[1, 2], shear[2, 1] = STRAIN, 0.5 * STRAIN, 0.5 * STRAIN
    pulled = (stress(a, along) - stress(a, -along)) / (2 * STRAIN)
    sheared = (stress(a, shear) - stress(a, -shear)) / (2 * STRAIN)
    c12 = 0.5 * float(pulled[1, 1] + pulled[2, 2])
    return {"a": a, "C11": float(pulled[0, 0]), "C12": c12, "C44": float(sheared[1, 2])}


def melt(
    evaluator: Evaluator,
    *,
    density: float,
    temperature: float,
    repeat: int,
    frames: int,
    seed: int,
    hot: float = 3000.0,
) -> list[Atoms]:
    """Return frames of a melt, 100 fs apart (Langevin, constant volume); density in atoms per Angstrom^3.

    The crystal melts at ``hot`` K, from velocities of twice that.
    """
    random = np.random.default_rng(seed)
    atoms = bulk("Al", "fcc", (4.0 / density) ** (1.0 / 3.0), cubic=True).repeat(repeat)
    atoms.calc = MLPCalculator(evaluator)
    MaxwellBoltzmannDistribution(atoms, temperature_K=2.0 * hot, rng=random)
    md = Langevin(
        atoms, 2.0 * ase.units.fs, temperature_K=hot, friction=0.02 / ase.units.fs, fixcm=False, rng=random
    )
    md.run(1000)
    md.set_temperature(temperature_K=temperature)
    md.run(1500)
    found = []
    for _ in range(frames):
        md.run(50)
        found.append(Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True))
    return found


def reweighted(differences: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return the weights of frames for the potential whose energy is higher by this (eV); their sum is 1."""
    exponent = -(differences - differences.min()) / (ase.units.kB * temperature)
    weights = np.exp(exponent)
    return np.asarray(weights / weights.sum())


def effective(weights: NDArray[np.float64]) -> float:
    """Return the effective number of frames, exp(-sum w ln w)."""
    some = weights[weights > 0]
    return float(np.exp(-(some * np.log(some)).sum()))


def distribution(
    frames: Sequence[Atoms], weights: NDArray[np.float64] | None = None, blocks: int = 5
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return g at R up to half the box, and its error over blocks of consecutive frames."""
    half = 0.5 * float(min(frames[0].cell.lengths()))
    r = R[half > R]
    counts = [
        pair_histograms([frame_from_atoms(atoms)], [("Al", "Al")], r).g(("Al", "Al")) for atoms in frames
    ]
    rows = np.array(counts)
    shares = np.full(len(rows), 1.0 / len(rows)) if weights is None else weights
    mean = shares @ rows
    # the error of a weighted mean: of the sums of weighted residuals in blocks
    parts = np.array([part.sum(0) for part in np.array_split(shares[:, None] * (rows - mean), blocks)])
    return mean, np.sqrt(np.square(parts).sum(0) * blocks / (blocks - 1))
