"""Stages that the fusion cases of metals share: each leaves a file, and is skipped when that is there."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from metal_potential import Fit, fit_potential
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
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

GPA = 1e-4 * BAR_PER_EV_PER_ANGSTROM3
"""One eV/Angstrom^3 in GPa."""
KILO = {"energy": 1e3, "force": 1e3, "stress": GPA}
"""meV/atom, meV/Angstrom, GPa."""


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


def made_by(script: str, **facts: object) -> Json:
    """Return what a model file says about itself."""
    return {"made by": f"scripts/{script}.py", **facts}


def fitted(
    directory: Path, frames: LabelledFrames, learn: np.ndarray, level: str, fit: Fit, script: str
) -> HipnnModel:
    """Return the potential of DFT, from dft.pt or by a fit that goes on from its checkpoint."""
    path = directory / "dft.pt"
    if not path.exists():
        model, seconds = fit_potential(frames, learn, level, fit, directory / "dft_checkpoint.pt", say)
        facts = {"epochs": fit.epochs, "seed": fit.seed, "seconds": round(seconds)}
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
            "closing": None if found.closing is None else found.closing.plain(),
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
    closing = facts.get("closing") or {}
    return {
        "iterations": len(history),
        "best": facts["best"],
        "chi2_before": number(history[0]["experiments"]),
        "chi2_after": number(history[facts["best"]]["experiments"]),
        "chi2_closing": number(closing["experiments"]) if closing else "none",
        "trajectories": sum(facts["trajectories"].values()),
        "trajectories_without_reuse": len(history) * states,
        "minutes": number(sum(each["seconds"] for each in history) / 60.0),
        "ended": facts["ended"],
    }
