"""Whether a run has worked, from its directory alone."""

from pathlib import Path

from votca_mlp.inverse.in_words import in_words
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
    return lines


def _densities(directory: Path) -> dict[str, Target]:
    """Return the measured density of each state that has one; a run in Python has no settings.xml."""
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.settings import load_settings

    if not (directory / "settings.xml").is_file():
        return {}
    plan = plan_of(load_settings(directory / "settings.xml"))
    return {state.name: state.density for state in plan.states if state.density is not None}
