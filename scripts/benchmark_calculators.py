#!/usr/bin/env python3
"""What of an evaluation by MACE, CHGNet or SevenNet is not the network: what a pair list of ours could save.

    scripts/benchmark_calculators.py [--repeats 5] [--json FILE]

108 atoms of aluminium near its melt, one thread, processor time of one evaluation through `<kind>ase</kind>`:
in all, in the calculator's own pair list and graph, and outside the calculator. What is not installed is
left out. CHGNet and SevenNet have the weights of their packages, MACE random ones in a network smaller than
the published ones, so that its share is an upper bound.
"""

import argparse
import importlib
import importlib.metadata
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase.build import bulk
from results_file import add_json, rounded, write_result

from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator

STRUCTURE = "chgnet.model.dynamics:AseAtomsAdaptor.get_structure"
GRAPHS = {
    "chgnet": ("chgnet.graph.converter:CrystalGraphConverter.forward", STRUCTURE),
    "sevenn": ("sevenn.calculator:unlabeled_atoms_to_graph",),
    "mace": ("mace.calculators.mace:MACECalculator._atoms_to_batch",),
}
UNITS = {"evaluation": "ms", "pair list and graph": "ms", "outside the calculator": "ms", "share": "%"}


def chgnet() -> Any:
    """Return CHGNet's calculator."""
    from chgnet.model.dynamics import CHGNetCalculator

    return CHGNetCalculator(use_device="cpu")


def sevenn() -> Any:
    """Return SevenNet's calculator."""
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(model="7net-0", device="cpu")


def mace() -> Any:
    """Return MACE's calculator: random weights, 32 scalar and 32 vector features, two layers, 5 Angstrom."""
    from e3nn import o3
    from mace import modules
    from mace.calculators import MACECalculator

    torch.manual_seed(0)
    torch.set_default_dtype(torch.float32)
    layer = modules.interaction_classes["RealAgnosticResidualInteractionBlock"]
    model = modules.ScaleShiftMACE(
        r_max=5.0,
        num_bessel=8,
        num_polynomial_cutoff=5,
        max_ell=3,
        interaction_cls=layer,
        interaction_cls_first=layer,
        num_interactions=2,
        num_elements=1,
        hidden_irreps=o3.Irreps("32x0e + 32x1o"),
        MLP_irreps=o3.Irreps("16x0e"),
        gate=torch.nn.functional.silu,
        atomic_energies=np.array([-3.0]),
        avg_num_neighbors=40.0,
        atomic_numbers=[13],
        correlation=3,
        atomic_inter_scale=1.0,
        atomic_inter_shift=0.0,
    )
    with tempfile.TemporaryDirectory() as folder:
        torch.save(model, Path(folder, "random.model"))
        return MACECalculator(model_paths=str(Path(folder, "random.model")), device="cpu")


class Timer:
    """Adds up the processor time of the calls that go through it."""

    def __init__(self) -> None:
        self.spent = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            begin = time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.spent += time.process_time() - begin

        return timed

    def watch(self, name: str) -> None:
        """Time a function that ``module:attribute`` names, wherever it is called through that name."""
        module, path = name.split(":")
        owner: Any = importlib.import_module(module)
        *outer, last = path.split(".")
        for part in outer:
            owner = getattr(owner, part)
        setattr(owner, last, self.around(getattr(owner, last)))


def measure(name: str, calculator: Any, repeats: int) -> dict[str, float]:
    """Return milliseconds of an evaluation and of its parts: medians."""
    graph, inside = Timer(), Timer()
    for function in GRAPHS[name]:
        graph.watch(function)
    calculator.calculate = inside.around(calculator.calculate)
    evaluator = CalculatorEvaluator(calculator)
    atoms = bulk("Al", "fcc", 4.24, cubic=True).repeat(3)
    atoms.rattle(0.2, seed=1)
    evaluator.evaluate(atoms)
    rows = []
    for k in range(repeats):
        atoms.rattle(0.01, seed=k)
        graph.spent = inside.spent = 0.0
        begin = time.process_time()
        evaluator.evaluate(atoms)
        total = time.process_time() - begin
        rows.append((total, graph.spent, total - inside.spent))
    total, of_graph, outside = (1e3 * statistics.median(column) for column in zip(*rows, strict=True))
    return {
        "evaluation": rounded(total),
        "pair list and graph": rounded(of_graph),
        "outside the calculator": rounded(outside),
        "share": rounded(100.0 * (of_graph + outside) / total),
    }


def main() -> None:
    """Measure what is installed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    add_json(parser)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rows: dict[str, Any] = {}
    for make in (chgnet, sevenn, mace):
        name = make.__name__
        try:
            version = importlib.metadata.version("mace-torch" if name == "mace" else name)
            calculator = make()
        except ImportError as error:
            print(f"{name} is left out: {error}")
            continue
        rows[name] = {"version": version, **measure(name, calculator, options.repeats)}
        print(name, rows[name], flush=True)
        write_result(options.json, {"calculators": rows}, units=UNITS, seeds=1)


if __name__ == "__main__":
    main()
