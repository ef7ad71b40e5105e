"""Data sets without sigma are judged by R as well.

What no u(r) meets counts as the errors of a set that came without any. These errors grow with the misfit, so
that chi2 may fall from one simulation to the next while the simulation moves away from the data. R, the mean
square deviation, depends on no errors.
"""

from collections.abc import Iterator, Mapping
from typing import Any

RISE = 1.1
"""Times the R of the simulation before: less is noise."""


def without_sigma(report: Mapping[str, Any]) -> bool:
    """Return whether a step's facts have a set of F(Q) without sigma."""
    data = (datum for facts in report.values() for datum in facts["data"].values())
    return any(datum["without_errors"] and "R" in datum for datum in data)


def with_before(report: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    """Put R and chi2 of the simulation before into each set of F(Q) without sigma.

    Parameters
    ----------
    report
        Facts of a step by group of interactions; changed.
    before
        Those of the step before, None where it has none.
    """
    earlier = {name: datum for facts in (before or {}).values() for name, datum in facts["data"].items()}
    for facts in report.values():
        for name, datum in facts["data"].items():
            old = earlier.get(name, {})
            if datum["without_errors"] and "R" in datum and "R" in old:
                datum |= {"R_before": old["R"], "chi2_before": old["chi2"]}


def risen(data: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield, for each set without sigma whose R has risen, its name and R before and now, in words."""
    for name, datum in data.items():
        if "R_before" in datum and datum["R"] > RISE * datum["R_before"]:
            yield f"{name}: R rose from {datum['R_before']:.3g} to {datum['R']:.3g}"


def warnings(data: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a warning for each set without sigma whose R rose while its chi2 fell."""
    for name, datum in data.items():
        if "R_before" in datum and datum["chi2"] < datum["chi2_before"]:
            for words in risen({name: datum}):
                yield (
                    f"WARNING: {words} while chi2 fell from {datum['chi2_before']:.3g} to "
                    f"{datum['chi2']:.3g}: it has no sigma, and what no u(r) meets counts as its errors; "
                    "go by R, or give it a sigma"
                )
