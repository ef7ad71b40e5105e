"""``gauss_newton.json`` of a step: what the update made of the data, for the user, status and pictures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, read_json
from votca_mlp.scattering.data import r_factor
from votca_mlp.units import EV_PER_KJMOL
from votca_mlp.update.convergence import Verdict
from votca_mlp.update.gauss_newton.data import Datum, Layout
from votca_mlp.update.gauss_newton.guard import risen, warnings
from votca_mlp.update.gauss_newton.limit import SEEN
from votca_mlp.update.gauss_newton.response import Response
from votca_mlp.update.gauss_newton.solve import Step

Array = NDArray[np.float64]

NAME = "gauss_newton.json"
FAR = 4.0
"""Sigma: a datum that even a fit at any price leaves this far outside cannot be met."""
_SIGMAS = 3.0
_OF_GROUP = ("amplitude_eV", "share", "chi2", "chi2_reachable", "data")
_OF_DATUM = ("points", "chi2", "rms", "rms_predicted", "cannot_be_met")


def report_of(layout: Layout, step: Step, own: Response, frames: int) -> dict[str, Any]:
    """Return the facts of an update.

    Parameters
    ----------
    own
        What the step's own simulation gave.
    frames
        Of all simulations that the step was made from; of several states the fewest.
    """
    # a target without errors of its own gets those that its scatter about any smooth u speaks of
    unknown = np.zeros(len(layout.wanted.values), bool)
    for datum in layout.data:
        unknown[datum.rows] = layout.wanted.robust[datum.rows] & ~layout.wanted.variances[datum.rows].any()
    extra = layout.wanted.variances + step.inferred.scatter**2 * unknown
    residuals = (own.values - layout.wanted.values) / np.sqrt(own.variances + extra)
    left = step.left / np.sqrt(step.pooled_variances + extra)
    calibrations = iter(step.nuisance_errors)
    return {
        "amplitude_eV": rounded(step.inferred.amplitude * EV_PER_KJMOL),
        "scatter": rounded(step.inferred.scatter),
        **_amplitudes(layout, step),
        "share": rounded(step.share),
        "chi2": rounded(np.mean(residuals**2)),
        "chi2_reachable": rounded(np.mean(left**2)),
        "frames": frames,
        "functions": layout.per_term,
        "data": {
            _name(datum): _datum(
                datum, layout, step, own.values, residuals, left, bool(unknown[datum.rows].any())
            )
            | _calibration(datum, calibrations)
            for datum in layout.data
        },
    }


def _amplitudes(layout: Layout, step: Step) -> dict[str, Any]:
    """Return the amplitude of each interaction, where each has its own."""
    if step.amplitudes is None:
        return {}
    sizes = [rounded(value * EV_PER_KJMOL) for value in step.amplitudes]
    return {"amplitudes_eV": dict(zip(layout.names, sizes, strict=True))}


def _name(datum: Datum) -> str:
    return f"{datum.state}/{datum.name}" if datum.state else datum.name


def _datum(
    datum: Datum, layout: Layout, step: Step, values: Array, residuals: Array, left: Array, without: bool
) -> dict[str, Any]:
    rows, wanted = datum.rows, layout.wanted.values
    far = np.abs(left[rows]) > FAR
    found: dict[str, Any] = {
        "points": rows.stop - rows.start,
        "without_errors": without,
        "chi2": rounded(np.mean(residuals[rows] ** 2)),
        "chi2_reachable": rounded(np.mean(left[rows] ** 2)),
        "rms": rounded(np.sqrt(np.mean((values[rows] - wanted[rows]) ** 2))),
        "rms_predicted": rounded(np.sqrt(np.mean((step.predicted[rows] - wanted[rows]) ** 2))),
        "cannot_be_met": _ranges(datum.x, far, left[rows]),
    }
    if datum.scattering is not None:
        # R is what EPSR and Dissolve print: the mean square deviation
        found |= {
            "unit": datum.scattering.unit,
            "of": "1/Angstrom",
            "R": rounded(r_factor(wanted[rows], values[rows])),
        }
    if np.isnan(datum.x[0]):
        found |= {
            "value": rounded(values[rows][0]),
            "predicted": rounded(step.predicted[rows][0]),
            "wanted": rounded(wanted[rows][0]),
        }
    return found


def _calibration(datum: Datum, errors: Iterator[float]) -> dict[str, float]:
    """Return scale and background with the errors of those that are fitted; these are next among all."""
    data, found = datum.scattering, datum.calibration
    if data is None:
        return {}
    facts = {"scale": rounded(found.scale), "background": rounded(found.background)}
    for name, fitted in (("scale", data.fit_scale), ("background", data.fit_background)):
        if fitted:
            facts[f"{name}_error"] = rounded(found.scale * next(errors))
    return facts


def _ranges(x: Array, far: NDArray[np.bool_], left: Array) -> list[dict[str, float | None]]:
    """Return stretches of points that are far outside: from, to (Angstrom), by how many sigma."""
    found: list[dict[str, float | None]] = []
    points = np.flatnonzero(far)
    for group in np.split(points, np.flatnonzero(np.diff(points) > 1) + 1) if len(points) else ():
        worst = group[np.argmax(np.abs(left[group]))]
        ends = [None if np.isnan(value) else rounded(value) for value in (x[group[0]], x[group[-1]])]
        found.append({"from": ends[0], "to": ends[1], "sigma": rounded(left[worst])})
    return found


def rounded(value: Any) -> float:
    """Return a number as it is worth printing: both loops write the same text."""
    return float(f"{float(value):.6g}")


def write_report(directory: Path, facts: Mapping[str, Any]) -> None:
    """Write ``gauss_newton.json`` into a step: the facts of each group of interactions."""
    with atomic_write(directory / NAME) as file:
        json.dump(facts, file, indent=1)
        file.write("\n")


def read_report(directory: Path) -> dict[str, Any] | None:
    """Return the facts of a step's update by group of interactions, None where it has none.

    Raises
    ------
    UserError
        A damaged file.
    """
    path = directory / NAME
    if not path.is_file():
        return None
    try:
        report = dict(read_json(path))
        lacking = next(_lacking(report), None)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"cannot be read: {error}", where=path, accepted="make the step again") from None
    if lacking is not None:
        raise UserError(
            f"has no {lacking}: it is not of this version",
            where=path,
            accepted="make the step again, or remove the file: its update is then not described",
        )
    return report


def _lacking(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a report does not have and cannot do without; what can be told is put in."""
    for facts in report.values():
        if not isinstance(facts, dict):
            # the first ones had one group, without its name
            yield "groups"
            return
        facts.setdefault("scatter", 0.0)
        yield from (key for key in _OF_GROUP if key not in facts)
        for datum in facts["data"].values():
            datum.setdefault("without_errors", False)
            datum.setdefault("chi2_reachable", 0.0)
            keys = (*_OF_DATUM, "predicted", "wanted") if "value" in datum else _OF_DATUM
            yield from (key for key in keys if key not in datum)


def in_words(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines for the user about an update."""
    for group, facts in report.items():
        before = f"group {group}: " if len(report) > 1 else ""
        part = (
            ""
            if facts["share"] > 0.999
            else f", {100 * facts['share']:.0f} % of the way: the rest is not trusted"
        )
        yield (
            f"{before}Gauss-Newton: chi2 {facts['chi2']:.3g}, within reach {facts['chi2_reachable']:.3g}; "
            f"amplitude of u {1e3 * facts['amplitude_eV']:.3g} meV{part}"
        )
        if 0 < facts.get("frames", 0) <= facts.get("functions", 0):
            yield (
                f"  {facts['frames']} frames for {facts['functions']} functions of u(r): where they do not "
                "tell them apart, the prior decides"
            )
        own = facts.get("amplitudes_eV")
        if own:
            words = ", ".join(f"{name} {1e3 * value:.3g}" for name, value in own.items())
            yield f"  amplitude of each: {words} meV"
        limit = facts.get("limit")
        if limit is not None:
            yield (
                f"  u(r) stays within {1e3 * limit['u_eV']:.3g} meV where g is above {SEEN:g}: chi2, summed "
                f"over all data, is {limit['cost']:.3g} larger for it"
            )
        back = facts.get("taken_back")
        if back is not None:
            yield (
                f"  further from the data than step {back['to']}, against the prediction: from its u(r) "
                f"again, at most {back['trust']:g} times as far as is trusted"
            )
        for name, datum in facts["data"].items():
            if "value" in datum:
                numbers = (f"{datum[key]:.6g}" for key in ("value", "wanted", "predicted"))
                yield "  {} {}, wanted {}, predicted {}".format(name, *numbers)
            elif "R" in datum:
                yield _of_scattering(name, datum)
            else:
                yield f"  {name}: rms {datum['rms']:.4f}, predicted {datum['rms_predicted']:.4f}"
        without = [name for name, datum in facts["data"].items() if datum["without_errors"]]
        if without:
            yield (
                f"  the target of {', '.join(without)} has no errors: {facts['scatter']:.2g} is left beyond "
                "the simulation's whatever u is, and counts as theirs"
            )
        yield from (f"  {line}" for line in warnings(facts["data"]))
        yield from _unmet(facts)


def _of_scattering(name: str, datum: Mapping[str, Any]) -> str:
    unit = "" if datum["unit"] == "1" else f" {datum['unit']}"
    text = f"  {name}: chi2 {datum['chi2']:.3g}, R {datum['R']:.3g}, rms {datum['rms']:.3g}{unit}"
    text += f", predicted {datum['rms_predicted']:.3g}"
    if datum["scale"] != 1.0:
        text += f", scale {datum['scale']:.4g}{_plus_minus(datum, 'scale')}"
    if datum["background"] == 0.0:
        return text
    return f"{text}, background {datum['background']:.3g}{_plus_minus(datum, 'background')}{unit}"


def _plus_minus(datum: Mapping[str, Any], name: str) -> str:
    # steps of earlier versions have no errors
    error = datum.get(f"{name}_error")
    return "" if error is None else f" +- {error:.2g}"


def _unmet(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, datum in facts["data"].items():
        words = [_stretch(item, datum.get("of", "Angstrom")) for item in datum["cannot_be_met"]]
        if words:
            yield f"  no u(r) meets {name}{' at' if words[0][0].isdigit() else ''} {', '.join(words[:4])}"


def _stretch(item: Mapping[str, Any], unit: str) -> str:
    by = f"({item['sigma']:+.0f} sigma)"
    if item["from"] is None:
        return by
    if item["from"] == item["to"]:
        return f"{item['from']:g} {unit} {by}"
    return f"{item['from']:g} to {item['to']:g} {unit} {by}"


def judged(report: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> Verdict:
    """Return whether an iteration's data are met, or cannot be met any better.

    Parameters
    ----------
    report
        Of the step.
    before
        Of earlier steps, the last one last.
    """
    data = {name: datum for facts in report.values() for name, datum in facts["data"].items()}
    limits = {name: 1.0 + _SIGMAS * np.sqrt(2.0 / datum["points"]) for name, datum in data.items()}
    above = [name for name, datum in data.items() if datum["chi2"] > limits[name]]
    worse = list(risen(data))
    if not above and worse:
        return Verdict(False, f"chi2 of every datum is within its limit, but without a sigma {worse[0]}")
    if not above:
        return Verdict(True, "every datum is met within its errors")
    worst = max(above, key=lambda name: data[name]["chi2"] / limits[name])
    now = f"chi2 of {worst} is {data[worst]['chi2']:.3g}"
    stuck = [name for name, datum in data.items() if datum["chi2_reachable"] > limits[name]]
    # the predicted step must bring less than it is uncertain by, twice
    last = [
        datum["data"][worst]["chi2"]
        for facts in before[-2:]
        for datum in facts.values()
        if worst in datum["data"]
    ]
    if stuck and len(last) == 2 and min(last) <= 1.1 * data[worst]["chi2"]:
        unmet = " and".join(line.strip() for facts in report.values() for line in _unmet(facts))
        return Verdict(
            True,
            f"{now}, and no u(r) makes it better: {unmet or 'the data contradict each other'}",
            met=False,
        )
    return Verdict(False, f"{now}, above {limits[worst]:.3g}")
