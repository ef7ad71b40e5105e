"""The limits of the tests themselves: a program that works is waited for, one that hangs is not."""

import os
import sys
from pathlib import Path

import pytest

from tests.csg import case
from tests.csg.case import finished, start_program


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case, "STALL", 0.8)
    monkeypatch.setattr(case, "LOOK", 0.1)
    working = "import time; end = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\nprint('done')"
    assert finished(start_program(tmp_path, sys.executable, "-c", working)) == "done\n"
    hanging = start_program(tmp_path, sys.executable, "-c", "import time; time.sleep(99)")
    with pytest.raises(AssertionError, match="stood still"):
        finished(hanging)
    assert not os.path.exists(f"/proc/{hanging.pid}")
