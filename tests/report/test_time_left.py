"""Time left, from the ages of the steps' marks."""

import os
from pathlib import Path

from tests.csg.case import make_case
from votca_mlp.report.time_left import time_left_line


def test_time_left_of_a_run(tmp_path: Path) -> None:
    main = make_case(tmp_path, iterations=5)
    assert time_left_line(main) is None
    for number, when in enumerate((1000.0, 1040.0, 1090.0)):
        done = main / f"step_{number:03d}" / "done"
        done.parent.mkdir()
        done.touch()
        os.utime(done, (when, when))
    expected = "time left: about {} for 3 more iterations of 45 s each"
    assert time_left_line(main, now=1090.0) == expected.format("2 min")
    assert time_left_line(main, now=1120.0) == expected.format("2 min")
    # at most one iteration is taken off: two of 45 s stay
    assert time_left_line(main, now=9999.0) == expected.format("2 min")
    (main / "settings.xml").rename(main / "other.xml")
    assert time_left_line(main, now=1090.0) is None
    (main / "other.xml").rename(main / "settings.xml")
    (main / "done").touch()
    assert time_left_line(main) is None
