"""Lines for the user's terminal, which csg_inverse keeps as file descriptors 3 and 4 while it logs."""

import os
import sys

from votca_mlp.progress import Progress, open_progress

_RED, _OFF = "\033[31;01m", "\033[0m"


def say(text: str) -> None:
    """Show a line on the terminal and in the log (as VOTCA's ``msg``)."""
    print(text, flush=True)
    _to_terminal(3, text)


def complain(text: str) -> None:
    """Show an error on the terminal and in the log (as ``msg --color red --to-stderr``)."""
    print(text, file=sys.stderr, flush=True)
    _to_terminal(4, text if os.environ.get("CSGNOCOLOR") else f"{_RED}{text}{_OFF}")


def _to_terminal(descriptor: int, text: str) -> None:
    # without a log, the streams are the terminal themselves
    if not os.environ.get("CSGLOG"):
        return
    data = (text + "\n").encode(errors="replace")
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        # started in the background and the terminal is gone: the log has the line
        return


class Terminal:
    """Where the stages of an iteration write under csg_inverse: terminal and log."""

    def say(self, text: str) -> None:
        """Show a line on the terminal and in the log."""
        say(text)

    def note(self, text: str) -> None:
        """Write a line to the log."""
        print(text, flush=True)

    def date(self, text: str) -> None:
        """Write a line to the log: csg_inverse writes the dates itself."""
        self.note(text)

    def progress(self, name: str = "") -> Progress:
        """Return the progress of a simulation."""
        return open_progress()
