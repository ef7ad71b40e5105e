"""Signals in the tests of the engines."""

import signal
from collections.abc import Iterator

import pytest

from votca_mlp.interrupts import raise_on_sigterm


@pytest.fixture
def caught_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt, as in the program, also in a suite in the background."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    raise_on_sigterm()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
