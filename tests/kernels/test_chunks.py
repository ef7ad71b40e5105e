"""Into how many chunks loops are cut, and how many threads they use."""

import numba
import torch

from votca_mlp.kernels.chunks import chunks_for, use_threads


def test_few_points_use_few_threads() -> None:
    """Threads that have little to do cost more time than they save."""
    before = torch.get_num_threads()
    most = int(vars(numba.config)["NUMBA_NUM_THREADS"])
    try:
        torch.set_num_threads(2)
        for points, threads in ((1, 1), (255, 1), (256, min(2, most)), (10**6, min(2, most))):
            use_threads(chunks_for(points))
            assert numba.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
