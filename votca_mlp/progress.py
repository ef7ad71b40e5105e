"""Telling the user how far a simulation or a training is, on a terminal or in a log."""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO, cast

LOG_INTERVAL = 30.0
"""Seconds between two lines where there is no terminal."""
REFRESH_INTERVAL = 0.25
"""Seconds between two updates of a terminal."""


class Progress:
    """Steps done, rate and remaining time.

    Parameters
    ----------
    stream
        Where to write; None is silent.
    terminal
        Draw a bar; otherwise a line every ``LOG_INTERVAL`` seconds.
    clock
        Seconds that only increase.
    name
        Put before every label, such as that of a state.
    noun
        What is counted.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        terminal: bool = False,
        clock: Callable[[], float] = time.monotonic,
        name: str = "",
        noun: str = "steps",
    ) -> None:
        self.name, self.noun = name, noun
        self._stream, self._terminal, self._clock = stream, terminal, clock
        self._label, self._total = "", 0
        self._bar: Any = None
        self._began, self._first, self._shown = 0.0, 0, 0.0

    def start(self, label: str, total: int, done: int = 0) -> None:
        """Begin counting ``total`` steps, of which ``done`` are there already."""
        self._label = f"{self.name}, {label}" if self.name else label
        self._total, self._first = total, done
        self._began = self._shown = self._clock()
        if self._stream is not None and self._terminal:
            self._open_bar(done)
        else:
            self._line(f"{self._label}: {done} of {total} {self.noun} done")

    def update(self, done: int, note: str = "") -> None:
        """Report ``done`` steps; cheap, and silent until it is time to show something."""
        if self._stream is None:
            return
        now = self._clock()
        if now - self._shown < (REFRESH_INTERVAL if self._terminal else LOG_INTERVAL):
            return
        self._shown = now
        text = self._state(done, now, note)
        if self._bar is not None:
            self._bar.update(0, completed=done, description=text, refresh=True)
        else:
            self._line(f"{self._label}: {text}")

    def close(self, done: int, note: str = "") -> None:
        """Show the last state and let go of the terminal."""
        if self._stream is None:
            return
        text = self._state(done, self._clock(), note)
        if self._bar is not None:
            self._bar.update(0, completed=done, description=text, refresh=True)
            self._bar.stop()
            self._bar = None
        else:
            self._line(f"{self._label}: {text}")

    def rate(self, done: int) -> float:
        """Return steps per second since :meth:`start`."""
        elapsed = self._clock() - self._began
        return (done - self._first) / elapsed if elapsed > 0 else 0.0

    def _state(self, done: int, now: float, note: str) -> str:
        elapsed = now - self._began
        made = done - self._first
        text = f"{done} of {self._total} {self.noun}"
        if made > 0 and elapsed > 0:
            left = (self._total - done) * elapsed / made
            text += f", {_rate(made / elapsed)} {self.noun}/s, {_duration(left)} left"
        return f"{text}, {note}" if note else text

    def _open_bar(self, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        console = Console(file=self._stream, force_terminal=True)
        label = TextColumn(self._label, markup=False)
        state = TextColumn("{task.description}", markup=False)
        # rich's own colour is a red that reads as an alarm
        bar = BarColumn(20, complete_style="cyan", finished_style="green")
        self._bar = Bar(label, bar, state, console=console, auto_refresh=False)
        self._bar.start()
        self._bar.add_task("", total=self._total, completed=done)

    def _line(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text + "\n")
            self._stream.flush()


def open_progress(noun: str = "steps", name: str = "") -> Progress:
    """Return the progress for this process: the user's terminal when there is one, else lines on stderr.

    csg_inverse sends stdout and stderr to its log and keeps the user's own as descriptors 3 and 4.
    """
    under_csg = bool(os.environ.get("CSGLOG"))
    descriptors = (3, 4) if under_csg else (2,)
    for descriptor in descriptors:
        try:
            if os.isatty(descriptor):
                return Progress(os.fdopen(os.dup(descriptor), "w"), terminal=True, name=name, noun=noun)
        except OSError:
            continue
    return Progress(cast(TextIO, _Both(sys.stderr, 3)) if under_csg else sys.stderr, name=name, noun=noun)


class _Both:
    """A stream, and a descriptor behind it: the log of csg_inverse, and its output to a file or a pipe."""

    def __init__(self, stream: TextIO, descriptor: int) -> None:
        self.stream, self.descriptor = stream, descriptor

    def write(self, text: str) -> None:
        self.stream.write(text)
        # whoever read it may have gone: the log has the line
        with contextlib.suppress(OSError):
            os.write(self.descriptor, text.encode())

    def flush(self) -> None:
        self.stream.flush()


def _rate(value: float) -> str:
    return f"{value:.1f}" if value >= 0.5 else f"{value:.2g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
