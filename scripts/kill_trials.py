#!/usr/bin/env python3
"""Interrupt runs at random moments, run them again, and compare with runs that no one interrupted.

    scripts/kill_trials.py [--minutes 18] [--trials N] [--engines ase lammps gromacs]
                           [--loops csg_inverse 'votca-mlp inverse'] [--workers 2] [--seed 1] [--json FILE]

Both loops, the engines, one state and two; the ways below, at moments drawn evenly over the uninterrupted
run's time. A trial is right when the run, started again as its message says, ends with status 0 and has the
tables of the uninterrupted run to the last digit; with GROMACS, whose stochastic thermostat does not go on
bit for bit, finite tables of as many frames. It is wrong as well when something hangs, stays behind or shows
a traceback. Engines and loops that are not installed are left out.

    SIGKILL, SIGTERM, SIGINT    to all processes of the run, as a queue, a user or a machine that goes down
    child                       SIGKILL to one process that the loop has started
    master                      SIGKILL to the loop alone
    wall time                   --wall-time, a chain of jobs until the run is done
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kill_cases import EXACT, LOOPS, Case, folders
from reference_tables import digests
from results_file import ROOT, add_json, write_result

from tests.csg.case import FOREGROUND, start_program, working_in

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}
WAYS = (*SIGNALS, "child", "master", "wall time")
LIMIT = 150.0
"""Seconds until a process counts as hanging; a simulation whose loop was killed may take 60 to end."""
CHAIN = 30
COLUMNS = ("trials", "interrupted", "right", "other tables", "status", "hang", "left behind", "traceback")


class Wrong(Exception):
    """What is wrong with a trial: a column of the table, and details."""

    def __init__(self, kind: str, details: str) -> None:
        super().__init__(details)
        self.kind = kind


class Run:
    """A loop in a main directory, with all processes that work there."""

    def __init__(self, case: Case, main: Path, *options: str) -> None:
        self.main = main
        command = (*LOOPS[case.loop], "--options", "settings.xml", *options)
        self.process = start_program(main, sys.executable, "-c", FOREGROUND, *command)
        self.output = ""
        # so that a full pipe stops no one
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line

    def others(self) -> list[int]:
        """Return the other processes at work in the directory."""
        found = {number for folder in folders(self.main) for number in working_in(folder)}
        return sorted(found - {self.process.pid})

    def end(self) -> int:
        """Wait for its end and return the status."""
        try:
            status = self.process.wait(LIMIT)
            last = time.monotonic() + LIMIT
            while self.others():
                if time.monotonic() > last:
                    raise Wrong("left behind", f"processes {self.others()}")
                time.sleep(0.1)
        except subprocess.TimeoutExpired:
            raise Wrong("hang", self.output[-2000:]) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            for number in self.others():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
        self.reader.join(5.0)
        if "Traceback" in self.output:
            raise Wrong("traceback", self.output[-3000:])
        return status


def interrupt(run: Run, way: str, draw: random.Random) -> bool:
    """Interrupt a run; return False when it had ended before."""
    if run.process.poll() is not None:
        return False
    if way == "master":
        run.process.kill()
    elif way == "child":
        while run.process.poll() is None:
            if found := run.others():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(draw.choice(found), signal.SIGKILL)
                    return True
            time.sleep(0.01)
        return False
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.process.pid, SIGNALS[way])
    return True


def trial(case: Case, way: str, finished: Path, seconds: float, main: Path, draw: random.Random) -> bool:
    """Interrupt a copy of a run once, run it to its end and compare; return whether it was interrupted.

    Raises
    ------
    Wrong
        What a user would not want.
    """
    case.again(finished, main)
    moment = draw.uniform(0.0, seconds)
    if way == "wall time":
        options = ("--wall-time", str(max(3, round(draw.uniform(0.3, 1.0) * seconds))))
        for number in range(CHAIN):
            run = Run(case, main, *options)
            if run.end() != 0:
                raise Wrong("status", run.output[-2000:])
            if (main / "done").exists():
                same(case, finished, main)
                return number > 0
        raise Wrong("hang", f"not done after {CHAIN} jobs of {options[1]} s")
    run = Run(case, main)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.process.wait(moment)
    happened = interrupt(run, way, draw)
    run.end()
    for _ in range(3):
        if (main / "done").exists():
            break
        # both loops refuse a step in which they had not begun their log, and say what to do
        for step in main.glob("step_*"):
            if not (step / "restart_points.log").exists():
                shutil.rmtree(step)
        run = Run(case, main)
        if run.end() != 0:
            raise Wrong("status", run.output[-2000:])
    same(case, finished, main)
    return happened


def same(case: Case, finished: Path, main: Path) -> None:
    """Compare all tables with those of the uninterrupted run."""
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


def frames_of(facts: Path) -> list[int]:
    """Return over how many samples each mean of a simulation was taken."""
    import json

    means = json.loads(facts.read_text()).get("production", {})
    return [entry["samples"] for entry in means.values() if isinstance(entry, dict) and "samples" in entry]


def reference(case: Case, folder: Path, gmx: str) -> tuple[Path, float]:
    """Run a case without interruption; return its directory and the seconds that a trial's run takes."""
    main = folder / "finished" / case.name.replace(" ", "_")
    case.make(main, gmx)
    run = Run(case, main)
    try:
        status = run.end()
    except Wrong as error:
        raise SystemExit(f"{case.name}: the uninterrupted run failed: {error.kind}\n{error}") from None
    if status != 0 or not (main / "done").exists():
        raise SystemExit(f"{case.name}: the uninterrupted run failed\n{run.output[-3000:]}")
    begin = (main / "settings.xml").stat().st_mtime
    if case.loop == "csg_inverse":
        begin = (main / "step_000/done").stat().st_mtime
    return main, (main / "done").stat().st_mtime - begin


def cases(engines: list[str], loops: list[str]) -> tuple[list[Case], str]:
    """Return what can be run here, and the gmx to run it with."""
    gmx = ""
    if "gromacs" in engines:
        command = [str(ROOT / "scripts/get_gromacs"), "--no-fetch"]
        gmx = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    there_loops = [loop for loop in loops if shutil.which(LOOPS[loop][0])]
    there = [engine for engine in engines if engine != "gromacs" or gmx]
    return [Case(engine, loop, n) for engine in there for loop in there_loops for n in (1, 2)], gmx


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

    def add(self, case: Case, way: str, interrupted: bool, wrong: Wrong | None) -> None:
        """Count a trial."""
        kind = "right" if wrong is None else wrong.kind
        with self.lock:
            for counts in (self.ways[way], self.cases[case.name]):
                counts["trials"] += 1
                counts["interrupted"] += interrupted
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
        finished = dict(zip(found, pool.map(lambda case: reference(case, folder, gmx), found), strict=True))
        seconds = {case: time_ for case, (_, time_) in finished.items()}
        for case, time_ in seconds.items():
            print(f"{case.name}: {time_:.1f} s uninterrupted", flush=True)

        def work(number: int) -> None:
            case, way = table.due(seconds)
            if time.monotonic() + 2.0 * seconds[case] > end:
                return
            directory, wrong, interrupted = folder / f"trial_{number}", None, True
            draw = random.Random(f"{chosen.seed} {number}")
            try:
                interrupted = trial(case, way, finished[case][0], seconds[case], directory, draw)
            except Wrong as error:
                wrong = error
            table.add(case, way, interrupted, wrong)
            shutil.rmtree(directory, ignore_errors=True)

        list(pool.map(work, range(chosen.trials)))
    rows = table.rows()
    for label, counts in {**rows["cases"], **rows["ways"], "all": rows["all"]["all"]}.items():
        print(f"{label:32}" + ", ".join(f"{name} {n}" for name, n in counts.items() if n))
    tables = {**rows, **({"wrong": table.wrong} if table.wrong else {})}
    write_result(chosen.json, tables, seeds=chosen.seed)
    return int(bool(table.wrong))


if __name__ == "__main__":
    sys.exit(main())
