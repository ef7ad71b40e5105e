#!/usr/bin/env python3
"""MD steps per second of this package and of what a user would run instead, side by side.

    scripts/benchmark.py [--atoms 256 500 2048 8192] [--models hipnn ani] [--threads 1 2] [--repeats 5]
                         [--quick] [--json FILE]
    scripts/benchmark.py --models 2x1 1x2 2x2 1x1-vec 1x1-quad 2x2-vec 2x2-quad --atoms 500 2048
    scripts/benchmark.py --models ani1x ani1x-4 ani2x ani2x-4 --atoms 648 2058

Ours: model plus correction in the engine `ase`. The reference: hippynn's or torchani's own ASE calculator in
ASE's integrator, float32, without any correction (in its favour). Both in turn in one process, on liquid-like
aluminium, at constant volume and pressure; then where ours spends a step, growth with the number of atoms,
memory, and differences to the reference. ANI needs ANI_AL. About 20 minutes on two quiet cores.
2x1 is a HIP-NN of two species and one interaction layer, and so on (benchmark_systems.py); vec and quad have
tensors. ani1x and ani2x are water with random weights in the published architecture, ani1x-4 and ani2x-4
formamide, which has four species (benchmark_ani.py); ani1x-published and ani1x-published-4 are the same with
published weights, which need ANI_1X.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from benchmark_ani import PUBLISHED, SYSTEMS, is_published
from benchmark_systems import NETWORKS
from results_file import add_json, machine, rounded, write_result

ENSEMBLES = ("nvt", "npt")
OTHERS = [name for name in (*NETWORKS, *SYSTEMS) if name != "2x1"]
MODEL_PARTS = ("neighbour list", "pair vectors", "model", "model, pairs and forces")
LATER_PARTS = (
    "forces from its gradient",
    "correction with its list",
    "its list",
    "rest of the evaluation",
    "integrator",
    "output, checkpoints",
    "step",
)
OUTSIDE = ("neighbour list", "integrator", "rest of the evaluation", "output, checkpoints")
LIMITS = {"correction": 3.0, "outside the model": 15.0}  # % of a step, at the largest of these sizes
LIMITS_AT, RATIOS = 2048, {"hipnn": 5.0, "ani": 10.0, "2x1": 10.0, **dict.fromkeys(OTHERS, 5.0)}
SAME = 1e-6, 1e-4  # eV/atom, eV/Angstrom
UNITS = {
    "ours": "steps/s (speeds), MB (memory)",
    "reference": "as ours",
    "parts": "ms a step",
    "energy": "eV/atom",
    "forces": "eV/Angstrom",
    "time": "min",
}
CHOICES = ["hipnn", "ani", *NETWORKS, *SYSTEMS]
Rows = dict[str, dict[str, Any]]


def main() -> None:
    """Run every case in a process of its own, as pools of threads are made once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--atoms", type=int, nargs="+", default=[256, 500, 2048, 8192])
    parser.add_argument("--models", nargs="+", default=["hipnn", "ani"], choices=CHOICES)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="256 atoms, HIP-NN, one thread, two repeats")
    add_json(parser)
    options = parser.parse_args()
    if options.quick:
        options.atoms, options.models, options.threads, options.repeats = [256], ["hipnn"], [1], 2
    if "ANI_AL" not in os.environ and "ani" in options.models:
        print("ANI_AL is not set: ani is left out")
        options.models.remove("ani")
    if PUBLISHED not in os.environ and any(map(is_published, options.models)):
        parser.error(f"{PUBLISHED} is not set (benchmark_ani.py says to what)")
    begin = time.time()
    devices = header(options.threads)
    tables = {"cores": measure_cores(options)}
    found, tables["speeds"] = measure_speeds(options, devices)
    tables["growth"] = growth(found)
    tables["parts"] = measure_parts(options)
    tables["memory"] = measure_memory(options)
    tables["differences"] = measure_differences(options)
    minutes = (time.time() - begin) / 60
    tables["all"] = {"benchmark": {"time": round(minutes, 1)}}
    print(f"\n{minutes:.1f} minutes, load of the machine at the end {os.getloadavg()[0]:.1f}")
    # one size has no growth
    write_result(options.json, {k: rows for k, rows in tables.items() if rows}, units=UNITS, seeds=1)


def header(threads: list[int]) -> list[tuple[str, int, str]]:
    """Print machine and versions; return name, threads and device of each way to run."""
    import torch

    from votca_mlp.versions import versions

    here = machine()
    print(f"{here['processor']}, {here['cores']} cores, load at the start {here['load']:.1f}")
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    devices = [(f"{n} thread{'s' * (n > 1)}", n, "cpu") for n in threads]
    if torch.cuda.is_available():
        print(f"GPU: {torch.cuda.get_device_name(0)}")
        return [*devices, ("GPU", max(threads), "cuda")]
    print("no GPU here: not measured on one")
    return devices


def measure_cores(options: argparse.Namespace) -> Rows:
    """Print what two cores are worth: cores that are two threads of one share what it has."""
    model = options.models[0]
    atoms = max(n for n in options.atoms if n <= 1.1 * LIMITS_AT or n == min(options.atoms))
    arguments = {"model": model, "count": atoms, "seconds": 4.0}
    one = run("alone", **arguments)
    with ThreadPoolExecutor(2) as pool:
        two = list(pool.map(lambda _: run("alone", **arguments), range(2)))
    if one is None or None in two:
        return {}
    worth = sum(one / each for each in two)
    rates = ", ".join(f"{1000.0 / each:.1f}" for each in two)
    print(
        f"{model}, {atoms} atoms, nvt, one thread: {1000.0 / one:.1f} steps/s alone; "
        f"two processes at a time: {rates}"
    )
    print(f"two cores do the work of {worth:.2f}")
    names = ("alone", "one of two", "other of two")
    row = {name: rounded(1000.0 / ms) for name, ms in zip(names, (one, *two), strict=True)}
    return {f"{model} {atoms}": {**row, "worth": round(worth, 2)}}


def run(task: str, **arguments: Any) -> Any:
    """Return what a function of benchmark_case returns in a process with so many threads, or None."""
    threads = arguments.get("threads", 1)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
    script = str(Path(__file__).with_name("benchmark_case.py"))
    command = [sys.executable, "-W", "ignore", script, json.dumps([task, arguments])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["killed"])[-1]
        print(f"{task} {arguments}: failed: {last}", flush=True)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def measure_speeds(
    options: argparse.Namespace, devices: list[tuple[str, int, str]]
) -> tuple[dict[Any, Any], Rows]:
    """Print a line for each case; return medians of ms a step by case, and steps a second with ranges."""
    print("\nMD steps per second, medians (range)")
    print("model    where      atoms ensemble  ours with correction        reference, without          ratio")
    cases = list(itertools.product(options.atoms, options.models, devices, ENSEMBLES))
    found: dict[Any, Any] = {}
    rows: Rows = {}
    begin = time.time()
    # large ones take longest by far
    weights = [float(atoms) for atoms, *_ in cases]
    for number, (atoms, model, (where, threads, device), ensemble) in enumerate(cases):
        times = run("speeds", threads=threads, model=model, count=atoms, ensemble=ensemble,
                    device=device, repeats=options.repeats)  # fmt: skip
        if times is None:
            continue
        medians = [statistics.median(times[kind]) for kind in ("ours", "reference")]
        found[model, where, ensemble, atoms] = medians
        rates = [sorted(1000.0 / ms for ms in times[kind]) for kind in ("ours", "reference")]
        shown = [f"{1000.0 / ms:8.2f} ({r[0]:.2f}-{r[-1]:.2f})" for ms, r in zip(medians, rates, strict=True)]
        ratio = medians[1] / medians[0]
        row: dict[str, Any] = {"ratio": rounded(ratio)}
        for kind, ms, each in zip(("ours", "reference"), medians, rates, strict=True):
            row |= {kind: rounded(1000.0 / ms), f"{kind}_range": [rounded(each[0]), rounded(each[-1])]}
        rows[f"{model} {where} {atoms} {ensemble}"] = row
        goal = ""
        if LIMITS_AT <= atoms < 1.1 * LIMITS_AT and threads == 2 and device == "cpu":
            goal = f"  at least {RATIOS[model]:.0f}: {met(ratio >= RATIOS[model])}"
        line = f"{model:8s} {where:10s} {atoms:5d} {ensemble:8s} {shown[0]:26s}  {shown[1]:26s} {ratio:6.1f}"
        print(line + goal, flush=True)
        left = (time.time() - begin) * sum(weights[number + 1 :]) / sum(weights[: number + 1])
        print(f"  speeds: {number + 1} of {len(cases)}, under {left / 60 + 1:.0f} min", file=sys.stderr)
    return found, rows


def growth(found: dict[Any, Any]) -> Rows:
    """Print and return p of time ~ N^p by model, device and ensemble, over all sizes and the two largest."""
    rows: Rows = {}
    series: dict[Any, list[tuple[int, list[float]]]] = {}
    for (*key, atoms), medians in found.items():
        series.setdefault(tuple(key), []).append((atoms, medians))
    if all(len(points) < 2 for points in series.values()):
        return rows
    print("\nGrowth: p of time ~ N^p fitted to all sizes, and between the two largest")
    print("model    where      ensemble     ours   largest   reference   largest")
    for (model, where, ensemble), points in series.items():
        points.sort()
        if len(points) > 1:
            atoms, times = np.log([n for n, _ in points]), np.log([ms for _, ms in points])
            fits = np.polyfit(atoms, times, 1)[0]
            last = (times[-1] - times[-2]) / (atoms[-1] - atoms[-2])
            row = f"{fits[0]:8.2f} {last[0]:9.2f} {fits[1]:11.2f} {last[1]:9.2f}"
            print(f"{model:8s} {where:10s} {ensemble:8s} {row}")
            powers = (fits[0], last[0], fits[1], last[1])
            names = ("ours", "ours_largest", "reference", "reference_largest")
            rows[f"{model} {where} {ensemble}"] = {n: rounded(p) for n, p in zip(names, powers, strict=True)}
    return rows


def measure_parts(options: argparse.Namespace) -> Rows:
    """Print where a step of ours goes, at constant pressure; return ms and shares in %."""
    rows: Rows = {}
    for model, threads in itertools.product(options.models, options.threads):
        columns = {}
        for n in options.atoms:
            part = run("breakdown", threads=threads, model=model, count=n, ensemble="npt")
            if part is not None:
                columns[n] = part
        if not columns:
            continue
        print(f"\nA step of ours at constant pressure, {model}, {threads} thread(s): ms (%)")
        print(f"{'atoms':34s}" + "".join(f"{n:>18d}" for n in columns))
        label = f"{model} {threads} thread{'s' * (threads > 1)}"
        for n, part in columns.items():
            rows[f"{label} {n}"] = {name: rounded(ms) for name, ms in part.items()}
        inside = sorted({k for part in columns.values() for k in part if k.startswith("of this")})
        known = {k for part in columns.values() for k in part}
        for name in [k for k in (*MODEL_PARTS, *inside, *LATER_PARTS) if k in known]:
            cells = [
                f"{p.get(name, 0.0):9.3f} ({100 * p.get(name, 0.0) / p['step']:5.1f})"
                for p in columns.values()
            ]
            indented = "  " * (name in inside or name == "its list") + name
            print(f"{indented:34s}" + "".join(f"{cell:>18s}" for cell in cells))
        sums = {"correction": ("correction with its list",), "outside the model": OUTSIDE}
        for name, parts in sums.items():
            shares = {n: 100.0 * sum(p[k] for k in parts) / p["step"] for n, p in columns.items()}
            cells = [f"{share:.1f} %" for share in shares.values()]
            share_of = f"share {name}" if name.startswith("outside") else f"share of the {name}"
            for n, share in shares.items():
                rows[f"{label} {n}"][share_of] = round(share, 1)
            at = shares.get(LIMITS_AT)
            goal = (
                ""
                if at is None
                else f"  at most {LIMITS[name]:.0f} at {LIMITS_AT}: {met(at <= LIMITS[name])}"
            )
            print(f"{name:34s}" + "".join(f"{cell:>18s}" for cell in cells) + goal)
    print(
        "\noutside the model: neighbour list, rest, integrator, output. The compiled models give energy and"
    )
    print(
        "gradient in one call: the networks' forward and backward passes are not apart. HIP-NN's reads pairs"
    )
    print("from its list and returns forces: vectors and forces of pairs are part of it.")
    return rows


def measure_memory(options: argparse.Namespace) -> Rows:
    """Print and return the largest memory of a process of ours and of the reference, MB."""
    rows: Rows = {}
    threads = max(options.threads)
    print(f"\nLargest memory of the process, MB, constant volume, {threads} thread(s)")
    print("model    atoms      ours  reference")
    for model, atoms in itertools.product(options.models, options.atoms):
        common = {"threads": threads, "model": model, "count": atoms, "ensemble": "nvt"}
        sizes = [run("memory", kind=kind, **common) for kind in ("ours", "reference")]
        shown = [f"{size:9.0f}" if size is not None else "   failed" for size in sizes]
        print(f"{model:8s} {atoms:5d} {shown[0]} {shown[1]}", flush=True)
        rows[f"{model} {atoms}"] = {
            kind: round(size) for kind, size in zip(("ours", "reference"), sizes, strict=True) if size
        }
    return rows


def measure_differences(options: argparse.Namespace) -> Rows:
    """Print and return how far ours, the reference and float64 are apart."""
    rows: Rows = {}
    atoms = min(options.atoms, key=lambda n: abs(n - 256))
    print(f"\nLargest differences without correction, {atoms} atoms (float64: our plain torch path)")
    print("model    between                energy [eV/atom]  forces [eV/Angstrom]")
    for model in options.models:
        for names, values in (run("equality", model=model, count=atoms) or {}).items():
            same = met(values[0] <= SAME[0] and values[1] <= SAME[1])
            goal = f"  at most {SAME[0]:.0e}, {SAME[1]:.0e}: {same}" if names.startswith("ours") else ""
            print(f"{model:8s} {names:22s} {values[0]:16.1e} {values[1]:21.1e}{goal}")
            rows[f"{model} {names}"] = {"energy": rounded(values[0]), "forces": rounded(values[1])}
    return rows


def met(yes: bool) -> str:
    """Return a verdict."""
    return "met" if yes else "NOT MET"


if __name__ == "__main__":
    main()
