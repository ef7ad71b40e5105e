"""The update rules: one line each, and those of other packages (entry points ``votca_mlp.rules``)."""

import functools

from votca_mlp.plugins import read_entries
from votca_mlp.update.rule import RuleEntry

DEFAULT = "wibi"
GROUP = "votca_mlp.rules"
_BUILTIN = {
    "wibi": "votca_mlp.update.wibi_rule:ENTRY",
    "gauss_newton": "votca_mlp.update.gauss_newton.rule:ENTRY",
}


OF_METHOD = {"ibi": DEFAULT, "imc": "gauss_newton"}
"""The rule of VOTCA's methods where none is named."""


@functools.cache
def rules() -> dict[str, RuleEntry]:
    """Return every rule by its name.

    Raises
    ------
    UserError
        A rule of another package that cannot be loaded.
    """
    return read_entries(_BUILTIN, GROUP, RuleEntry)
