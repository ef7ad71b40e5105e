"""Running independent blocks of work in threads.

Threads of Python's own instead of OpenMP's: torch divides a product differently for another number of threads
and so rounds differently; here a block is one thread's work, whatever their number. Compiled code and torch
hold no Python lock while they work.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

_pool: ThreadPoolExecutor | None = None
_pool_key = (0, 0)


class RowStarts:
    """Where the pairs of each point begin; kept for the next step, as a list of pairs lasts for many."""

    def __init__(self) -> None:
        self._first, self._starts = torch.empty(0), np.zeros(1, np.int64)

    def of(self, first: torch.Tensor, points: int) -> NDArray[np.int64]:
        """Return starts [n_points + 1] of the sorted first points of all pairs, [n_pairs]."""
        if first is not self._first or len(self._starts) != points + 1:
            self._first, self._starts = first, np.searchsorted(first.numpy(), np.arange(points + 1))
        return self._starts


def block_edges(points: int, size: int) -> NDArray[np.int64]:
    """Return the ends of blocks of up to ``size`` points, shape [n_blocks + 1]."""
    blocks = -(-points // size)
    return np.arange(blocks + 1) * points // max(blocks, 1)


def run_blocks(work: Callable[[int, int], None], blocks: Sequence[tuple[int, int]]) -> None:
    """Call ``work(low, high)`` for every block, in torch's number of threads, torch single-threaded in each.

    Raises
    ------
    Exception
        The first one that ``work`` raised.
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(blocks) < 2:
        for low, high in blocks:
            work(low, high)
        return
    list(_executor(threads).map(work, *zip(*blocks, strict=True)))


def _executor(threads: int) -> ThreadPoolExecutor:
    global _pool, _pool_key
    # a forked process has the pool without its threads
    key = (threads, os.getpid())
    if _pool is None or key != _pool_key:
        if _pool is not None and _pool_key[1] == key[1]:
            _pool.shutdown()
        _pool = ThreadPoolExecutor(threads, "votca-mlp", initializer=torch.set_num_threads, initargs=(1,))
        _pool_key = key
    return _pool
