"""How far fits are from the known correction u*(r), and how far noise alone would put them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from known_states import Array, Fluid, Shares
from numpy.typing import NDArray
from results_file import number, rounded

from votca_mlp.tables import Table, read_table
from votca_mlp.units import KJMOL_PER_EV, kbt_kjmol

Tables = dict[str, dict[str, dict[str, Any]]]
UNITS = dict.fromkeys(("distance", "expected_of_g", "expected_of_single", "own", "all"), "meV")


def distances(main: Path, fluids: Mapping[str, Fluid], step: Path | None) -> Array:
    """Return the RMS of u - u* in meV of each interaction, where pairs are in all states.

    u is that after a step, or 0 without one. A constant has no force and is left out.
    """
    found = []
    for name, where in seen(main, fluids).items():
        u = 0.0 if step is None else read_table(step / f"{name}.pot.new").y
        found.append(np.std((u - read_table(main / f"{name}.pot.known").y)[where]))
    return np.array(found) * 1e3 / KJMOL_PER_EV


def noises(main: Path, fluids: Mapping[str, Fluid], state: str, step: Path) -> Array:
    """Return what the statistical errors of g and g* put into the update of a state alone, RMS in meV."""
    kbt = kbt_kjmol(fluids[state].temperature)
    found = []
    for name, where in seen(main, fluids).items():
        tables = [read_table(step / f"{name}.dist.new"), read_table(main / state / f"{name}.dist.tgt")]
        squares = sum((errors_of(table)[where] / table.y[where]) ** 2 for table in tables)
        found.append(kbt * np.sqrt(np.mean(squares)))
    return np.array(found) * 1e3 / KJMOL_PER_EV


def errors_of(table: Table) -> Array:
    """Return the errors of a table that has them."""
    assert table.yerr is not None
    return table.yerr


def seen(main: Path, fluids: Mapping[str, Fluid]) -> dict[str, NDArray[np.bool_]]:
    """Return where each interaction has pairs in all states; the last 0.1 nm, where u ends, are left out."""
    found = {}
    for path in sorted(main.glob("*.pot.known")):
        name, r = path.name.removesuffix(".pot.known"), read_table(path).x
        targets = [read_table(main / state / f"{name}.dist.tgt").y for state in fluids]
        found[name] = np.all([g > 0.3 for g in targets], axis=0) & (r < r[-1] - 0.1)
    return found


def total(each: Array) -> Array:
    """Return the RMS over the interactions, the last axis."""
    return np.asarray(np.sqrt(np.mean(each**2, axis=-1)))


def settled(each: Array) -> Array:
    """Return the RMS over the last half of the iterations, the axis before: each has noise of its own."""
    return np.asarray(np.sqrt(np.mean(each[..., each.shape[-2] // 2 :, :] ** 2, axis=-2)))


def mean(values: Array) -> tuple[float, float | None]:
    """Return mean and standard error over the replicas; one has none."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return float(np.mean(values)), error


def shown(value: float, error: float | None) -> str:
    """Return a mean with its error as text."""
    return f"{value:.3f}" if error is None else f"{value:.3f} +- {error:.3f}"


def print_tables(
    fits: Mapping[str, Shares],
    found: Mapping[str, Array],
    noise: Mapping[str, Array],
    *,
    names: Sequence[str],
) -> Tables:
    """Print and return the distances from u*, and by how much several states are nearer than the best one.

    Parameters
    ----------
    fits
        The shares of the states.
    found
        Distances, shapes [replicas, iterations, interactions].
    noise
        Of the single states' updates, same shapes.
    names
        Of the interactions.
    """
    width = max(map(len, fits)) + 2
    iterations = next(iter(found.values())).shape[1]
    tables: Tables = {"by_iteration": {}, "ends": {}, "gains": {}}
    print("\nRMS of u - u* [meV] after each iteration, mean of the replicas")
    for label, values in found.items():
        each = total(values).mean(axis=0)
        print(f"  {label:<{width}}" + " ".join(f"{d:5.2f}" for d in each))
        tables["by_iteration"][label] = {"distance": [rounded(d) for d in each]}

    print(f"\niterations {iterations // 2 + 1} to {iterations} [meV]")
    print(f"  {'':<{width}}{'':<18}{'':<{8 * len(names)}}expected of the errors")
    print(
        f"  {'':<{width}}{'distance':<18}"
        + "".join(f"{name:<8}" for name in names)
        + "of g   of single states"
    )
    ends, noises_of_g = ({k: settled(v) for k, v in values.items()} for values in (found, noise))
    for label, shares in fits.items():
        of_each = ends[label].mean(axis=0)
        columns = "".join(f"{d:<8.3f}" for d in of_each)
        # independent errors, added with the shares
        expected = [
            total(np.sqrt(sum(np.square(share * source[state]) for state, share in shares.items()))).mean()
            for source in (noises_of_g, ends)
        ]
        distance = mean(total(ends[label]))
        print(f"  {label:<{width}}{shown(*distance):<18}{columns}{expected[0]:<7.3f}{expected[1]:.3f}")
        row: dict[str, Any] = {"distance": number(*distance)}
        row |= {name: rounded(d) for name, d in zip(names, of_each, strict=True)}
        row |= {"expected_of_g": rounded(expected[0]), "expected_of_single": rounded(expected[1])}
        tables["ends"][label] = row

    if max(map(len, fits.values())) == 1:
        del tables["gains"]
        return tables
    print("\nnearer than the best single state of the same replica [meV], in so many replicas")
    print(f"  {'':<{width}}{'best of its own':<26}best of all")
    alone = {state: total(ends[state]) for state in noise}
    for label, shares in fits.items():
        if len(shares) > 1:
            gains = [
                np.min([alone[s] for s in group], axis=0) - total(ends[label]) for group in (shares, alone)
            ]
            words = [f"{shown(*mean(gain))}, {np.sum(gain > 0)} of {len(gain)}" for gain in gains]
            print(f"  {label:<{width}}{words[0]:<26}{words[1]}")
            row = {"replicas": len(gains[0])}
            for name, gain in zip(("own", "all"), gains, strict=True):
                row |= {name: number(*mean(gain)), f"{name}_count": int(np.sum(gain > 0))}
            tables["gains"][label] = row
    return tables
