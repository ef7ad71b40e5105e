"""How many threads torch and numba use."""

import contextlib
import os

from votca_mlp.processes import cores


def set_threads(threads: int | None) -> int:
    """Use ``threads`` threads in torch and numba; None: OMP_NUM_THREADS, else the cores of this process.

    Returns the number.
    """
    import torch

    if threads is None:
        setting = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
        threads = int(setting) if setting.isdigit() and int(setting) > 0 else cores()
    with contextlib.suppress(ImportError):
        import numba

        # before torch's: starting numba's pool overwrites torch's number where both share one OpenMP library;
        # the pool cannot grow beyond what it is started with
        numba.set_num_threads(min(threads, int(vars(numba.config)["NUMBA_NUM_THREADS"])))
    torch.set_num_threads(threads)
    return threads
