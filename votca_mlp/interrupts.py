"""Ctrl-C and SIGTERM held back while an MD step is made, so that its state can still be saved."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

AGAIN = 1.0
"""Seconds after which a second signal is impatience; before, the first may have come to process and group."""


class Interruption:
    """Whether one has come since it was held back."""

    def __init__(self) -> None:
        self.came: float | None = None

    def hold(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; raise at a later one.

        Raises
        ------
        KeyboardInterrupt
            The second time, as something takes too long.
        """
        now = time.monotonic()
        if self.came is None:
            self.came = now
        elif now - self.came > AGAIN:
            raise KeyboardInterrupt


@contextlib.contextmanager
def held_back() -> Iterator[Interruption]:
    """Hold Ctrl-C and SIGTERM back, where this process does not ignore them or end by them anyway.

    Whoever works inside looks at ``came`` wherever its state is whole, saves it and raises KeyboardInterrupt.
    Other threads than the main one see no signals: nothing is held back there.

    Raises
    ------
    KeyboardInterrupt
        At the end, when one has come and was not raised inside.
    """
    held = Interruption()
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if callable(signal.getsignal(number)):
                before[number] = signal.signal(number, held.hold)
    try:
        yield held
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held.came is not None:
        raise KeyboardInterrupt


def raise_on_sigterm() -> None:
    """Let SIGTERM, a queue's way to end a job, count as Ctrl-C in this process."""
    signal.signal(signal.SIGTERM, _raise)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
