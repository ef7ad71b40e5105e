"""Ctrl-C and SIGTERM at random moments of a run whose time goes into compiled code: one line each."""

import random
import shutil
import signal
import sys
import time
from pathlib import Path

import yaml

from tests.csg.case import FOREGROUND, VOTCA_MLP, start_program, wait_for
from votca_mlp.processes import is_interrupt

CASE = Path(__file__).resolve().parents[2] / "settings" / "al_quickstart"


def test_interrupted_at_any_moment(tmp_path: Path) -> None:
    """Exit status 130, no traceback, and the reason in the summary, whatever the process was doing."""
    main = shutil.copytree(CASE, tmp_path / "case")
    moments = random.Random(1)
    for number in range(6):
        words = (VOTCA_MLP, "inverse", "--options", "settings.xml")
        process = start_program(main, sys.executable, "-c", FOREGROUND, *words)
        log = main / "inverse.log"

        def simulates(times: int = number + 1, log: Path = log) -> bool:
            return log.is_file() and log.read_text().count("Simulation with ase") == times

        wait_for(simulates, "the simulation")
        time.sleep(moments.uniform(0.0, 1.0))
        assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGTERM if number % 2 else signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 130, output
        assert "Traceback" not in output
        assert "interrupted; run again to go on from the last checkpoint" in output
        stopped = yaml.safe_load((main / "votca_mlp_run.yaml").read_text())["stopped"]
        assert stopped == "interrupted; run again to go on"


def test_what_is_an_interruption() -> None:
    """As numba raises it, with Ctrl-C as the cause; a SystemError of its own is none."""
    wrapped = SystemError("returned a result with an exception set")
    assert not is_interrupt(wrapped)
    wrapped.__cause__ = KeyboardInterrupt()
    assert is_interrupt(wrapped)
    assert is_interrupt(wrapped.__cause__)
    assert not is_interrupt(None)
    # a queue's SIGTERM that GROMACS was asked to end by
    assert is_interrupt(SystemExit(128 + signal.SIGTERM))
    assert not is_interrupt(SystemExit(1))
