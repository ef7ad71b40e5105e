"""Small crystals, a small network and a Lennard-Jones solid for tests of observables."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from ase.build import bulk

from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn
from votca_mlp.models.lennard_jones import LennardJones, lennard_jones_mixture
from votca_mlp.training.fusion.observables.frames import StoredFrames, stored_frames
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.protocol import FrameObservable
from votca_mlp.units import KB_EV_PER_K

SMALL = {
    "n_features": 5,
    "n_sensitivities": 6,
    "dist_soft_min": 1.6,
    "dist_soft_max": 3.8,
    "dist_hard_max": 4.2,
    "n_interaction_layers": 1,
    "n_atom_layers": 1,
}


def network(species: tuple[int, ...] = (22,), seed: int = 0, **changes: Any) -> HipnnModel:
    """Return a small network in float64, its energies some eV an atom."""
    torch.manual_seed(seed)
    return build_hipnn(SMALL | changes, species).double()


def argon(cutoff: float = 8.0) -> LennardJones:
    """Return Lennard-Jones argon."""
    return lennard_jones_mixture({"Ar": [0.0104, 3.4]}, cutoff)


def rattled(count: int, symbols: str = "Ti8", amplitude: float = 0.12) -> StoredFrames:
    """Return frames of eight hexagonal close-packed atoms off their sites."""
    frames = []
    for seed in range(count):
        atoms = bulk("Ti", "hcp", a=2.95, c=4.68).repeat((2, 2, 1))
        atoms.symbols = symbols
        atoms.rattle(amplitude, seed=seed)
        frames.append(atoms)
    return stored_frames(frames)


def check_gradient(
    observable: FrameObservable, model: HipnnModel, frames: StoredFrames, temperature: float
) -> None:
    """Hold the derivative by parameters against differences, with common frames.

    Directly and through weights proportional to exp(-(U - U0)/kB T).
    """
    with torch.no_grad():
        start = measure(model, frames, ["energy"])["energy"]

    def found() -> torch.Tensor:
        values = observable.frame_values(model, frames)
        weights = torch.softmax(-(values["energy"] - start) / (KB_EV_PER_K * temperature), 0)
        value = observable.value(weights, values)
        assert len(value) == len(observable.labels)
        return value @ torch.linspace(0.5, 1.5, len(value), dtype=torch.float64)

    check_derivatives(found, model)


def check_derivatives(found: Callable[[], torch.Tensor], model: HipnnModel) -> None:
    """Hold the derivatives of a number by some elements of the parameters against differences."""
    parameters = [p for p in model.parameters() if p.numel() > 1][:5]
    gradients = torch.autograd.grad(found(), parameters)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        place, step = np.unravel_index(int(gradient.abs().argmax()), gradient.shape), 1e-5
        sides = []
        for sign in (1.0, -1.0):
            with torch.no_grad():
                parameter[place] += sign * step
                sides.append(float(found()))
                parameter[place] -= sign * step
        slope = (sides[0] - sides[1]) / (2.0 * step)
        assert float(gradient[place]) == pytest.approx(slope, rel=1e-5, abs=1e-9)
