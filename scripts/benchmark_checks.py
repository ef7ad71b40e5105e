#!/usr/bin/env python3
"""What the checks for MD that explodes cost: steps with and without them, in turn, by processor time.

    scripts/benchmark_checks.py [--atoms 108 256 500] [--pairs 150] [--json FILE]

HIP-NN (the shipped model, float32) plus a correction out to 10 Angstrom, liquid-like aluminium at constant
pressure, one thread, as the engine `ase` makes its steps. The checks: energy, temperature, closest atoms,
volume and box after each step; the barostat's strain and the factors of the chains in it; box, positions and
number of neighbours before a list is built. Blocks of steps with and without them follow one another in one
process, the order turned from pair to pair. The cost is the median over pairs of the difference, as a share
of a step, with its standard error (a busy machine spoils some blocks by far); and the watch after each step
called by itself, which has less noise.
"""

import argparse
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

os.environ["OMP_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"

import benchmark_systems as systems
import numpy as np
from results_file import add_json, rounded, write_result

SECONDS = 0.06  # of processor time, of a block: short beside changes of the machine's load
STEPS = 40  # of a block at least, so that lists are built in each
CALLS = 2000  # of the watch by itself
LISTS = ("ghost_atoms", "full_list", "half_list", "clusters")


def without() -> ExitStack:
    """Return a context in which nothing within a step is checked."""
    from ase.geometry import complete_cell

    def unchecked(positions: Any, cell: Any, _pbc: Any, _reach: float) -> tuple[Any, Any]:
        return positions, complete_cell(cell)

    stack = ExitStack()
    for name in LISTS:
        stack.enter_context(patch(f"votca_mlp.neighbours.{name}.checked_cell", unchecked))
    stack.enter_context(patch("votca_mlp.engines.ase.motion._bounded", lambda factor, *_: factor))
    stack.enter_context(patch("votca_mlp.engines.ase.motion.MOST_STRAIN", np.inf))
    return stack


def block(step: Callable[[], None], count: int) -> float:
    """Return ms of processor time a step."""
    begin = time.process_time()
    for _ in range(count):
        step()
    return 1000.0 * (time.process_time() - begin) / count


def measure(count: int, pairs: int) -> dict[str, Any]:
    """Return of a number of atoms the time of a step and what the checks add to it, in percent."""
    from votca_mlp.engines.options import Limits
    from votca_mlp.engines.shared.stages import Stage
    from votca_mlp.engines.shared.watch import make_watch

    md = systems.ours(systems.evaluator("hipnn", corrected=True, threads=1), systems.atoms_of(count), "npt")
    # half the box of few atoms is below 10 Angstrom, which only g(r) minds
    watch = make_watch(Limits(), r_max=1.0, volume=md.volume)
    stage = Stage("production", 10**9, 10**9, systems.TEMPERATURE, False, False)

    def checked() -> None:
        md.step()
        watch.check(md, stage, 1)

    steps = max(STEPS, round(1000.0 * SECONDS / block(checked, STEPS)))
    found: dict[bool, list[float]] = {True: [], False: []}
    for number in range(pairs):
        for with_checks in (True, False) if number % 2 else (False, True):
            if with_checks:
                found[True].append(block(checked, steps))
            else:
                with without():
                    found[False].append(block(md.step, steps))
    bare = float(np.median(found[False]))
    shares = 100.0 * (np.array(found[True]) - np.array(found[False])) / bare
    watched = block(lambda: watch.check(md, stage, 1), CALLS)
    # standard deviation of normal noise from the median deviation, and that of a median
    middle = float(np.median(shares))
    error = 1.2533 * 1.4826 * float(np.median(np.abs(shares - middle))) / np.sqrt(pairs)
    return {
        "step": rounded(bare),
        "share": {"value": rounded(middle), "error": rounded(error)},
        "watch": rounded(100.0 * watched / bare),
        "pairs": pairs,
        "steps": steps,
    }


def main() -> None:
    """Measure each number of atoms."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--atoms", type=int, nargs="+", default=[108, 256, 500], choices=systems.CELLS)
    parser.add_argument("--pairs", type=int, default=150, help="of blocks (default: 150)")
    add_json(parser)
    options = parser.parse_args()
    rows = {}
    for count in options.atoms:
        rows[str(count)] = row = measure(count, options.pairs)
        share = row["share"]
        print(
            f"{count} atoms: {row['step']:.3f} ms a step, checks {share['value']:.2f} +- "
            f"{share['error']:.2f} %, the watch by itself {row['watch']:.2f} %",
            flush=True,
        )
    write_result(options.json, {"checks": rows}, units={"step": "ms", "share": "%", "watch": "%"}, seeds=1)


if __name__ == "__main__":
    main()
