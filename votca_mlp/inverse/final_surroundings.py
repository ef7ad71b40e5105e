"""Of the checks at the end: angles and neighbours in a step's own frames, of all atoms and by species."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.observables.angles import Array, first_minimum, surroundings, surroundings_by_kind
from votca_mlp.settings.final_checks import FinalChecks
from votca_mlp.tables import read_table
from votca_mlp.units import ANGSTROM_PER_NM


def surroundings_of(context: Context, wanted: FinalChecks, step: Path, notes: list[str]) -> dict[str, Any]:
    """Return what is asked for of a step's frames as plain values; ``notes`` gets why there is nothing.

    Raises
    ------
    UserError
        A trajectory that cannot be read; a target that ends before its first minimum.
    """
    from votca_mlp.engines.engine import engine_named

    md = context.state.md
    if not (step / md.traj).is_file():
        notes.append(f"no angles: {md.traj} of {step.name} is not there any more")
        return {}
    reach = wanted.reach
    if reach is None:
        reach = _reach(context.state.pairs[0], step)
    found = surroundings(engine_named(md.engine).frames(md, step), reach)
    facts: dict[str, Any] = {"reach": reach}
    if "coordination" in wanted.observables:
        facts["coordination"] = plain(found.coordination)
    if "angles" in wanted.observables:
        facts["angles"] = _plain_angles(found.angles, found.density, found.error)
    if len(set(md.symbols)) > 1:
        facts["by_species"] = _by_species(context, wanted, step)
    return facts


def _by_species(context: Context, wanted: FinalChecks, step: Path) -> dict[str, Any]:
    """Return distances, neighbours and angles of each kind; the distance of each pair is its own."""
    from votca_mlp.engines.engine import engine_named

    md, reaches = context.state.md, {}
    for pair in context.state.pairs:
        first, second = sorted(pair.grid.species)
        reaches[first, second] = wanted.reach or _reach(pair, step)
    found = surroundings_by_kind(engine_named(md.engine).frames(md, step), reaches)
    facts: dict[str, Any] = {"reach": {"-".join(pair): reach for pair, reach in reaches.items()}}
    if "coordination" in wanted.observables:
        facts["coordination"] = {"-".join(key): plain(value) for key, value in found.coordination.items()}
    if "angles" in wanted.observables:
        facts["angles"] = {
            "-".join(key): _plain_angles(found.angles, *curve) for key, curve in found.densities.items()
        }
    return facts


def _reach(pair: PairPlan, step: Path) -> float:
    """Return the first minimum of a pair's target, of its simulated g(r) where it has none (Angstrom)."""
    table = pair.target_on_grid()
    if not table.known:
        table = read_table(step / f"{pair.name}.dist.new")
    return first_minimum(table.x * ANGSTROM_PER_NM, table.y)


def _plain_angles(angles: Array, density: Array, error: Array) -> dict[str, Any]:
    return {
        "degrees": angles.tolist(),
        "density": [float(f"{value:.6g}") for value in density],
        "error": [None if np.isnan(value) else float(f"{value:.3g}") for value in error],
    }


def plain(found: Estimate) -> dict[str, float | None]:
    """Return an estimate for JSON."""
    return {name: float(value) if np.isfinite(value) else None for name, value in asdict(found).items()}
