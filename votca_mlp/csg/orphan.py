"""End a simulation whose csg_inverse has ended: VOTCA's scripts do not reap their grandchildren."""

import contextlib
import os
import signal
import threading
import time

from votca_mlp.processes import is_alive


def end_with(process: int | None, *, every: float = 1.0, patience: float = 60.0) -> threading.Thread | None:
    """Watch ``process`` from a background thread and terminate this one when it is gone.

    A simulation left behind would go on writing into a step directory in which csg_inverse, started again,
    runs the same step. The checkpoint on disk is where it goes on.

    Parameters
    ----------
    process
        Process id of csg_inverse; nothing is watched when None.
    every
        Seconds between two looks.
    patience
        Seconds until it is ended in any case.
    """
    if process is None:
        return None
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent and is_alive(process):
            time.sleep(every)
        # the log's other end may be gone too
        with contextlib.suppress(OSError):
            print("csg_inverse has ended, so this simulation ends; the next one resumes it", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        # the step under way is made and saved; one that hangs is not waited for
        time.sleep(patience)
        os.kill(os.getpid(), signal.SIGKILL)

    thread = threading.Thread(target=look, name="end with csg_inverse", daemon=True)
    thread.start()
    return thread
