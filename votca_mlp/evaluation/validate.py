"""Checks that every model must pass before MD believes it.

An evaluator is asked for the same physics in several ways; the report holds the largest deviations. Nothing
is raised here: what is acceptable depends on the dtype, and ``Report.problems`` says what is not.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.report import Report
from votca_mlp.evaluation.result import Evaluation
from votca_mlp.evaluation.stress_check import strained

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

_LONGEST = 0.015
"""Angstrom; published models vary so fast that a longer step is wrong by more than float32 is."""
_POINTS = 6
"""On each side, where the rounding of the energy is measured."""


def validate_model(
    evaluator: Evaluator,
    atoms: "Atoms",
    *,
    components: int = 6,
    step: float | None = None,
    strain: float | None = None,
    seed: int = 0,
) -> Report:
    """Measure how far an evaluator is from a sound potential; raises nothing of its own but for a bad seed.

    Parameters
    ----------
    evaluator
        Best built in float64: finite differences resolve no more than the rounding of the energy.
    atoms
        A configuration off symmetry (rattled), periodic in all directions or in none.
    components
        How many force components are compared with finite differences.
    step
        Displacement, Angstrom; by default from the energy's rounding, 0.001 where there is next to none.
    strain
        Dimensionless; by default a tenth of ``step`` by Angstrom.
    seed
        Of the choice of components, shift, rotation and permutation.
    """
    if seed < 0:
        raise UserError(f"is {seed}", where="seed", accepted="a whole number from 0 on")
    rng = np.random.default_rng(seed)
    base = atoms.copy()
    base.calc = None
    count, periodic = len(base), bool(np.all(base.pbc)) and base.cell.rank == 3
    reference = _evaluate(evaluator, base)
    dtype = _resolution(evaluator, base, reference)
    rounding = (
        0.0 if dtype == "float64" else energy_rounding(evaluator, base, np.random.default_rng([seed, 1]))
    )
    if step is None:
        step = best_step(rounding, float(np.sqrt(np.mean(reference.forces**2))))
    strain = 0.1 * step if strain is None else strain

    force_error = 0.0
    for flat in rng.choice(3 * count, min(components, 3 * count), replace=False):
        slope = _slope(evaluator, base, *divmod(int(flat), 3), step)
        force_error = _worst(force_error, abs(reference.forces.flat[flat] + slope))
    stress_error = _stress_error(evaluator, base, reference, strain) if periodic else np.nan

    shifted = base.copy()
    shifted.positions += rng.normal(size=3)
    moved = _evaluate(evaluator, shifted)

    rotation = _rotation(rng)
    turned = base.copy()
    turned.set_cell(base.cell.array @ rotation.T)
    turned.positions = base.positions @ rotation.T
    rotated = _evaluate(evaluator, turned)
    back = rotation.T @ rotated.stress @ rotation

    order = rng.permutation(count)
    permuted = _evaluate(evaluator, base[order])

    image_energy = image_forces = np.nan
    if periodic:
        repeat = np.ones(3, int)
        repeat[int(np.argmin(base.cell.lengths()))] = 2
        doubled = _evaluate(evaluator, base.repeat(tuple(repeat)))
        image_energy = abs(doubled.energy / (2 * count) - reference.energy / count)
        image_forces = _largest(doubled.forces - np.tile(reference.forces, (2, 1)))

    displaced = base.copy()
    displaced.positions += rng.normal(scale=0.05, size=(count, 3))
    evaluator.evaluate(displaced)
    repeated = evaluator.evaluate(base)
    evaluator.forget()

    results = (reference, moved, rotated, permuted, repeated)
    return Report(
        force_error=float(force_error),
        stress_error=float(stress_error),
        net_force=float(np.linalg.norm(reference.forces.sum(0))),
        translation_energy=abs(moved.energy - reference.energy) / count,
        translation_forces=_largest(moved.forces - reference.forces),
        rotation_energy=abs(rotated.energy - reference.energy) / count,
        rotation_forces=_largest(rotated.forces @ rotation - reference.forces),
        rotation_stress=_largest(back - reference.stress) if periodic else np.nan,
        permutation_energy=abs(permuted.energy - reference.energy) / count,
        permutation_forces=_largest(permuted.forces - reference.forces[order]),
        image_energy=float(image_energy),
        image_forces=float(image_forces),
        repeat_energy=abs(repeated.energy - reference.energy) / count,
        force_scale=float(np.sqrt(np.mean(reference.forces**2))),
        finite=all(_finite(result) for result in results)
        and bool(np.isfinite([force_error, stress_error if periodic else 0.0]).all()),
        dtype=dtype,
        energy_rounding=rounding,
        step=step,
        strain=strain,
        volume=float(base.get_volume()) if periodic else np.nan,
    )


def energy_rounding(evaluator: Evaluator, base: "Atoms", rng: np.random.Generator) -> float:
    """Return the scatter of the energy about a smooth curve, eV: what its precision leaves unresolved.

    All atoms are moved along one random direction by 1e-5 Angstrom a point, over which a sound potential
    is a parabola to all digits.
    """
    direction = rng.normal(size=(len(base), 3))
    offsets = np.arange(-_POINTS, _POINTS + 1) * 1e-5
    energies = []
    for offset in offsets:
        trial = base.copy()
        trial.positions += offset * direction
        energies.append(evaluator.evaluate(trial).energy)
    evaluator.forget()
    values = np.array(energies) - energies[0]
    curve = np.polynomial.Polynomial.fit(offsets, values, 2)
    return float(np.sqrt(((values - curve(offsets)) ** 2).sum() / (len(offsets) - 3)))


def best_step(rounding: float, force: float) -> float:
    """Return the displacement (Angstrom) with the least error of the four-point difference.

    Rounding (eV) leaves about rounding / h, and the formula itself leaves h^4 / 30 of the fifth derivative:
    that of a ``force`` (eV/Angstrom) which varies over half an Angstrom.
    """
    if not 0.0 < rounding < np.inf or not np.isfinite(force):
        return 1e-3
    fifth = max(force, 1e-2) / 0.5**4
    return float(np.clip((7.5 * rounding / fifth) ** 0.2, 1e-3, _LONGEST))


def _evaluate(evaluator: Evaluator, atoms: "Atoms") -> Evaluation:
    evaluator.forget()
    return evaluator.evaluate(atoms)


def _slope(evaluator: Evaluator, base: "Atoms", atom: int, axis: int, step: float) -> float:
    """Return dE/dx by the four-point central difference, whose error is of fourth order in the step."""
    energies = []
    for factor in (-2, -1, 1, 2):
        trial = base.copy()
        trial.positions[atom, axis] += factor * step
        energies.append(evaluator.evaluate(trial).energy)
    return (energies[0] - 8.0 * energies[1] + 8.0 * energies[2] - energies[3]) / (12.0 * step)


def _stress_error(evaluator: Evaluator, base: "Atoms", reference: Evaluation, strain: float) -> float:
    error = 0.0
    for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        energies = []
        for factor in (-2, -1, 1, 2):
            deformation = np.eye(3)
            deformation[i, j] += 0.5 * factor * strain
            deformation[j, i] += 0.5 * factor * strain
            energies.append(evaluator.evaluate(strained(base, deformation)).energy)
        slope = (energies[0] - 8.0 * energies[1] + 8.0 * energies[2] - energies[3]) / (12.0 * strain)
        error = _worst(error, abs(reference.stress[i, j] - slope / base.get_volume()))
    return error


def _rotation(rng: np.random.Generator) -> Array:
    """Return a random proper rotation."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0.0:
        q[:, 0] = -q[:, 0]
    return np.asarray(q, float)


def _resolution(evaluator: Evaluator, base: "Atoms", reference: Evaluation) -> str:
    """Tell float32 from float64 by whether the energy follows a small step along the forces."""
    norm = float(np.linalg.norm(reference.forces))
    if not 1e-6 < norm < np.inf:
        return "float64"
    step, energies = 1e-7, []
    for sign in (-1.0, 1.0):
        trial = base.copy()
        trial.positions += sign * step * reference.forces / norm
        energies.append(evaluator.evaluate(trial).energy)
    evaluator.forget()
    return "float64" if abs((energies[0] - energies[1]) / (2.0 * step * norm) - 1.0) < 1e-3 else "float32"


def _worst(a: float, b: float) -> float:
    """Return the larger one; nan when either is, where max() may hide it."""
    return float(np.maximum(a, b))


def _largest(values: Array) -> float:
    return float(np.abs(values).max(initial=0.0))


def _finite(result: Evaluation) -> bool:
    return bool(
        np.isfinite(result.energy) and np.isfinite(result.forces).all() and np.isfinite(result.stress).all()
    )
