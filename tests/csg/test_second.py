"""A second loop beside a csg_inverse is refused at its start, whatever the first one is doing."""

import os
import shutil
import signal
from pathlib import Path

from tests.csg.case import inverse, make_case, start, wait_for
from tests.inverse.case import ours


def test_a_second_loop_is_refused(two_steps: tuple[Path, str], tmp_path: Path) -> None:
    """While the first is past its simulation, where no lock is held: neither loop begins, nothing changes."""
    whole, _ = two_steps
    main = make_case(tmp_path / "case", iterations=2)
    for name in ("step_000", "step_001"):
        shutil.copytree(whole / name, main / name)
    # the simulation is done, the update is not: VOTCA's scripts take seconds
    step = main / "step_001"
    for name in ("done", "Ar-Ar.pot.new", "Ar-Ar.dpot.new", "Ar-Ar.dist.new"):
        (step / name).unlink(missing_ok=True)
    restart = step / "restart_points.log"
    lines = ("stepdir", "Filecopy", "Initialize", "Simulation")
    restart.write_text("".join(f"{line} done\n" for line in lines))
    first = start(main)
    try:
        claimed = main / ".votca_mlp.csg_inverse"
        wait_for(lambda: claimed.is_file() or first.poll() is not None, "the claim")
        assert first.poll() is None, first.communicate()[0]
        # stopped: whatever is found afterwards the second ones have done
        os.killpg(first.pid, signal.SIGSTOP)
        before = sorted((path.name, path.stat().st_mtime_ns) for path in step.iterdir())
        words = f"another run works in this directory: csg_inverse, process {first.pid}"
        for status, output in (inverse(main), ours(main)):
            assert status != 0
            assert words in output
        assert sorted((path.name, path.stat().st_mtime_ns) for path in step.iterdir()) == before
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
    # what is killed holds nothing
    status, output = ours(main)
    assert status == 0, output
