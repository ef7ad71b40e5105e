"""Versions of what shapes the numbers, for summaries and exports."""

import functools
from collections.abc import Mapping

VERSION = "0.1.0"
"""Of this package; pyproject.toml has the same."""
_PACKAGES = ("ase", "numpy", "scipy", "torch", "vesin", "hippynn", "torchani")


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    """Return the packages of each module; looking through all that is installed takes a while."""
    from importlib import metadata

    return metadata.packages_distributions()


def versions(calculator: str | None = None) -> dict[str, str]:
    """Return the versions of Python, this package and others; what is not installed is left out.

    Parameters
    ----------
    calculator
        ``module:callable``: the packages that its module comes from are named too.
    """
    # slow to import, and this module is for the version's sake
    import platform
    from importlib import metadata

    found = {"python": platform.python_version(), "votca-mlp": VERSION}
    module = (calculator or "").partition(":")[0].partition(".")[0]
    others = _distributions().get(module, []) if module else []
    for name in (*_PACKAGES, *others):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
