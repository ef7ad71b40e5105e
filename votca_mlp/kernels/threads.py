"""How many threads torch and numba use. torch is not imported here: not every model needs it."""

import contextlib
import os
import sys
from typing import Any

from votca_mlp.plain import whole_number_of
from votca_mlp.processes import cores

_wanted: int | None = None
"""What was set last, None before."""
_unaware = False
"""Whether torch was not there to be set."""


def set_threads(threads: int | None) -> int:
    """Use ``threads`` threads in torch and numba; None: OMP_NUM_THREADS, else the cores of this process.

    A torch that is imported later is set by :func:`current_threads`. Returns the number.
    """
    global _wanted, _unaware
    _wanted = _default() if threads is None else threads
    with contextlib.suppress(ImportError):
        import numba

        # before torch's: starting numba's pool overwrites torch's number where both share one OpenMP library;
        # the pool cannot grow beyond what it is started with
        numba.set_num_threads(min(_wanted, int(vars(numba.config)["NUMBA_NUM_THREADS"])))
    torch = _torch()
    _unaware = torch is None
    if torch is not None:
        torch.set_num_threads(_wanted)
    return _wanted


def current_threads() -> int:
    """Return how many threads loops may use: torch's number, where torch is there, else what was set.

    To be called where somebody else's code may just have imported torch, which then gets the number.
    """
    global _unaware
    torch = _torch()
    if torch is None:
        return _default() if _wanted is None else _wanted
    if _unaware and _wanted is not None:
        _unaware = False
        torch.set_num_threads(_wanted)
    return int(torch.get_num_threads())


def _default() -> int:
    setting = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    try:
        return whole_number_of(setting) or cores()
    except ValueError:
        return cores()


def _torch() -> Any:
    """Return torch where it is imported as a whole, else None."""
    found = sys.modules.get("torch")
    return found if hasattr(found, "set_num_threads") else None
