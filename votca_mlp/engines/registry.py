"""The registry of engines: one line each, and the entry points of other installed packages."""

import functools

from votca_mlp.plugins import read_names

GROUP = "votca_mlp.engines"
"""Of entry points: ``NAME = "module:attribute"`` of an ``Engine`` makes ``<program>NAME</program>``."""

BUILTIN = {
    "ase": "votca_mlp.engines.ase.entry:ENGINE",
    "lammps": "votca_mlp.engines.lammps.entry:ENGINE",
    "gromacs": "votca_mlp.engines.gromacs.entry:ENGINE",
}
"""``module:attribute`` of each :class:`votca_mlp.engines.engine.Engine`."""

DEFAULT = "ase"
"""The engine of settings that name none."""


@functools.cache
def engine_names() -> tuple[str, ...]:
    """Return the names of all engines, without importing them."""
    return read_names(BUILTIN, GROUP)
