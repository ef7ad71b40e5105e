"""Whether a run has worked, from its directory alone."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from votca_mlp.inverse.in_words import in_words
from votca_mlp.report.predictions import by_step, datum_prefix
from votca_mlp.runs.reading import runs_of
from votca_mlp.targets.target import Target


def verdict_lines(
    directory: str | Path,
    interaction: str | None = None,
    state: str = "",
    *,
    curve: tuple[str, str] | None = None,
) -> list[str]:
    """Return the verdict on each state's last measured step; see :func:`votca_mlp.inverse.in_words.in_words`.

    Parameters
    ----------
    interaction, state
        All of them when None or empty.
    curve
        State and interaction whose g(r) is spoken of, of others only where it does not agree; all of them
        when None.

    Raises
    ------
    UserError
        No run there, settings or tables that cannot be read.
    """
    runs = runs_of(directory, interaction, state)
    densities = _densities(Path(directory))
    lines: list[str] = []
    for name in dict.fromkeys(run.state for run in runs):
        shown = None if curve is None else [interaction for of, interaction in [curve] if of == name]
        lines += in_words([run for run in runs if run.state == name], densities.get(name), shown)
    return lines if interaction is not None else [*lines, *_data_sets(directory, state)]


def _data_sets(directory: str | Path, state: str) -> Iterator[str]:
    """Yield how far F(Q) is from each measured data set (of a state), in the last step and the first."""
    found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for number, report in by_step(directory).items():
        for facts in report.values():
            for name, datum in facts["data"].items():
                if "R" in datum and name.startswith(datum_prefix(state)):
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
