"""Progress on a terminal and in a log."""

import io
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

from votca_mlp.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_line_every_half_minute_without_a_terminal() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock=clock)
    progress.start("step 7", 1000, done=200)
    for done in range(201, 601):
        clock.now += 0.25
        progress.update(done, "production, 1020 K")
    progress.close(600, "stopped")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "step 7: 200 of 1000 steps done"
    # 100 s in all
    assert len(lines) == 5
    assert lines[1] == "step 7: 320 of 1000 steps, 4.0 steps/s, 2:50 left, production, 1020 K"
    assert lines[-1] == "step 7: 600 of 1000 steps, 4.0 steps/s, 1:40 left, stopped"
    assert progress.rate(600) == 4.0


def test_a_bar_on_a_terminal() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, terminal=True, clock=clock)
    progress.start("step 7", 36000)
    clock.now += 3600.0
    progress.update(18000, "[brackets] stay")
    progress.close(18000)
    text = stream.getvalue()
    assert "18000 of 36000 steps, 5.0 steps/s, 1:00:00 left, [brackets] stay" in text.replace("\n", " ")


def test_silent_without_a_stream() -> None:
    progress = Progress(None)
    progress.start("step", 10)
    progress.update(5)
    progress.close(10)


CHILD = """
from votca_mlp.progress import open_progress
progress = open_progress()
progress.start("step 1", 10)
progress.close(10)
"""


def run_child(redirect: str = "", **options) -> str:
    """Run as csg_inverse does, stdout and stderr in a log; return the log."""
    process = subprocess.run(
        ["bash", "-c", f'{redirect} exec "$@"', "_", sys.executable, "-c", CHILD],
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
        **options,
    )
    return process.stdout


def test_finds_the_terminal_that_csg_inverse_keeps() -> None:
    main, terminal = pty.openpty()
    try:
        environment = os.environ | {"CSGLOG": "inverse.log", "COLUMNS": "100"}
        log = run_child(f"exec 3>&{terminal};", env=environment, pass_fds=(terminal,))
        assert log == ""
        assert select.select([main], [], [], 5.0)[0]
        shown = os.read(main, 10000).decode()
    finally:
        os.close(main)
        os.close(terminal)
    assert "10 of 10 steps" in shown


def test_without_a_terminal_csg_inverse_shows_it_where_its_output_goes(tmp_path: Path) -> None:
    shown = tmp_path / "output"
    log = run_child(f"exec 3>{shown};", env=os.environ | {"CSGLOG": "inverse.log"})
    assert shown.read_text() == log
    assert "step 1: 10 of 10 steps" in log


def test_falls_back_to_the_log() -> None:
    assert "step 1: 10 of 10 steps" in run_child(env=os.environ | {"CSGLOG": "inverse.log"})
    assert "step 1: 10 of 10 steps" in run_child()
