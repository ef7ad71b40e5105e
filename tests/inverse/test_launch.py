"""A process that ends well without having simulated is told as that, not as the wall time."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from votca_mlp.engines.plan import MDPlan
from votca_mlp.inverse.stages.simulate import _judged
from votca_mlp.runs.side_by_side import End


@pytest.mark.parametrize(
    ("files", "limited", "status"),
    [
        ((), False, 1),
        ((), True, 1),
        (("ase_checkpoint.npz",), True, 0),
        # without a wall time there is no reason to stop at a checkpoint
        (("ase_checkpoint.npz",), False, 1),
        (("traj.dump", "confout.extxyz"), False, 0),
    ],
)
def test_what_a_process_has_left_counts(
    tmp_path: Path, files: tuple[str, ...], limited: bool, status: int
) -> None:
    (tmp_path / "hot").mkdir()
    for name in files:
        (tmp_path / "hot" / name).touch()
    state = SimpleNamespace(name="hot", md=MDPlan(300.0))
    plan = SimpleNamespace(states=(state,), launch=("srun", "-n1"))
    run: Any = SimpleNamespace(plan=plan, step_directory=lambda number: tmp_path)
    end = _judged(run, 1, "hot", End(0, ("job 17 accepted",)), limited=limited)
    assert end.status == status
    if status:
        assert "<launch> srun -n1 ended with status 0, but has not simulated" in end.reason
        assert "job 17 accepted" in end.reason
    assert _judged(run, 1, "hot", End(3, ()), limited=limited) == End(3, ())
