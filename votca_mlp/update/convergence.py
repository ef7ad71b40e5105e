"""When to stop: agreement of g(r) with its target judged against noise.

Measures are those of :mod:`votca_mlp.targets.agreement`. A limit must be met by every interaction. A
plateau is reached when, in every interaction, none of the last k iterations has an RMS below the best one
before them by more than their combined standard error: what is left is noise, or more than this correction
can mend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.targets.agreement import Agreement


@dataclass(frozen=True)
class Verdict:
    """Whether to stop, and why (or why not), in one sentence.

    ``met`` is False where the iterations are to stop although the states of a run contradict each other.
    """

    stop: bool
    reason: str
    met: bool = True


def judge(
    kind: str, history: Mapping[str, Sequence[Agreement]], *, limit: float = 0.0, iterations: int = 3
) -> Verdict:
    """Judge the iterations so far.

    Parameters
    ----------
    kind
        ``chi2``, ``rms``, ``largest`` (not above the limit), ``fit`` (not below it) or ``plateau``.
    history
        Agreement of each iteration, oldest first, by interaction.
    limit
        Of the measure.
    iterations
        k, for a plateau.

    Raises
    ------
    UserError
        chi2 without errors of g(r) or target.
    ValueError
        Another kind, or no iteration.
    """
    if not history or not all(history.values()):
        raise ValueError("no iteration to judge")
    if kind == "plateau":
        return _plateau(history, iterations)
    values = {name: measure(kind, agreements[-1], name) for name, agreements in history.items()}
    above = kind != "fit"
    worst = max(values, key=lambda name: values[name] if above else -values[name])
    value = values[worst]
    stop = value <= limit if above else value >= limit
    which = f" of {worst}" if len(values) > 1 else ""
    side = ("not above" if stop else "above") if above else ("not below" if stop else "below")
    return Verdict(stop, f"{kind}{which} is {value:.4g}, {side} the limit {limit:g}")


def measure(kind: str, agreement: Agreement, name: str) -> float:
    """Return one measure of an agreement.

    Raises
    ------
    UserError
        chi2 where neither g(r) nor the target has errors.
    ValueError
        Another kind.
    """
    if kind == "chi2":
        if agreement.chi2 is None:
            raise UserError(
                f"{name}: neither g(r) nor the target has errors, so there is no chi^2",
                where="cg.inverse.convergence_check.type",
                accepted="cg.inverse.ase.rdf.with_errors yes, a target with a column of errors, or type rms",
            )
        return agreement.chi2
    if kind == "rms":
        return agreement.rms
    if kind == "largest":
        return agreement.largest
    if kind == "fit":
        return agreement.fit
    raise ValueError(f"unknown measure '{kind}'")


def _plateau(history: Mapping[str, Sequence[Agreement]], iterations: int) -> Verdict:
    moving = []
    for name, agreements in history.items():
        earlier, recent = agreements[:-iterations], agreements[-iterations:]
        if not earlier:
            done = len(agreements)
            few = "1 iteration is" if done == 1 else f"{done} iterations are"
            return Verdict(False, f"{few} too few to tell a plateau of {iterations}")
        best = min(earlier, key=lambda agreement: agreement.rms)
        if any(best.rms - a.rms > np.hypot(_error(best), _error(a)) for a in recent):
            moving.append(name)
    if moving:
        return Verdict(False, f"the RMS of {', '.join(moving)} still improves beyond its error")
    since = "1 iteration" if iterations == 1 else f"{iterations} iterations"
    return Verdict(True, f"the RMS has not improved beyond its error for {since}")


def _error(agreement: Agreement) -> float:
    return agreement.rms_error if np.isfinite(agreement.rms_error) else 0.0
