"""Dimers of known statistics: harmonic bonds, sampled without MD, and observables of their length."""

from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.labels import LabelBatch, Residuals
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.observables.protocol import FrameObservable, Values
from votca_mlp.training.fusion.states import StatePoint


class Spring(PairModel):
    """k (r - length)^2 / 2 for each pair, eV and Angstrom."""

    def __init__(self, k: float, length: float) -> None:
        super().__init__()
        self.numbers, self.cutoff = (18,), 6.0
        self.k = torch.nn.Parameter(torch.tensor(k, dtype=torch.float64))
        self.length = torch.nn.Parameter(torch.tensor(length, dtype=torch.float64))

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return atomic energies."""
        energies = 0.25 * self.k * (vectors.norm(dim=1) - self.length).square()
        return energies.new_zeros(len(numbers)).index_add(0, first, energies).unsqueeze(0)


class BondLength(FrameObservable):
    """Mean of the dimer's length, and of its square's deviation, Angstrom and Angstrom^2."""

    labels, unit = ("mean", "variance"), "Angstrom"

    def of_frames(self, frames: StoredFrames) -> Values:
        """Return the lengths."""
        return {"bond": (frames.positions[:, 1] - frames.positions[:, 0]).norm(dim=1)}

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return mean and variance."""
        mean = weights @ values["bond"]
        return torch.stack([mean, weights @ (values["bond"] - mean).square()])


def dimer(length: float = 2.0) -> Atoms:
    """Return a dimer in a box that is too large for images."""
    return Atoms("Ar2", [[5.0, 5.0, 5.0], [5.0 + length, 5.0, 5.0]], cell=[14.0] * 3, pbc=True)


def state(temperature: float = 300.0, frames: int = 60) -> StatePoint:
    """Return a state of ``frames`` frames a trajectory."""
    return StatePoint("gas", temperature, dimer(), production=100.0 * frames, sample_every=100.0)


def lengths(model: PairModel, state: StatePoint, number: int, seed: int) -> np.ndarray:
    """Return bond lengths of the canonical ensemble, [n_frames], from its distribution r^2 exp(-U/kBT)."""
    r = np.linspace(0.5, 5.5, 5001)
    assert isinstance(model, Spring)
    k, length = float(model.k.detach()), float(model.length.detach())
    density = r**2 * np.exp(-0.5 * state.beta * k * (r - length) ** 2)
    share = np.cumsum(density) / density.sum()
    even = (np.arange(state.frames) + 0.5) / state.frames
    random = np.random.default_rng([seed, number])
    return np.interp(random.permutation(even), share, r)


def sample(
    state: StatePoint, copies: Copies, folder: Path, number: int, start: Atoms, seed: int
) -> StoredFrames:
    """Return a trajectory as :func:`votca_mlp.training.fusion.simulate.simulate` does, and leave it."""
    bonds = lengths(copies.double, state, number, seed)
    positions = np.zeros((len(bonds), 2, 3)) + 5.0
    positions[:, 1, 0] += bonds
    cells = np.repeat(start.cell.array[None], len(bonds), 0)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / "frames.npz", model=copies.identity, numbers=start.numbers, positions=positions, cells=cells
    )
    return StoredFrames(torch.tensor([18, 18]), torch.from_numpy(positions), torch.from_numpy(cells))


class BondLabels(LabelBatch):
    """Energies of some bond lengths as labels."""

    def __init__(self, bonds: Tensor, energies: Tensor) -> None:
        self.bonds, self.energies = bonds, energies

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.bonds)

    def residuals(self, model: PairModel) -> Residuals:
        """Return prediction minus label."""
        assert isinstance(model, Spring)
        return {"energy": 0.5 * model.k * (self.bonds - model.length).square() - self.energies}
