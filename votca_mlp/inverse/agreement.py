"""How far g(r) of a step is from its target, in measures, in a record and in words."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.tables import Table, read_table
from votca_mlp.targets.agreement import Agreement, compare_tables, without_target
from votca_mlp.units import ANGSTROM_PER_NM

R_MIN = 2.0
"""Angstrom; g(r) is compared from here on, or from where the target begins when that is before."""


def agreement_with(target: Table, distribution: Table) -> Agreement:
    """Return the agreement of g(r) with a target on the same grid (nm).

    With one that has no defined point (an interaction without a target) all is nan but the peak of g(r).

    Raises
    ------
    UserError
        Other grids.
    """
    if not target.known:
        return without_target(distribution)
    known = target.x[target.y > 0.0]
    begin = float(known[0]) * ANGSTROM_PER_NM if len(known) else R_MIN
    return compare_tables(
        distribution, target, r_min=min(R_MIN, begin), r_max=float(target.x[-1]) * ANGSTROM_PER_NM
    )


def agreements(plan: InversePlan, last: int) -> dict[str, list[Agreement]]:
    """Return the agreement of steps 1 to ``last`` with the present target, by interaction.

    Of several states, by ``STATE/NAME``; those of weight 0 are not judged, nor interactions without a target.
    A step whose g(r) is not there (cleaned away) is left out.

    Raises
    ------
    UserError
        A damaged table, or g(r) on another grid than the target.
    """
    found: dict[str, list[Agreement]] = {}
    for state in plan.states:
        if state.weight > 0:
            before = f"{state.name}/" if state.name else ""
            found |= {before + name: history for name, history in _of_state(plan, state, last).items()}
    return found


def _of_state(plan: InversePlan, state: StatePlan, last: int) -> dict[str, list[Agreement]]:
    found: dict[str, list[Agreement]] = {}
    for pair in state.pairs:
        target = pair.target_on_grid()
        if not target.known:
            continue
        found[pair.name] = []
        for number in range(1, last + 1):
            path = plan.step_directory(number) / state.name / f"{pair.name}.dist.new"
            if path.is_file():
                found[pair.name].append(agreement_with(target, read_table(path)))
    return found


def facts_of(agreement: Agreement) -> dict[str, Any]:
    """Return the measures as plain numbers; what is not known is None."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items()}
        return None if value is None or value != value else float(value)

    return dict(plain(asdict(agreement)))


def described(agreement: Agreement) -> str:
    """Return the measures as one line."""
    known = agreement.rms_error == agreement.rms_error
    rms = f"rms {agreement.rms:.4f}" + (f" +- {agreement.rms_error:.2g}" if known else "")
    chi2 = "" if agreement.chi2 is None else f", chi2 {agreement.chi2:.3g}"
    range_ = f"{agreement.r_min:g} to {agreement.r_max:g} Angstrom"
    largest = f"largest {agreement.largest:.4f} at {agreement.largest_at:.2f} Angstrom"
    return f"g - target, {range_}: {rms}, {largest}{chi2}, f_fit {agreement.fit:.4f}"


def compared_files(name: str, rdf: Path, target: Path) -> str:
    """Return a line about how far the g(r) of a file is from the target of another; empty without one."""
    wanted = read_table(target)
    if not wanted.known:
        return ""
    found = agreement_with(wanted, read_table(rdf))
    error = f" +- {found.rms_error:.2g}" if np.isfinite(found.rms_error) else ""
    chi2 = "" if found.chi2 is None else f", chi^2 a point {found.chi2:.3g}"
    where = f"from {found.r_min:g} to {found.r_max:g} Angstrom"
    return f"{name}: g(r) is {found.rms:.4f}{error} (rms) from its target {where}{chi2}"
