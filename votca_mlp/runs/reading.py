"""Finding and reading the tables that the iterations of a run have left behind.

Works on the directory of csg_inverse and of our own loop alike: ``step_NNN`` with ``NAME.dist.new`` (g(r) of
the step's simulation), ``NAME.pot.cur`` (u(r) that it ran with) and ``NAME.pot.new`` (u(r) after the update).
With several states the first two are in ``step_NNN/STATE`` and the last is shared.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.tables import Table, read_table

_ACCEPTED = "the main directory of a run, with step_001, step_002, ... in it"


@dataclass(frozen=True)
class RunStep:
    """One iteration; tables in VOTCA's units (nm, kJ/mol), None where a file is not there (yet)."""

    number: int
    directory: Path
    distribution: Table | None
    before: Table | None
    after: Table | None


@dataclass(frozen=True)
class Run:
    """One interaction of a run, in one ``state`` of several (empty with one): its target g(r) and its
    iterations from step_001 on, in order.
    """

    name: str
    directory: Path
    target: Table
    steps: tuple[RunStep, ...]
    state: str = ""

    @property
    def measured(self) -> tuple[RunStep, ...]:
        """Steps that have a g(r)."""
        return tuple(step for step in self.steps if step.distribution is not None)


def step_directories(directory: str | Path) -> list[tuple[int, Path]]:
    """Return number and path of every ``step_NNN``, in order, step_000 included."""
    found = [
        (int(match[1]), path)
        for path in Path(directory).glob("step_*")
        if path.is_dir() and (match := re.fullmatch(r"step_(\d+)", path.name))
    ]
    return sorted(found)


def interaction_names(directory: str | Path) -> list[str]:
    """Return the names of the interactions that have tables in the step directories, sorted.

    Raises
    ------
    UserError
        When there is no such directory, no step in it, or no table in the steps.
    """
    steps = step_directories(directory)
    if not steps:
        raise UserError("no step directories", where=directory, accepted=_ACCEPTED)
    names = {
        path.name.removesuffix(ending)
        for _, step in steps
        for pattern, ending in (("*", ".dist.new"), ("*/*", ".dist.new"), ("*", ".pot.new"))
        for path in step.glob(f"{pattern}{ending}")
    }
    # u_1, u_2 of a correction continuous in temperature belong to u_0's interaction
    names = {name for name in names if re.sub(r"\.term\d+$", "", name) not in names - {name}}
    if not names:
        raise UserError("no NAME.dist.new in any step directory yet", where=directory, accepted=_ACCEPTED)
    return sorted(names)


def state_names(directory: str | Path, interaction: str) -> list[str]:
    """Return the states of a run that have an interaction, 943K before 1323K; ``[""]`` with one state."""
    found = {
        path.parent.name
        for _, step in step_directories(directory)
        for ending in (".dist.new", ".dist.tgt", ".pot.cur")
        for path in step.glob(f"*/{interaction}{ending}")
    }
    return sorted(found, key=_by_numbers) or [""]


def check_state(state: str, states: Sequence[str], directory: str | Path) -> None:
    """Refuse a state that is not among those of a run, ``[""]`` with one.

    Raises
    ------
    UserError
        With the names of those that are there.
    """
    if state in states:
        return
    known = " or ".join(filter(None, states))
    what = f"no state '{state}'" if state else "the run has several states"
    accepted = f"--state {known}" if known else "no --state: the run has one state"
    raise UserError(what, where=directory, accepted=accepted)


def _by_numbers(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def read_runs(directory: str | Path, interaction: str | None = None) -> list[Run]:
    """Read one interaction's tables in every state; see :func:`read_run`.

    Raises
    ------
    UserError
        As :func:`read_run`.
    """
    run = _chosen(directory, interaction)
    return [read_run(directory, run, state) for state in state_names(directory, run)]


def runs_of(directory: str | Path, interaction: str | None = None, state: str = "") -> list[Run]:
    """Read the tables of every interaction in every state, or of the one that is named.

    Raises
    ------
    UserError
        As :func:`read_run` and :func:`check_state`.
    """
    names = interaction_names(directory) if interaction is None else [interaction]
    runs = [run for name in names for run in read_runs(directory, name)]
    if not state:
        return runs
    check_state(state, list(dict.fromkeys(run.state for run in runs)), directory)
    return [run for run in runs if run.state == state]


def read_run(directory: str | Path, interaction: str | None = None, state: str = "") -> Run:
    """Read one interaction's tables.

    Parameters
    ----------
    directory
        The run's main directory.
    interaction
        Its name; None when there is only one.
    state
        One of :func:`state_names`.

    Raises
    ------
    UserError
        No run there; an unknown or missing choice of interaction; no target; a broken table.
    """
    directory = Path(directory)
    name = _chosen(directory, interaction)
    steps = tuple(
        RunStep(
            number,
            path / state,
            _read(path / state / f"{name}.dist.new"),
            _read(path / state / f"{name}.pot.cur"),
            _after(directory, name, state, number),
        )
        for number, path in step_directories(directory)
        if number > 0
    )
    return Run(name, directory, _target(directory, name, state), steps, state)


def _chosen(directory: str | Path, interaction: str | None) -> str:
    names = interaction_names(directory)
    if interaction is None and len(names) > 1:
        raise UserError(
            f"{len(names)} interactions", where=directory, accepted="--interaction " + " or ".join(names)
        )
    name = names[0] if interaction is None else interaction
    if name not in names:
        raise UserError(
            f"no interaction '{name}'", where=directory, accepted="--interaction " + " or ".join(names)
        )
    return name


def _after(directory: Path, name: str, state: str, number: int) -> Table | None:
    """Return u(r) after the update of a step."""
    step = directory / f"step_{number:03d}"
    if state and (step / f"{name}.term1.pot.new").is_file():
        # the sum of the terms at the state's temperature is formed by the next step
        return _read(directory / f"step_{number + 1:03d}" / state / f"{name}.pot.cur")
    return _read(step / f"{name}.pot.new")


def _read(path: Path) -> Table | None:
    return read_table(path) if path.is_file() else None


def _target(directory: Path, name: str, state: str) -> Table:
    # the steps hold the target on the grid of g(r), the main directory as the user gave it
    candidates = [step / state / f"{name}.dist.tgt" for _, step in reversed(step_directories(directory))]
    for path in [*candidates, directory / state / f"{name}.dist.tgt"]:
        if path.is_file():
            return read_table(path)
    raise UserError(f"no {name}.dist.tgt", where=directory, accepted=_ACCEPTED)
