"""What the loop tells: short lines on the terminal, everything in the log."""

import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Protocol

from votca_mlp.errors import UserError
from votca_mlp.progress import Progress


class Output(Protocol):
    """What a stage writes its messages to."""

    def say(self, text: str) -> None:
        """Show a line on the terminal and in the log."""

    def note(self, text: str) -> None:
        """Write a line to the log."""

    def date(self, text: str) -> None:
        """Write a line with the date to the log."""

    def progress(self, name: str = "") -> Progress:
        """Return the progress of a simulation."""
        ...


class Silent:
    """Output that nobody reads."""

    def say(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def date(self, text: str) -> None:
        """Nothing."""

    def progress(self, name: str = "") -> Progress:
        """Return a silent progress."""
        return Progress(None)


class Messages:
    """The terminal and ``inverse.log``.

    Parameters
    ----------
    log
        Appended to. A log that cannot be written (no space left) does not stop the run.

    Raises
    ------
    UserError
        The log cannot be opened.
    """

    def __init__(self, log: Path) -> None:
        self.path = log
        self.terminal = sys.stdout
        try:
            appending = log.is_file() and log.stat().st_size > 0
            # unbuffered: nothing is left over that would fail when the log is closed
            self._log = open(log, "ab", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise UserError(
                f"cannot write: {error.strerror}", where=log, accepted="a writable directory"
            ) from None
        if appending:
            self.note("\n\n# Appending to existing logfile #\n")
        self.say(
            f"Appending to existing logfile {log.name}"
            if appending
            else f"For a more verbose log see: {log.name}"
        )
        self._handler = logging.StreamHandler(self._Stream(self))
        logging.getLogger("votca_mlp").addHandler(self._handler)
        logging.getLogger("votca_mlp").setLevel(logging.INFO)

    class _Stream:
        """What logging writes to."""

        def __init__(self, messages: "Messages") -> None:
            self.messages = messages

        def write(self, text: str) -> None:
            self.messages._write(text)

        def flush(self) -> None:
            """Nothing to do: the log is line by line."""

    def say(self, text: str) -> None:
        """Show a line on the terminal and write it to the log."""
        try:
            self.terminal.write(text + "\n")
            self.terminal.flush()
        except OSError:
            # started in the background and the terminal is gone: the log has the line
            pass
        self.note(text)

    def note(self, text: str) -> None:
        """Write a line to the log."""
        self._write(text + "\n")

    def _write(self, text: str) -> None:
        try:
            self._log.write(text.encode(errors="replace"))
        except OSError:
            # a full disk must not end a simulation that it does not concern
            return

    def date(self, text: str) -> None:
        """Write a line with the date to the log."""
        self.note(f"{text} {datetime.now().astimezone().isoformat(timespec='seconds')}")

    def progress(self, name: str = "") -> Progress:
        """Return the progress of a simulation: a bar on a terminal, else lines there and in the log."""
        try:
            if os.isatty(self.terminal.fileno()):
                return Progress(self.terminal, terminal=True, name=name)
        except (OSError, ValueError):
            pass
        return Progress(self._Both(self), name=name)  # type: ignore[arg-type]

    class _Both(_Stream):
        """The terminal's lines in the log too."""

        def write(self, text: str) -> None:
            self.messages.say(text.rstrip("\n"))

    def close(self) -> None:
        """Close the log."""
        logging.getLogger("votca_mlp").removeHandler(self._handler)
        self._log.close()
