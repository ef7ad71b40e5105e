"""The picture of a run: g(r) and u(r) by iteration, the difference from the target, and its decline."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.inverse.agreement import agreement_with
from votca_mlp.report.predictions import last_chi2, predicted_rms
from votca_mlp.runs.reading import Run, RunStep, check_state, read_runs
from votca_mlp.tables import Table
from votca_mlp.units import ANGSTROM_PER_NM, EV_PER_KJMOL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: Any = {
    "font.size": 8.5,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "savefig.dpi": 200,
}
TARGET_COLOUR = "0.05"


def plot_run(directory: str | Path, interaction: str | None = None, state: str = "") -> "Figure":
    """Return a figure of a run's iterations so far.

    Panels: g(r) against the target; g - target, over a band of two standard errors of the last iteration
    where g or the target has one; u(r) that each g(r) was simulated with, and the one after the last update,
    with its standard error where the rule knows it; RMS difference by iteration, with what was predicted, and
    the last chi2 of each datum. Colours run along viridis from the first iteration (dark) to the last. Of
    several states each has these panels, one below the other.

    Parameters
    ----------
    directory
        Main directory of the run.
    interaction
        Name; None when there is only one.
    state
        Name of one of several states; all of them when empty.

    Raises
    ------
    UserError
        No run, no g(r) yet, an unknown interaction or state.
    """
    runs = read_runs(directory, interaction)
    if state:
        check_state(state, [run.state for run in runs], directory)
    runs = [run for run in runs if run.measured and state in ("", run.state)]
    if not runs:
        raise UserError("no g(r) yet", where=directory, accepted="a run with one finished iteration")
    return plot_runs(runs)


def plot_runs(runs: Sequence[Run]) -> "Figure":
    """Return the figure of runs that have been read, one below the other, each with a g(r) at least."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 5.2 * len(runs)), layout="constrained")
        parts = figure.subfigures(len(runs), 1, squeeze=False)[:, 0] if len(runs) > 1 else [figure]
        for part, run in zip(parts, runs, strict=True):
            _plot_one(part, run)
    return figure


def _plot_one(figure: Any, run: Run) -> None:
    panels = figure.subplots(2, 2, sharex=False, height_ratios=[2.1, 1.0])
    colours = colours_of(len(run.measured))
    plot_g(panels[0, 0], run, colours)
    panels[0, 0].set_xlabel("")
    panels[0, 0].tick_params(labelbottom=False)
    plot_u(panels[0, 1], run, colours)
    if run.target.known:
        plot_difference(panels[1, 0], run, colours)
        plot_rms(panels[1, 1], run, colours)
    else:
        for panel in panels[1]:
            panel.axis("off")
        panels[1, 0].text(0.0, 0.5, "no target to compare g(r) with", color="0.35")
    for panel, letter in zip(panels.T.ravel(), "abcd", strict=True):
        panel.set_title(f"({letter})", loc="left", fontsize=9, pad=4)
    if run.state:
        figure.suptitle(f"state {run.state}", fontsize=10)


def colours_of(count: int) -> list[Any]:
    """Return a colour for each of so many iterations, from dark to bright."""
    import matplotlib

    # the last fifth of viridis is too pale for lines on white
    return list(matplotlib.colormaps["viridis"](np.linspace(0.0, 0.82, max(count, 2))))[:count]


def _lines(run: Run, colours: list[Any]) -> list[tuple[RunStep, dict[str, Any]]]:
    """Return each measured step with its line style: the first and the last stand out and are named."""
    styled = []
    for k, (step, colour) in enumerate(zip(run.measured, colours, strict=True)):
        ends = k in (0, len(run.measured) - 1)
        style: dict[str, Any] = {"color": colour, "lw": 1.6 if ends else 0.8, "alpha": 1.0 if ends else 0.7}
        style["zorder"] = 3 if ends else 2
        if ends:
            style["label"] = f"iteration {step.number}"
        styled.append((step, style))
    return styled


def _angstrom(table: Table) -> NDArray[np.float64]:
    return table.x * ANGSTROM_PER_NM


def _range(run: Run) -> tuple[float, float]:
    """Return the range of r worth showing, Angstrom: from just inside the core to the cutoff."""
    r = _angstrom(run.target)
    filled = np.flatnonzero(run.target.y > 0.0)
    start = r[filled[0]] - 0.5 if len(filled) else r[0]
    return max(float(r[0]), float(start)), float(r[-1])


def plot_g(panel: Any, run: Run, colours: list[Any]) -> None:
    """Draw g(r) of each iteration and the target."""
    panel.axhline(1.0, color="0.8", lw=0.6, zorder=0)
    for step, style in _lines(run, colours):
        assert step.distribution is not None
        panel.plot(_angstrom(step.distribution), step.distribution.y, **style)
    r = _angstrom(run.target)
    if run.target.known:
        panel.plot(
            r, run.target.y, ls="none", marker="o", ms=2.6, mfc="white", mec=TARGET_COLOUR, mew=0.7, zorder=4,
            label="target", markevery=max(1, len(r) // 100),
        )  # fmt: skip
    panel.set(xlim=_range(run), xlabel="r (Å)", ylabel=f"g(r), {run.name}")
    panel.set_ylim(bottom=0.0)
    panel.legend(loc="upper right")


def plot_difference(panel: Any, run: Run, colours: list[Any]) -> None:
    """Draw g - target of each iteration, over a band of two standard errors of the last one."""
    panel.axhline(0.0, color=TARGET_COLOUR, lw=0.7, zorder=1)
    low, high = _range(run)
    extremes = [0.0]
    for step, style in _lines(run, colours):
        assert step.distribution is not None
        style.pop("label", None)
        r, difference = _angstrom(step.distribution), _difference(step.distribution, run.target)
        panel.plot(r, difference, **style)
        shown = difference[(r >= low) & (r <= high)]
        extremes += [float(shown.min()), float(shown.max())]
    last = run.measured[-1].distribution
    assert last is not None
    error = _error(last, run.target)
    if error is not None:
        panel.fill_between(
            _angstrom(last), -2.0 * error, 2.0 * error, color="0.7", alpha=0.6, lw=0, zorder=0,
            label="± 2 standard errors",
        )  # fmt: skip
        panel.legend(loc="upper right")
    pad = 0.1 * (max(extremes) - min(extremes)) + 1e-6
    panel.set(xlim=(low, high), ylim=(min(extremes) - pad, max(extremes) + pad))
    panel.set(xlabel="r (Å)", ylabel="g(r) − target")


def plot_last_difference(panel: Any, run: Run, colours: list[Any]) -> None:
    """Draw g - target of the last iteration alone, at its own scale."""
    alone = replace(run, steps=tuple(run.measured[-1:]))
    plot_difference(panel, alone, colours[-1:])
    panel.set_title(f"iteration {run.measured[-1].number} alone", loc="left")


def plot_u(panel: Any, run: Run, colours: list[Any]) -> None:
    """Draw u(r) that each g(r) was simulated with, and the one after the last update with its band."""
    low, high = _range(run)
    curves = [(step.before, style) for step, style in _lines(run, colours) if step.before is not None]
    after = run.measured[-1].after
    if after is not None:
        curves.append((after, {"color": "0.45", "lw": 1.2, "ls": (0, (4, 1.5)), "label": "after the update"}))
    band = None if after is None else after.yerr
    largest = max((float(np.abs(_shown(t, low)).max()) for t, _ in curves if t is not None), default=0.0)
    scale, unit = (1.0, "eV") if largest >= 1.0 else (1000.0, "meV")
    panel.axhline(0.0, color="0.8", lw=0.6, zorder=0)
    for table, style in curves:
        assert table is not None
        panel.plot(_angstrom(table), scale * EV_PER_KJMOL * table.y, **style)
    if after is not None and band is not None:
        ends = (scale * EV_PER_KJMOL * (after.y + sign * band) for sign in (-1.0, 1.0))
        panel.fill_between(
            _angstrom(after), *ends, color="0.7", alpha=0.5, lw=0, zorder=1, label="its standard error"
        )
    panel.set(xlim=(low, high), xlabel="r (Å)", ylabel=f"u(r) ({unit})")
    if largest > 0.0:
        values = np.concatenate([scale * _shown(t, low) for t, _ in curves if t is not None])
        pad = 0.06 * float(np.ptp(values))
        panel.set_ylim(values.min() - pad, values.max() + pad)
        panel.legend(loc="best")


def _shown(table: Table, low: float) -> NDArray[np.float64]:
    """Return u in eV on the part of r that is shown."""
    return EV_PER_KJMOL * table.y[_angstrom(table) >= low]


def plot_rms(panel: Any, run: Run, colours: list[Any]) -> None:
    """Draw the RMS of g - target by iteration, what was predicted, and the statistical noise."""
    numbers = [step.number for step in run.measured]
    agreements = [agreement_with(run.target, t) for step in run.measured if (t := step.distribution)]
    values = [agreement.rms for agreement in agreements]
    panel.plot(numbers, values, color="0.6", lw=0.8, zorder=1)
    panel.scatter(numbers, values, c=colours, s=20, zorder=2)
    predicted = {
        n: rms for n, rms in predicted_rms(run.directory, run.name, run.state).items() if n in numbers
    }
    chi2 = last_chi2(run.directory, run.state)
    if chi2:
        words = ", ".join(f"{name} {value:.3g}" for name, value in chi2.items())
        # several data sets in as many lines as they need
        panel.set_title(textwrap.fill(f"last χ²: {words}", 52), loc="right", fontsize=8, color="0.35")
    if predicted:
        panel.plot(
            list(predicted), list(predicted.values()), ls="none", marker="o", ms=6, mfc="none",
            mec=TARGET_COLOUR, mew=0.7, zorder=3, label="predicted",
        )  # fmt: skip
        panel.legend(loc="upper right")
    errors = [_error(t, run.target) for step in run.measured if (t := step.distribution)]
    used = _angstrom(run.target) >= agreements[-1].r_min - 1e-9
    floors = [float(np.sqrt(np.mean(e[used] ** 2))) for e in errors if e is not None]
    if len(floors) == len(numbers):
        # a line of one point would not be seen
        ends = (numbers, floors) if len(numbers) > 1 else ([numbers[0] - 0.5, numbers[0] + 0.5], 2 * floors)
        panel.plot(*ends, color=TARGET_COLOUR, lw=0.8, ls=":", label="statistical noise")
        panel.legend(loc="upper right")
    panel.set(xlabel="iteration", ylabel="RMS of g − target")
    # one iteration is one point in the middle, not an axis of thousandths
    panel.set_xlim(numbers[0] - 0.5, numbers[-1] + 0.5)
    panel.set_ylim(0.0, 1.2 * max([*values, *predicted.values()]) + 1e-9)
    if len(numbers) == 1:
        panel.set_xticks(numbers)
    else:
        panel.xaxis.get_major_locator().set_params(integer=True)


def _difference(table: Table, target: Table) -> NDArray[np.float64]:
    return np.asarray(table.y - np.interp(table.x, target.x, target.y))


def _error(table: Table, target: Table) -> NDArray[np.float64] | None:
    """Return the standard error of g - target, None when neither has one (csg_stat writes zeros then)."""
    variance = np.zeros(len(table.x))
    if table.yerr is not None:
        variance = variance + np.nan_to_num(table.yerr) ** 2
    if target.yerr is not None and target.x.shape == table.x.shape:
        variance = variance + np.nan_to_num(target.yerr) ** 2
    return np.sqrt(variance) if variance.any() else None
