"""The paper's statements beside what was found: agrees, differs, and why, by rules that were fixed before.

Two numbers differ where they are more than two standard errors apart.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from results_numbers import Number

Rows = Mapping[str, Mapping[str, Any]]
SIMILAR, LARGER = 1.0 / 3.0, 2.0
"""RMS difference of similar u(r), as a share of their size; how many times another a large one is."""
SPLIT, CORE = 3.0, 2.5
"""Angstrom: the paper compares u(r) beyond the first, and calls it unphysical below the second."""


@dataclass(frozen=True)
class Judged:
    """A statement, with the runs it is judged by."""

    agrees: bool
    found: str
    why: str = ""


def judged(rows: Rows, curves: Rows) -> dict[str, dict[str, str]]:
    """Return each statement that the runs say something about: words, verdict, numbers, reason."""
    table = {}
    for name, (statement, judge) in STATEMENTS.items():
        found = judge(rows, curves)
        if found is not None:
            verdict = "agrees" if found.agrees else "differs"
            table[name] = {"paper": statement, "verdict": verdict, "found": found.found, "why": found.why}
    return table


def apart(a: Any, b: Any) -> float:
    """Return a - b in standard errors."""
    error = np.hypot(_error(a), _error(b))
    return float((_value(a) - _value(b)) / error) if error > 0 else float("inf")


def _value(number: Any) -> float:
    return float(number["value"] if isinstance(number, dict) else number)


def _error(number: Any) -> float:
    return float(number["error"]) if isinstance(number, dict) else 0.0


def _shown(number: Any) -> str:
    return str(Number(_value(number), _error(number)))


def _of(rows: Rows, rule: str, *names: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a rule that have all these numbers, in order of temperature."""
    chosen = [row for row in rows.values() if row["rule"] == rule and all(name in row for name in names)]
    yield from sorted(chosen, key=lambda row: (row["model"], row["temperature"]))


def _of_models(rows: Rows, *names: str) -> Iterator[Mapping[str, Any]]:
    """Yield a row of each model and temperature: wIBI's, the paper's rule, or else that of Gauss-Newton."""
    best: dict[tuple[str, float], Mapping[str, Any]] = {}
    for rule in ("gauss_newton", "wibi"):
        best |= {(row["model"], row["temperature"]): row for row in _of(rows, rule, *names)}
    yield from (best[key] for key in sorted(best))


def _at(row: Mapping[str, Any]) -> str:
    return f"{row['model']} {row['temperature']:g} K"


def _over_structured(rows: Rows, curves: Rows) -> Judged | None:
    found = list(_of_models(rows, "peak_before"))
    if not found:
        return None
    higher = [apart(row["peak_before"], row["peak_target"]) > 2.0 for row in found]
    numbers = [f"{_at(row)}: {_shown(row['peak_before'])}, measured {row['peak_target']}" for row in found]
    level = [_at(row) for row, is_higher in zip(found, higher, strict=True) if not is_higher]
    why = "" if all(higher) else f"within two standard errors at {', '.join(level)}"
    return Judged(all(higher), "; ".join(numbers), why)


def _follows(rows: Rows, curves: Rows) -> Judged | None:
    found = list(_of(rows, "wibi", "peak_after"))
    if not found:
        return None
    met = all(abs(apart(row["peak_after"], row["peak_target"])) <= 2.0 for row in found)
    numbers = [f"{_at(row)}: {_shown(row['peak_after'])}, measured {row['peak_target']}" for row in found]
    faster = [f"{_at(r)} {_shown(r['peak_after'])}" for r in _of(rows, "gauss_newton", "peak_after")]
    why = "" if met else f"RMS of g(r) in wIBI's last three simulations: {'; '.join(map(_last_three, found))}"
    if why and faster:
        why += f"; with Gauss-Newton the peak is {', '.join(faster)}"
    return Judged(met, "; ".join(numbers), why)


def _last_three(row: Mapping[str, Any]) -> str:
    """Return how RMS of g(r) went at the end of a run: whether it was still falling."""
    last = ", ".join(f"{rms:.4f}" for rms in row.get("rms", ())[-3:])
    return f"{last} of {row['iterations']} at {row['temperature']:g} K"


def _both_weights(curves: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    names = [f"HIP-NN 1023 K {rule} u" for rule in ("wibi", "ibi")]
    if any(name not in curves for name in names):
        return None
    r, first, second = (np.array(x) for x in (curves[names[0]]["r"], *(curves[name]["u"] for name in names)))
    return r, first, second


def _similar(rows: Rows, curves: Rows) -> Judged | None:
    found = _both_weights(curves)
    if found is None:
        return None
    r, u = found[0] > SPLIT, found[1:]
    difference, size = (np.sqrt(np.mean(x[r] ** 2)) for x in (u[0] - u[1], u[0]))
    numbers = f"RMS difference {difference:.2f} meV of {size:.2f} meV beyond {SPLIT:g} Angstrom"
    return Judged(bool(difference <= SIMILAR * size), numbers)


def _core(rows: Rows, curves: Rows) -> Judged | None:
    found = _both_weights(curves)
    if found is None:
        return None
    r = found[0] < CORE
    ours, uniform = (float(np.abs(u[r]).max()) for u in found[1:])
    agrees = uniform > LARGER * ours
    why = "" if agrees else "the measured g(r) has no ripples below its first peak that w = 1 would follow"
    return Judged(
        agrees, f"largest u below {CORE:g} Angstrom: {uniform:.0f} meV with w = 1, {ours:.0f} meV", why
    )


def _with_temperature(rows: Rows, curves: Rows) -> Judged | None:
    numbers, grows = [], []
    for rule in ("wibi", "gauss_newton"):
        found = [row for row in _of(rows, rule, "largest_u") if row["model"] == "HIP-NN"]
        if len(found) > 1:
            sizes = [row["largest_u"] for row in found]
            grows.append(sizes == sorted(sizes))
            steps = ", ".join(f"{row['largest_u']:.0f} at {row['temperature']:g} K" for row in found)
            numbers.append(f"{NAMES[rule]} {steps}")
    if not grows:
        return None
    text = f"largest u beyond {SPLIT:g} Angstrom, meV: {'; '.join(numbers)}"
    why = "" if all(grows) else "the tables are of different measurements, and each run has one seed"
    if why and (open_ := _left_open(curves)):
        why += f"; standard errors of these by Gauss-Newton: {open_}"
    return Judged(all(grows), text, why)


def _left_open(curves: Rows) -> str:
    """Return the standard errors of HIP-NN's u(r) of Gauss-Newton where it is largest beyond the split."""
    found = []
    for name, curve in curves.items():
        if name.startswith("HIP-NN") and name.endswith("gauss_newton u") and "error" in curve:
            beyond = np.array(curve["r"]) > SPLIT
            largest = int(np.argmax(np.where(beyond, np.abs(curve["u"]), 0.0)))
            found.append(f"{curve['error'][largest]:.0f} meV at {name.split()[1]} K")
    return ", ".join(found)


def _architectures(rows: Rows, curves: Rows) -> Judged | None:
    pairs, why = {}, ""
    for rule in ("wibi", "gauss_newton"):
        for name in curves:
            other = name.replace("HIP-NN", "ANI-Al")
            if name.startswith("HIP-NN") and name.endswith(f"{rule} u") and other in curves:
                r = np.array(curves[name]["r"]) > SPLIT
                one, two = (np.array(curves[x]["u"])[r] for x in (name, other))
                case = f"{NAMES[rule]} {name.removeprefix('HIP-NN ').removesuffix(f' {rule} u')}"
                pairs[case] = np.sqrt(np.mean((one - two) ** 2) / np.mean(one**2))
                if f"{other} again" in curves:
                    apart = two - np.array(curves[f"{other} again"]["u"])[r]
                    share = np.sqrt(np.mean(apart**2) / np.mean(one**2))
                    why = f"noise of short runs: two seeds of ANI-Al are {share:.2f} apart, {case}"
    if not pairs:
        return None
    # seen when the verdict was known, hence no part of it
    if bands := _apart_in_bands(curves):
        why += f"{'; ' if why else ''}within what Gauss-Newton leaves open: {bands}"
    shares = ", ".join(f"{case} {share:.2f}" for case, share in pairs.items())
    found = f"RMS difference beyond {SPLIT:g} Angstrom over the size of HIP-NN's: {shares}"
    agrees = max(pairs.values()) <= SIMILAR
    return Judged(agrees, found, "" if agrees else why)


def _apart_in_bands(curves: Rows) -> str:
    """Return how far u(r) of the architectures are apart at most beyond the core, in their joint errors."""
    found = []
    for name, ours in curves.items():
        other = curves.get(name.replace("HIP-NN", "ANI-Al"), {})
        if name.startswith("HIP-NN") and name.endswith("gauss_newton u") and "error" in ours and other:
            r = np.array(ours["r"])
            joint = np.hypot(ours["error"], other["error"])
            seen = (r > CORE) & (joint > 0.0)
            apart = np.abs(np.subtract(ours["u"], other["u"]))[seen] / joint[seen]
            found.append(f"{apart.max():.1f} at {name.split()[1]} K")
    return (
        f"at most {', '.join(found)} of their joint standard errors beyond {CORE:g} Angstrom" if found else ""
    )


def _faster(rows: Rows, curves: Rows) -> Judged | None:
    found = list(_of(rows, "wibi", "diffusion_before", "diffusion_after"))
    if not found:
        return None
    raised = [apart(row["diffusion_after"], row["diffusion_before"]) > 2.0 for row in found]
    text = [f"{_at(r)}: {_shown(r['diffusion_before'])} to {_shown(r['diffusion_after'])}" for r in found]
    return Judged(all(raised), "; ".join(text) + " 1e-9 m2/s, in the box")


def _too_dense(rows: Rows, curves: Rows) -> Judged | None:
    found = list(_of_models(rows, "density_before", "density_target"))
    if not found:
        return None
    dense = [apart(row["density_before"], row["density_target"]) > 2.0 for row in found]
    text = [f"{_at(r)}: {_shown(r['density_before'])}, measured {_shown(r['density_target'])}" for r in found]
    why = "open; not the barostat: the stress is the derivative of the energy (votca-mlp validate)"
    return Judged(all(dense), "; ".join(text) + " kg/m3", "" if all(dense) else why)


def _nearer(rows: Rows, curves: Rows) -> Judged | None:
    found = list(_of_models(rows, "density_before", "density_after", "density_target"))
    if not found:
        return None
    off = [
        [abs(_value(row[name]) / _value(row["density_target"]) - 1.0) for row in found]
        for name in ("density_before", "density_after")
    ]

    def by_rule(row: Mapping[str, Any]) -> str:
        return "" if row["rule"] == "wibi" else f", {NAMES[row['rule']]},"

    text = "; ".join(
        f"{_at(r)}{by_rule(r)} {100 * a:.1f} to {100 * b:.1f} %" for r, a, b in zip(found, *off, strict=True)
    )
    return Judged(all(b < a for a, b in zip(*off, strict=True)), f"off by {text}")


NAMES = {"wibi": "wIBI", "ibi": "IBI", "gauss_newton": "Gauss-Newton"}
STATEMENTS: dict[str, tuple[str, Callable[[Rows, Rows], Judged | None]]] = {
    "over-structured": ("Fig. 1: the model alone has too high a first peak of g(r)", _over_structured),
    "first peak": ("Fig. 1: with u(r) of wIBI the first peak is the measured one", _follows),
    "weights": ("Fig. 2: beyond 3 Angstrom wIBI and IBI give similar u(r)", _similar),
    "core": ("Fig. 2: wIBI avoids the large u(r) that IBI has below 2.5 Angstrom", _core),
    "temperature": ("Fig. 3: larger corrections are needed at higher temperatures", _with_temperature),
    "architectures": ("Fig. 3: u(r) of HIP-NN and ANI-Al is similar", _architectures),
    "diffusion": (
        "Fig. 4: u(r) raises the diffusion coefficient",
        _faster,
    ),
    "too dense": ("Fig. 5: the model alone is too dense", _too_dense),
    "density": ("Fig. 5: u(r) brings the density nearer to the measured one", _nearer),
}
