"""The pictures of a page, each with what it shows in words."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.inverse.agreement import agreement_with
from votca_mlp.inverse.final_checks import read_checks
from votca_mlp.report.checks import angles_of
from votca_mlp.report.page import markup
from votca_mlp.report.page.svg import Pictures
from votca_mlp.report.page.traces import described_trace, is_constant, paint_trace, read_traces
from votca_mlp.report.plot import colours_of, plot_difference, plot_g, plot_last_difference, plot_rms, plot_u
from votca_mlp.report.scattering import draw_partial, draw_set, scattering_steps
from votca_mlp.runs.reading import Run


def interaction_figures(run: Run, pictures: Pictures) -> str:
    """Return g(r), its residual, u(r) and the convergence of one interaction in one state."""
    if not run.measured:
        return ""
    colours = colours_of(len(run.measured))
    last = run.measured[-1]
    assert last.distribution is not None
    agreement = agreement_with(run.target, last.distribution)
    first = run.measured[0].number
    steps = f"iteration {first}" if first == last.number else f"iterations {first} to {last.number}"
    g = (
        f"g(r) of {run.name} in {steps}, dark to bright, and the target (circles). The highest peak of "
        f"iteration {last.number} has {agreement.peak.height:.3f} at {agreement.peak.position:.2f} Å, the "
        f"target's {agreement.target_peak.height:.3f} at {agreement.target_peak.position:.2f} Å."
    )
    residual = (
        f"g(r) - target of {run.name}; in iteration {last.number} its root mean square is "
        f"{agreement.rms:.4f} and its largest value {agreement.largest:.3f} at {agreement.largest_at:.2f} Å. "
        "A grey band, where there is one, is two standard errors."
    )
    u = (
        f"The correction u(r) of {run.name} that each simulation ran with"
        + (", and the one after the last update (dashed)" if last.after is not None else "")
        + (
            " with its standard error (band)."
            if last.after is not None and last.after.yerr is not None
            else "."
        )
    )
    rms = f"Root mean square of g(r) - target of {run.name} by iteration, {_course(run)}."
    if not run.target.known:
        drawn = [(plot_g, f"g(r) of {run.name} in {steps}, dark to bright; it has no target."), (plot_u, u)]
        return _drawn(drawn, run, colours, pictures)
    drawn = [(plot_g, g), (plot_difference, residual), (plot_u, u), (plot_rms, rms)]
    if len(run.measured) > 1:
        alone = f"g(r) - target of {run.name} in iteration {last.number} alone, with two standard errors."
        drawn.insert(2, (plot_last_difference, alone))
    return _drawn(drawn, run, colours, pictures)


def _drawn(
    drawn: Iterable[tuple[Callable[..., None], str]], run: Run, colours: list[Any], pictures: Pictures
) -> str:
    return _grid(
        markup.figure(pictures.draw(partial(paint, run=run, colours=colours), said), said)
        for paint, said in drawn
    )


def _grid(figures: Iterable[str]) -> str:
    inner = "".join(figures)
    return f'<div class="figures">{inner}</div>' if inner else ""


def _course(run: Run) -> str:
    found = [
        (step.number, agreement_with(run.target, step.distribution).rms)
        for step in run.measured
        if step.distribution is not None
    ]
    text = f"{found[0][1]:.4f} in iteration {found[0][0]}"
    return text if len(found) == 1 else f"{text}, {found[-1][1]:.4f} in iteration {found[-1][0]}"


def trace_figures(run: Run, wanted: Mapping[str, float], pictures: Pictures) -> str:
    """Return density, temperature and pressure of a state; ``wanted`` by the same names."""
    figures = []
    for name, traces in read_traces(run).items():
        if all(is_constant(trace) for trace in traces):
            # a line without a message: the number is in the tables
            continue
        value = wanted.get(name)
        said = described_trace(name, traces, value)
        paint = partial(paint_trace, name=name, traces=traces, wanted=value)
        figures.append(markup.figure(pictures.draw(paint, said, height=2.4), said))
    return _grid(figures)


def scattering_figures(directory: Path, state: str, pictures: Pictures) -> str:
    """Return F(Q) with its residual by data set, and the partial g(r) with their bands."""
    steps = scattering_steps(directory, state)
    if not steps:
        return ""
    number, last = steps[-1]
    first = steps[0][0]
    of = f"iteration {number}" if first == number else f"iterations {first} and {number}"
    figures = []
    for path in sorted(last.glob("*.fq")):
        said = (
            f"F(Q) of data set {path.stem}: measured (circles), {of}; "
            "below, found - measured over a band of two standard errors."
        )
        paint = partial(_set_above_residual, steps=steps, name=path.name)
        figures.append(markup.figure(pictures.draw_panels(paint, said, height=4.4), said))
    for path in sorted(last.glob("*.dist.band")):
        name = path.name.removesuffix(".dist.band")
        said = f"Partial g(r) of {name} in iteration {number}, with what the data leave open."
        figures.append(markup.figure(pictures.draw(partial(draw_partial, path=path), said), said))
    return _grid(figures)


def _set_above_residual(figure: Any, steps: list[tuple[int, Path]], name: str) -> None:
    above, below = figure.subplots(2, 1, height_ratios=[1.6, 1.0])
    draw_set(above, below, steps, name)


def angle_figures(directory: Path, pictures: Pictures) -> str:
    """Return the distribution of angles of each state, without the correction and with it."""
    figures = []
    for state, found in read_checks(directory).items():
        curves = {label: angles for label, facts in found.items() if (angles := angles_of(facts)) is not None}
        if curves:
            said = f"{f'{state}: d' if state else 'D'}istribution of the angles between neighbours: "
            said += " and ".join(curves) + ", with two standard errors."
            figures.append(markup.figure(pictures.draw(partial(_paint_angles, curves=curves), said), said))
    return _grid(figures)


def _paint_angles(panel: Any, curves: Mapping[str, Any]) -> None:
    for (label, (angles, density, error)), colour in zip(curves.items(), ("0.5", "#31688e"), strict=False):
        panel.plot(angles, density, color=colour, lw=1.4, label=label)
        band = 2.0 * np.nan_to_num(error)
        panel.fill_between(angles, density - band, density + band, color=colour, alpha=0.3, lw=0)
    panel.set(xlabel="angle (degrees)", ylabel="density (1/degree)", xlim=(0.0, 180.0))
    panel.set_ylim(bottom=0.0)
    panel.legend(loc="upper right")
