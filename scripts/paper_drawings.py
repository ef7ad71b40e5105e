"""The paper's five figures from the numbers of scripts/paper_figures.py; what was not run is left out.

A run of the whole form takes the place of the short one; it is named so in each figure.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from results_file import Json
from results_numbers import value_of

Results = Mapping[str, Json]
RUN, WHOLE = "paper_figures_short", "paper_figures"
MARK = ", whole form"
COLOURS = {"alone": "#4c72b0", "wibi": "#c44e52", "gauss_newton": "#55a868", "target": "#222222"}
WORDS = {"alone": "model alone", "wibi": "with u(r) of wIBI", "gauss_newton": "of Gauss-Newton"}
MODELS, RULES = ("HIP-NN", "ANI-Al"), ("wibi", "gauss_newton")
TEMPERATURES = {"943": "#4c72b0", "1023": "#8172b3", "1323": "#c44e52"}

MEASURED_D = (1020.0, 7.9)
"""K, 1e-9 m2/s: Kargl et al., J. Phys.: Conf. Ser. 340, 012077 (2012), as others quote it; no error."""


def merged(results: Results) -> tuple[dict[str, Json], dict[str, Json], set[str]]:
    """Return rows and curves, the whole form's where there are some, and which cases are the whole form's.

    A case is said as the curves begin: model, temperature and rule.
    """
    tables = results[RUN]["tables"]
    rows, curves = dict(tables["runs"]), dict(tables["curves"])
    if WHOLE not in results:
        return rows, curves, set()
    longer = results[WHOLE]["tables"]
    whole = {case_of(row) for row in longer["runs"].values()}
    curves = {name: found for name, found in curves.items() if not _is_of(name, whole)}
    return {**rows, **longer["runs"]}, {**curves, **longer["curves"]}, whole


def case_of(row: Json) -> str:
    """Return what the names of a row's curves begin with."""
    return f"{row['model']} {row['temperature']:g} K {row['rule']}"


def _is_of(name: str, cases: set[str]) -> bool:
    return any(name.startswith(f"{case} ") for case in cases)


def _mark(name: str, whole: set[str]) -> str:
    return MARK if _is_of(name, whole) else ""


def _first(curves: dict[str, Json], whole: set[str], case: str, what: str) -> str:
    """Return the name of a curve of the model alone, which is the same with both rules; whole form first."""
    names = [f"{case} {rule} {what}" for rule in RULES]
    return min(filter(curves.__contains__, names), key=lambda name: not _is_of(name, whole), default="")


def _band(panel: Any, found: Json, key: str, colour: str) -> None:
    """Fill two standard errors on either side, where there are some."""
    if "error" in found:
        pairs = list(zip(found[key], found["error"], strict=True))
        ends = ([y + sign * 2.0 * e for y, e in pairs] for sign in (-1, 1))
        panel.fill_between(found["r"], *ends, color=colour, alpha=0.2, lw=0)


def structure(axes: Any, results: Results) -> None:
    """Draw Fig. 1: g(r) of the model alone, corrected, and measured; temperatures across, models below."""
    _, curves, whole = merged(results)
    for model, row in zip(MODELS, axes, strict=True):
        for panel, temperature in zip(row, TEMPERATURES, strict=True):
            case = f"{model} {temperature} K"
            alone = _first(curves, whole, case, "g before")
            shown = (
                (f"{case} target", "measured", COLOURS["target"], ":"),
                (alone, WORDS["alone"], COLOURS["alone"], "-"),
                (f"{case} wibi g after", WORDS["wibi"], COLOURS["wibi"], "-"),
                (f"{case} gauss_newton g after", WORDS["gauss_newton"], COLOURS["gauss_newton"], "--"),
            )
            if not any(name in curves for name, *_ in shown):
                panel.text(5.0, 0.5, "not run", ha="center")
            for name, words, colour, style in shown:
                if name in curves:
                    text = words + _mark(name, whole)
                    panel.plot(curves[name]["r"], curves[name]["g"], style, color=colour, lw=1.2, label=text)
                    _band(panel, curves[name], "g", colour)
            panel.set(title=f"{model}, {temperature} K", xlim=(2.0, 8.0), xlabel="r [Å]", ylabel="g(r)")
            if any(_is_of(name, whole) for name, *_ in shown):
                panel.legend(frameon=False, fontsize=7)
    # where both rules are compared in any case
    axes[0][1].legend(frameon=False, fontsize=7)


def weights(axes: Any, results: Results) -> None:
    """Draw Fig. 2: u(r) and the residual of g(r) by iteration, w = g_E and w = 1."""
    _, curves, whole = merged(results)
    target = curves["HIP-NN 1023 K target"]
    for column, (rule, title) in enumerate((("wibi", "w = g$_E$ (wIBI)"), ("ibi", "w = 1 (IBI)"))):
        steps = [k for k in range(1, 100) if f"HIP-NN 1023 K {rule} g {k}" in curves]
        for k in steps:
            fade = 0.2 + 0.8 * k / len(steps)
            u, g = (curves[f"HIP-NN 1023 K {rule} {what} {k}"] for what in ("u", "g"))
            words = f"simulation {k}" if k in (steps[0], steps[-1]) else None
            axes[0][column].plot(u["r"], u["u"], color=COLOURS["wibi"], alpha=fade, lw=1.0, label=words)
            difference = [a - b for a, b in zip(g["g"], target["g"], strict=True)]
            axes[1][column].plot(g["r"], difference, color=COLOURS["alone"], alpha=fade, lw=1.0)
        title += _mark(f"HIP-NN 1023 K {rule} u", whole)
        axes[0][column].set(title=title, xlim=(1.8, 8.0), ylabel="u(r) [meV]")
        axes[1][column].set(xlim=(1.8, 8.0), xlabel="r [Å]", ylabel="g(r) − measured")
    for row in axes:
        low, high = (f(panel.get_ylim()[k] for panel in row) for k, f in ((0, min), (1, max)))
        for panel in row:
            panel.set_ylim(low, high)
            panel.axhline(0.0, color=COLOURS["target"], lw=0.5)
    for panel in axes[0]:
        panel.legend(frameon=False, fontsize=7)


def potentials(axes: Any, results: Results) -> None:
    """Draw Fig. 3: u(r) of wIBI by temperature, then of Gauss-Newton with its bands, a temperature a panel.

    ANI-Al is dashed where it was run.
    """
    _, curves, whole = merged(results)
    shown = [("wibi", tuple(TEMPERATURES)), *(("gauss_newton", (one,)) for one in TEMPERATURES)]
    for panel, (rule, temperatures) in zip(axes, shown, strict=True):
        for temperature in temperatures:
            colour = TEMPERATURES[temperature]
            for model, style in zip(MODELS, ("-", "--"), strict=True):
                name = f"{model} {temperature} K {rule} u"
                if found := curves.get(name):
                    words = f"{model}, {temperature} K{_mark(name, whole)}"
                    panel.plot(found["r"], found["u"], style, color=colour, lw=1.2, label=words)
                    _band(panel, found, "u", colour)
        panel.axhline(0.0, color=COLOURS["target"], lw=0.5)
        title = {"wibi": "wIBI", "gauss_newton": "Gauss-Newton"}[rule]
        panel.set(title=title, xlim=(2.2, 8.0), ylim=(-80.0, 80.0), xlabel="r [Å]", ylabel="u(r) [meV]")
        panel.legend(frameon=False, fontsize=7)


def diffusion(axes: Any, results: Results) -> None:
    """Draw Fig. 4: the diffusion coefficient against temperature, without the box's periodic images."""
    for label, points in _by_temperature(results, "diffusion_infinite"):
        _points(axes, label, points)
    axes.plot(*MEASURED_D, "D", color=COLOURS["target"], ms=5, label="measured (Kargl et al. 2012)")
    axes.set(xlabel="T [K]", ylabel="D, infinite box [10$^{-9}$ m$^2$/s]")
    _beside(axes, results)


def density(axes: Any, results: Results) -> None:
    """Draw Fig. 5: the density against temperature, and the measured one."""
    rows = merged(results)[0].values()
    known = sorted({(row["temperature"], value_of(row["density_target"])) for row in rows})
    t, rho = zip(*known, strict=True)
    axes.plot(t, rho, ":", color=COLOURS["target"], label="measured (Assael et al. 2006)")
    axes.fill_between(
        t, [0.993 * x for x in rho], [1.007 * x for x in rho], color=COLOURS["target"], alpha=0.1
    )
    for label, points in _by_temperature(results, "density"):
        _points(axes, label, points)
    # of ANI-Al with one rule; its symbols are open
    for label, points in _by_temperature(results, "density", "ANI-Al", ("gauss_newton",)):
        _points(axes, label, points, model="ANI-Al ")
    axes.set(xlabel="T [K]", ylabel="density [kg/m$^3$]")
    _beside(axes, results)


def angles(axes: Any, results: Results) -> None:
    """Draw the distribution of the angles between neighbours, with two standard errors, by temperature."""
    _, curves, whole = merged(results)
    for panel, temperature in zip(axes, TEMPERATURES, strict=True):
        start = f"HIP-NN {temperature} K"
        for label, case in (
            ("alone", _first(curves, whole, start, "angles before")),
            *((rule, f"{start} {rule} angles after") for rule in RULES),
        ):
            if found := curves.get(case):
                x, y = found["degrees"], found["density"]
                panel.plot(x, y, color=COLOURS[label], lw=1.2, label=WORDS[label] + _mark(case, whole))
                low, high = (
                    [a + sign * 2.0 * e for a, e in zip(y, found["error"], strict=True)] for sign in (-1, 1)
                )
                panel.fill_between(x, low, high, color=COLOURS[label], alpha=0.2)
            if whole:
                panel.legend(frameon=False, fontsize=7)
        panel.set(title=f"{temperature} K", xlim=(30.0, 180.0), xlabel="angle [°]", ylabel="density [1/°]")
    axes[0].legend(frameon=False, fontsize=7)


def _by_temperature(
    results: Results, name: str, model: str = "HIP-NN", rules: Sequence[str] = RULES
) -> Iterator[tuple[str, list[tuple[float, Any, bool]]]]:
    rows, _, whole = merged(results)
    for label, when in (("alone", "before"), *((rule, "after") for rule in rules)):
        column = f"{name}_{when}"
        chosen: dict[float, tuple[float, Any, bool]] = {}
        # the model alone is the same with every rule; the whole form's, and wIBI's, counts
        for rule in reversed(rules) if label == "alone" else [label]:
            for row in rows.values():
                if row["rule"] != rule or row["model"] != model or column not in row:
                    continue
                point = (row["temperature"], row[column], case_of(row) in whole)
                before = chosen.get(point[0], point)
                chosen[point[0]] = point if point[2] or not before[2] else before
        yield label, sorted(chosen.values(), key=lambda point: point[0])


def _points(axes: Any, label: str, points: list[tuple[float, Any, bool]], model: str = "") -> None:
    if points:
        errors = [point["error"] if isinstance(point, dict) else 0.0 for _, point, _ in points]
        t, values = [t for t, *_ in points], [value_of(point) for _, point, _ in points]
        look = {"fmt": "s--", "mfc": "none"} if model else {"fmt": "o-"}
        words = model + WORDS[label]
        axes.errorbar(t, values, errors, **look, ms=4, capsize=2, color=COLOURS[label], label=words)
        longer = [(t, value_of(point)) for t, point, whole in points if whole]
        if longer:
            axes.plot(*zip(*longer, strict=True), "*", ms=11, color=COLOURS[label])


def _beside(axes: Any, results: Results) -> None:
    """Put the legend beside the panel, where no curve is, and say what the stars are."""
    if merged(results)[2]:
        axes.plot([], [], "*", ms=11, color="none", mec=COLOURS["target"], label=MARK.removeprefix(", "))
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
