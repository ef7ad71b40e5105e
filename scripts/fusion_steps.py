#!/usr/bin/env python3
"""What refuses a fusion's first step: titanium's, on the trajectories that its fusions began with.

    scripts/fusion_steps.py DIRECTORY [--data FOLDER] [--seeds N...] [--production PS] [--json FILE]

DIRECTORY is that of scripts/fusion_titanium.py: seed_N/dft.pt and the first trajectories in seed_N/fusion are
read, nothing is changed there. The trust region is known by 12 random combinations of the frames or by
every frame, and with every frame the labels' energies count once or ten times. Shares of each step are set
beside the limits of the labels, and the variance of U/kBT that the trust region predicts beside the true one.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from fusion_stages import say
from results_file import Json, add_directory, number, parsed, write_result
from titanium.data import LEVEL, dft_frames, measured, split
from titanium.states import experiments_of, state_of

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import labels_of
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.pool import energies_of
from votca_mlp.training.fusion.search import LINE
from votca_mlp.training.labelled import LabelledFrames

HELD_SEED, TEMPERATURES = 1, (323.0, 923.0)
WAYS = {
    "12 probes": (12, 1.0),
    "every frame": (0, 1.0),
    "every frame, energies x 10": (0, 10.0),
}
"""Probes, and factor of the energies in the labels' chi^2."""


def steps_of(fusion: Fusion, factor: float, seconds: float) -> Iterator[tuple[str, Json]]:
    """Yield what shares of the first step give, by share."""
    goal, search, progress = fusion.objective, fusion.search, fusion.progress
    found = fusion.measured([], 0.0)
    scale = goal.scale(found.responses)
    here, before = fusion.copies.vector, goal.chi2(found.responses, scale)
    assert search.term is not None
    search.term = search.term.weighted({"energy": factor})
    step = search.solved(found, scale, progress)
    seconds = time.process_time() - seconds
    pools = fusion.trajectories.pools.values()
    energies = [energies_of(fusion.copies.double, pool.frames) for pool in pools]
    for share in LINE:
        fusion.copies.put(here + share * step.change)
        _, beyond = fusion.limits.judged(fusion.copies.single, goal.labels, goal.held)
        assert goal.labels is not None
        learnt = goal.labels.errors(fusion.copies.single)
        moved = [energies_of(fusion.copies.double, pool.frames) for pool in pools]
        true = max(
            float((pool.state.beta * (new - old)).var(unbiased=False))
            for pool, old, new in zip(pools, energies, moved, strict=True)
        )
        after = goal.chi2(goal.responses(fusion.trajectories.pools, fusion.copies), scale)
        yield (
            f"{share:g}",
            {
                "variance_predicted": number(share**2 * step.variance),
                "variance": number(true),
                "n_eff": number(min(p.effective(e) for p, e in zip(pools, moved, strict=True))),
                "energy": number(learnt["energy"] / progress.scales["energy"]),
                "force": number(learnt["force"] / progress.scales["force"]),
                "chi2": number(after / before),
                "beyond": ", ".join(beyond) or "none",
                "seconds": number(seconds),
            },
        )


def one(options: argparse.Namespace, frames: LabelledFrames, seed: int, way: str) -> dict[str, Json]:
    """Return the shares of a seed's first step in one way."""
    known, source = measured(options.data / "titanium"), options.directory / f"seed_{seed}"
    probes, factor = WAYS[way]
    model, (learn, held) = load_hipnn(source / "dft.pt"), split(frames, HELD_SEED)
    with tempfile.TemporaryDirectory() as folder:
        for temperature in TEMPERATURES:
            place = f"{temperature:.0f}K/trajectory_001"
            shutil.copytree(source / "fusion" / place, Path(folder) / place)
        fusion = Fusion(
            model,
            [state_of(known[t], 1000.0 * options.production) for t in TEMPERATURES],
            [each for t in TEMPERATURES for each in experiments_of(known[t])],
            labels_of(frames, learn, model, LEVEL),
            labels_of(frames, held, model, LEVEL),
            Path(folder),
            FusionOptions(seed=seed, probes=probes),
            report=lambda line: None,
        )
        fusion.trajectories.renew(fusion.progress, lambda: None)
        rows = dict(steps_of(fusion, factor, time.process_time()))
    for share, row in rows.items():
        say(f"seed {seed}, {way}, share {share}: {row}")
    return rows


def main() -> None:
    """Take the first step of each seed in each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_directory(parser, [2, 3])
    parser.add_argument("--production", type=float, default=10.0, help="of the stored trajectories, ps")
    options = parsed(parser, "ti_dft_saidi and titanium")
    torch.set_num_threads(1)
    frames, _ = dft_frames(options.data / "ti_dft_saidi" / "iter0_Ti.tar.xz")
    tables = {
        f"seed {seed}, {way}": {
            f"share {share}": row for share, row in one(options, frames, seed, way).items()
        }
        for seed in options.seeds
        for way in WAYS
    }
    rows = {f"{name}, {share}": row for name, found in tables.items() for share, row in found.items()}
    write_result(options.json, {"steps": rows}, units={"seconds": "s"}, seeds=options.seeds)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
