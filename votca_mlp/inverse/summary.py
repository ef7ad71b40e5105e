"""votca_mlp_run.yaml: what was run, with what, and what came out; enough to repeat it."""

import platform
import socket
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from votca_mlp.files import atomic_write
from votca_mlp.inverse.context import Context, state_context
from votca_mlp.inverse.model import model_facts
from votca_mlp.inverse.state_plan import Origin
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

    plan = context.plan
    data: dict[str, Any] = {
        "program": "votca-mlp inverse",
        "stopped": stopped,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "host": {"name": socket.gethostname(), "system": platform.platform(), "machine": platform.machine()},
        "versions": versions(plan.model.calculator),
        "model": model_facts(plan.model, plan.directory, context.model_identity),
        "seed": plan.states[0].md.seed,
        "files": _input_files(plan.origin),
        "settings": dict(plan.origin.settings),
        **_states(context),
        "iterations": [_iteration(context, number) for number in range(1, last + 1)],
    }
    with atomic_write(plan.directory / NAME) as file:
        # the same dumper in C, where PyYAML has it: ten times faster, and this is written every iteration
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        yaml.dump(data, file, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100)


def read_summary(directory: Path) -> dict[str, Any]:
    """Return the summary in a main directory; empty where there is none, or a damaged one."""
    import yaml

    try:
        text = (directory / NAME).read_text()
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def _input_files(origin: Origin) -> dict[str, str]:
    return {name: digest(path)[1] for name, path in origin.files.items() if path.is_file()}


def _states(context: Context) -> dict[str, Any]:
    """Return what each state has: weight, kBT (kJ/mol), temperature (K), files, settings, its own model."""
    plan = context.plan
    if not plan.several:
        return {}
    found = {}
    for state in plan.states:
        own = state_context(context, state)
        identity = own.model_identity
        found[state.name] = {
            "weight": state.weight,
            "kBT": state.kBT,
            "temperature": state.temperature,
            "c_k": plan.basis.values(state.temperature).tolist(),
            # large models are not digested again for every state
            **(
                {}
                if identity == context.model_identity
                else {"model": model_facts(state.model, plan.directory, identity)}
            ),
            "files": _input_files(state.origin),
            "settings": dict(state.origin.settings),
        }
    return {"states": found, "temperature_terms": asdict(plan.basis)}


def _iteration(context: Context, number: int) -> dict[str, Any]:
    directory = context.step_directory(number)
    record = read_record(directory) if directory.is_dir() else None
    if record is None:
        return {"step": number, "by": "csg_inverse" if _done(directory) else "not run here"}
    found = {"step": number, "done": _done(directory), "agreement": record.agreement, **_made(record)}
    if context.plan.several:
        records = {state.name: read_record(directory / state.name) for state in context.plan.states}
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
