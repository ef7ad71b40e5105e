"""How many threads torch and numba use, and how idle ones wait."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from votca_mlp.kernels.threads import set_threads


@pytest.fixture(autouse=True)
def keep_threads() -> Any:
    before = torch.get_num_threads()
    yield
    set_threads(before)


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    assert set_threads(1) == torch.get_num_threads() == numba.get_num_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert set_threads(None) == torch.get_num_threads() == 2
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert set_threads(None) == torch.get_num_threads() == len(os.sched_getaffinity(0))
    # a compiled parallel loop must not overrule the setting
    set_threads(1)

    @numba.njit(parallel=True)
    def total(values: np.ndarray) -> float:
        result = 0.0
        for k in numba.prange(len(values)):
            result += values[k]
        return result

    assert total(np.ones(100)) == 100.0
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("given", [None, "active"])
def test_idle_threads_sleep_unless_the_user_says_otherwise(given: str | None) -> None:
    """Spinning ones would take the cores from csg_stat and from other runs."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if given is not None:
        environment["OMP_WAIT_POLICY"] = given
    program = "import os, votca_mlp.models; print(os.environ['OMP_WAIT_POLICY'])"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (given or "passive")


def test_a_torch_that_comes_later_gets_the_number() -> None:
    """Small models need no torch; one whose code brings it obeys <threads> as before."""
    program = (
        "import sys\n"
        "from votca_mlp.kernels.threads import current_threads, set_threads\n"
        "assert set_threads(3) == current_threads() == 3\n"
        "assert 'torch' not in sys.modules\n"
        "import torch\n"
        "assert current_threads() == torch.get_num_threads() == 3\n"
        "torch.set_num_threads(2)  # its own wish\n"
        "assert current_threads() == 2\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
