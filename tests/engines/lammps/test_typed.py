"""Ctrl-C while a LAMMPS program of the user's own works: it ends, and nothing that it started is left.

The program here only understands what this package types, and hangs at some commands: no LAMMPS is needed.
"""

import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.csg.case import wait_for, working_in
from tests.engines.ase.case import evaluator
from votca_mlp.engines.lammps.answers import Answers
from votca_mlp.engines.lammps.program import Program
from votca_mlp.interrupts import held_back

PROGRAM = """
import re, subprocess, sys, time
if "-h" in sys.argv:
    print("Large-scale Atomic/Molecular Massively Parallel Simulator - 1 Jan 2030\\nML-IAP PYTHON")
    sys.exit()
# as mpirun has its ranks
rank = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
for line in sys.stdin:
    if line.startswith(("run", "minimize")):
        open("working", "w").close()
        time.sleep(60)
    said = re.match(r'print "(.*)" file (\\S+) screen no', line)
    if said:
        open(said[2], "w").write(said[1] + "\\n")
rank.kill()
"""


@pytest.mark.usefixtures("caught_signals")
@pytest.mark.parametrize("command", ["run 1000", "minimize 0 0 10 10"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_before_a_word_of_progress(tmp_path: Path, command: str, number: signal.Signals) -> None:
    (tmp_path / "lmp.py").write_text(PROGRAM)
    answers = Answers(evaluator(), ["Ar"], total=1000, temperature=100.0, where="log.lammps")
    words = shlex.join([sys.executable, "lmp.py"])
    program = Program(tmp_path, words, threads=1, answers=answers)
    assert len(working_in(tmp_path)) == 2

    def interrupt() -> None:
        wait_for(lambda: (tmp_path / "working").exists(), "the command")
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    begin = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt), held_back() as answers.interruption:
            program.command(command)
    finally:
        program.kill()
        thread.join()
    assert time.monotonic() - begin < 30
    wait_for(lambda: not working_in(tmp_path), "the end of what was started")
    assert {path.name for path in tmp_path.iterdir()} == {"lmp.py", "working", "lammps.out"}
