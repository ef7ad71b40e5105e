"""docs/train_settings.md from the models of settings.yaml."""

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from votca_mlp.fields import accepted
from votca_mlp.training.fusion.settings import ExperimentsSettings, MeasuredSettings, StateSettings
from votca_mlp.training.settings.models import (
    LevelSettings,
    NetworkSettings,
    SplitSettings,
    StartSettings,
    TrainingSettings,
    TrainSettings,
)
from votca_mlp.training.sources.labels import (
    EnergyLabel,
    ForceLabel,
    LevelLabelling,
    Source,
    StressLabel,
)
from votca_mlp.training.sources.registry import FORMATS

_HEAD = """\
# Settings of votca-mlp train

Made by `scripts/settings_reference.py`. What they are for, with an example: [training.md](training.md).
Inside, everything is in eV and Angstrom; units of files are named label by label.
"""
_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", TrainSettings),
    ("levels.LEVEL", LevelSettings),
    ("data[]", Source),
    ("data[].levels.LEVEL", LevelLabelling),
    ("data[].levels.LEVEL.energy", EnergyLabel),
    ("data[].levels.LEVEL.forces", ForceLabel),
    ("data[].levels.LEVEL.stress", StressLabel),
    ("split", SplitSettings),
    ("network", NetworkSettings),
    ("start", StartSettings),
    ("training", TrainingSettings),
    ("experiments", ExperimentsSettings),
    ("experiments.states.STATE", StateSettings),
    ("experiments.measured[]", MeasuredSettings),
)


def train_reference() -> str:
    """Return the page."""
    lines = [_HEAD]
    for title, section in _SECTIONS:
        lines += [f"## {title}", "", "| name | default | accepts | meaning |", "|---|---|---|---|"]
        for name, info in section.model_fields.items():
            lines.append(
                f"| `{name}` | {_default(info)} | {_cell(accepted(info))} | {_cell(info.description or '')} |"
            )
        lines.append("")
    lines += ["## Formats", "", "| format | by name | what |", "|---|---|---|"]
    for name, entry in FORMATS.items():
        ends = "a folder" if entry.is_folder else ", ".join(f"`{suffix}`" for suffix in entry.suffixes)
        lines.append(f"| `{name}` | {ends or 'never'} | {_cell(entry.meaning)} |")
    return "\n".join(lines) + "\n"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if isinstance(info.default, bool):
        return "yes" if info.default else "no"
    if info.default is None or info.default in ("", {}, ()) or isinstance(info.default, BaseModel):
        return ""
    return f"`{info.default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
