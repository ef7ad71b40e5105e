"""Where the fields of the models lie in settings.xml."""

from typing import get_args, get_origin

from pydantic.fields import FieldInfo

from votca_mlp.engines.registry import engine_names
from votca_mlp.fields import Section
from votca_mlp.update.registry import rules

INTERACTION_INVERSE = ("target", "do_potential", "post_update", "post_add", "window", *rules())
"""Fields of an Interaction that lie in its <inverse> section."""

SETTINGS_NOT_TAGS = ("path", "interactions")
"""Fields of Settings that are no tags of <cg><inverse>."""

OF_VOTCA = ("dlpoly", "espresso", "espressopp", "gromacs", "hoomd", "hoomd-blue", "lammps")
"""Programs that VOTCA knows without us."""
MANY = ("non-bonded", "bonded", "scattering")
"""Sections of which there may be several."""
NOT_FOR_OURS = ("command", "opts", "script", "re")
"""Tags of sim_prog, VOTCA's for every program, that our own have no use for: refused, not ignored."""


def own_programs() -> tuple[str, ...]:
    """Return the engines that VOTCA does not know without us."""
    return tuple(name for name in engine_names() if name not in OF_VOTCA)


def is_repeated(info: FieldInfo) -> bool:
    """Return whether a field is several sections of one name."""
    return section_of(info) is not None and get_origin(info.annotation) is tuple


def section_of(info: FieldInfo) -> type[Section] | None:
    """Return the section class of a field, or None for a value."""
    kinds = (info.annotation, *get_args(info.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)
