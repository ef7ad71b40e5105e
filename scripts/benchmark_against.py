#!/usr/bin/env python3
"""Time a step of two checkouts in turn: what a change has done to the speed.

    scripts/benchmark_against.py OTHER_CHECKOUT [--atoms 500 2048] [--models hipnn ani] [--threads 1 2]
                                 [--rounds 8] [--json FILE]

Model plus correction in the engine ``ase``, as scripts/benchmark.py has it. A process of each checkout stays
alive and gives a sample of about a second whenever it is asked, one after the other, so that a machine whose
speed drifts slows both. Printed: medians of ms a step, and the median of the ratios of the pairs of samples
with the standard error of their mean. ANI needs ANI_AL.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from results_file import add_json, rounded, write_result

HERE = Path(__file__).resolve().parents[1]
CHILD = """
import json, sys, time
import benchmark_systems as systems
step = systems.step_of("ours", *json.loads(sys.argv[1]))
for _ in range(20):
    step()
for line in sys.stdin:
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < float(line):
        step()
        count += 1
    print(1000.0 * (time.perf_counter() - begin) / count, flush=True)
"""


class Timed:
    """A process of one checkout that times steps when it is asked."""

    def __init__(self, checkout: Path, case: tuple[str, int, str, int, str]) -> None:
        threads = str(case[3])
        environment = {
            **os.environ,
            "PYTHONPATH": f"{checkout}{os.pathsep}{checkout / 'scripts'}",
            "OMP_NUM_THREADS": threads,
            "NUMBA_NUM_THREADS": threads,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", CHILD, json.dumps(case)],
            cwd=checkout / "scripts",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def sample(self, seconds: float) -> float:
        """Return ms a step."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def main() -> int:
    """Print a line for each case; status 1 when a step is slower by more than 5 % beyond its error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--atoms", type=int, nargs="+", default=[500, 2048])
    parser.add_argument("--models", nargs="+", default=["hipnn", "ani"], choices=["hipnn", "ani"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=8)
    add_json(parser)
    options = parser.parse_args()
    if "ANI_AL" not in os.environ and "ani" in options.models:
        print("ANI_AL is not set: ani is left out")
        options.models.remove("ani")
    rows, slower = {}, False
    print("model  atoms ensemble threads   other ms  here ms   here/other")
    cases = itertools.product(options.models, options.atoms, ("nvt", "npt"), options.threads)
    for model, atoms, ensemble, threads in cases:
        case = (model, atoms, ensemble, threads, "cpu")
        pair = [Timed(checkout, case) for checkout in (options.other.resolve(), HERE)]
        for timed in pair:
            timed.sample(0.3)
        samples = []
        for number in range(options.rounds):
            # which is first changes, as whatever comes second finds a warmer machine
            order = (0, 1) if number % 2 else (1, 0)
            found = {index: pair[index].sample(1.0) for index in order}
            samples.append((found[0], found[1]))
        for timed in pair:
            timed.close()
        ratios = [here / other for other, here in samples]
        ratio = statistics.median(ratios)
        error = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else float("nan")
        other, here = (statistics.median(column) for column in zip(*samples, strict=True))
        slower = slower or ratio - 2.0 * error > 1.05
        label = f"{model:6} {atoms:5} {ensemble:8} {threads:7}"
        print(f"{label} {other:10.3f} {here:8.3f} {ratio:8.3f} +- {error:.3f}", flush=True)
        rows[f"{model} {atoms} {ensemble} {threads} threads"] = {
            "other": rounded(other),
            "here": rounded(here),
            "ratio": {"value": round(ratio, 4), "error": round(error, 4)},
        }
    write_result(
        options.json,
        {"steps": rows},
        units={"other": "ms a step", "here": "ms a step", "ratio": "1"},
        seeds=1,
    )
    return int(slower)


if __name__ == "__main__":
    sys.exit(main())
