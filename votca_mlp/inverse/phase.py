"""Whether a simulation is still in the phase of its run: a liquid may evaporate while g(r) improves."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.inverse.agreement import agreement_with
from votca_mlp.inverse.best import NEAR, Found, best_of
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.observables.step import StepObservables
from votca_mlp.observables.store import read_observables
from votca_mlp.tables import read_table
from votca_mlp.targets.target import Target
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3, EV_PER_KJMOL

UNMEASURED = 2.5
"""Times as far a simulation may be from the first step: that may not have been equilibrated."""
PRESSURES = 5.0
"""Units of N kBT/V that the pressure may be off: a liquid that is torn or crushed is further."""
UNKNOWN = 20000.0
"""bar, where the number of atoms is not known."""
_UNITS = {"density": "kg/m3", "pressure": "bar"}


def check_phase(state: StatePlan, directory: Path, found: StepObservables) -> None:
    """Refuse a simulation whose density, or pressure at constant volume, is out of bounds.

    The reference is the measured value where there is one, else that of the first step, in which the model
    is not corrected yet.

    Parameters
    ----------
    directory
        The state's folder of the step.
    found
        What was measured on its frames.

    Raises
    ------
    UserError
        Naming step, value, bounds, the best earlier step, and what to do.
    """
    name = "density" if _volume_moves(found) else "pressure"
    series, first = found.series.get(name), _of_first(state, directory, name)
    if series is None or first is None:
        return
    measured = state.density if name == "density" else state.pressure
    expected, source = (first, "in step_001") if measured is None else (float(measured.values[0]), "measured")
    limit = state.density_limit * abs(expected) if name == "density" else _pressure_limit(state, found)
    if measured is None:
        limit *= UNMEASURED
    # where the model itself is far off, the run begins there
    limit = max(limit, 1.1 * abs(first - expected))
    value, noise = float(series.mean()), float(np.nan_to_num(series.error()))
    off = abs(value - expected) - 2.0 * noise
    twice = ""
    if off <= limit and name == "density" and measured is not None:
        before = _before(state, directory, name, expected) - expected
        lasting = _lasting(state, measured)
        # a model may be off by itself, to its own side
        if (value - expected) * (first - expected) > 0.0:
            lasting = max(lasting, 1.1 * abs(first - expected))
        if (value - expected) * before > 0.0 and min(off, abs(before)) > lasting:
            limit, twice = lasting, ", for the second time in a row"
    if state.weight == 0.0 or off <= limit:
        return
    here = (
        f"{_step(state, directory).name}: the {name} is {value:.5g} {_UNITS[name]}, {source} {expected:.5g}"
    )
    best = _best(state, directory, name, expected)
    raise UserError(
        f"{here}: beyond the limit of {limit:.3g}{twice}, the run has left its phase{best}",
        where=directory,
        accepted=_ADVICE[name],
    )


_ADVICE = {
    "density": "a target without flaws, <target_density> with method imc, fewer iterations, or the engine's "
    "ensemble nvt; <cg.inverse.phase> has the limits",
    "pressure": "a target without flaws, <target_pressure> with method imc, or fewer iterations; "
    "<cg.inverse.phase.pressure> is the limit",
}


def _lasting(state: StatePlan, measured: Target) -> float:
    """Return by how much a density may be off a measured one in two simulations in a row.

    A step may overshoot, and a rule that has the density among its data brings it back with the next one.
    What stays is a drift.
    """
    sigma = 0.0 if measured.errors is None else float(measured.errors[0])
    return max(state.drift_limit * abs(float(measured.values[0])), 3.0 * sigma)


def _before(state: StatePlan, directory: Path, name: str, default: float) -> float:
    """Return the mean of the step before, the default where there is none."""
    number = int(_step(state, directory).name.removeprefix("step_")) - 1
    found = _mean(_main(state, directory) / f"step_{number:03d}" / state.name, name)
    return default if found is None else found


def _volume_moves(found: StepObservables) -> bool:
    volumes = found.series["volume"].values
    return bool(np.ptp(volumes) > 1e-9 * volumes[0])


def _of_first(state: StatePlan, directory: Path, name: str) -> float | None:
    """Return the mean of the first step; None in it, and where it is not known."""
    first = _main(state, directory) / "step_001" / state.name
    if first == directory:
        return None
    return _mean(first, name)


def _mean(folder: Path, name: str) -> float | None:
    """Return the mean of an observable, None where a step has it no longer, or never had."""
    try:
        series = read_observables(folder).series.get(name)
    except UserError:
        # cleaned away, or begun by an earlier version
        return None
    return None if series is None else float(series.mean())


def _step(state: StatePlan, directory: Path) -> Path:
    return directory.parent if state.name else directory


def _main(state: StatePlan, directory: Path) -> Path:
    return _step(state, directory).parent


def _pressure_limit(state: StatePlan, found: StepObservables) -> float:
    """Return the limit in bar: in units of N kBT/V where none is given."""
    if state.pressure_limit is not None:
        return state.pressure_limit
    volume = float(found.series["volume"].mean())
    ideal = len(state.md.symbols) * state.kBT * EV_PER_KJMOL / volume * BAR_PER_EV_PER_ANGSTROM3
    return PRESSURES * ideal if ideal > 0.0 else UNKNOWN


def _best(state: StatePlan, directory: Path, name: str, expected: float) -> str:
    """Return in words which earlier step was the best; nothing where none is known."""
    known = list(_found(state, directory))
    if not known:
        return ""
    near = NEAR if state.density is not None else UNMEASURED * NEAR
    best = best_of(known, expected if name == "density" else None, near)
    step = f"step_{best.step:03d}"
    tables = " ".join(f"{step}/{pair.name}.pot.cur" for pair in state.pairs)
    density = f", density {best.density:.5g}" if name == "density" and best.density is not None else ""
    return f". The best step before it is {step} (rms {best.rms:.4f}{density}; {tables})"


def _found(state: StatePlan, directory: Path) -> Iterator[Found]:
    here = _step(state, directory).name
    for step in sorted(_main(state, directory).glob("step_*")):
        if not "step_000" < step.name < here:
            continue
        squares = []
        for pair in state.pairs:
            path = step / state.name / f"{pair.name}.dist.new"
            target = pair.target_on_grid()
            if path.is_file() and target.known:
                squares.append(agreement_with(target, read_table(path)).rms ** 2)
        if squares:
            number = int(step.name.removeprefix("step_"))
            yield Found(number, float(np.sqrt(np.mean(squares))), _mean(step / state.name, "density"))
