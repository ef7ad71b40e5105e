"""A step in a process of its own, to be killed and run again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.csg.case import Stall, start_program
from tests.engines.ase.case import evaluator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.settings import Settings

ROOT = Path(__file__).parents[2]


def start_step(module: str, settings: Settings) -> "subprocess.Popen[str]":
    """Start the step of a case with the program that its module is."""
    file = settings.path.parent / "settings.json"
    file.write_text(settings.model_dump_json())
    return start_program(ROOT, sys.executable, "-m", module, str(file), NUMBA_NUM_THREADS="1")


def kill_at_frame(process: "subprocess.Popen[str]", trajectory: Path, frames: int) -> None:
    """Kill a step that has written so many frames: in the production, after a checkpoint."""
    clock = Stall(leader=process.pid)
    while not trajectory.exists() or trajectory.read_bytes().count(b"TIMESTEP") < frames:
        assert not clock.stands_still(), f"stood still before frame {frames}"
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def to_its_end(process: "subprocess.Popen[str]") -> None:
    """Wait for a step that must not fail."""
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output


class SlowEvaluator(Evaluator):
    """An evaluation takes a second of the clock that the step looks at."""

    def __init__(self, monkeypatch, *, known: bool = True) -> None:
        # zip files know no time before 1980
        self.inner, self.now, self.known = evaluator(), 1e9, known
        monkeypatch.setattr(time, "time", lambda: self.now)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def evaluate(self, atoms):
        self.now += 1.0
        return self.inner.evaluate(atoms)

    def lists(self):
        return self.inner.lists() if self.known else None

    def forget(self) -> None:
        self.inner.forget()


class Interrupted(Evaluator):
    """Sends a signal to this process, and to those that it has started, in the evaluation of that number."""

    def __init__(self, number: int, signal_number: int, *, known: bool = True) -> None:
        self.inner, self.number, self.signal_number, self.known = evaluator(), number, signal_number, known

    def evaluate(self, atoms):
        self.number -= 1
        if self.number == 0:
            for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                os.kill(int(child), self.signal_number)
            os.kill(os.getpid(), self.signal_number)
        return self.inner.evaluate(atoms)

    def lists(self):
        return self.inner.lists() if self.known else None

    def forget(self) -> None:
        self.inner.forget()
