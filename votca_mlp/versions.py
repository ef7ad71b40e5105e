"""Versions of what shapes the numbers, for summaries and exports."""

import platform
from importlib import metadata

from votca_mlp import __version__

_PACKAGES = ("ase", "numpy", "scipy", "torch", "vesin", "hippynn", "torchani")


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and others; what is not installed is left out."""
    found = {"python": platform.python_version(), "votca-mlp": __version__}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
