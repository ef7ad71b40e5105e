"""Variables of VOTCA that bound a run, obeyed by both loops."""

import os
from collections.abc import Mapping

from votca_mlp.errors import UserError
from votca_mlp.plain import whole_number_of


def allowed_steps(given: Mapping[str, str] = os.environ) -> int | None:
    """Return how many MD steps ``CSG_MDRUN_STEPS`` allows in each stage, None when it does not count.

    Raises
    ------
    UserError
        It is not a whole number above 0.
    """
    return None if given.get("CSG_DONT_OVERWRITE_MDRUN_STEPS") else whole_number("CSG_MDRUN_STEPS", given)


def whole_number(name: str, given: Mapping[str, str] = os.environ) -> int | None:
    """Return the number in an environment variable, None when it is not set.

    Raises
    ------
    UserError
        It is not a whole number above 0.
    """
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        number = whole_number_of(text)
    except ValueError:
        number = 0
    if number == 0:
        raise UserError(
            f"{name} is '{text[:80]}'", where=f"environment variable {name}", accepted="a whole number > 0"
        )
    return number
