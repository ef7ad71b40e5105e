#!/usr/bin/env python3
"""What an iteration of a fusion costs with and without a new trajectory: titanium, small and large.

    scripts/fusion_cost.py DIRECTORY [--data FOLDER] [--seeds N] [--cases NAME...] [--iterations N]
                           [--beside CHECKOUT] [--json FILE]

DIRECTORY is that of fusion_titanium.py, whose fit to PBE with the first seed is fused. Times are those
that the process had on a processor, as other work on the machine matters less then: a trajectory (start and
production, one state), the rest of an iteration (labels, values, derivatives, search; mean over iterations),
and an iteration with a new trajectory in both states over one without any. With --beside the same is run with
the package of another checkout, afterwards.
FOLDER has ti_dft_saidi and titanium (VOTCA_MLP_DATA).
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from ase import Atoms
from fusion_stages import say
from results_file import Json, add_directory, mean_number, number, parsed, write_result
from titanium.data import LEVEL, dft_frames, measured, split
from titanium.states import experiments_of, state_of

from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import labels_of
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.simulate import simulate
from votca_mlp.training.fusion.states import StatePoint

CASES = {"96 atoms, 10 ps": ((4, 2, 3), 10.0), "144 atoms, 20 ps": ((4, 3, 3), 20.0)}
"""Repeats of the cell with four atoms, and the production in ps."""
TRAINED = (323.0, 923.0)
"""K."""
HELD_SEED = 1


class _Enough(Exception):
    """The iterations that were wanted are done."""


class Clock:
    """Processor time of a fusion, that of MD apart; takes the places of its simulator and its report."""

    def __init__(self, iterations: int) -> None:
        self.iterations, self.trajectories, self.rest = iterations, list[float](), list[float]()
        self.in_md, self.began = 0.0, time.process_time()

    def simulator(
        self, state: StatePoint, copies: Copies, folder: Path, number: int, start: Atoms, seed: int
    ) -> StoredFrames:
        """Run a trajectory."""
        began = time.process_time()
        found = simulate(state, copies, folder, number, start, seed)
        self.trajectories.append(time.process_time() - began)
        self.in_md += self.trajectories[-1]
        return found

    def report(self, line: str) -> None:
        """Note an iteration."""
        say(line)
        now = time.process_time()
        self.rest.append(now - self.began - self.in_md)
        self.began, self.in_md = now, 0.0
        if len(self.rest) > self.iterations:
            raise _Enough


def timed(options: argparse.Namespace, case: str) -> Json:
    """Return the times of a case."""
    repeat, production = CASES[case]
    known = measured(options.data / "titanium")
    frames, _ = dft_frames(options.data / "ti_dft_saidi" / "iter0_Ti.tar.xz")
    model = load_hipnn(options.directory / f"seed_{options.seeds[0]}" / "dft.pt")
    learn, held = split(frames, HELD_SEED)
    clock = Clock(options.iterations)
    with tempfile.TemporaryDirectory() as folder:
        fusion = Fusion(
            model,
            [state_of(known[t], 1000.0 * production, repeat=repeat) for t in TRAINED],
            [each for t in TRAINED for each in experiments_of(known[t], repeat)],
            labels_of(frames, learn, model, LEVEL),
            labels_of(frames, held, model, LEVEL),
            Path(folder),
            FusionOptions(iterations=100, patience=100, seed=options.seeds[0]),
            report=clock.report,
            simulator=clock.simulator,
        )
        with contextlib.suppress(_Enough):
            fusion.run()
    # the first iteration compiles
    rest = clock.rest[1:]
    mean = statistics.mean(rest)
    return {
        "trajectory": mean_number(clock.trajectories),
        "trajectories": len(clock.trajectories),
        "rest": mean_number(rest),
        "iterations": len(rest),
        "ratio": number((mean + len(TRAINED) * statistics.mean(clock.trajectories)) / mean),
    }


def beside(options: argparse.Namespace) -> Json:
    """Return the rows of another checkout's package."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fusion_cost.json"
        command = [sys.executable, __file__, str(options.directory), "--data", str(options.data)]
        command += ["--seeds", str(options.seeds[0]), "--cases", *options.cases, "--json", str(path)]
        command += ["--iterations", str(options.iterations)]
        environment = {**os.environ, "PYTHONPATH": str(options.beside.absolute())}
        subprocess.run(command, env=environment, check=True)
        found: Json = json.loads(path.read_text())["tables"]["cost"]
    return found


def main() -> None:
    """Time all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_directory(parser, [1])
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--iterations", type=int, default=4, help="after the first, which is not counted")
    parser.add_argument("--beside", type=Path, help="another checkout of this repository")
    options = parsed(parser, "ti_dft_saidi and titanium")
    torch.set_num_threads(1)
    found = {case: timed(options, case) for case in options.cases}
    if options.beside is not None:
        found |= {f"{case}, before": row for case, row in beside(options).items()}
    write_result(
        options.json, {"cost": found}, units={"trajectory": "s", "rest": "s"}, seeds=options.seeds[:1]
    )


if __name__ == "__main__":
    main()
