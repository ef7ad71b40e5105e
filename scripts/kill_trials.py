#!/usr/bin/env python3
"""Interrupt runs at random moments, run them again, and compare with runs that no one interrupted.

    scripts/kill_trials.py [--minutes 18] [--trials N] [--engines ase lammps gromacs]
                           [--loops csg_inverse 'votca-mlp inverse'] [--workers 2] [--seed 1] [--json FILE]

Both loops, the engines, one state and two, VOTCA's methods ibi and imc; the ways below, at moments drawn
evenly over the uninterrupted run's processor time. A trial is right when the run, started again as its
message says, ends with status 0 and has the tables of the uninterrupted run to the last digit; with
GROMACS, whose stochastic thermostat does not go on bit for bit, finite tables of as many frames. It is
wrong as well when something hangs, stays behind (processes, broken-off files), shows a traceback, or when a
run that is not done ends with status 0. Where a run asks for it, the step that it had only begun is removed
first: that is counted apart. Engines and loops that are not installed are left out.

    SIGKILL, SIGTERM, SIGINT    to all processes of the run, as a queue, a user or a machine that goes down
    child                       SIGKILL to one process that the loop has started
    master                      SIGKILL to the loop alone
    wall time                   --wall-time, a chain of jobs until the run is done
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kill_cases import EXACT, LOOPS, Case, all_cases
from kill_runs import WAYS, Run, Wrong, interrupt
from reference_tables import digests
from results_file import ROOT, add_json, rounded, write_result

CHAIN = 30
COLUMNS = (
    "trials",
    "interrupted",
    "step removed",
    "right",
    "other tables",
    "status",
    "hang",
    "left behind",
    "traceback",
)
REMOVE = re.compile(r"remove (?:stepdir ')?(step_\d+)")
"""How both loops ask for a step to be removed of which it is unknown what is done."""


@dataclass
class Reference:
    """An uninterrupted run: its directory, and the seconds and ticks of processor time of a trial's run."""

    main: Path
    seconds: float
    ticks: int

    @property
    def limit(self) -> float:
        """Seconds until a run hangs, however busy the machine is."""
        return 300.0 + 20.0 * self.seconds


@dataclass
class Happened:
    """What a trial was: interrupted before its end, made to remove a step."""

    interrupted: bool = False
    removed: bool = False


def trial(case: Case, way: str, whole: Reference, main: Path, draw: random.Random, found: Happened) -> None:
    """Interrupt a copy of a run once, run it to its end and compare; fill in what happened.

    Raises
    ------
    Wrong
        What a user would not want.
    """
    case.again(whole.main, main)
    moment = draw.uniform(0.0, whole.ticks)
    if way == "wall time":
        options = ("--wall-time", str(max(3, round(draw.uniform(0.3, 1.0) * whole.seconds))))
        for number in range(CHAIN):
            again(case, main, whole, found, *options)
            found.interrupted = number > 0
            if (main / "done").exists():
                return same(case, whole.main, main)
        raise Wrong("hang", f"not done after {CHAIN} jobs of {options[1]} s")
    run = Run(case, main)
    run.until(round(moment))
    found.interrupted = interrupt(run, way, draw)
    status = run.end(whole.limit)
    if not (main / "done").exists():
        if status == 0:
            raise Wrong("status", f"0, but the run is not done\n{run.output[-2000:]}")
        again(case, main, whole, found)
    same(case, whole.main, main)


def again(case: Case, main: Path, whole: Reference, found: Happened, *options: str) -> None:
    """Start a run again, without the step that it asks to have removed.

    Raises
    ------
    Wrong
        It ends with an error.
    """
    run = Run(case, main, *options)
    if run.end(whole.limit) == 0:
        return
    asked = REMOVE.search(run.output)
    if asked is None or found.removed:
        raise Wrong("status", run.output[-2000:])
    found.removed = True
    shutil.rmtree(main / asked[1])
    run = Run(case, main, *options)
    if run.end(whole.limit) != 0:
        raise Wrong("status", run.output[-2000:])


def same(case: Case, finished: Path, main: Path) -> None:
    """Compare all tables with those of the uninterrupted run; see that nothing broken off is left."""
    wanted, found = digests(finished), digests(main)
    if wanted.keys() != found.keys():
        raise Wrong("other tables", f"not in both: {sorted(wanted.keys() ^ found.keys())}")
    other = [name for name in wanted if wanted[name] != found[name]]
    if other and EXACT[case.engine]:
        raise Wrong("other tables", f"{len(other)} of {len(wanted)}: {' '.join(other[:5])}")
    for name in other:
        # the same liquid: finite numbers, and g(r) of a run without errors in it
        text = (main / name).read_text()
        if "nan" in text or "inf" in text:
            raise Wrong("other tables", f"{name} is not finite")
    for facts in finished.rglob("step_*/**/md_step.json"):
        a, b = (frames_of(path) for path in (facts, main / facts.relative_to(finished)))
        if a != b:
            raise Wrong("other tables", f"{facts.relative_to(finished)}: {b} samples, not {a}")
    if left := [str(path.relative_to(main)) for path in main.rglob(".*.part")]:
        raise Wrong("left behind", " ".join(left))


def frames_of(facts: Path) -> list[int]:
    """Return over how many samples each mean of a simulation was taken."""
    means = json.loads(facts.read_text()).get("production", {})
    return [entry["samples"] for entry in means.values() if isinstance(entry, dict) and "samples" in entry]


def reference(case: Case, folder: Path, gmx: str) -> Reference:
    """Run a case without interruption."""
    main = folder / "finished" / re.sub(r"\W+", "_", case.name)
    case.make(main, gmx)
    run = Run(case, main)
    try:
        status = run.end(3600.0)
    except Wrong as error:
        raise SystemExit(f"{case.name}: the uninterrupted run failed: {error.kind}\n{error}") from None
    if status != 0 or not (main / "done").exists():
        raise SystemExit(f"{case.name}: the uninterrupted run failed\n{run.output[-3000:]}")
    begin = (main / "settings.xml").stat().st_mtime
    if case.loop == "csg_inverse":
        begin = (main / "step_000/done").stat().st_mtime
    seconds = (main / "done").stat().st_mtime - begin
    print(f"{case.name}: {seconds:.1f} s uninterrupted", flush=True)
    # a trial of csg_inverse begins behind step 0
    before = [ticks for moment, ticks in run.samples if moment <= begin]
    return Reference(main, seconds, run.samples[-1][1] - (before[-1] if before else 0))


def cases(engines: list[str], loops: list[str]) -> tuple[list[Case], str]:
    """Return what can be run here, and the gmx to run it with."""
    gmx = ""
    if "gromacs" in engines:
        command = [str(ROOT / "scripts/get_gromacs"), "--no-fetch"]
        gmx = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    there_loops = [loop for loop in loops if shutil.which(LOOPS[loop][0])]
    there = [engine for engine in engines if engine != "gromacs" or gmx]
    return all_cases(there, there_loops), gmx


class Table:
    """Counts by way and by case; which case is due, so that csg_inverse's long runs have their share."""

    def __init__(self, found: list[Case], draw: random.Random) -> None:
        self.lock = threading.Lock()
        self.ways = {way: Counter[str]() for way in WAYS}
        self.cases = {case.name: Counter[str]() for case in found}
        self.wrong: list[dict[str, str]] = []
        self.spent = dict.fromkeys(found, 0.0)
        self.order = {case: self._ways(case, draw) for case in found}

    @staticmethod
    def _ways(case: Case, draw: random.Random) -> Iterator[str]:
        own = [way for way in WAYS if way != "child" or case.has_children]
        while True:
            draw.shuffle(own)
            yield from own

    def due(self, seconds: dict[Case, float]) -> tuple[Case, str]:
        """Return what to try next."""
        with self.lock:
            weights = {case: 2.0 if case.loop == "csg_inverse" else 1.0 for case in self.spent}
            case = min(self.spent, key=lambda one: self.spent[one] / weights[one])
            # until it is known what it takes
            self.spent[case] += 2.0 * seconds[case]
            return case, next(self.order[case])

    def add(self, case: Case, way: str, found: Happened, wrong: Wrong | None) -> None:
        """Count a trial."""
        kind = "right" if wrong is None else wrong.kind
        with self.lock:
            for counts in (self.ways[way], self.cases[case.name]):
                counts["trials"] += 1
                counts["interrupted"] += found.interrupted
                counts["step removed"] += found.removed
                counts[kind] += 1
            if wrong is not None:
                line = str(wrong).strip().splitlines()[-1] if str(wrong).strip() else ""
                self.wrong.append({"case": case.name, "way": way, "what": kind, "details": line[:300]})
                print(f"WRONG ({kind}) {case.name}, {way}:\n{wrong}", flush=True)

    def rows(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return the tables of the result."""
        total = sum(self.ways.values(), Counter[str]())
        return {
            "all": {"all": row(total)},
            "ways": {way: row(counts) for way, counts in self.ways.items() if counts},
            "cases": {name: row(counts) for name, counts in self.cases.items() if counts},
        }


def row(counts: Counter[str]) -> dict[str, int]:
    """Return a row with all columns."""
    return {name: counts[name] for name in COLUMNS}


def main() -> int:
    """Run the trials; status 1 when one is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=18.0, help="of all (default: 18)")
    parser.add_argument("--trials", type=int, default=10_000, help="at most so many")
    parser.add_argument("--engines", nargs="+", choices=EXACT, default=list(EXACT))
    parser.add_argument("--loops", nargs="+", choices=LOOPS, default=list(LOOPS))
    parser.add_argument("--workers", type=int, default=2, help="runs at the same time (default: 2)")
    parser.add_argument("--seed", type=int, default=1)
    add_json(parser)
    chosen = parser.parse_args()
    end = time.monotonic() + 60.0 * chosen.minutes
    found, gmx = cases(chosen.engines, chosen.loops)
    table = Table(found, random.Random(chosen.seed))
    with (
        tempfile.TemporaryDirectory(prefix="kill_trials_") as scratch,
        ThreadPoolExecutor(chosen.workers) as pool,
    ):
        folder = Path(scratch)
        whole = dict(zip(found, pool.map(lambda case: reference(case, folder, gmx), found), strict=True))
        seconds = {case: run.seconds for case, run in whole.items()}

        def work(number: int) -> None:
            case, way = table.due(seconds)
            if time.monotonic() + 2.0 * seconds[case] > end:
                return
            directory, wrong, happened = folder / f"trial_{number}", None, Happened()
            draw = random.Random(f"{chosen.seed} {number}")
            try:
                trial(case, way, whole[case], directory, draw, happened)
            except Wrong as error:
                wrong = error
            table.add(case, way, happened, wrong)
            shutil.rmtree(directory, ignore_errors=True)

        list(pool.map(work, range(chosen.trials)))
    rows = table.rows()
    for label, counts in {**rows["cases"], **rows["ways"], "all": rows["all"]["all"]}.items():
        print(f"{label:44}" + ", ".join(f"{name} {n}" for name, n in counts.items() if n))
    uninterrupted = {case.name: {"seconds": rounded(time_)} for case, time_ in seconds.items()}
    tables = {**rows, "uninterrupted": uninterrupted, **({"wrong": table.wrong} if table.wrong else {})}
    write_result(chosen.json, tables, units={"seconds": "s"}, seeds=chosen.seed)
    return int(bool(table.wrong))


if __name__ == "__main__":
    sys.exit(main())
