#!/usr/bin/env python3
"""How near ANI's step is to what a core can do: its parts, and products of matrices beside the core's best.

    scripts/benchmark_ani_products.py [--models ani1x-4 ani2x-4] [--atoms 648] [--steps 60] [--json FILE]

One thread, processor time, constant volume, least of the steps. "in the networks" is the number of
floating-point operations of the networks' products, forward and backward, by the time of the networks as a
whole; "in the cache" that of a product that finds everything there, ours and torch's. "products alone" is
the time of a step's products at the best of these rates, and the "bound" what the ratio to the reference
would be if all else cost nothing: reference over products alone.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

import benchmark_systems as systems
import numpy as np
import torch
from benchmark_ani import SYSTEMS
from results_file import add_json, machine_line, rounded, write_result

SHAPES = ((128, 384, 160), (128, 384, 256), (128, 160, 384))
"""Rows, depth, columns."""
UNITS = {
    "step": "ms",
    "descriptor": "ms",
    "networks": "ms",
    "gradient": "ms",
    "reference": "ms",
    "products": "GFLOP",
    "in the networks": "GFLOP/s",
    "in the cache": "GFLOP/s",
    "torch in the cache": "GFLOP/s",
    "products alone": "ms",
}


def least(function: Callable[[], object], repeats: int) -> float:
    """Return the least processor time of so many calls, s."""
    found = []
    for _ in range(repeats + 1):
        begin = time.thread_time()
        function()
        found.append(time.thread_time() - begin)
    return min(found[1:])


def in_the_cache() -> dict[str, float]:
    """Return the rates of single products, ours and torch's, the best of SHAPES, GFLOP/s."""
    from votca_mlp.kernels.panels import panels_of, panels_product
    from votca_mlp.kernels.simd import aligned

    rng = np.random.default_rng(1)
    rates: dict[str, list[float]] = {"in the cache": [], "torch in the cache": []}
    for rows, depth, columns in SHAPES:
        a, b = (rng.normal(size=shape).astype(np.float32) for shape in ((rows, depth), (depth, columns)))
        out, flat, panels = np.zeros(rows * columns, np.float32), a.ravel(), aligned(panels_of(b))
        one, other, into = torch.from_numpy(a), torch.from_numpy(b), torch.zeros(rows, columns)
        ours = partial(panels_product, rows, columns, depth, flat, 0, panels, 0, out, 0, False)
        torchs = partial(torch.mm, one, other, out=into)
        for name, function in (("in the cache", ours), ("torch in the cache", torchs)):
            rates[name].append(2e-9 * rows * depth * columns / least(function, 400))
    return {name: max(found) for name, found in rates.items()}


def parts(model: str, count: int, steps: int) -> dict[str, float]:
    """Return the times of a step and of its parts, s, least of the steps, and its products' GFLOP."""
    from votca_mlp.models.ani import networks, species_descriptor, species_gradient

    evaluator = systems.evaluator(model, corrected=True, threads=1)
    md = systems.ours(evaluator, systems.atoms_of(count, model), "nvt")
    md.step()
    spent: dict[str, float] = {}

    def watch(owner: Any, name: str, part: str) -> None:
        function = getattr(owner, name)

        def timed(*arguments: Any) -> Any:
            begin = time.thread_time()
            result = function(*arguments)
            spent[part] = spent.get(part, 0.0) + time.thread_time() - begin
            return result

        setattr(owner, name, timed)

    watch(species_descriptor, "descriptors", "descriptor")
    watch(networks, "evaluate", "networks")
    watch(species_gradient, "gradients", "gradient")
    watch(md, "step", "step")
    best: dict[str, float] = {}
    for _ in range(steps):
        spent.clear()
        md.step()
        best = {part: min(value, best.get(part, value)) for part, value in spent.items()}
    fast = evaluator.model._fast
    operations = 0.0
    for low, high in fast._arrangement.blocks:
        own = fast._networks[fast._arrangement.numbers[fast._arrangement.order[low]]]
        # a multiplication and an addition, forward and backward
        operations += 4e-9 * (high - low) * len(own.shifts) * float(own.sizes[:-1] @ own.sizes[1:])
    return {**best, "products": operations}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["ani1x-4", "ani2x-4"], choices=list(SYSTEMS))
    parser.add_argument("--atoms", type=int, default=648)
    parser.add_argument("--steps", type=int, default=60)
    add_json(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(machine_line())
    rows = {}
    for model in options.models:
        cache = in_the_cache()
        reference = least(
            systems.step_of("reference", model, options.atoms, "nvt", 1, "cpu"), options.steps // 6
        )
        found = parts(model, options.atoms, options.steps)
        again = in_the_cache()
        cache = {name: max(cache[name], again[name]) for name in cache}
        alone = found["products"] / max(cache.values())
        row = {name: 1e3 * found[name] for name in ("step", "descriptor", "networks", "gradient")}
        row |= {
            "reference": 1e3 * reference,
            "ratio": reference / found["step"],
            "products": found["products"],
        }
        row |= {"in the networks": found["products"] / found["networks"], **cache}
        row |= {
            "products alone": 1e3 * alone,
            "share": 100 * alone / found["step"],
            "bound": reference / alone,
        }
        rows[f"{model} {options.atoms}"] = {name: rounded(value) for name, value in row.items()}
        print(f"{model:18s}", rows[f"{model} {options.atoms}"], flush=True)
    write_result(options.json, {"products": rows}, units=UNITS, seeds=1)


if __name__ == "__main__":
    main()
