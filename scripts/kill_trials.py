#!/usr/bin/env python3
"""Interrupt runs at random moments, run them again, and compare with runs that no one interrupted.

    scripts/kill_trials.py [--minutes 18] [--trials N] [--engines ase lammps gromacs]
                           [--loops csg_inverse 'votca-mlp inverse'] [--workers 2] [--seed 1]
                           [--references FOLDER] [--json FILE] [--add]

Both loops, the engines, one state and two, VOTCA's methods ibi and imc; the ways below, at moments drawn
evenly over the uninterrupted run's processor time. A trial is right when the run, started again as its
message says, ends with status 0 and has the tables of the uninterrupted run to the last digit; with
GROMACS, whose stochastic thermostat does not go on bit for bit, finite tables of as many frames. It is
wrong as well when something hangs, stays behind (processes, broken-off files), shows a traceback, or when a
run that is not done ends with status 0. Where a run asks for it, the step that it had only begun is removed
first, or the next job gets twice the wall time, when even the start did not fit in or several jobs have not
come to the end: both are counted apart.
Engines and loops that are not installed are left out.

On a busy machine, several runs with other seeds make up a result: ``--references`` keeps what was not
interrupted for the next run, and ``--add`` adds the counts to those that the file has already. What has the
fewest trials so far, of all cases and ways, comes next.

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
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kill_cases import EXACT, LOOPS, Case, all_cases
from kill_runs import Run, Wrong, interrupt
from kill_table import Found, Table, by_part, sums
from reference_tables import digests
from results_file import ROOT, add_json, machine, read_result, rounded, write_result

CHAIN = 30
PATIENCE = 6
"""Jobs of one wall time: where the machine has become busier each may make a single MD step."""
REMOVE = re.compile(r"remove (?:stepdir ')?(step_\d+)")
"""How both loops ask for a step to be removed of which it is unknown what is done."""
LONGER = "accepted: a longer --wall-time"
"""How a job ends that could not even start within its wall time, as on a busy machine."""


@dataclass
class Reference:
    """An uninterrupted run: its directory, and the seconds and ticks of processor time of a trial's run."""

    main: Path
    seconds: float
    ticks: int

    def keep(self) -> None:
        """Write what a later run of this script needs beside the directory."""
        facts = {"seconds": self.seconds, "ticks": self.ticks}
        self.main.with_suffix(".json").write_text(json.dumps(facts))

    @property
    def limit(self) -> float:
        """Seconds until a run hangs, however busy the machine is."""
        return 300.0 + 20.0 * self.seconds


def trial(case: Case, way: str, whole: Reference, main: Path, draw: random.Random, found: Found) -> None:
    """Interrupt a copy of a run once, run it to its end and compare; fill in what happened.

    Raises
    ------
    Wrong
        What a user would not want.
    """
    case.again(whole.main, main)
    moment = draw.uniform(0.0, whole.ticks)
    if way == "wall time":
        seconds = max(3, round(draw.uniform(0.3, 1.0) * whole.seconds))
        for number in range(CHAIN):
            started = again(case, main, whole, found, "--wall-time", str(seconds))
            found.interrupted = number > 0
            if (main / "done").exists():
                return same(case, whole.main, main)
            if not started or number % PATIENCE == PATIENCE - 1:
                seconds, found.longer = 2 * seconds, True
        raise Wrong("hang", f"not done after {CHAIN} jobs, the last of {seconds} s")
    run = Run(case, main)
    used = run.until(round(moment))
    found.interrupted = interrupt(run, way, draw)
    if not found.interrupted:
        # it takes less where the machine is less busy; later moments are drawn within that
        whole.ticks = min(whole.ticks, used)
    status = run.end(whole.limit)
    if status == 0 and not (main / "done").exists():
        raise Wrong("status", f"0, but the run is not done\n{run.output[-2000:]}")
    if status != 0:
        # also where only the run's last words were missing: the next start takes away what is broken off
        again(case, main, whole, found)
    same(case, whole.main, main)


def again(case: Case, main: Path, whole: Reference, found: Found, *options: str) -> bool:
    """Start a run again, without the step that it asks to have removed; return False when it asks for time.

    Raises
    ------
    Wrong
        It ends with an error.
    """
    run = Run(case, main, *options)
    if run.end(whole.limit) == 0:
        return True
    if options and LONGER in run.output:
        return False
    asked = REMOVE.search(run.output)
    if asked is None or found.removed:
        raise Wrong("status", run.output[-2000:])
    found.removed = True
    shutil.rmtree(main / asked[1])
    run = Run(case, main, *options)
    if run.end(whole.limit) != 0:
        raise Wrong("status", run.output[-2000:])
    return True


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
    main = folder / re.sub(r"\W+", "_", case.name)
    kept = main.with_suffix(".json")
    if kept.exists():
        return Reference(main, **json.loads(kept.read_text()))
    shutil.rmtree(main, ignore_errors=True)
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
    found = Reference(main, seconds, run.samples[-1][1] - (before[-1] if before else 0))
    found.keep()
    return found


def cases(engines: list[str], loops: list[str]) -> tuple[list[Case], str]:
    """Return what can be run here, and the gmx to run it with."""
    gmx = ""
    if "gromacs" in engines:
        command = [str(ROOT / "scripts/get_gromacs"), "--no-fetch"]
        gmx = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    there_loops = [loop for loop in loops if shutil.which(LOOPS[loop][0])]
    there = [engine for engine in engines if engine != "gromacs" or gmx]
    return all_cases(there, there_loops), gmx


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
    parser.add_argument(
        "--references", type=Path, help="keep the uninterrupted runs there, for the same code"
    )
    parser.add_argument("--add", action="store_true", help="add to the counts of the file of --json")
    add_json(parser)
    chosen = parser.parse_args()
    before = read_result(chosen.json) if chosen.add and chosen.json and chosen.json.exists() else None
    seeds = [*(before["seeds"] if before else []), chosen.seed]
    if len(set(seeds)) < len(seeds):
        parser.error(f"the file has the trials of --seed {chosen.seed} already")
    end = time.monotonic() + 60.0 * chosen.minutes
    found, gmx = cases(chosen.engines, chosen.loops)
    tried = before["tables"]["right by case and way"] if before else {}
    table = Table(found, random.Random(chosen.seed), tried)
    with (
        tempfile.TemporaryDirectory(prefix="kill_trials_") as scratch,
        ThreadPoolExecutor(chosen.workers) as pool,
    ):
        folder = Path(scratch)
        finished = (chosen.references or folder / "finished").resolve()
        whole = dict(zip(found, pool.map(lambda case: reference(case, finished, gmx), found), strict=True))
        seconds = {case: run.seconds for case, run in whole.items()}

        def work(number: int) -> None:
            case, way = table.due()
            if time.monotonic() + 2.0 * seconds[case] > end:
                return
            directory, wrong, happened = folder / f"trial_{number}", None, Found()
            draw = random.Random(f"{chosen.seed} {number}")
            try:
                trial(case, way, whole[case], directory, draw, happened)
            except Wrong as error:
                wrong = error
            table.add(case, way, happened, wrong)
            shutil.rmtree(directory, ignore_errors=True)

        list(pool.map(work, range(chosen.trials)))
        for run in whole.values():
            run.keep()
    uninterrupted = {case.name: {"seconds": rounded(time_)} for case, time_ in seconds.items()}
    of_run = {"trials": table.tried, "load": machine()["load"]}
    tables = {**table.rows(), "uninterrupted": uninterrupted, "runs": {f"seed {chosen.seed}": of_run}}
    if before:
        tables = sums(before["tables"], tables)
    tables |= {"loops": by_part(tables["cases"], 1), "engines": by_part(tables["cases"], 0)}
    for label, counts in {**tables["cases"], **tables["ways"], "all": tables["all"]["all"]}.items():
        print(f"{label:44}" + ", ".join(f"{name} {n}" for name, n in counts.items() if n))
    write_result(chosen.json, tables, units={"seconds": "s"}, seeds=seeds)
    return int(bool(table.wrong))


if __name__ == "__main__":
    sys.exit(main())
