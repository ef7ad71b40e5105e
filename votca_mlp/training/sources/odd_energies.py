"""Single frames whose energy is in another unit than the others of their level.

Atoms' self energies predict the energy of a frame to a small part of itself. A frame that is far from that,
and near it once its energy is multiplied by a ratio of units, was written in another unit: by itself it would
shift all self energies, which are least squares. Here they are those of the least sum of absolute deviations,
which fewer than half of the frames cannot shift.
"""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import FloatArray, LabelledFrames
from votca_mlp.training.self_energies import atoms_by_species
from votca_mlp.training.sources.label_units import ENERGIES, ratios

FEWEST = 8
"""Energies below which nothing is said."""
SCATTER = 0.1
"""Of the energy: where the others scatter by more, energies have no origin that a unit would be seen by."""
ABOVE, BELOW = 0.15, 0.03
"""How far, in its logarithm, a factor may be from one of units: for energies that are too large, as no real
one is, and for those too small, as those of atoms torn apart are."""
FAR = 30.0
"""Robust standard deviations: farther is worth a line."""
FLOOR = 1e-3
"""eV/atom: energies of equal crystals scatter by nothing at all."""


def refuse_odd_energies(frames: LabelledFrames) -> list[str]:
    """Refuse energies in another unit than the others of their level; return what else is far off, in words.

    Raises
    ------
    UserError
        Naming the first such frame and the units whose ratio brings it to the others.
    """
    said = []
    for level, labels in frames.levels.items():
        rows = np.flatnonzero(frames.has(level, "energies"))
        if len(rows) < FEWEST:
            continue
        atoms = frames.atom_counts[rows]
        energies = labels.energies[rows] / atoms
        shares = atoms_by_species(frames, frames.species)[rows] / atoms[:, None]
        expected = shares @ _robust(shares, energies)
        away = np.abs(energies - expected)
        scale = max(FLOOR, 1.4826 * float(np.median(away)))
        found = _in_other_units(energies, expected, atoms, scale)
        if found:
            k, name = next(iter(found.items()))
            more = f" ({len(found)} such frames)" if len(found) > 1 else ""
            raise UserError(
                f"the energy of level '{level}' is {energies[k]:.6g} eV/atom, where the level's other frames "
                f"say {expected[k]:.6g}{more}",
                where=str(frames.origins[rows[k]]),
                accepted=f"one unit for all energies of a source; this factor is {name}",
            )
        odd = int((away > FAR * scale).sum())
        if odd:
            said.append(
                f"energies of '{level}': {odd} frame{'s' if odd > 1 else ''} more than {FAR * scale:.3g} "
                f"eV/atom away from the others of such atoms, {frames.origins[rows[away.argmax()]]} by "
                f"{away.max():.4g}"
            )
    return said


def _in_other_units(
    energies: FloatArray, expected: FloatArray, atoms: NDArray[np.int64], scale: float
) -> dict[int, str]:
    """Return by frame the mistake that takes its energy to the expected one, eV/atom."""
    meant = scale < SCATTER * np.abs(expected)
    factor = np.where(meant & (energies * expected > 0), expected / np.where(energies == 0, 1, energies), 1.0)
    suspects = np.flatnonzero(np.abs(np.log(factor)) > np.log(2) - ABOVE)
    # a dimer has half the binding of a crystal's atom, but not half its total energy
    counted = (atoms > 3) | (scale < 0.1 * SCATTER * np.abs(expected))
    found = {
        int(k): name for k in suspects if (name := _mistake(factor[k], int(atoms[k]) if counted[k] else 1))
    }
    # where more atoms are torn apart than have such a factor, the factors are theirs by chance
    small = meant & (energies / np.where(meant, expected, 1) < 0.5)
    if small.sum() > 2 * sum(factor[k] > 1 for k in found):
        found = {k: name for k, name in found.items() if factor[k] < 1}
    return found


def _mistake(factor: float, atoms: int) -> str:
    """Return the units, or energies by atom, that a factor stands for; empty where it is none of them."""
    mistakes = ratios(ENERGIES) | {"energy per atom": float(atoms), "energy of all atoms": 1.0 / atoms}
    near = BELOW if factor > 1 else ABOVE
    away = {name: abs(np.log(factor / known)) for name, known in mistakes.items()}
    return ", or ".join(name for name in sorted(away, key=lambda name: away[name]) if away[name] < near)


def _robust(shares: FloatArray, energies: FloatArray) -> FloatArray:
    """Return energies by species of the least sum of absolute deviations, by reweighted least squares."""
    weights, solution = np.ones(len(energies)), np.zeros(shares.shape[1])
    for _ in range(100):
        root = np.sqrt(weights)
        new = np.asarray(np.linalg.lstsq(root[:, None] * shares, root * energies, rcond=1e-10)[0])
        deviation = np.abs(energies - shares @ new)
        if np.abs(shares @ (new - solution)).max() < 0.1 * FLOOR:
            break
        solution, weights = new, 1.0 / np.maximum(deviation, 0.1 * FLOOR)
    return new
