"""votca_mlp_run.yaml: what was run, with what, and what came out; enough to repeat it."""

import platform
import socket
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from votca_mlp.files import atomic_write
from votca_mlp.inverse.context import Context, state_context
from votca_mlp.inverse.states import basis_of
from votca_mlp.runs.record import StepRecord, digest, read_record
from votca_mlp.versions import versions

NAME = "votca_mlp_run.yaml"


def write_summary(context: Context, *, started: datetime, seconds: float, last: int, stopped: str) -> None:
    """Write the summary of a run into the main directory, under a temporary name first.

    Parameters
    ----------
    started, seconds
        Begin and length of this run; the length is from a clock that never goes back.
    last
        The last step.
    stopped
        Why the run ended, or that it goes on.

    Raises
    ------
    UserError
        It cannot be written.
    """
    import yaml

    settings = context.settings
    data: dict[str, Any] = {
        "program": "votca-mlp inverse",
        "stopped": stopped,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "host": {"name": socket.gethostname(), "system": platform.platform(), "machine": platform.machine()},
        "versions": versions(),
        "model": model_facts(context),
        "seed": settings.ase.seed,
        "files": _input_files(context),
        "settings": settings.model_dump(mode="json", exclude={"path"}),
        **_states(context),
        "iterations": [_iteration(context, number) for number in range(1, last + 1)],
    }
    with atomic_write(context.main / NAME) as file:
        # the same dumper in C, where PyYAML has it: ten times faster, and this is written every iteration
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        yaml.dump(data, file, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100)


def model_facts(context: Context) -> dict[str, Any]:
    """Return kind, path and SHA-256 of the model (of every file of a folder)."""
    from votca_mlp.models.kind import model_kind
    from votca_mlp.models.origin import model_file

    mlp = context.settings.mlp
    facts: dict[str, Any] = {"kind": mlp.kind, "identity": context.model_identity}
    path = model_file(mlp, context.settings.run_directory)
    if path is None:
        return {**facts, **{tag: getattr(mlp, tag) for tag in model_kind(mlp.kind).uses}}
    if path.is_dir():
        files = sorted(item for item in path.rglob("*") if item.is_file())
        sums: Any = {str(item.relative_to(path)): digest(item)[1] for item in files}
    else:
        sums = digest(path)[1]
    return {**facts, "name": mlp.model, "path": str(path), "sha256": sums}


def _input_files(context: Context) -> dict[str, str]:
    settings = context.settings
    names = [settings.path.name, *settings.filelist, *(pair.target for pair in settings.interactions)]
    names += [pair.wibi.weight_file for pair in settings.interactions if pair.wibi.weight_file]
    names += [settings.ase.conf] if settings.ase.conf else []
    names += [f"{pair.name}.pot.in" for pair in settings.interactions]
    paths = {name: settings.input_path(name) for name in dict.fromkeys(names)}
    return {name: digest(path)[1] for name, path in paths.items() if path.is_file()}


def _states(context: Context) -> dict[str, Any]:
    """Return what each state has: weight, kBT (kJ/mol), temperature (K), files, settings, its own model."""
    if not context.states:
        return {}
    basis = basis_of(context.settings, context.states)
    found = {}
    for state in context.states:
        own = state_context(context, state)
        found[state.name] = {
            "weight": state.weight,
            "kBT": state.kBT,
            "temperature": state.temperature,
            "c_k": basis.values(state.temperature).tolist(),
            # large models are not digested again for every state
            **({} if own.model_identity == context.model_identity else {"model": model_facts(own)}),
            "files": _input_files(own),
            "settings": state.settings.model_dump(mode="json", exclude={"path", "multistate"}),
        }
    return {"states": found, "temperature_terms": asdict(basis)}


def _iteration(context: Context, number: int) -> dict[str, Any]:
    directory = context.step_directory(number)
    record = read_record(directory) if directory.is_dir() else None
    if record is None:
        return {"step": number, "by": "csg_inverse" if _done(directory) else "not run here"}
    found = {"step": number, "done": _done(directory), "agreement": record.agreement, **_made(record)}
    if context.states:
        records = {state.name: read_record(directory / state.name) for state in context.states}
        found["misfit"] = record.misfit
        found["states"] = {name: _made(record) for name, record in records.items() if record is not None}
    return found


def _made(record: StepRecord) -> dict[str, Any]:
    return {
        "seconds": {name: round(value, 3) for name, value in record.seconds.items()},
        "files": {name: sha for name, (_, sha) in record.files.items()},
    }


def _done(directory: Path) -> bool:
    return (directory / "done").is_file()
