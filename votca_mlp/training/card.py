"""The card of a trained model: errors by level and kind of label on held-out groups, and how it was made."""

from collections.abc import Mapping, Sequence
from typing import Any

from votca_mlp.training.judge import SCALES, LabelErrors

Errors = Mapping[str, Mapping[str, LabelErrors]]
"""By level, then by kind of label."""


def model_card(
    provenance: Mapping[str, Any], errors: Errors, groups: int, uses: Sequence[str], notes: Sequence[str] = ()
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    provenance
        As it is in the model file.
    errors
        On held-out frames.
    groups
        Number of held-out groups.
    uses
        Lines on how the model is used.
    notes
        Lines on the errors.
    """
    lines = ["# Model card", "", *uses, "", "## Errors on held-out groups", ""]
    if any(errors.values()):
        lines += [f"{groups} groups of frames that neither training nor its end has seen.", ""]
        lines += table(errors)
        lines += ["", *(f"- {note}" for note in notes)] if notes else []
    else:
        lines.append("No frames were held out: nothing is known of errors (`split.held_out`).")
    lines += ["", "## Made by", ""]
    lines += _listed(provenance)
    return "\n".join(lines) + "\n"


def table(errors: Errors) -> list[str]:
    """Return the errors as a Markdown table, one row a level and kind of label."""
    lines = [
        "| level | label | frames | RMSE | MAE | spread of the labels | unit |",
        "|---|---|---|---|---|---|---|",
    ]
    for level, kinds in errors.items():
        for kind, found in kinds.items():
            numbers = " | ".join(f"{value:.4g}" for value in (found.rmse, found.mae, found.spread))
            lines.append(f"| {level} | {kind} | {found.labels} | {numbers} | {SCALES[kind][1]} |")
    return lines


def _listed(values: Mapping[str, Any], indent: str = "") -> list[str]:
    lines = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}- {name}", *_listed(value, indent + "  ")]
        else:
            lines.append(f"{indent}- {name}: {value}")
    return lines
