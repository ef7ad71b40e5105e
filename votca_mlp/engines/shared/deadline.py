"""When a simulation has to be done, on a clock that cannot be set."""

import time


def on_steady_clock(deadline: float | None) -> float | None:
    """Return a deadline in seconds since the epoch as one of ``time.monotonic``; None stays.

    Asked once, at the begin: from then on setting the machine's clock neither lengthens nor ends a job.
    """
    return None if deadline is None else time.monotonic() + (deadline - time.time())
