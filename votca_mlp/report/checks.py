"""The checks at the end of a run: without the correction against with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.inverse.final_checks import AFTER, BEFORE, estimate_of, read_checks
from votca_mlp.report.outcome import Row, aligned
from votca_mlp.report.status import with_error

_ROWS = (
    ("density", "density [kg/m3]", 1.0, 1),
    ("diffusion", "diffusion [1e-9 m2/s]", 1e9, 2),
    ("diffusion_infinite", "diffusion, infinite box [1e-9 m2/s]", 1e9, 2),
    ("coordination", "neighbours", 1.0, 2),
)


def check_tables(directory: str | Path) -> dict[str, list[Row]]:
    """Return the numbers by state (empty with one), the heading first; empty where nothing was checked."""
    tables: dict[str, list[Row]] = {}
    for state, found in read_checks(Path(directory)).items():
        both = [found.get(label, {}) for label in (BEFORE, AFTER)]
        rows = [
            Row("", *(_heading(label, facts) for label, facts in zip((BEFORE, AFTER), both, strict=True)))
        ]
        for name, quantity, factor, decimals in _ROWS:
            rows += _row(both, name, quantity, factor, decimals)
        rows += _peak_row(both, "")
        by_species = [facts.get("by_species", {}) for facts in both]
        for name in _names(by_species, "coordination"):
            centre, _, one = name.partition("-")
            numbers = [facts.get("coordination", {}) for facts in by_species]
            rows += _row(numbers, name, f"{one} around {centre}", 1.0, 2)
        for name in _names(by_species, "angles"):
            curves = [{"angles": facts.get("angles", {}).get(name)} for facts in by_species]
            rows += _peak_row(curves, f" {name}")
        if len(rows) > 1:
            tables[state] = rows
    return tables


def _row(both: Sequence[dict[str, Any]], name: str, quantity: str, factor: float, decimals: int) -> list[Row]:
    """Return the row of a number, none where neither has it."""
    estimates = [estimate_of(facts, name) for facts in both]
    cells = [
        "-" if e is None else with_error(type(e)(factor * e.mean, factor * e.error), decimals)
        for e in estimates
    ]
    return [Row(quantity, *cells)] if any(e is not None for e in estimates) else []


def _peak_row(both: Sequence[dict[str, Any]], of: str) -> list[Row]:
    peaks = [_peak(facts) for facts in both]
    return [Row(f"likeliest angle{of} [degrees]", *(peak or "-" for peak in peaks))] if any(peaks) else []


def _names(both: Sequence[dict[str, Any]], quantity: str) -> list[str]:
    return list(dict.fromkeys(name for facts in both for name in facts.get(quantity, {})))


def check_lines(directory: str | Path, state: str = "") -> list[str]:
    """Return the checks (of a state) as text; empty where nothing was checked."""
    lines: list[str] = []
    for name, rows in check_tables(directory).items():
        if state in ("", name):
            lines += [f"{name}: checks outside the fit" if name else "Checks outside the fit", *aligned(rows)]
    for name, found in read_checks(Path(directory)).items():
        for label, facts in found.items() if state in ("", name) else ():
            lines += [f"  {f'{name}, ' if name else ''}{label}: {note}" for note in facts.get("notes", [])]
    return lines


def angles_of(facts: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return angles (degrees), their density and its error (1/degree); None where they were not measured."""
    found = facts.get("angles")
    if not isinstance(found, dict):
        return None
    error = [np.nan if value is None else value for value in found["error"]]
    return np.array(found["degrees"]), np.array(found["density"]), np.array(error)


def _heading(label: str, facts: dict[str, Any]) -> str:
    return f"{label} (step {facts['step']})" if "step" in facts else label


def _peak(facts: dict[str, Any]) -> str:
    found = angles_of(facts)
    return "" if found is None else f"{found[0][int(np.argmax(found[1]))]:.0f}"
