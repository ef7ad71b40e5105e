"""How long a run will still take, from how long its iterations took."""

import re
import time
from pathlib import Path

from votca_mlp.processes import in_words
from votca_mlp.settings import load_settings


def time_left_line(directory: str | Path, now: float | None = None) -> str | None:
    """Return a line about the iterations still to come; None before the first ends and when all are
    done, or when the run has no settings.xml.

    An iteration took as long as from the ``done`` of the one before to its own. Of the one under way only
    what it has used since the last ``done`` is taken off, so a run that is not running shows too little by
    one iteration at most.

    Parameters
    ----------
    directory
        A run of csg_inverse or of our loop.
    now
        Seconds since the epoch; the clock's by default.

    Raises
    ------
    UserError
        Settings that cannot be read.
    """
    main = Path(directory)
    ended = {
        int(match[1]): path.stat().st_mtime
        for path in main.glob("step_*/done")
        if (match := re.fullmatch(r"step_(\d+)", path.parent.name))
    }
    last = max(ended, default=0)
    if last < 1 or last - 1 not in ended or (main / "done").exists():
        return None
    if not (main / "settings.xml").is_file():
        # a run in Python says itself how far it is
        return None
    left = load_settings(main / "settings.xml").iterations_max - last
    if left < 1:
        return None
    first = min(number for number in ended if all(k in ended for k in range(number, last)))
    each = max(0.0, (ended[last] - ended[first]) / (last - first))
    used = (time.time() if now is None else now) - ended[last]
    seconds = left * each - min(max(used, 0.0), each)
    more = "1 more iteration" if left == 1 else f"{left} more iterations"
    return f"time left: about {in_words(seconds)} for {more} of {in_words(each)}{' each' if left > 1 else ''}"
