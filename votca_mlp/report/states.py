"""Whether the states of a run still have a common correction to find."""

from pathlib import Path

from votca_mlp.runs.reading import step_directories


def state_lines(directory: str | Path) -> list[str]:
    """Return what the last step with g(r) in all states says of their common correction; none with one state.

    A rule that solves for all states at once, gauss_newton, says it with its predictions instead.

    Raises
    ------
    UserError
        Settings or tables that cannot be read.
    """
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.inverse.history import contradiction, misfits
    from votca_mlp.settings import load_settings

    directory = Path(directory)
    if not any(path.is_dir() for _, step in step_directories(directory) for path in step.iterdir()):
        return []
    if not (directory / "settings.xml").is_file():
        return []
    settings = load_settings(directory / "settings.xml")
    if not settings.multistate.enabled:
        return []
    plan = plan_of(settings)
    measured = [
        number
        for number, step in step_directories(directory)
        if all(
            (step / state.name / f"{pair.name}.dist.new").is_file()
            for state in plan.states
            for pair in state.pairs
        )
    ]
    if not measured:
        return []
    number = measured[-1]
    lines = [f"step {number}, {name}, all states: {misfit}" for name, misfit in misfits(plan, number).items()]
    if not lines and plan.terms >= len(plan.states):
        lines = [f"step {number}, all states: as many terms as states, so that they need not agree"]
    against = contradiction(plan, number)
    return lines if against is None else [*lines, f"CONFLICT: {against}"]
