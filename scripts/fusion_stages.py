"""Stages that the fusion cases of metals share: each leaves a file, and is skipped when that is there."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results_file import Json, number

from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.files import load_hipnn, save_hipnn
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.observables.protocol import FrameObservable, measure_all, uniform
from votca_mlp.training.fusion.simulate import simulate
from votca_mlp.training.fusion.states import StatePoint
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.trainer.loop import train
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

GPA = 1e-4 * BAR_PER_EV_PER_ANGSTROM3
"""One eV/Angstrom^3 in GPa."""
KILO = {"energy": 1e3, "force": 1e3, "stress": GPA}
"""meV/atom, meV/Angstrom, GPa."""
WEIGHTS = LevelWeights(energy=200.0, force=5.0, stress=333.0)
"""One over 5 meV/atom, 0.2 eV/Angstrom and 0.5 GPa."""


@dataclass(frozen=True)
class Fit:
    """How the potential before fusion is fitted to DFT: lengths in Angstrom, the rate along a cosine."""

    epochs: int = 200
    seed: int = 1
    validation: float = 0.1
    network: dict[str, Any] = field(
        default_factory=lambda: {
            "n_features": 20,
            "n_sensitivities": 20,
            "dist_soft_min": 1.6,
            "dist_soft_max": 5.5,
            "dist_hard_max": 6.5,
            "n_interaction_layers": 1,
            "n_atom_layers": 3,
        }
    )


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


def made_by(script: str, **facts: object) -> Json:
    """Return what a model file says about itself."""
    return {"made by": f"scripts/{script}.py", **facts}


def fitted(
    directory: Path, frames: LabelledFrames, learn: np.ndarray, level: str, fit: Fit, script: str
) -> HipnnModel:
    """Return the potential of DFT, from dft.pt or by a fit that goes on from its checkpoint.

    A share of the learnt groups tells which epoch is best.
    """
    path = directory / "dft.pt"
    if path.exists():
        return load_hipnn(path)
    names = np.unique(frames.groups[learn])
    random = np.random.default_rng(fit.seed)
    chosen = random.permutation(names)[: max(1, round(fit.validation * len(names)))]
    judge = np.isin(frames.groups[learn], chosen)
    options = TrainOptions(
        epochs=fit.epochs,
        batch_size=8,
        learning_rate=3e-3,
        smallest_rate=0.0,
        schedule="cosine",
        weights={level: WEIGHTS},
        seed=fit.seed,
    )

    def report(epoch: int, numbers: dict[str, float]) -> None:
        if epoch % 10 == 0:
            errors = " ".join(f"{k} {v:.4g}" for k, v in numbers.items() if k.endswith("_rmse"))
            say(f"epoch {epoch} {errors} loss {numbers['loss']:.4g} training {numbers['training loss']:.4g}")

    mark = directory / "dft_checkpoint.pt"
    found = train(frames, learn[~judge], learn[judge], fit.network, options, report=report, checkpoint=mark)
    model = found.model.at(level)
    seconds = round(sum(entry["seconds"] for entry in found.history))
    facts = {"epochs": fit.epochs, "best": found.best_epoch, "seed": fit.seed, "seconds": seconds}
    save_hipnn(path, model, made_by(script, fit=facts))
    return load_hipnn(path)


def fused(directory: Path, make: Callable[[Path], Fusion], script: str) -> HipnnModel:
    """Return the fused model, from fused.pt or by going on with the fusion, which leaves fusion.json too."""
    path = directory / "fused.pt"
    if not path.exists():
        began = time.monotonic()
        found = make(directory / "fusion").run()
        facts = {
            "ended": found.ended,
            "best": found.best,
            "trajectories": found.trajectories,
            "history": [each.plain() for each in found.history],
            "seconds": round(time.monotonic() - began),
        }
        with atomic_write(directory / "fusion.json") as file:
            json.dump(facts, file, indent=1)
        assert isinstance(found.model, HipnnModel)
        save_hipnn(path, found.model.to(dtype=torch.float32), made_by(script, fusion={"ended": found.ended}))
    return load_hipnn(path)


def kept(path: Path, make: Callable[[], Json]) -> Json:
    """Return the JSON of a file, made where it is not there."""
    if not path.exists():
        found = make()
        with atomic_write(path) as file:
            json.dump(found, file, indent=1)
    known: Json = json.loads(path.read_text())
    return known


def simulated(
    copies: Copies, state: StatePoint, observables: Sequence[FrameObservable], place: Path
) -> dict[str, list[float]]:
    """Return values and errors by label of a fresh simulation: GPa, pressures in kbar."""
    stored = simulate(state, copies, place / state.name, 1, state.start, 17)
    with torch.no_grad():
        values = measure_all(copies.double, stored, observables)
    weights = uniform(stored)
    row: dict[str, list[float]] = {}
    for each in observables:
        factor = 1e-3 if each.unit == "bar" else GPA
        numbers, errors = (factor * f(weights, values) for f in (each.value, each.error))
        row |= {k: [float(v), float(e)] for k, v, e in zip(each.labels, numbers, errors, strict=True)}
    return row


def dft_table(before: Json, after: Json, sets: Sequence[str]) -> Json:
    """Return errors on sets of DFT frames before and after, and their ratios."""
    return {
        f"{which}, {kind}": {
            "before": number(factor * before[which][kind]),
            "after": number(factor * after[which][kind]),
            "ratio": number(after[which][kind] / before[which][kind]),
        }
        for which in sets
        for kind, factor in KILO.items()
    }


def course(directory: Path, states: int) -> Json:
    """Return how a fusion went."""
    facts = json.loads((directory / "fusion.json").read_text())
    history = facts["history"]
    return {
        "iterations": len(history),
        "best": facts["best"],
        "chi2_before": number(history[0]["experiments"]),
        "chi2_after": number(history[facts["best"]]["experiments"]),
        "trajectories": sum(facts["trajectories"].values()),
        "trajectories_without_reuse": len(history) * states,
        "minutes": number(sum(each["seconds"] for each in history) / 60.0),
        "ended": facts["ended"],
    }
