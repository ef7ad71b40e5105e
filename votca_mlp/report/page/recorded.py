"""What was run, from the run's summary or its settings.xml: neither names the machine or its folders."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from votca_mlp.engines.shared.result import read_facts
from votca_mlp.errors import UserError
from votca_mlp.inverse.summary import read_summary
from votca_mlp.report.stopped import csg_came_after
from votca_mlp.runs.reading import step_directories
from votca_mlp.runs.record import NAME as RECORD
from votca_mlp.runs.record import digest

SETTINGS = "settings.xml"


@dataclass(frozen=True)
class Recorded:
    """What was run.

    Attributes
    ----------
    directory
        Main directory.
    settings
        As read, with all defaults.
    states
        Of each of several states the same.
    model
        What names the model and its files, by SHA-256.
    versions
        Of Python and the packages.
    files
        SHA-256 of the input files by name.
    text
        settings.xml; empty for a run from Python.
    by_csg
        Whether csg_inverse made the steps (otherwise our loop).
    started, seconds
        Of the last start of our loop, and how long it took.
    atoms
        Of each state's first step.
    notes
        What a reader has to know about all this.
    """

    directory: Path
    settings: Mapping[str, Any]
    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    by_csg: bool = False
    started: str = ""
    seconds: float | None = None
    atoms: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_recorded_run(directory: Path, states: list[str]) -> Recorded:
    """Return what was run in a main directory.

    Raises
    ------
    UserError
        Settings that cannot be read.
    """
    summary = {} if csg_came_after(directory) else read_summary(directory)
    path = directory / SETTINGS
    xml = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    notes = list(_changed(directory, summary))
    found: dict[str, Any] = {}
    if summary:
        found = {key: summary.get(key) or {} for key in ("settings", "model", "files")}
        found["states"] = {
            name: state.get("settings", {}) for name, state in summary.get("states", {}).items()
        }
        for name, state in summary.get("states", {}).items():
            found["files"] = {**found["files"], **_of_state(directory, name, state.get("files") or {})}
    elif xml:
        found, missing = _of_settings(directory)
        notes += missing
    else:
        found = {"settings": {}}
        notes.append("neither settings.xml nor a summary is there: what was run with is not known")
    steps = [step for number, step in step_directories(directory) if number > 0]
    facts = {state: read_facts(steps[0] / state) for state in states} if steps else {}
    last = [read_facts(steps[-1] / state) for state in states] if steps else []
    versions: Mapping[str, str] = summary.get("versions") or next(
        (f["versions"] for f in last if "versions" in f), {}
    )
    return Recorded(
        directory,
        **found,
        versions=versions,
        text=xml,
        by_csg=bool(steps) and not any((step / RECORD).is_file() for step in steps),
        started=str(summary.get("started", "")),
        seconds=summary.get("seconds"),
        atoms={state: fact["atoms"] for state, fact in facts.items() if isinstance(fact.get("atoms"), int)},
        notes=tuple(notes),
    )


def _of_state(directory: Path, state: str, files: Mapping[str, str]) -> dict[str, str]:
    """Return the files that a state has for itself, named from the main directory."""
    return {f"{state}/{name}": known for name, known in files.items() if (directory / state / name).is_file()}


def _changed(directory: Path, summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line about input files that are no longer those of the run."""
    for name, known in (summary.get("files") or {}).items():
        path = directory / name
        if path.is_file() and digest(path)[1] != known:
            yield f"{name} has changed since the run: the file beside it is not what was run with"


def _of_settings(directory: Path) -> tuple[dict[str, Any], list[str]]:
    """Return what settings.xml says of a run that has no summary, and what could not be found."""
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.inverse.model import model_facts
    from votca_mlp.models.identity import model_identity
    from votca_mlp.settings import load_settings

    plan = plan_of(load_settings(directory / SETTINGS))
    missing: list[str] = []
    try:
        model = model_facts(plan.model, plan.directory, model_identity(plan.model, plan.directory))
    except UserError as error:
        model = {"kind": plan.model.kind, "name": plan.model.model}
        missing = [f"the model's file was not there when this page was made: {error.what}"]
    files = {name: digest(path)[1] for name, path in plan.origin.files.items() if path.is_file()}
    states = {state.name: state.origin.settings for state in plan.states if state.name}
    for state in states:
        own = next(one for one in plan.states if one.name == state).origin.files
        sums = {name: digest(path)[1] for name, path in own.items() if path.is_file()}
        files |= _of_state(directory, state, sums)
    return {"settings": plan.origin.settings, "states": states, "model": model, "files": files}, missing
