"""The observables: one line each, and those of other packages (entry points ``votca_mlp.observables``)."""

import functools

from votca_mlp.observables.protocol import Observable
from votca_mlp.plugins import read_entries

GROUP = "votca_mlp.observables"
_BUILTIN = {
    "rdf": "votca_mlp.observables.rdf:OBSERVABLE",
    "volume": "votca_mlp.observables.volume:OBSERVABLE",
    "potential": "votca_mlp.observables.potential:OBSERVABLE",
    "density": "votca_mlp.observables.density:OBSERVABLE",
    "pressure": "votca_mlp.observables.pressure:OBSERVABLE",
    "diffusion": "votca_mlp.observables.diffusion:OBSERVABLE",
}


@functools.cache
def observables() -> dict[str, Observable]:
    """Return every observable by its name.

    Raises
    ------
    UserError
        An observable of another package that cannot be loaded.
    """
    return read_entries(_BUILTIN, GROUP, Observable)
