"""The registry of model kinds: one line each, and the entry points of other installed packages."""

import functools

from votca_mlp.plugins import read_names

GROUP = "votca_mlp.models"
"""Of entry points: ``NAME = "module:attribute"`` of a ``ModelKind`` makes ``<kind>NAME</kind>``."""

BUILTIN = {
    "hippynn": "votca_mlp.models.hipnn.kind:KIND",
    "ani": "votca_mlp.models.ani.kind:KIND",
    "ase": "votca_mlp.models.ase_any:KIND",
}
"""``module:attribute`` of each :class:`votca_mlp.models.kind.ModelKind`."""


@functools.cache
def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds, without importing them."""
    return read_names(BUILTIN, GROUP)
