"""The card of a fused model: what was measured, and what the model gave before and gives now."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from votca_mlp.training.fusion.fuse import Fused
from votca_mlp.training.fusion.objective import Objective
from votca_mlp.training.fusion.options import Iteration
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

MOST_ROWS = 12
"""Values of one curve that have rows of their own; of a longer one the deviation is given."""
SHOWN = {"eV/Angstrom^3": (1e-4 * BAR_PER_EV_PER_ANGSTROM3, "GPa")}
"""Factor and name of units that others are shown in."""
KINDS = {"energy": (1e3, "meV/atom"), "force": (1e3, "meV/Angstrom"), "stress": SHOWN["eV/Angstrom^3"]}


def fusion_card(goal: Objective, found: Fused) -> str:
    """Return the card as Markdown."""
    lines = ["# Fused model", "", f"`fused.pt`: the model of iteration {found.best} ({found.ended})."]
    if not found.history:
        return "\n".join(lines) + "\n"
    before, after, what = found.history[0], found.closing, "by a simulation of its own"
    if after is None:
        after, what = found.history[found.best], "BY REWEIGHTING ALONE: it could not be simulated"
    trajectories = ", ".join(f"{count} of {state}" for state, count in found.trajectories.items())
    lines += ["", f"Trajectories: {trajectories or 'none'}.", "", "## Experiments", ""]
    lines += [f"Fused: {what}. Errors are standard errors, of the simulations statistical ones.", ""]
    lines += ["| experiment | measured | before | fused | unit |", "|---|---|---|---|---|"]
    lines += _experiments(goal, before, after)
    chi2 = f"{before.experiments:.3g} before, {after.experiments:.3g} fused"
    lines += ["", f"chi^2 by value, over joint errors: {chi2}; 1 is agreement within errors."]
    lines += ["", "## Labels", ""]
    lines += ["| label | frames | before | fused | fused / before | unit |", "|---|---|---|---|---|---|"]
    for frames, was, now in (
        ("learnt from", before.labels, after.labels),
        ("held out", before.held, after.held),
    ):
        lines += _labels(frames, was, now)
    return "\n".join(lines) + "\n"


def _experiments(goal: Objective, before: Iteration, after: Iteration) -> Iterator[str]:
    targets, errors = goal.targets.numpy(), goal.errors.numpy()
    groups: dict[str, list[int]] = {}
    for k, name in enumerate(goal.names):
        # values of a curve differ in what is in brackets, angles in their number
        curve = name.split("(")[0] if name.endswith((")", ")-1")) else name
        if name.endswith(" degrees"):
            curve = name.rsplit(" ", 2)[0] + " angles"
        groups.setdefault(curve, []).append(k)
    for name, members in groups.items():
        if len(members) > MOST_ROWS:
            yield _curve(name, targets[members], errors[members], [before, after], members)
            continue
        for k in members:
            factor, unit = SHOWN.get(goal.units[k], (1.0, goal.units[k]))
            cells = [
                _with_error(factor * value, factor * error)
                for value, error in (
                    (targets[k], errors[k]),
                    *((each.values[k], each.errors[k]) for each in (before, after)),
                )
            ]
            yield f"| {goal.names[k]} | {' | '.join(cells)} | {unit} |"


def _curve(
    name: str, targets: np.ndarray, errors: np.ndarray, both: Sequence[Iteration], members: list[int]
) -> str:
    off = [
        float(np.sqrt(np.mean(((np.array(each.values)[members] - targets) / errors) ** 2))) for each in both
    ]
    return f"| {name}, {len(members)} values, rms off | 0 | {off[0]:.3g} | {off[1]:.3g} | errors measured |"


def _labels(frames: str, before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[str]:
    for kind in before:
        factor, unit = KINDS[kind]
        ratio = after[kind] / before[kind] if before[kind] else float("nan")
        numbers = f"{factor * before[kind]:.4g} | {factor * after[kind]:.4g} | {ratio:.3f}"
        yield f"| {kind} | {frames} | {numbers} | {unit} |"


def _with_error(value: float, error: float) -> str:
    return f"{value:.5g} +- {error:.2g}" if np.isfinite(error) and error > 0.0 else f"{value:.5g}"
