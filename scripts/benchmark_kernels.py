#!/usr/bin/env python3
"""What single parts of an MD step cost beside the usual way, side by side, one thread.

    scripts/benchmark_kernels.py [--atoms 2048] [--repeats 30] [--json FILE]

Neighbour lists: ours beside vesin's, to the model's reach and to the correction's. The correction u(r) once
its list is there: compiled, beside torch on a list of pairs (what runs on other devices). HIP-NN's descriptor
with and without the numbers in its table that are too small to matter (below 1e-20). Medians, in turn.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

import benchmark_systems as systems
import numpy as np
from results_file import add_json, rounded, write_result

MODEL_REACH, CORRECTION_CUTOFF, SKIN = 8.0, 10.0, 0.75  # Angstrom


def main() -> None:
    """Print ms and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--atoms", type=int, default=2048, choices=list(systems.CELLS))
    parser.add_argument("--repeats", type=int, default=30)
    add_json(parser)
    options = parser.parse_args()
    from votca_mlp.versions import versions

    print(platform.machine(), *(f"{name} {version}" for name, version in versions().items()), sep=", ")
    print(f"{options.atoms} atoms of aluminium, one thread; medians of {options.repeats}, ms")
    rows = {}
    for title, ours, other, usual in (*lists(options.atoms), *kernels(options.atoms)):
        one, two = interleaved(ours, usual, options.repeats)
        print(f"{title:52s} {one:8.3f}   {other:26s} {two:8.3f}   ratio {two / one:5.1f}", flush=True)
        rows[title] = {"ours": rounded(one), other: rounded(two), "ratio": rounded(two / one)}
    write_result(options.json, {"parts": rows}, units={"parts": "ms"}, seeds=1)


def interleaved(ours: Callable[[], object], usual: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the medians of both in ms, taken in turn; the first calls, which compile, are not counted."""
    spent: tuple[list[float], list[float]] = ([], [])
    for number in range(repeats + 2):
        for function, times in zip((ours, usual), spent, strict=True):
            begin = time.perf_counter()
            function()
            if number >= 2:
                times.append(1000.0 * (time.perf_counter() - begin))
    return statistics.median(spent[0]), statistics.median(spent[1])


Comparison = tuple[str, Callable[[], object], str, Callable[[], object]]


def lists(count: int) -> list[Comparison]:
    """Return the comparisons of neighbour lists."""
    from vesin import NeighborList

    from votca_mlp.neighbours.clusters import find_clusters
    from votca_mlp.neighbours.full_list import find_full_list
    from votca_mlp.neighbours.half_list import find_half_list

    atoms = systems.atoms_of(count)
    place = (atoms.get_positions(), np.asarray(atoms.cell.array), atoms.pbc)

    def vesin(cutoff: float, full: bool) -> Callable[[], object]:
        finder = NeighborList(cutoff=cutoff, full_list=full, sorted=full)
        return lambda: finder.compute(points=place[0], box=place[1], periodic=True, quantities="ijS")

    kinds, cutoffs = np.zeros(len(atoms), np.int64), np.array([[CORRECTION_CUTOFF]])
    reach = CORRECTION_CUTOFF + SKIN
    return [
        (
            f"list, full, {MODEL_REACH:g} Angstrom: rows",
            lambda: find_full_list(*place, MODEL_REACH),
            "vesin",
            vesin(MODEL_REACH, True),
        ),
        (
            f"list, half, {MODEL_REACH:g} Angstrom: half rows",
            lambda: find_half_list(*place, MODEL_REACH),
            "vesin",
            vesin(MODEL_REACH, False),
        ),
        (
            f"list, half, {reach:g} Angstrom: clusters",
            lambda: find_clusters(*place, kinds, cutoffs, SKIN),
            "vesin",
            vesin(reach, False),
        ),
    ]


def kernels(count: int) -> list[Comparison]:
    """Return the comparisons of the correction and of HIP-NN."""
    import torch

    from votca_mlp.evaluation.correction import CorrectionAdder
    from votca_mlp.models.hipnn import fast as hipnn_fast
    from votca_mlp.models.hipnn import table as hipnn_table
    from votca_mlp.models.hipnn.files import load_hipnn
    from votca_mlp.models.load import model_path
    from votca_mlp.neighbours.half_pairs import HalfPairs
    from votca_mlp.neighbours.host_pairs import HostPairs
    from votca_mlp.neighbours.verlet_lists import VerletPairList
    from votca_mlp.potentials.torch_pair import TorchPairCorrection

    torch.set_num_threads(1)
    atoms, correction = systems.atoms_of(count), systems.correction()
    place = (atoms.get_positions(), np.asarray(atoms.cell.array), atoms.pbc, atoms.numbers.astype(np.int64))
    ours = CorrectionAdder(correction, SKIN, dtype=torch.float32)
    # the code for devices, in the CPU's memory
    usual = CorrectionAdder(correction, SKIN)
    usual.list, usual.module = (
        VerletPairList(CORRECTION_CUTOFF, SKIN, full=False),
        TorchPairCorrection(correction),
    )

    shipped = load_hipnn(model_path("builtin:al-hipnn", Path.cwd()))
    fast = hipnn_fast.FastHipnn(shipped.network, shipped.energy, shipped.self_energies)
    kept, hipnn_table._NOTHING = hipnn_table._NOTHING, 0.0
    denormal = hipnn_fast.FastHipnn(shipped.network, shipped.energy, shipped.self_energies)
    hipnn_table._NOTHING = kept
    pairs = HostPairs(shipped.cutoff, 0.0, torch.float32)
    pairs.update(*place)
    half = HalfPairs(shipped.cutoff, 0.5)
    # the way of models that give a gradient by pair vectors
    other = HostPairs(shipped.cutoff, 0.5, torch.float32)

    kinds = np.zeros(count, np.int64)

    def by_vectors() -> None:
        other.update(*place)
        found = fast(kinds, other.first, other.second, other.vectors)
        assert found is not None
        other.sums(found[1])

    return [
        (
            f"u(r) of {CORRECTION_CUTOFF:g} Angstrom, list kept: clusters, float32",
            lambda: ours.add(*place),
            "torch, float64",
            lambda: usual.add(*place),
        ),
        (
            "HIP-NN, table without numbers below 1e-20",
            lambda: fast(kinds, pairs.first, pairs.second, pairs.vectors),
            "with them",
            lambda: denormal(kinds, pairs.first, pairs.second, pairs.vectors),
        ),
        (
            "HIP-NN, forces, list kept: each pair once",
            lambda: fast.sums(half, *place[:3]),
            "a full list's vectors",
            by_vectors,
        ),
    ]


if __name__ == "__main__":
    main()
