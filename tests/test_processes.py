"""A program is ended with all that it has started, also with what ignores SIGTERM and outlives it."""

import subprocess
import sys
from pathlib import Path

from tests.csg.case import wait_for, working_in
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
