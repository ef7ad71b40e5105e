"""SIGINT and SIGTERM while mdrun runs: mdrun is asked to end, with a checkpoint."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

_GRACE = 3.0
_PATIENCE = 30.0
"""Seconds that mdrun has to end by itself after it was asked to."""


class Signals:
    """Notes SIGINT and SIGTERM, which mdrun answers with a checkpoint and an end at its next list."""

    def __init__(self) -> None:
        self.got: int | None = None
        self._since = 0.0
        self._asked = False
        self._again = False

    def note(self, number: int, frame: object) -> None:
        """Handle a signal."""
        if self.got is None:
            self.got, self._since = number, time.monotonic()
        elif number == signal.SIGINT:
            self._again = True

    def pass_on(self, mdrun: int | None) -> None:
        """Ask mdrun to end when we were asked to.

        Raises
        ------
        KeyboardInterrupt
            It did not in time, or a second Ctrl-C.
        """
        if self.got is None:
            return
        if mdrun is not None and not self._asked:
            self._asked = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(mdrun, signal.SIGTERM)
        # without an mdrun, a script that fails may have sent the signal: its reason is about to come
        patience = _GRACE if mdrun is None and not self._asked else _PATIENCE
        if self._again or time.monotonic() - self._since > patience:
            raise KeyboardInterrupt


@contextlib.contextmanager
def noted_signals() -> Iterator[Signals]:
    """Note SIGINT and SIGTERM while the block runs; elsewhere than in the main thread nothing is noted."""
    found = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    before = {number: signal.signal(number, found.note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
