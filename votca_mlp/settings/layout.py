"""Where the fields of the models lie in settings.xml."""

from pathlib import Path
from typing import get_args

from pydantic.fields import FieldInfo

from votca_mlp.fields import Section
from votca_mlp.update.registry import rules

SCRIPT_DIRECTORY = Path(__file__).parents[1] / "csg" / "scripts"
"""What ``votca-mlp scriptpath`` prints."""

INTERACTION_INVERSE = ("target", "do_potential", "post_update", "post_add", *rules())
"""Fields of an Interaction that lie in its <inverse> section."""

SETTINGS_NOT_TAGS = ("path", "interactions")
"""Fields of Settings that are no tags of <cg><inverse>."""

ENGINES = ("ase", "lammps", "gromacs")
"""Programs; only the section of the one that is named is read."""


def section_of(info: FieldInfo) -> type[Section] | None:
    """Return the section class of a field, or None for a value."""
    kinds = (info.annotation, *get_args(info.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)
