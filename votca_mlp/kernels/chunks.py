"""Compiled loops in threads: into how many chunks their work is cut, and how many threads they use.

Work is cut into a fixed number of chunks, each with its own sums that are added in order at the end: same
input, same bits, whatever the number of threads.
"""

import threading

import numba
import numpy as np

from votca_mlp.kernels.cache import guard
from votca_mlp.kernels.threads import current_threads, set_threads

guard()
CHUNKS = 8
"""Parts of a loop that need no sums of their own."""
INDEX = np.int32(0x7FFFFFFF)
"""With it as a mask, numba need not ask whether an index is negative, and the compiler may gather."""

_MOST_THREADS = int(vars(numba.config)["NUMBA_NUM_THREADS"])
# Starting numba's pool overwrites torch's number of threads where both share one OpenMP library: start it
# here, with torch's number, and put that back.
set_threads(current_threads())

_using = threading.local()


def use_threads(most: int) -> None:
    """Let compiled loops use the threads that are set, but no more than ``most``."""
    wanted = current_threads(), most
    # numba's number belongs to the thread that sets it, and setting it takes longer than asking here
    if wanted != getattr(_using, "wanted", None):
        numba.set_num_threads(max(1, min(*wanted, _MOST_THREADS)))
        _using.wanted = wanted


def chunks_for(points: int) -> int:
    """Return how many parts with sums of their own a loop over the pairs of so many points has.

    The number of points alone decides, so that the number of threads changes no bit; no more threads can be
    used. Waking a thread takes as long as the pairs of some dozen points, and adding up eight parts a tenth
    as long as the pairs of some hundred.
    """
    for points_up_to, chunks in ((256, 1), (1024, 2), (4096, 4)):
        if points < points_up_to:
            return chunks
    return CHUNKS
