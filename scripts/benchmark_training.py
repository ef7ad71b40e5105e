#!/usr/bin/env python3
"""Epochs per minute of training beside hippynn's own loop, same frames, network and loss, one thread.

    scripts/benchmark_training.py [--rounds 5] [--epochs 3] [--case NAME ...] [--json FILE]

hippynn's loop is that of its experiments (``training_loop`` with Adam), with pairs computed once where it can
(``precompute_pairs``) and the fastest of its kernels that need no compiler of C++: plain torch, and numba. An
epoch has training and validation in both. In turn, each round with new parameters; the first epoch of a round
is not counted; times are those of the processor. The ratio is the mean over rounds with standard error.
"""

import argparse
import contextlib
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk, molecule
from results_file import add_json, machine_line, mean_number, rounded, write_result

from votca_mlp.models.hipnn.model import import_hippynn
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.trainer.loop import train
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions

KERNELS = ("_pytorch_raw", "numba")
_WEIGHTS = LevelWeights(energy=1.0, force=1.0)


@dataclass(frozen=True)
class Case:
    """A network and frames of some sort."""

    frame: Callable[[int], Atoms]
    frames: int
    batch: int
    network: dict[str, Any]
    compiled: bool = True


def crystal(seed: int, copper: int = 0) -> Atoms:
    """Return 32 rattled atoms of aluminium, some of them copper."""
    atoms: Atoms = bulk("Al", "fcc", 4.05, cubic=True).repeat(2)
    atoms.rattle(0.1, seed=seed)
    atoms.numbers[:copper] = 29
    return atoms


def ethane(seed: int) -> Atoms:
    """Return a rattled molecule."""
    atoms: Atoms = molecule("C2H6")
    atoms.rattle(0.05, seed=seed)
    return atoms


_METAL = {"dist_soft_min": 1.8, "dist_soft_max": 5.0, "dist_hard_max": 5.5, "n_sensitivities": 20}
_ONE = {**_METAL, "n_features": 15, "n_interaction_layers": 1, "n_atom_layers": 3}
_TWO = {**_METAL, "n_features": 20, "n_interaction_layers": 2, "n_atom_layers": 3}
_MOLECULE = {
    **{"dist_soft_min": 0.75, "dist_soft_max": 5.5, "dist_hard_max": 6.5, "n_sensitivities": 20},
    **{"n_features": 40, "n_interaction_layers": 2, "n_atom_layers": 3},
}
CASES = {
    "aluminium, one layer": Case(crystal, 64, 8, _ONE),
    "aluminium, one layer, without compiled sums": Case(crystal, 64, 8, _ONE, compiled=False),
    "Al-Cu, two layers": Case(lambda k: crystal(k, 8), 48, 8, _TWO),
    "Al-Cu, two layers, vectors": Case(lambda k: crystal(k, 8), 32, 8, {**_TWO, "kind": "HipnnVec"}),
    "ethane, two layers": Case(ethane, 512, 64, _MOLECULE),
    "ethane, two layers, quadrupoles": Case(ethane, 256, 64, {**_MOLECULE, "kind": "HipnnQuad"}),
}


def labelled(case: Case) -> LabelledFrames:
    """Return frames with random labels: what they are does not matter to the time."""
    atoms = [case.frame(seed) for seed in range(case.frames)]
    random = np.random.default_rng(1)
    energies = [float(random.normal()) for _ in atoms]
    forces = [random.normal(size=(len(frame), 3)) for frame in atoms]
    return labelled_frames(atoms, {"level": {"energies": energies, "forces": forces}})


def ours(case: Case, frames: LabelledFrames, epochs: int) -> list[float]:
    """Return seconds of each epoch but the first."""
    held = max(1, len(frames) // 10)
    options = TrainOptions(
        epochs=epochs + 1, batch_size=case.batch, decay=0.0, patience=1000, compiled=case.compiled
    )
    options = replace(options, weights={"level": _WEIGHTS})
    # as many as in the splits of hippynn, which sets some aside as test
    where = np.arange(len(frames) - len(frames) // 20)
    ends: list[float] = []
    report = lambda epoch, numbers: ends.append(time.process_time())  # noqa: E731
    train(frames, where[held:], where[:held], case.network, options, report=report)
    return list(np.diff(ends))


def hippynns(case: Case, frames: LabelledFrames, epochs: int, kernels: str) -> list[float]:
    """Return seconds of each epoch of hippynn's loop but the first."""
    import_hippynn()
    from hippynn import custom_kernels
    from hippynn.databases import Database
    from hippynn.experiment import SetupParams, setup_training
    from hippynn.experiment.assembly import assemble_for_training, precompute_pairs
    from hippynn.experiment.routines import training_loop
    from hippynn.graphs import inputs, loss, networks, physics, targets

    custom_kernels.set_custom_kernels(kernels)
    arguments = dict(case.network)
    kind = arguments.pop("kind", "Hipnn")
    periodic = bool(frames.pbc.all())
    species, places = inputs.SpeciesNode("Z", db_name="Z"), inputs.PositionsNode("R", db_name="R")
    parents = (species, places, inputs.CellNode("C", db_name="C")) if periodic else (species, places)
    arguments["possible_species"] = [0, *frames.species]
    net = getattr(networks, kind)("net", parents, module_kwargs=arguments, periodic=periodic)
    energy = targets.HEnergyNode("E", net, db_name="E")
    force = physics.GradientNode("F", (energy.mol_energy, places), sign=-1, db_name="F")
    size = len(frames.numbers) // len(frames)
    parts = [
        1.0 / size * error.of_node(energy.mol_energy) + error.of_node(force)
        for error in (_Root, loss.MAELoss)
    ]
    total = parts[0] + parts[1]
    modules, info = assemble_for_training(total, {"Loss": total})
    level = frames.levels["level"]
    arrays = {
        "Z": frames.numbers.reshape(len(frames), size),
        "R": frames.positions.reshape(len(frames), size, 3).astype(np.float32),
        "E": level.energies[:, None].astype(np.float32),
        "F": level.forces.reshape(len(frames), size, 3).astype(np.float32),
    }
    if periodic:
        arrays["C"] = frames.cells.astype(np.float32)
    database = Database(arrays, **info, seed=1, test_size=0.05, valid_size=0.1, auto_split=False, quiet=True)
    if periodic:
        precompute_pairs(modules.model, database, n_images=4, device="cpu")
        modules, info = assemble_for_training(total, {"Loss": total})
        database.inputs = info["inputs"]
    setup = SetupParams(
        stopping_key="Loss", batch_size=case.batch, max_epochs=epochs + 1, learning_rate=1e-3, device="cpu"
    )
    modules, controller, metrics = setup_training(modules, setup)
    metrics.quiet = True
    ends: list[float] = []
    note = [lambda epoch, better: ends.append(time.process_time())]
    training_loop(
        modules, database, controller, metrics, note, [], store_all_better=False, store_best=False,
        store_every=0, quiet=True,
    )  # fmt: skip
    return list(np.diff(ends))


def begun(description: str | None, cases: Mapping[str, Case], *, epochs: int) -> argparse.Namespace:
    """Return the options of a comparison of trainings by cases, and say on what machine it runs."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--case", action="append", choices=list(cases))
    add_json(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(machine_line())
    return options


def main() -> None:
    """Measure in turn, and print the table."""
    options = begun(__doc__, CASES, epochs=3)
    rows = {}
    for name in options.case or CASES:
        case = CASES[name]
        frames = labelled(case)
        spent: dict[str, list[float]] = {key: [] for key in ("ours", *KERNELS)}
        for _ in range(options.rounds):
            spent["ours"].append(statistics.median(ours(case, frames, options.epochs)))
            for kernels in KERNELS:
                with _quiet():
                    times = hippynns(case, frames, options.epochs, kernels)
                spent[kernels].append(statistics.median(times))
        fastest = min(KERNELS, key=lambda key: statistics.median(spent[key]))
        ratios = [two / one for one, two in zip(spent["ours"], spent[fastest], strict=True)]
        rows[name] = {
            "ours": rounded(60.0 / statistics.median(spent["ours"])),
            "hippynn": rounded(60.0 / statistics.median(spent[fastest])),
            "kernels": fastest.strip("_"),
            "ratio": mean_number(ratios),
            "frames": len(frames),
        }
        print(f"{name:46s}", rows[name], flush=True)
    write_result(options.json, {"training": rows}, units={"ours": "1/min", "hippynn": "1/min"}, seeds=1)


@contextlib.contextmanager
def _quiet() -> Any:
    """Run in a folder of its own, without output: hippynn writes files where it is."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


class _Root:
    """The root of hippynn's mean square loss."""

    @staticmethod
    def of_node(node: Any) -> Any:
        """Return the node of the loss."""
        from hippynn.graphs import loss

        return loss.MSELoss.of_node(node) ** 0.5


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{time.monotonic() - began:.0f} s")
