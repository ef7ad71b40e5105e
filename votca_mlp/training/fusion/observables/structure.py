"""g(r), S(Q) and F(Q) of an ensemble, from the pair counts of its frames.

The model's parameters enter through the frames' weights alone. Counts and normalisations are those of
:mod:`votca_mlp.observables.rdf` and :mod:`votca_mlp.observables.structure_factor`.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.observables.rdf import Pair, PairHistograms, pair_histograms
from votca_mlp.observables.structure_factor import SHARP, Resolution, kernel, shell_volumes
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.observables.protocol import FrameObservable, Values
from votca_mlp.trajectories.frames import Frame, frame_from_atoms

Array = NDArray[np.float64]


class RadialDistribution(FrameObservable):
    """g(r) of two species.

    Parameters
    ----------
    pair
        Chemical symbols.
    r
        Bin centres, Angstrom, evenly spaced, [n_values]; the last within half of every box, which have to be
        rectangular.
    """

    unit = "1"

    def __init__(self, pair: Pair, r: Array) -> None:
        self.pair, self.r = pair, np.asarray(r, float)
        self.labels = tuple(f"g({x:.3f})" for x in self.r)
        self._key = f"pairs {pair} {self.r[0]:.6f} {self.r[-1]:.6f} {len(self.r)}"

    def of_frames(self, frames: StoredFrames) -> Values:
        """Return V g(r) / <V> of each frame without <V>, [n_frames, n_values]."""
        counted = pair_histograms(frames_of(frames), [self.pair], self.r)
        scale = counted.norms[0] / counted.shells
        return {self._key: torch.from_numpy(counted.counts[:, 0] * scale)}

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return g(r), normalised with the mean volume as csg_stat does, [n_values]."""
        return (weights @ values["volume"]) * (weights @ values[self._key])


class StructureFactor(FrameObservable):
    """sum over pairs of species of c_ab(Q) [S_ab(Q) - 1], with Faber-Ziman factors.

    Parameters
    ----------
    q
        1/Angstrom, above 0, [n_values].
    reach
        Where the transform of the pair counts ends, Angstrom; within half of every box.
    coefficients
        c_ab by pairs of chemical symbols, each a number or [n_values]: 1 for the only pair of one species,
        which gives S(Q) - 1; those of neutrons or X-rays give their F(Q).
    step
        Width of the bins of r, Angstrom.
    resolution
        Of the instrument.
    """

    unit = "1"

    def __init__(
        self,
        q: Array,
        reach: float,
        coefficients: Mapping[Pair, float | Array],
        step: float = 0.02,
        resolution: Resolution = SHARP,
    ) -> None:
        self.q, self.coefficients = np.asarray(q, float), dict(coefficients)
        if not len(self.q) or not bool((self.q > 0.0).all()) or not self.coefficients:
            raise UserError("S(Q) wants Q above 0 and a pair of species", accepted="Q in 1/Angstrom")
        self.r: Array = np.asarray(step * np.arange(int(reach / step * (1.0 + 1e-9)) + 1), np.float64)
        self.resolution = resolution
        self.labels = tuple(f"S({q:.3f})-1" for q in self.q)
        self._key = f"S(Q) of {id(self)}"

    def of_frames(self, frames: StoredFrames) -> Values:
        """Return the sum of each frame, which is linear in its pair counts, [n_frames, n_values]."""
        counted = pair_histograms(frames_of(frames), list(self.coefficients), self.r)
        return {self._key: torch.from_numpy(self._factors(counted, frames.n_atoms))}

    def _factors(self, counted: PairHistograms, n_atoms: int) -> Array:
        transform = kernel(self.r, self.q, self.resolution)
        uniform = n_atoms * (transform @ shell_volumes(self.r))
        found = np.zeros((counted.n_frames, len(self.q)))
        for row, pair in enumerate(counted.pairs):
            factors = n_atoms * counted.norms[row] * (counted.counts[:, row] @ transform.T)
            found += self.coefficients[pair] * (factors - uniform / counted.volumes[:, None])
        return found

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the mean, [n_values]."""
        return weights @ values[self._key]


def frames_of(frames: StoredFrames) -> list[Frame]:
    """Return stored frames as those of :mod:`votca_mlp.observables`.

    Raises
    ------
    UserError
        A cell that is not rectangular.
    """
    from ase import Atoms

    numbers = frames.numbers.numpy()
    return [
        frame_from_atoms(Atoms(numbers, positions, cell=cell, pbc=True))
        for positions, cell in zip(frames.positions.numpy(), frames.cells.numpy(), strict=True)
    ]
