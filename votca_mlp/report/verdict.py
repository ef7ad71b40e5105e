"""Whether a run has worked, from its directory alone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from votca_mlp.inverse.in_words import in_words
from votca_mlp.report.predictions import by_step
from votca_mlp.runs.reading import interaction_names, read_runs
from votca_mlp.targets.target import Target


def verdict_lines(directory: str | Path, interaction: str | None = None) -> list[str]:
    """Return the verdict on each state's last measured step; see :func:`votca_mlp.inverse.in_words.in_words`.

    Raises
    ------
    UserError
        No run there, settings or tables that cannot be read.
    """
    names = interaction_names(directory) if interaction is None else [interaction]
    runs = [run for name in names for run in read_runs(directory, name)]
    densities = _densities(Path(directory))
    lines: list[str] = []
    for state in dict.fromkeys(run.state for run in runs):
        lines += in_words([run for run in runs if run.state == state], densities.get(state))
    return lines if interaction is not None else [*lines, *_data_sets(directory)]


def _data_sets(directory: str | Path) -> Iterator[str]:
    """Yield how far F(Q) is from each measured data set, in the last step and the first."""
    found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for number, report in by_step(directory).items():
        for facts in report.values():
            for name, datum in facts["data"].items():
                if "R" in datum:
                    found.setdefault(name, []).append((number, datum))
    for name, steps in found.items():
        (begin, first), (number, last) = steps[0], steps[-1]
        text = f"{name.replace('/', ', ')}, step {number}: F(Q) has R {last['R']:.3g}"
        text += f", {first['R']:.3g} in step {begin}" if len(steps) > 1 else ""
        judged = (
            "no sigma, so that chi2 cannot judge it" if last["without_errors"] else f"chi2 {last['chi2']:.3g}"
        )
        yield f"{text}; {judged}"


def _densities(directory: Path) -> dict[str, Target]:
    """Return the measured density of each state that has one; a run in Python has no settings.xml."""
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.settings import load_settings

    if not (directory / "settings.xml").is_file():
        return {}
    plan = plan_of(load_settings(directory / "settings.xml"))
    return {state.name: state.density for state in plan.states if state.density is not None}
