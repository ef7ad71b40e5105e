"""The output of GROMACS and VOTCA: copied while it comes, and the error in its last lines."""

import contextlib
import re
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

_KEPT = 400


class Output:
    """Copies the output of a process and keeps its last lines."""

    def __init__(self, child: "subprocess.Popen[bytes]", log: Path | None) -> None:
        self.lines: deque[str] = deque(maxlen=_KEPT)
        self._stream: Any = child.stdout
        self._file = None if log is None else open(log, "ab")  # noqa: SIM115
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()

    def _copy(self) -> None:
        for line in self._stream:
            self.lines.append(line.decode(errors="replace").rstrip())
            with contextlib.suppress(OSError, ValueError):
                if self._file is not None:
                    self._file.write(line)
                else:
                    sys.stdout.buffer.write(line)
                    sys.stdout.buffer.flush()

    def join(self) -> None:
        """Wait for the last line; not for what a process left behind still holds."""
        self._thread.join(5.0)

    def close(self) -> None:
        """Close the log."""
        self.join()
        if self._file is not None:
            self._file.close()


def error_in(words: list[str]) -> str | None:
    """Return the error in the output of GROMACS or VOTCA without the frame around it, or None."""
    ours = [line for line in words if line.startswith("votca-mlp (in mdrun): ")]
    if ours:
        return ours[-1].partition(": ")[2]
    kinds = re.compile(r"(Fatal error|Error in user input|.* error):")
    starts = [k for k, line in enumerate(words) if kinds.match(line)]
    if not starts:
        # VOTCA's frame
        framed = [line.strip("# ") for line in words if line.startswith("# ") and line.strip("# ")]
        return framed[framed.index("ERROR:") + 1] if "ERROR:" in framed[:-1] else None
    found = []
    for line in words[starts[-1] :]:
        if not line.strip() or line.startswith(("For more information", "---")):
            break
        found.append(line.strip())
    return " ".join(found)


def warnings_in(words: list[str]) -> list[str]:
    """Return grompp's warnings, each with its place, such as ``WARNING 1 [file grompp.mdp]: ...``."""
    found, inside = [], False
    for line in (word.strip() for word in words):
        if line.startswith("WARNING "):
            found.append(line)
            inside = True
        elif inside and line:
            found[-1] += f" {line}"
        else:
            inside = False
    return found


def why(words: list[str]) -> str:
    """Return the error in a GROMACS program's output, else its last line."""
    last = next((line.strip() for line in reversed(words) if line.strip()), "it said nothing")
    return error_in(words) or last
