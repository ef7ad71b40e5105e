"""A program is ended with all that it has started, also with what ignores SIGTERM and outlives it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.csg.case import make_case, wait_for, working_in
from votca_mlp.inverse import start
from votca_mlp.processes import end_group, group_is_alive

LAUNCHER = """
import subprocess, sys, time
stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); open('up', 'w'); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", stubborn])
time.sleep(60)
"""


def test_what_ignores_sigterm_ends_with_its_launcher(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", LAUNCHER], cwd=tmp_path, start_new_session=True)
    wait_for(lambda: (tmp_path / "up").exists(), "the launcher's child")
    assert group_is_alive(child.pid)
    end_group(child, grace=5.0)
    assert child.returncode is not None
    assert not working_in(tmp_path)
    assert not group_is_alive(child.pid)
    # once more harms no one
    end_group(child)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_the_wall_time_counts_from_the_start_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What imports take is gone, too."""
    words = "import time; time.sleep(0.3)\nfrom votca_mlp.processes import age\nprint(age())"
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    # the kernel counts in ticks of 0.01 s
    assert 0.28 < float(done.stdout) < time.monotonic() - begin + 0.02
    monkeypatch.setattr(start, "run_plan", lambda plan, *, do_iterations, time_left: time_left())
    left = start.run_inverse(make_case(tmp_path) / "settings.xml", wall_time=100, age=60.0)
    assert float(left) <= 40.0
