#!/usr/bin/env python3
"""Aluminium at two levels of theory: many low-level forces and few high-level energies.

    scripts/fidelities_metal.py [--ani FOLDER] [--directory FOLDER] [--seeds 5] [--json FILE]

The high level is ANI-Al (mean of eight networks trained to DFT), of which only energies are used; the low one
is ASE's effective medium theory, with energies and forces. Crystals and melts of 32 atoms, sampled at the low
level; whole trajectories are held out. A network with both heads that has 10 % of the high-level energies,
beside one with high-level energies alone, 10 to 80 % of them: error of the high-level energy on what is held
out. Each fit leaves a file in the directory and is skipped when that is there.
"""

import argparse
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

import ase.units
import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.md.langevin import Langevin
from results_file import add_json, number, write_result

from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.files import atomic_write
from votca_mlp.models.ani.model import AniModel
from votca_mlp.models.ani.neurochem import read_neurochem
from votca_mlp.models.hipnn.files import save_levels
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.trainer.loop import train
from votca_mlp.training.trainer.losses import ErrorSums, residuals
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.pair_rows import PairRows

LOW, HIGH = "EMT", "ANI-Al"
NETWORK = {
    "n_features": 12,
    "n_sensitivities": 16,
    "dist_soft_min": 1.8,
    "dist_soft_max": 5.5,
    "dist_hard_max": 6.0,
    "n_interaction_layers": 1,
    "n_atom_layers": 3,
}
TEMPERATURES = (300.0, 700.0, 1100.0, 2000.0, 3000.0)  # K
LATTICES = (3.95, 4.05, 4.15, 4.25)  # Angstrom
FRAMES, APART, SETTLE = 20, 20, 200  # of a trajectory; steps of 4 fs
FRACTIONS = (0.1, 0.2, 0.4, 0.8)


def sample() -> tuple[list[Atoms], list[str]]:
    """Return frames and their trajectories."""
    frames, groups = [], []
    for temperature in TEMPERATURES:
        for lattice in LATTICES:
            name = f"{temperature:g} K, {lattice} A"
            random = np.random.default_rng(zlib.crc32(name.encode()))
            atoms = bulk("Al", "fcc", lattice, cubic=True).repeat(2)
            atoms.rattle(0.05, rng=random)
            atoms.calc = EMT()
            md = Langevin(
                atoms, 4.0 * ase.units.fs, temperature_K=temperature, friction=0.05 / ase.units.fs, rng=random
            )
            md.run(SETTLE)
            for _ in range(FRAMES):
                md.run(APART)
                frames.append(atoms.copy())
                groups.append(name)
    return frames, groups


def label(frames: list[Atoms], groups: list[str], ani: Path) -> LabelledFrames:
    """Return the frames with both levels; energies alone of the high one."""
    high = PairListEvaluator(AniModel(read_neurochem(ani)))
    low: dict[str, list[Any]] = {"energies": [], "forces": []}
    energies: list[object] = []
    for atoms in frames:
        atoms.calc = EMT()
        low["energies"].append(atoms.get_potential_energy())
        low["forces"].append(atoms.get_forces())
        energies.append(high.evaluate(atoms).energy)
    return labelled_frames(frames, {LOW: low, HIGH: {"energies": energies}}, groups)


def data(path: Path, ani: Path) -> LabelledFrames:
    """Return the frames, from the directory or made."""
    if not path.exists():
        frames = label(*sample(), ani)
        with atomic_write(path, "wb") as file:
            labels = frames.levels
            columns = {n: getattr(frames, n) for n in ("positions", "cells", "groups")}
            extra = {"low": labels[LOW].energies, "forces": labels[LOW].forces, "high": labels[HIGH].energies}
            everything: dict[str, Any] = {**columns, **extra}
            np.savez(file, **everything)
    with np.load(path) as found:
        count = len(found["cells"])
        positions = found["positions"].reshape(count, -1, 3)
        atoms = [
            Atoms(f"Al{len(x)}", x, cell=cell, pbc=True)
            for x, cell in zip(positions, found["cells"], strict=True)
        ]
        low = {"energies": list(found["low"]), "forces": list(found["forces"].reshape(positions.shape))}
        levels = {LOW: low, HIGH: {"energies": list(found["high"])}}
        return labelled_frames(atoms, levels, [str(name) for name in found["groups"]])


def fit(
    frames: LabelledFrames, fraction: float, both: bool, seed: int, epochs: int, path: Path
) -> dict[str, float]:
    """Train one network and return its errors on held-out trajectories, meV per atom."""
    random = np.random.default_rng(seed)
    names = random.permutation(np.unique(frames.groups))
    held = np.isin(frames.groups, names[: len(names) // 4])
    pool = random.permutation(np.flatnonzero(~held))
    with_high = pool[: round(fraction * len(pool))]
    energies = np.full(len(frames), np.nan)
    energies[with_high] = frames.levels[HIGH].energies[with_high]
    levels = {HIGH: replace(frames.levels[HIGH], energies=energies)}
    if both:
        levels = {LOW: frames.levels[LOW], **levels}
    # validation is part of what a fit has: an eighth of the high-level energies
    count = max(2, len(with_high) // 8)
    validation, rest = with_high[:count], with_high[count:]
    training = np.concatenate([rest, pool[len(with_high) :]]) if both else rest
    options = TrainOptions(
        epochs=epochs, batch_size=16, learning_rate=5e-3, smallest_rate=1e-5, schedule="cosine", seed=seed
    )
    found = train(replace(frames, levels=levels), training, validation, NETWORK, options)
    save_levels(path, found.model, {"made by": "scripts/fidelities_metal.py"})
    given = dict(zip(found.model.numbers, map(float, found.model.self_energies[-1]), strict=True))
    unseen = frames.take(held)
    unseen = replace(unseen, levels={HIGH: unseen.levels[HIGH]})
    rows = PairRows(unseen, found.model.numbers, found.model.cutoff, {HIGH: given})
    sums, weights = ErrorSums.none(), {HIGH: LevelWeights()}
    for k in range(0, len(rows), 50):
        batch = rows.batch(np.arange(k, min(k + 50, len(rows))))
        sums.add(residuals(found.model, batch, weights, graph=False))
    return {name.split()[-1]: 1000.0 * value for name, value in sums.numbers().items()} | {
        "high-level energies": float(len(with_high)),
        "epochs": float(len(found.history)),
    }


def plan(seeds: int) -> Iterator[tuple[float, bool, int]]:
    """Yield fraction, whether both levels, seed; what the claim is made of first."""
    first = [(0.1, True), (0.8, False)]
    rest = [(f, both) for f in FRACTIONS for both in (True, False) if (f, both) not in first]
    for fraction, both in (*first, *rest):
        for seed in range(1, seeds + 1):
            yield fraction, both, seed


def main() -> None:
    """Fit what has left no file yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    measured = os.environ.get("VOTCA_MLP_DATA")
    parser.add_argument(
        "--ani", type=Path, default=Path(measured, "ani-al/model-Al-75") if measured else None
    )
    parser.add_argument("--directory", type=Path, default=Path("runs/fidelities_metal"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=100)
    add_json(parser)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    frames = data(options.directory / "data.npz", options.ani)
    found: dict[tuple[float, bool], list[dict[str, float]]] = {}
    for fraction, both, seed in plan(options.seeds):
        name = f"{'both' if both else 'high'}-{fraction:g}-{seed}"
        path = options.directory / f"{name}.json"
        if not path.exists():
            model = options.directory / f"{name}.pt"
            errors = fit(frames, fraction, both, seed, options.epochs, model)
            with atomic_write(path) as file:
                json.dump(errors, file)
            print(name, errors, flush=True)
        found.setdefault((fraction, both), []).append(json.loads(path.read_text()))
    rows = []
    for (fraction, both), results in sorted(found.items()):
        row: dict[str, Any] = {"levels": f"{LOW} and {HIGH}" if both else HIGH, "share": fraction}
        for column in ("energy_rmse", "energy_mae"):
            values = [result[column] for result in results]
            error = float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else None
            row[column] = number(float(np.mean(values)), error)
        row["high-level energies"] = results[0]["high-level energies"]
        rows.append(row)
        print(row)
    units = {"energy_rmse": "meV/atom", "energy_mae": "meV/atom"}
    write_result(options.json, {"held out": rows}, units=units, seeds=f"1 to {options.seeds}")


if __name__ == "__main__":
    main()
