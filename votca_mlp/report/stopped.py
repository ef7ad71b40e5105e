"""Why no process works on a run."""

import re
from pathlib import Path

from votca_mlp.inverse.loop import GOING_ON
from votca_mlp.inverse.summary import NAME as SUMMARY
from votca_mlp.inverse.summary import read_summary
from votca_mlp.runs import claim
from votca_mlp.runs.reading import step_directories

AGAIN = "stopped: interrupted or killed; run it again to go on"
CSG_AGAIN = "stopped: interrupted, killed, or its wall time was up; run it again to go on"
"""csg_inverse, which leaves no reason."""
_ERROR = re.compile(r"[A-Z]\w*: ")
"""How a summary begins to say that an error has ended the run; no other reason has such a name before it."""


def stopped_line(directory: str | Path) -> str:
    """Return why a run is not running: what its summary says, ``done``, between two steps, or interrupted."""
    main = Path(directory)
    by_csg = csg_came_after(main)
    said = None if by_csg else read_summary(main).get("stopped")
    if said is not None and said != GOING_ON:
        # the name of what is shown as it is says nothing to a reader
        return f"stopped: {said.removeprefix('UserError: ')}"
    if (main / "done").is_file():
        return "stopped: done"
    begun = step_directories(main)
    if begun and (begun[-1][1] / "done").is_file():
        # csg_inverse ends there when it has made the steps that it was asked for
        return f"stopped: step {begun[-1][0]} is done; run it again to go on"
    return CSG_AGAIN if by_csg else AGAIN


def error_of(directory: str | Path) -> str | None:
    """Return the error that has ended a run, one line; None where it was none, or left no word."""
    main = Path(directory)
    said = "" if csg_came_after(main) else str(read_summary(main).get("stopped", ""))
    return stopped_line(main).removeprefix("stopped: ") if _ERROR.match(said) else None


def csg_came_after(main: Path) -> bool:
    """Return whether csg_inverse has begun after our loop had written its summary last, or alone."""
    summary, claimed = main / SUMMARY, main / claim.NAME
    try:
        begun = claimed.stat().st_mtime
        return not summary.is_file() or begun > summary.stat().st_mtime
    except OSError:
        return False
