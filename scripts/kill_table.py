"""Trials by case and way: which is due, what was found, and the sums of several runs of the script."""

import random
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kill_cases import Case
from kill_runs import WAYS, Wrong

COLUMNS = (
    "trials",
    "interrupted",
    "step removed",
    "longer wall time",
    "right",
    "other tables",
    "status",
    "hang",
    "left behind",
    "traceback",
)
SHARE = {"csg_inverse": 1.0, "votca-mlp inverse": 3.0}
"""Trials of a case by its loop, as those of csg_inverse take three times as long."""


@dataclass
class Found:
    """What a trial was: interrupted before its end, made to remove a step, or to give a job more time."""

    interrupted: bool = False
    removed: bool = False
    longer: bool = False


class Table:
    """Counts by case and way, and which is due: what has the fewest trials, in a shuffled order.

    Parameters
    ----------
    cases, draw
        What can be run; what shuffles.
    tried
        Trials of earlier runs: by name of the case and by way, as ``right of trials``.
    """

    def __init__(
        self, cases: list[Case], draw: random.Random, tried: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self.lock = threading.Lock()
        cells = [(case, way) for case in cases for way in WAYS if way != "child" or case.has_children]
        self.counts = {cell: Counter[str]() for cell in cells}
        self.wrong: list[dict[str, str]] = []
        draw.shuffle(cells)
        self.begun = {(case, way): _trials(tried or {}, case, way) for case, way in cells}

    def due(self) -> tuple[Case, str]:
        """Return what to try next."""
        with self.lock:
            cell = min(self.begun, key=lambda one: self.begun[one] / SHARE[one[0].loop])
            self.begun[cell] += 1
            return cell

    @property
    def tried(self) -> int:
        """How many trials of this run have ended."""
        return sum(counts["trials"] for counts in self.counts.values())

    def add(self, case: Case, way: str, found: Found, wrong: Wrong | None) -> None:
        """Count a trial."""
        kind = "right" if wrong is None else wrong.kind
        with self.lock:
            counts = self.counts[case, way]
            counts["trials"] += 1
            counts["interrupted"] += found.interrupted
            counts["step removed"] += found.removed
            counts["longer wall time"] += found.longer
            counts[kind] += 1
            if wrong is not None:
                line = str(wrong).strip().splitlines()[-1] if str(wrong).strip() else ""
                self.wrong.append({"case": case.name, "way": way, "what": kind, "details": line[:300]})
                print(f"WRONG ({kind}) {case.name}, {way}:\n{wrong}", flush=True)

    def rows(self) -> dict[str, Any]:
        """Return the tables of the result."""
        cases = list(dict.fromkeys(case for case, _ in self.counts))
        own = {(case, way): counts for (case, way), counts in self.counts.items() if counts}
        grid = {
            one.name: {way: f"{n['right']} of {n['trials']}" for (case, way), n in own.items() if case == one}
            for one in cases
        }
        found = {
            "all": {"all": row(own.values())},
            "ways": {name: row(n for (_, way), n in own.items() if way == name) for name in WAYS},
            "cases": {one.name: row(n for (case, _), n in own.items() if case == one) for one in cases},
            "right by case and way": grid,
        }
        return {**found, **({"wrong": self.wrong} if self.wrong else {})}


def _trials(tried: Mapping[str, Mapping[str, str]], case: Case, way: str) -> int:
    """Return how many trials a table ``right of trials`` has of a case and way."""
    return int(tried.get(case.name, {}).get(way, "0 of 0").split(" of ")[1])


def row(counts: Iterable[Counter[str]]) -> dict[str, int]:
    """Return the sum of counts as a row with all columns."""
    total = sum(counts, Counter[str]())
    return {name: total[name] for name in COLUMNS}


def by_part(cases: Mapping[str, Mapping[str, int]], part: int) -> dict[str, dict[str, int]]:
    """Return the rows of cases summed by a part of their names: 0 the engine, 1 the loop."""
    found: dict[str, dict[str, int]] = {}
    for name, counts in cases.items():
        label = name.split(", ")[part]
        found[label] = added(found.get(label, {}), counts)
    return found


def sums(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of a file with those of a further run added; times are the later ones."""
    found: dict[str, Any] = {}
    for name, table in after.items():
        old = before.get(name, {})
        if isinstance(table, list) or name == "uninterrupted":
            found[name] = [*(old or []), *table] if isinstance(table, list) else table
            continue
        rows = dict.fromkeys([*old, *table])
        found[name] = {label: added(old.get(label, {}), table.get(label, {})) for label in rows}
    return {**{name: table for name, table in before.items() if name not in found}, **found}


def added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return two rows added column by column; ``3 of 4`` is added as such."""
    return {name: plus(one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])}


def plus(one: Any, other: Any) -> Any:
    """Return the sum of two numbers or of two ``n of m``; None is nothing."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, str):
        pairs = zip(one.split(" of "), other.split(" of "), strict=True)
        return " of ".join(str(int(a) + int(b)) for a, b in pairs)
    return one + other
