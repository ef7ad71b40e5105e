"""The picture of totals: F(Q) by data set, its residual, and the partial g(r) with its band."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.report.plot import STYLE, TARGET_COLOUR
from votca_mlp.runs.reading import check_state, step_directories
from votca_mlp.tables import read_table
from votca_mlp.units import ANGSTROM_PER_NM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_FIRST, _LAST = "0.6", "#31688e"


def plot_scattering(directory: str | Path, state: str = "") -> "Figure":
    """Return a figure: a row for each data set, F(Q) and its residual, and one for the partial g(r).

    Parameters
    ----------
    directory
        Main directory of a run.
    state
        Name of one of several states.

    Raises
    ------
    UserError
        No step with F(Q), no such state, or no choice of one.
    """
    import matplotlib
    from matplotlib.figure import Figure

    folders = {
        path.parent.relative_to(step).name
        for _, step in step_directories(directory)
        for pattern in ("*.fq", "*/*.fq")
        for path in step.glob(pattern)
    }
    if folders:
        check_state(state, sorted(folders), directory)
    steps = scattering_steps(directory, state)
    if not steps:
        raise UserError(
            "no step has F(Q)", where=directory, accepted="a run with <scattering> and one finished iteration"
        )
    names = sorted(path.name for path in steps[-1][1].glob("*.fq"))
    partials = sorted(path.name for path in steps[-1][1].glob("*.dist.band"))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 2.1 * (len(names) + 1)), layout="constrained")
        grid = figure.add_gridspec(len(names) + 1, 2, width_ratios=[1.6, 1.0])
        for row, name in enumerate(names):
            draw_set(figure.add_subplot(grid[row, 0]), figure.add_subplot(grid[row, 1]), steps, name)
        below = grid[len(names), :].subgridspec(1, max(len(partials), 1))
        for column, name in enumerate(partials):
            draw_partial(figure.add_subplot(below[0, column]), steps[-1][1] / name)
    return figure


def scattering_steps(directory: str | Path, state: str = "") -> list[tuple[int, Path]]:
    """Return number and folder of the steps that have F(Q), in order."""
    steps = [(number, path / state) for number, path in step_directories(directory)]
    return [(number, path) for number, path in steps if list(path.glob("*.fq"))]


def draw_set(panel: Any, residual: Any, steps: list[tuple[int, Path]], name: str) -> None:
    """Draw F(Q) of a data set (``NAME.fq`` of each step) and found - measured of the first and last step."""
    (first, before), (last, after) = steps[0], steps[-1]
    label = name.removesuffix(".fq")
    q, measured, sigma, found, error = np.loadtxt(after / name).T
    panel.plot(
        q, measured, ls="none", marker="o", ms=2.0, mfc="white", mec=TARGET_COLOUR, mew=0.5, label="measured"
    )
    residual.axhline(0.0, color=TARGET_COLOUR, lw=0.7)
    if first != last and (before / name).exists():
        other = np.loadtxt(before / name).T
        panel.plot(other[0], other[3], color=_FIRST, lw=1.0, label=f"iteration {first}")
        residual.plot(other[0], other[3] - other[1], color=_FIRST, lw=0.8)
    panel.plot(q, found, color=_LAST, lw=1.4, label=f"iteration {last}")
    residual.plot(q, found - measured, color=_LAST, lw=1.0)
    band = 2.0 * np.hypot(np.nan_to_num(sigma), error)
    residual.fill_between(q, -band, band, color="0.7", alpha=0.5, lw=0, zorder=0)
    panel.set(ylabel=f"F(Q), {label}", xlim=(0.0, q[-1]))
    residual.set(ylabel="found - measured", xlim=(0.0, q[-1]))
    panel.legend(loc="upper right")
    panel.set_xlabel("Q (1/\u00c5)")
    residual.set_xlabel("Q (1/\u00c5)")


def draw_partial(panel: Any, path: Path) -> None:
    """Draw a partial g(r) with its band, a table ``NAME.dist.band``."""
    table = read_table(path)
    r = table.x * ANGSTROM_PER_NM
    seen = r > 1.0
    panel.axhline(1.0, color="0.8", lw=0.6)
    panel.plot(r[seen], table.y[seen], color=_LAST, lw=1.2)
    if table.yerr is not None:
        ends = (table.y - 2 * table.yerr)[seen], (table.y + 2 * table.yerr)[seen]
        panel.fill_between(r[seen], *ends, color=_LAST, alpha=0.25, lw=0, label="\u00b1 2 standard errors")
        panel.legend(loc="upper right")
    panel.set(xlabel="r (\u00c5)", ylabel=f"g(r), {path.name.removesuffix('.dist.band')}")
