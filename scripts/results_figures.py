"""The figures of docs/results, as SVG; each tells with a checksum which numbers it was drawn from."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paper_drawings
from results_file import ROOT, Json
from results_numbers import value_of

FOLDER = ROOT / "docs" / "figures"
Results = Mapping[str, Json]
OURS, OTHER, TARGET = "#c44e52", "#4c72b0", "#222222"


@dataclass(frozen=True)
class Figure:
    """A picture: what it says, the runs and tables that it shows, and the function that draws it on axes."""

    caption: str
    sources: tuple[tuple[str, str], ...]
    draw: Callable[[Any, Results], None]
    columns: int = 1
    rows: int = 1
    beside: float = 0.0
    """Inches on the right for a legend."""
    wherever: tuple[tuple[str, str], ...] = ()
    """Further runs and tables, shown as soon as they are there."""


def distribution(axes: Any, results: Results) -> None:
    """Draw g(r) of the model alone and with the correction, and the measured one."""
    curves = results["quickstart"]["tables"]["curves"]
    steps = sorted(int(label.split()[-1]) for label in curves if " g " in label)
    shown = (
        ("Al-Al target", "measured", TARGET, ":"),
        (f"Al-Al g {steps[0]}", "model alone", OTHER, "-"),
        (f"Al-Al g {steps[-1]}", "with the correction", OURS, "-"),
    )
    for label, words, colour, style in shown:
        axes.plot(curves[label]["r"], curves[label]["g"], style, color=colour, label=words)
    axes.set(xlim=(1.8, 10.0), xlabel="r [Å]", ylabel="g(r)")
    axes.legend(frameon=False)


def potential(axes: Any, results: Results) -> None:
    """Draw u(r) after each iteration."""
    curves = results["quickstart"]["tables"]["curves"]
    labels = [label for label in curves if " u " in label]
    for k, label in enumerate(labels):
        fade = 0.25 + 0.75 * (k + 1) / len(labels)
        words = {0: "after iteration 1", len(labels) - 1: f"after iteration {len(labels)}"}.get(k)
        axes.plot(curves[label]["r"], curves[label]["u"], color=OURS, alpha=fade, label=words)
    axes.axhline(0.0, color=TARGET, linewidth=0.5)
    axes.set(xlim=(2.2, 10.0), ylim=(-100.0, 30.0), xlabel="r [Å]", ylabel="u(r) [meV]")
    axes.legend(frameon=False)


def convergence(axes: Any, results: Results) -> None:
    """Draw the distance of g(r) from its target by iteration."""
    shown = [(results[name]["tables"]["iterations"], words) for name, words in CONVERGENCE.items()]
    by_alpha = results["alpha"]["tables"]["iterations"]
    shown += [(rows, f"HIP-NN, alpha {alpha}") for alpha, rows in by_alpha.items()]
    for rows, words in shown:
        values = [value_of(row["rms"]) for row in rows]
        axes.semilogy([row["step"] for row in rows], values, "o-", markersize=3, label=words)
    axes.set(xlabel="iteration", ylabel="RMS of g(r) − measured")
    axes.legend(frameon=False, fontsize=7)


CONVERGENCE = {
    "paper_case": "ANI-Al, alpha 0.2",
    "quickstart": "HIP-NN, quickstart (0.5)",
    "al_lammps": "LAMMPS (0.5)",
    "al_gromacs": "GROMACS (0.5)",
}


def speed(axes: Any, results: Results) -> None:
    """Draw steps per second against the number of atoms, with the ratios, two threads and constant volume."""
    rows = results["benchmark"]["tables"]["speeds"]
    growth = results["benchmark"]["tables"]["growth"]
    for panel, (model, name) in zip(axes, (("hipnn", "HIP-NN"), ("ani", "ANI")), strict=True):
        found = {}
        for label, row in rows.items():
            if match := re.fullmatch(rf"{model} 2 threads (\d+) nvt", label):
                found[int(match[1])] = row
        atoms = sorted(found)
        for kind, words, colour in (("ours", "ours, with u(r)", OURS), ("reference", "reference", OTHER)):
            power = f"{words}: time ~ N$^{{{growth[f'{model} 2 threads nvt'][kind]:.2f}}}$"
            panel.loglog(atoms, [found[n][kind] for n in atoms], "o-", color=colour, label=power)
        for n in atoms:
            middle = (found[n]["ours"] * found[n]["reference"]) ** 0.5
            panel.text(n, middle, f"{found[n]['ratio']:.0f}×", ha="center", va="center", fontsize=8)
        # what growth linear in the number of atoms would be
        line = [found[atoms[0]]["ours"] * atoms[0] / n for n in atoms]
        panel.loglog(atoms, line, ":", color=TARGET, linewidth=0.8, label="1/N")
        panel.set(title=name, xlabel="atoms", ylabel="MD steps/s")
        panel.set_xticks(atoms, labels=[str(n) for n in atoms])
        panel.minorticks_off()
        panel.legend(frameon=False, fontsize=7)


def known_answer(axes: Any, results: Results) -> None:
    """Draw the distance of the fitted u(r) from the known one, beside what independent noise would give."""
    for panel, (run, title) in zip(axes, KNOWN.items(), strict=True):
        ends = results[run]["tables"]["ends"]
        places = range(len(ends))
        values = [value_of(row["distance"]) for row in ends.values()]
        errors = [row["distance"]["error"] for row in ends.values()]
        panel.errorbar(values, places, xerr=errors, fmt="o", color=OURS, markersize=4, label="fitted")
        expected = [row["expected_of_single"] for row in ends.values()]
        panel.plot(expected, places, "|", color=TARGET, markersize=12, label="noise of the single states")
        panel.set(yticks=places, title=title, xlabel="RMS of u − u* [meV]")
        panel.set_yticklabels([label.replace("_", "-") for label in ends], fontsize=7)
        panel.set_xlim(left=0.0)
        panel.invert_yaxis()
        panel.legend(frameon=False, fontsize=7, loc="upper left")


def learning(axes: Any, results: Results) -> None:
    """Draw the error of the high-level energy against the number of high-level energies."""
    ethane = results["fidelities_ethane_rate"]["tables"]["energy"]
    metal = results["fidelities_metal_sevennet"]["tables"]["held out"]
    curves: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for label, row in ethane.items():
        method, _, count = label.rpartition("_")
        if method in ETHANE:
            curves[0].setdefault(ETHANE[method], []).append((int(count), row["rmse"]))
    for label, row in metal.items():
        curves[1].setdefault(METAL[label.split()[0]], []).append((row["energies"], row["rmse"]))
    titles = ("ethane: CASPT2, with wB97X", "aluminium: ANI-Al, with SevenNet")
    for panel, title, shown in zip(axes, titles, curves, strict=True):
        for words, points in shown.items():
            counts, values = zip(*sorted(points, key=lambda point: point[0]), strict=True)
            errors = [value["error"] if isinstance(value, dict) else 0.0 for value in values]
            panel.errorbar(
                counts, [value_of(v) for v in values], errors, fmt="o-", markersize=3, capsize=2, label=words
            )
        panel.set(title=title, xlabel="high-level energies", ylabel="RMSE [meV/atom]", xscale="log")
        panel.set_ylim(bottom=0.0)
        marks = sorted({n for points in shown.values() for n, _ in points})
        panel.set_xticks(marks, labels=[str(n) for n in marks])
        panel.minorticks_off()
        # below the curves, of which none comes near zero
        panel.legend(frameon=False, fontsize=7, loc="lower center", ncols=2)


ETHANE = {
    "high": "CASPT2 alone",
    "low": "wB97X alone, one constant",
    "together": "one network from the start",
    "continued": "continued",
    "transfer": "transfer",
    "difference": "difference",
}
METAL = {"high": "ANI-Al alone", "both": "one network, two heads"}
KNOWN = {"multistate_equal": "argon at 240, 260, 280 K", "multistate_mixture": "mixtures 3:1 and 1:3"}
FIGURES = {
    "distribution": Figure(
        "g(r) of liquid aluminium at 1023 K: model alone, with the correction, measured",
        (("quickstart", "curves"),),
        distribution,
    ),
    "potential": Figure("u(r) after each iteration", (("quickstart", "curves"),), potential),
    "convergence": Figure(
        "Distance of g(r) from the measured one by iteration",
        (*((name, "iterations") for name in CONVERGENCE), ("alpha", "iterations")),
        convergence,
    ),
    "speed": Figure(
        "MD steps per second by number of atoms, two threads, constant volume; the ratio to the reference",
        (("benchmark", "speeds"), ("benchmark", "growth")),
        speed,
        columns=2,
    ),
    "known_answer": Figure(
        "Distance of the fitted u(r) from the known one, and what independent noise of the states would give",
        tuple((name, "ends") for name in KNOWN),
        known_answer,
        columns=2,
    ),
    "learning": Figure(
        "Error of held-out high-level energies by the number of high-level energies; errors over seeds",
        (
            ("fidelities_ethane_rate", "energy"),
            ("fidelities_metal_sevennet", "held out"),
        ),
        learning,
        columns=2,
    ),
}
_PAPER = ((paper_drawings.RUN, "runs"), (paper_drawings.RUN, "curves"))
_LONGER = ((paper_drawings.WHOLE, "runs"), (paper_drawings.WHOLE, "curves"))
_SHORT = "HIP-NN and ANI-Al, short form where not said otherwise"
_BANDS = "bands of two standard errors"
FIGURES |= {
    "paper_1": Figure(
        f"Fig. 1: g(r) by temperature, {_BANDS} of blocks. {_SHORT}",
        _PAPER,
        paper_drawings.structure,
        columns=3,
        rows=2,
        wherever=_LONGER,
    ),
    "paper_2": Figure(
        "Fig. 2: u(r) and residual of g(r) by simulation, both weights, 1023 K",
        _PAPER,
        paper_drawings.weights,
        columns=2,
        rows=2,
        wherever=_LONGER,
    ),
    "paper_3": Figure(
        f"Fig. 3: u(r) by temperature; ANI-Al dashed; Gauss-Newton's with {_BANDS}",
        _PAPER,
        paper_drawings.potentials,
        columns=4,
        wherever=_LONGER,
    ),
    "paper_4": Figure(
        "Fig. 4: diffusion against temperature",
        _PAPER,
        paper_drawings.diffusion,
        beside=2.2,
        wherever=_LONGER,
    ),
    "paper_5": Figure(
        "Fig. 5: density against temperature; ANI-Al dashed",
        _PAPER,
        paper_drawings.density,
        beside=2.2,
        wherever=_LONGER,
    ),
    "paper_angles": Figure(
        f"Angles between neighbours of the first shell, HIP-NN; {_BANDS}",
        _PAPER,
        paper_drawings.angles,
        columns=3,
        wherever=_LONGER,
    ),
}
RUNS = {run for figure in FIGURES.values() for run, _ in figure.sources}
LONGER = {run for figure in FIGURES.values() for run, _ in figure.wherever}


def checksum(figure: Figure, results: Results) -> str:
    """Return the SHA-256 of what a figure shows."""
    there = [(run, table) for run, table in figure.wherever if run in results]
    shown = [results[run]["tables"][table] for run, table in (*figure.sources, *there)]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def path_of(name: str) -> Path:
    """Return the file of a figure."""
    return FOLDER / f"{name}.svg"


def outdated(results: Results) -> list[Path]:
    """Return the files that are missing or drawn from other numbers."""
    found = []
    for name, figure in FIGURES.items():
        path = path_of(name)
        if not path.exists() or checksum(figure, results) not in path.read_text():
            found.append(path)
    return found


def draw_all(results: Results) -> None:
    """Draw every figure."""
    import matplotlib

    matplotlib.use("svg")
    # the same numbers give the same file
    matplotlib.rcParams["svg.hashsalt"] = "votca-mlp"
    from matplotlib import pyplot

    FOLDER.mkdir(exist_ok=True)
    for name, figure in FIGURES.items():
        path = path_of(name)
        drawing, axes = pyplot.subplots(
            figure.rows,
            figure.columns,
            figsize=(3.6 + 3.4 * (figure.columns - 1) + 1.4 + figure.beside, 3.6 + 2.6 * (figure.rows - 1)),
        )
        figure.draw(axes, results)
        drawing.tight_layout()
        drawing.savefig(path, metadata={"Date": None, "Description": checksum(figure, results)})
        pyplot.close(drawing)
        # lines of an SVG end in blanks
        path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
