"""What has changed since an earlier step, and what that affects."""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from votca_mlp.engines.engine import engines
from votca_mlp.inverse.context import Context, state_contexts
from votca_mlp.runs.record import digest, read_record
from votca_mlp.update.registry import rules

# first match counts; {step} is the step that comes next
_EFFECTS = (
    ("model", "all that follows: the correction so far belongs to the other model"),
    ("cg.inverse.mlp.", "the simulations from step {step} on"),
    ("cg.inverse.multistate.", "simulations and updates from step {step} on"),
    ("cg.inverse.initial_configuration", "the simulations from step {step} on"),
    ("cg.inverse.filelist", "the files of steps from {step} on"),
    ("cg.inverse.convergence_check", "when the iterations stop"),
    ("cg.inverse.target_density", "the verdict, and the updates from step {step} on of rules that fit it"),
    ("cg.inverse.target_pressure", "the updates from step {step} on of rules that fit it"),
    ("cg.inverse.phase.", "when the run is stopped as out of its phase"),
    ("cg.inverse.iterations_max", "when the iterations stop"),
    ("cg.inverse.cleanlist", "the files that steps from {step} on keep"),
    ("file ", "the updates from step {step} on; earlier steps aimed at the other data"),
    ("cg.", "the updates from step {step} on"),
)


def describe_inputs(context: Context) -> dict[str, Any]:
    """Return what shapes a step as one flat mapping of plain values.

    Keys are tags; ``model`` is the model's identity and ``file NAME`` the digest of a target or weight table.
    """
    found: dict[str, Any] = {"model": context.model_identity, **context.origin.tags}
    for name, path in context.origin.watched.items():
        found[f"file {name}"] = _digest_or_none(path)
    return dict(json.loads(json.dumps(found)))


def _digest_or_none(path: Path) -> str | None:
    return digest(path)[1][:16] if path.is_file() else None


def changed_lines(old: Mapping[str, Any], new: Mapping[str, Any], step: int) -> list[str]:
    """Return one line a change: what it was, what it is, what it affects.

    Parameters
    ----------
    old, new
        As :func:`describe_inputs` returns them.
    step
        The step that comes next or goes on.
    """
    lines = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        effect = _effect(key).format(step=f"{step:03d}")
        if key.startswith("file ") or key == "model":
            lines.append(f"{key.removeprefix('file ')} has changed; affects {effect}")
        else:
            lines.append(f"{key} was {_text(before)}, is {_text(after)}; affects {effect}")
    return lines


def _effect(key: str) -> str:
    """Return what a change affects; rules and engines say it themselves."""
    of_rule = re.match(r"cg\.non-bonded\[.*?\]\.(\w+)\.", key)
    if of_rule is not None and of_rule[1] in rules():
        return rules()[of_rule[1]].affects
    head, _, tag = key.removeprefix("cg.inverse.").partition(".")
    if key.startswith("cg.inverse.") and tag and head in rules():
        return rules()[head].affects
    if key.startswith("cg.inverse.") and tag and head in engines():
        return engines()[head].affects(tag) + " from step {step} on"
    return next(words for start, words in _EFFECTS if key.startswith(start))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_text, value)) or "empty"
    return "absent" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def say_changes(context: Context, number: int) -> None:
    """Say which settings and inputs have changed since the last step that has a record."""
    known = _changes_of(context, number, "", ())
    for state in state_contexts(context) if context.plan.several else ():
        _changes_of(state, number, f"state {state.name}: ", known)


def _changes_of(context: Context, number: int, before: str, known: Collection[str]) -> list[str]:
    """Say and return what has changed, but for the ``known`` lines that were said of the run."""
    new = describe_inputs(context)
    for step in range(number, -1, -1):
        record = read_record(context.step_directory(step))
        if record is None:
            continue
        shared = (context.run or context).step_directory(step)
        begun = step == number and not (shared / "done").is_file()
        following = step if begun else step + 1
        lines = changed_lines(record.inputs, new, following)
        for line in lines:
            if line not in known:
                context.messages.say(f"CHANGED since step {step:03d}: {before}{line}")
        return lines
    return []
