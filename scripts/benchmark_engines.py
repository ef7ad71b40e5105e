#!/usr/bin/env python3
"""MD steps per second of each engine with the same model and correction, side by side in one run.

    scripts/benchmark_engines.py [--engines ase lammps gromacs mliap] [--atoms 500 2048] [--threads 1 2]
                              [--steps 200] [--repeats 3] [--json FILE]

HIP-NN (the shipped model, float32) plus a correction out to 10 Angstrom, liquid-like aluminium at 1023 K and
1 bar, time step 2 fs, a frame every 25 steps. Whole simulations as the loop runs them, in turn; the slope
between a short and a long one, so that starting the engine does not count. Medians with the range, and the
ratio to the engine ase. ``mliap``, LAMMPS with ML-IAP, has an MPI rank for each thread of the others; it is
run where VOTCA_MLP_LAMMPS_MLIAP names such a program (VOTCA_MLP_LAMMPS_MPIRUN its launcher, default mpirun).
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine_cases import CASES, make_case, missing, run_case
from results_file import add_json, rounded, write_result

SHORT = 50  # MD steps


def main() -> None:
    """Run every number of threads in a process of its own, as pools are made once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--engines", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--atoms", type=int, nargs="+", default=[500, 2048])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    add_json(parser)
    options = parser.parse_args()
    engines = [engine for engine in options.engines if missing(engine) is None]
    if options.one:
        rows: dict[str, Any] = {}
        for count in options.atoms:
            rows |= measure(engines, count, options.threads[0], options.steps, options.repeats)
        options.rows.write_text(json.dumps(rows))
        return
    machine = platform.processor() or platform.machine()
    load = os.getloadavg()[0]
    print(
        f"{machine}, {os.cpu_count()} cores, load {load:.1f} at the start, Python {platform.python_version()}"
    )
    for engine in options.engines:
        if (why := missing(engine)) is not None:
            print(f"{engine}: not run: {why}")
    print("threads atoms engine    steps/s (range)              ratio to ase", flush=True)
    found: dict[str, Any] = {}
    for threads in options.threads:
        command = [sys.executable, "-W", "ignore", __file__, "--one", "--threads", str(threads)]
        command += ["--engines", *engines, "--atoms", *map(str, options.atoms)]
        command += ["--steps", str(options.steps), "--repeats", str(options.repeats)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.json"
            subprocess.run([*command, "--rows", str(file)], env=environment, check=True)
            rows = json.loads(file.read_text())
        # one number of threads needs no name
        several = len(options.threads) > 1
        found |= {f"{label} {threads} threads" if several else label: row for label, row in rows.items()}
    write_result(options.json, {"speeds": found}, units={"speed": "steps/s"}, seeds=1)


def measure(engines: list[str], count: int, threads: int, steps: int, repeats: int) -> dict[str, Any]:
    """Print a line for each engine; return a row for each."""
    for engine in engines:
        seconds(engine, count, threads, SHORT)  # compilers and caches
    rates: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(repeats):
        for engine in engines:
            # one after the other within a second or so: a busy machine slows both
            short, long = (seconds(engine, count, threads, n) for n in (SHORT, SHORT + steps))
            rates[engine].append(steps / (long - short))
    rows: dict[str, Any] = {}
    for engine, found in rates.items():
        ratio = [ours / ase for ours, ase in zip(found, rates.get("ase", []), strict=False)]
        shown = f"{statistics.median(found):8.2f} ({min(found):.2f}-{max(found):.2f})"
        against = f"{statistics.median(ratio):6.2f}" if ratio else "     -"
        print(f"{threads:7d} {count:5d} {engine:9s} {shown:28s} {against}", flush=True)
        rows[f"{engine} {count}"] = {
            "threads": threads,
            "atoms": count,
            "speed": rounded(statistics.median(found)),
            "range": [rounded(min(found)), rounded(max(found))],
            **({"ratio": rounded(statistics.median(ratio))} if ratio else {}),
        }
    return rows


def seconds(engine: str, count: int, threads: int, steps: int) -> float:
    """Return the wall time of a simulation of so many steps, everything in it."""
    from benchmark_systems import atoms_of, correction

    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "case"
        settings = make_case(
            engine,
            case,
            atoms_of(count),
            equilibration=SHORT // 2,
            production=steps - SHORT // 2,
            ranks=threads,
        )
        begin = time.perf_counter()
        run_case(settings, correction(), 1 if engine == "mliap" else threads)
        return time.perf_counter() - begin


if __name__ == "__main__":
    main()
