"""What an engine records beside the trajectory: tables with a header, one line for a time step.

``thermo.dat`` is what every engine may leave in a step's directory (engines of other packages too):
``#step NAME[UNIT] ...`` (or ``# step``), then numbers; a word that is no number, such as a stage's name in
files of earlier versions, is passed over.
"""

import math
from collections.abc import Mapping
from pathlib import Path

FILES = ("mlp.dat", "thermo.dat")
"""Where a column is in both, the second counts. The first has the model's energy beside mdrun."""

Recorded = Mapping[int, Mapping[str, float]]
"""Values by name, such as ``potential[eV]``, of each time step."""


def read_recorded(directory: Path) -> Recorded:
    """Return what the engine has recorded in a step's directory; empty where it has recorded nothing.

    A step that is there twice, where a run was interrupted, counts as it was written last. A line cut short
    counts for nothing.
    """
    found: dict[int, dict[str, float]] = {}
    for name in FILES:
        path = directory / name
        if not path.is_file():
            continue
        names: list[str] = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            words = line.split() if line.endswith("\n") else []
            if words[:1] == ["#step"] or words[:2] == ["#", "step"]:
                names = words[1:] if words[0] == "#step" else words[2:]
            elif words and words[0].isdigit() and len(words) == 1 + len(names):
                row = found.setdefault(int(words[0]), {})
                row.update(_numbers(names, words[1:]))
    return found


def _numbers(names: list[str], words: list[str]) -> dict[str, float]:
    numbers = {}
    for name, word in zip(names, words, strict=True):
        try:
            number = float(word)
        except ValueError:
            continue
        # the pressure where the model has no stress
        if math.isfinite(number):
            numbers[name] = number
    return numbers
