"""Weight functions w(r) of the update rule."""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.tables import Table

Array = NDArray[np.float64]


def target_weight(target: Array, power: float = 1.0) -> Array:
    """Return w = g_E^power, shape [n]; power 1 is the paper's wIBI, power 0 uniform.

    Raises
    ------
    UserError
        A negative power: the weight would be infinite in the core.
    """
    if power < 0:
        raise UserError(f"power is {power:g}", where="inverse.wibi.power", accepted="a number >= 0")
    return np.asarray(np.clip(target, 0.0, None) ** power)


def table_weight(table: Table, x: Array, *, where: str) -> Array:
    """Return w from a table, linearly between its points, at ``x`` (same unit as the table's), shape [n].

    Raises
    ------
    UserError
        Naming ``where``: a table that does not cover x, undefined points or negative weights.
    """
    accepted = f"a table of weights >= 0 flagged i, from {x[0]:g} to {x[-1]:g}"
    used = table.flags != "u"
    covered = used.any() and table.x[used][0] <= x[0] + 1e-9 and table.x[used][-1] >= x[-1] - 1e-9
    if not covered:
        raise UserError(
            "the weight table does not cover the interaction's range", where=where, accepted=accepted
        )
    if np.any(table.y[used] < 0):
        worst = float(table.x[used][np.argmin(table.y[used])])
        raise UserError(f"a negative weight at {worst:g}", where=where, accepted=accepted)
    return np.asarray(np.interp(x, table.x[used], table.y[used]))
