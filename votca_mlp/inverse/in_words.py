"""Whether a run has worked, in words: at the end of a run and in ``votca-mlp status``."""

import math
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from votca_mlp.engines.shared.result import production_mean, read_facts
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.inverse.agreement import agreement_with
from votca_mlp.inverse.best import NEAR, Found, best_of
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.runs.reading import Run, read_run
from votca_mlp.targets.agreement import Agreement
from votca_mlp.targets.noise import DISAGREES, SIGMAS, beyond_noise, described_noise
from votca_mlp.targets.target import Target
from votca_mlp.units import ANGSTROM_PER_NM

_ROUNDED = 5e-4
"""Of a density that is held, relative."""


def plan_in_words(plan: InversePlan) -> list[str]:
    """Return a few lines about the last measured step of each interaction and state; none before the first.

    Raises
    ------
    UserError
        A damaged table.
    """
    lines: list[str] = []
    for state in plan.states:
        runs = []
        for pair in state.pairs:
            try:
                runs.append(read_run(plan.directory, pair.name, state.name))
            except UserError:
                # nothing there yet, or cleaned away
                continue
        lines += in_words(runs, state.density)
    return lines


def in_words(
    runs: Sequence[Run], measured: Target | None = None, shown: Collection[str] | None = None
) -> list[str]:
    """Return where g(r) agrees with its target, by which table, and how the density compares.

    Parameters
    ----------
    runs
        The interactions of one state.
    measured
        Its density.
    shown
        Names of the interactions whose g(r) is spoken of, all of them when None; of another one it is only
        said where it does not agree.

    Raises
    ------
    UserError
        Tables on other grids than their target.
    """
    lines: list[str] = []
    for run in runs:
        found = _of_interaction(run)
        lines += found if shown is None or run.name in shown else [x for x in found[:1] if DISAGREES in x]
    steps = [step.directory for run in runs for step in run.measured[-1:]]
    density = production_mean(read_facts(steps[-1]), "density[kg/m3]") if steps else None
    if density is not None:
        of = f"{runs[0].state}: " if runs[0].state else ""
        lines.append(of + said_of_density(density, measured))
        better = None if measured is None else _better(runs, float(measured.values[0]))
        if better is not None:
            at = f"rms {better.rms:.4f} at a density of {better.density:.1f} kg/m3"
            lines.append(f"{of}best step: {better.step}, {at}")
    return lines


def _better(runs: Sequence[Run], wanted: float) -> Found | None:
    """Return the step that is to be taken in the place of the last one, whose density is too far off."""
    found: dict[int, list[float]] = {}
    densities: dict[int, float] = {}
    for run in runs:
        for step in run.measured:
            if step.distribution is not None and run.target.known:
                rms = agreement_with(run.target, step.distribution).rms
                found.setdefault(step.number, []).append(rms**2)
                density = production_mean(read_facts(step.directory), "density[kg/m3]")
                if density is not None:
                    densities[step.number] = density.mean
    steps = [
        Found(number, math.sqrt(np.mean(squares)), densities.get(number))
        for number, squares in found.items()
        if number in densities
    ]
    if not steps or abs(densities[steps[-1].step] - wanted) <= NEAR * wanted:
        return None
    best = best_of(steps, wanted)
    return None if best.step == steps[-1].step else best


def _of_interaction(run: Run) -> list[str]:
    if not run.measured:
        return []
    last = run.measured[-1]
    name = f"{run.state}, {run.name}" if run.state else run.name
    if not run.target.known:
        return [f"{name}, step {last.number}: no target to compare g(r) with", _table(run)]
    found = [
        (step.number, agreement_with(run.target, step.distribution))
        for step in run.measured
        if step.distribution is not None
    ]
    number, agreement = found[-1]
    lines = [f"{name}, step {number}: {_noise(run, agreement)}"]
    rms = f"  rms {agreement.rms:.4f}"
    if len(found) > 1:
        rms += f", {found[0][1].rms:.4f} in step {found[0][0]}"
    best, least = min(found, key=lambda item: item[1].rms)
    if _clearly_less(least, agreement):
        rms += f"; least in step {best}, {least.rms:.4f}"
    return [*lines, rms, _table(run)]


def _table(run: Run) -> str:
    """Return which table the last g(r) belongs to."""
    last = run.measured[-1]
    folder = Path(last.directory).relative_to(run.directory)
    if last.before is not None and np.any(last.before.y):
        table = f"  u(r) of this g(r): {folder}/{run.name}.pot.cur"
        if last.after is not None:
            table += " (pot.new is the next one, not simulated)"
        return table
    return "  the model alone: u(r) of this g(r) is zero"


def _noise(run: Run, agreement: Agreement) -> str:
    distribution, target = run.measured[-1].distribution, run.target
    assert distribution is not None
    r = target.x * ANGSTROM_PER_NM
    used = (r >= agreement.r_min - 1e-9) & (r <= agreement.r_max + 1e-9)
    variance = np.zeros(len(r))
    for errors in (distribution.yerr, target.yerr):
        if errors is not None:
            variance = variance + np.nan_to_num(errors) ** 2
    ranges = beyond_noise(r[used], (distribution.y - target.y)[used], variance[used])
    return described_noise(ranges, agreement.r_min, agreement.r_max)


def _clearly_less(one: Agreement, other: Agreement) -> bool:
    errors = [error for error in (one.rms_error, other.rms_error) if math.isfinite(error)]
    return one.rms < other.rms - SIGMAS * math.hypot(*errors)


def said_of_density(found: Estimate, measured: Target | None) -> str:
    """Return a density (kg/m3), its error where it is known, and how it compares with the measured one."""
    # at constant volume it has only rounding errors; of a short simulation the error is not known
    held, known = found.error <= 1e-9 * abs(found.mean), math.isfinite(found.error)
    error = f" +- {found.error:.1g}" if known and not held else ""
    text = f"density {found.mean:.1f}{error} kg/m3{' (held)' if held else ''}"
    if measured is None:
        return text if held else f"{text}; no <target_density> to compare it with"
    value = float(measured.values[0])
    sigma = 0.0 if measured.errors is None else float(measured.errors[0])
    text += f", measured {value:g}" + (f" +- {sigma:g}" if sigma else "")
    joint = math.hypot(found.error if known and not held else 0.0, sigma)
    # a box is set up by a density of few digits
    if abs(found.mean - value) <= max(SIGMAS * joint, 0.0 if known and not held else _ROUNDED * value):
        return f"{text}: they agree"
    percent = 100.0 * abs(found.mean - value) / value
    return f"{text}: {percent:.2g} % too {'high' if found.mean > value else 'low'}"
