"""One run of a loop, with all processes that work for it: started, interrupted, waited for."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from kill_cases import LOOPS, Case, folders

from tests.csg.case import FOREGROUND, STALL, Stall, start_program, ticks_of_programs, working_in

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
WAYS = (*SIGNALS, "child", "master", "wall time")
LIMIT = 150.0
"""Seconds until a process counts as left behind; a simulation whose loop was killed may take 60 to end."""


class Wrong(Exception):
    """What is wrong with a trial: a column of the table, and details."""

    def __init__(self, kind: str, details: str) -> None:
        super().__init__(details)
        self.kind = kind


class Run:
    """A loop in a main directory, with all processes that work there."""

    def __init__(self, case: Case, main: Path, *options: str) -> None:
        self.main = main
        command = (*LOOPS[case.loop], "--options", "settings.xml", *options)
        self.process = start_program(main, sys.executable, "-c", FOREGROUND, *command)
        self.output = ""
        self.samples: list[tuple[float, int]] = []
        """When, in seconds since the epoch, it had used how much processor time, in ticks."""
        # so that a full pipe stops no one
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def used(self) -> int:
        """Return the processor time of its processes, in ticks: how far it is, however busy the machine."""
        return ticks_of_programs(self.process.pid)

    def until(self, ticks: int) -> int:
        """Wait until it has used so much, or has ended; return what it had used when last seen."""
        used = 0
        while self.process.poll() is None and used < ticks:
            time.sleep(0.05)
            used = max(used, self.used())
        return used

    def others(self) -> list[int]:
        """Return the other processes at work in the directory."""
        found = {number for folder in folders(self.main) for number in working_in(folder)}
        return sorted(found - {self.process.pid})

    def end(self, limit: float) -> int:
        """Wait for its end and return the status.

        Parameters
        ----------
        limit
            Seconds that it may take; one that does nothing for two minutes hangs as well.

        Raises
        ------
        Wrong
            It hangs, leaves processes behind or shows a traceback.
        """
        try:
            self._wait(limit)
            last = time.monotonic() + LIMIT
            while found := self.others():
                if time.monotonic() > last:
                    raise Wrong("left behind", f"processes {found}")
                time.sleep(0.1)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            for number in self.others():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            status = self.process.wait()
        self.reader.join(5.0)
        if "Traceback" in self.output:
            raise Wrong("traceback", self.output[-3000:])
        return status

    def _wait(self, limit: float) -> None:
        clock, last = Stall(STALL, self.process.pid), time.monotonic() + limit
        while self.process.poll() is None:
            self.samples.append((time.time(), self.used()))
            if clock.stands_still() or time.monotonic() > last:
                raise Wrong("hang", self.output[-2000:])
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.2)


def interrupt(run: Run, way: str, draw: random.Random) -> bool:
    """Interrupt a run; return False when it had ended before."""
    if run.process.poll() is not None:
        return False
    if way == "master":
        run.process.kill()
    elif way == "child":
        while run.process.poll() is None:
            if found := run.others():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(draw.choice(found), signal.SIGKILL)
                    return True
            time.sleep(0.01)
        return False
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.process.pid, SIGNALS[way])
    return True
