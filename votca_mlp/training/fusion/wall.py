"""The repulsive wall: energies of pairs of atoms nearer than any stored frame has them.

Labels and experiments may say nothing of such pairs. A fused model can then lose its wall unseen:
simulations that go on from the last frames run well, and the first one that begins elsewhere has atoms fall
together. Pairs of each state's start are pushed together, and what that costs is compared with the model
before fusion. No label is needed for that, and no simulation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import torch
from torch import Tensor

from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.labels import flat
from votca_mlp.training.fusion.observables.derivatives import derivatives_of_frames
from votca_mlp.training.fusion.observables.frames import StoredFrames, pair_chunk, stored_frames
from votca_mlp.training.fusion.pool import energies_of
from votca_mlp.training.fusion.states import StatePoint

SHARES = (0.9, 0.85, 0.8, 0.75, 0.7)
"""Of a pair's distance in the start, to which it is pushed."""
HEIGHT = 10.0
"""kBT: rises below it are no wall, as frames of the state come there."""
PAIRS = 4
"""Of each two species, the nearest ones that have no atom in common."""


@dataclass(frozen=True)
class _Pushed:
    """A start and its pushed copies, and by how much the latter's energies are above it before fusion.

    ``frames`` begin with the start; ``rises`` [n_frames - 1], eV; ``chosen`` are those that are a wall.
    """

    frames: StoredFrames
    rises: Tensor
    chosen: Tensor


class Wall:
    """What pushing atoms together costs, beside what it cost before fusion.

    Parameters
    ----------
    states
        Whose starts are taken.
    copies
        With the parameters before fusion.
    share
        The least that a rise may be of the one before; 0 holds nothing.
    """

    def __init__(self, states: Sequence[StatePoint], copies: Copies, share: float) -> None:
        self.copies, self.share = copies, share
        self.pushed: list[_Pushed] = []
        for state in states if share > 0.0 else ():
            frames = _pushed(state, copies.double.cutoff)
            rises = _rises(energies_of(copies.double, frames))
            chosen = rises > HEIGHT / state.beta
            if bool(chosen.any()):
                self.pushed.append(_Pushed(frames, rises[chosen], chosen))

    def least(self) -> float | None:
        """Return the smallest rise with the present parameters over the one before; None without a wall."""
        found = [
            float((_rises(energies_of(self.copies.double, each.frames))[each.chosen] / each.rises).min())
            for each in self.pushed
        ]
        return min(found, default=None)

    def holds(self) -> bool:
        """Whether the present parameters keep the wall."""
        least = self.least()
        return least is None or least >= self.share

    def rows(self) -> Tensor:
        """Return derivatives of all rises by the parameters, over as much as a rise may change.

        [n_rises, n_parameters]. In a step they are measurements that are met where it begins.
        """
        found = []
        for each in self.pushed:
            beginning = self._slope(each.frames, 0)
            for k, rise in zip((1 + each.chosen.nonzero()[:, 0]).tolist(), each.rises.tolist(), strict=True):
                found.append((self._slope(each.frames, k) - beginning) / ((1.0 - self.share) * rise))
        return torch.stack(found)

    def _slope(self, frames: StoredFrames, k: int) -> Tensor:
        # one frame at a time, for the memory
        with torch.enable_grad():
            of = derivatives_of_frames(self.copies.double, frames.take(slice(k, k + 1)), 0, graph=True)
            return flat(of.energy.sum(), self.copies.parameters)


def _rises(energies: Tensor) -> Tensor:
    return energies[1:] - energies[0]


def _pushed(state: StatePoint, cutoff: float) -> StoredFrames:
    """Return the start, and copies of it with one pair each nearer than it was; the pair's middle stays."""
    start = stored_frames([state.start])
    positions = [start.positions[0]]
    for one, other, vector in _nearest(start, cutoff):
        for share in SHARES:
            moved = start.positions[0].clone()
            moved[one] += 0.5 * (1.0 - share) * vector
            moved[other] -= 0.5 * (1.0 - share) * vector
            positions.append(moved)
    count = len(positions)
    return StoredFrames(start.numbers, torch.stack(positions), start.cells.expand(count, 3, 3))


def _nearest(start: StoredFrames, cutoff: float) -> list[tuple[int, int, Tensor]]:
    """Return the nearest pairs of each two species, with the vectors from the first to the second atom."""
    chunk, found = pair_chunk(start, cutoff), []
    order = torch.argsort(chunk.vectors.norm(dim=1), stable=True)
    order = order[chunk.first[order] < chunk.second[order]]
    kinds = start.numbers[torch.stack([chunk.first, chunk.second])].sort(dim=0).values
    for low, high in combinations_with_replacement(sorted(set(start.numbers.tolist())), 2):
        used: set[int] = set()
        for k in order[(kinds[0, order] == low) & (kinds[1, order] == high)].tolist():
            one, other = int(chunk.first[k]), int(chunk.second[k])
            if used.isdisjoint((one, other)):
                used |= {one, other}
                found.append((one, other, chunk.vectors[k]))
            if len(used) == 2 * PAIRS:
                break
    return found
