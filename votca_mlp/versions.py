"""Versions of what shapes the numbers, for summaries and exports."""

import platform
from importlib import metadata

VERSION = "0.1.0"
"""Of this package; pyproject.toml has the same."""
_PACKAGES = ("ase", "numpy", "scipy", "torch", "vesin", "hippynn", "torchani")


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and others; what is not installed is left out."""
    found = {"python": platform.python_version(), "votca-mlp": VERSION}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
