"""The fast evaluation of a one-species ANI model on the CPU: compiled descriptor, networks by hand."""

import itertools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.kernels.blocks import RowStarts, block_edges, run_blocks
from votca_mlp.models.ani import descriptor, descriptor_gradient
from votca_mlp.models.ani.neurochem import AevConstants
from votca_mlp.models.ani.polynomials import celu, times_celu_slope

Array = NDArray[np.float32]
_NEGLIGIBLE = 1e-10  # a radial Gaussian below this is left out
_BLOCK = 128  # atoms; the networks' intermediates of a block stay in the cache
_LOG2E = 1.0 / math.log(2.0)


class FastAni:
    """Energies and gradient of networks on one species' AEV in float32.

    Parameters
    ----------
    constants
        Of the AEV; one species.
    layers
        Weight [members, out, in] and bias [members, 1, out] by layer, float32.
    alpha
        Of the CELU.
    """

    def __init__(self, constants: AevConstants, layers: list[tuple[Tensor, Tensor]], alpha: float) -> None:
        self.alpha = np.float32(alpha)
        self.radial = np.array(constants.radial_shifts, np.float32)
        self.angular = np.array(constants.angular_shifts, np.float32)
        self.sections, kept = _padded_sections(constants.sections)
        self.constants = np.array(
            [
                constants.radial_cutoff,
                -constants.radial_eta * _LOG2E,
                radial_window(constants.radial_shifts, constants.radial_eta),
                constants.angular_cutoff,
                -constants.angular_eta * _LOG2E,
                constants.zeta,
            ],
            np.float32,
        )
        # columns of padding sections meet zero weights
        columns = _columns(len(self.radial), len(self.angular), self.sections.shape[1], kept)
        self.size = len(self.radial) + len(self.angular) * self.sections.shape[1]
        weights = [weight.detach().contiguous() for weight, _ in layers]
        self.members = len(weights[0])
        entrance = torch.zeros(self.members, weights[0].shape[1], self.size)
        entrance[:, :, columns] = weights[0]
        self.weights = [entrance, *weights[1:]]
        self.biases = [bias.detach().contiguous() for _, bias in layers]
        self.starts = RowStarts()

    def __call__(
        self, kinds: NDArray[np.int64], first: Tensor, second: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the networks' outputs [members, atoms] and d(sum of their mean)/d(vectors) [n_pairs, 3].

        kinds [n_atoms] and ``second`` are not needed for one species; first [n_pairs] sorted; vectors
        [n_pairs, 3] float32, Angstrom. Runs in as many threads as torch is set to; the atoms are cut into the
        same blocks whatever their number, so it does not change a bit.
        """
        atoms, rows = len(kinds), vectors.detach().contiguous().numpy()
        outputs = torch.empty(self.members, atoms)
        gradient = torch.empty(len(rows), 3)
        common = (
            self.starts.of(first, atoms),
            rows,
            self.radial,
            self.angular,
            self.sections,
            self.constants,
        )

        def block(low: int, high: int) -> None:
            environment = torch.empty(high - low, self.size)
            descriptor.descriptors(low, high, *common, environment.numpy())
            outputs[:, low:high], slopes = self._networks(environment)
            descriptor_gradient.gradients(low, high, *common, slopes.numpy(), gradient.numpy())

        run_blocks(block, list(itertools.pairwise(block_edges(atoms, _BLOCK).tolist())))
        return outputs, gradient

    @torch.no_grad()
    def _networks(self, environment: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs [members, atoms] and d(mean output)/d(environment) [atoms, size]."""
        x = environment.unsqueeze(0).expand(self.members, -1, -1)
        hidden = []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.baddbmm(bias, x, weight.transpose(1, 2))
            celu(x.view(-1).numpy(), self.alpha)
            hidden.append(x)
        outputs = torch.baddbmm(self.biases[-1], x, self.weights[-1].transpose(1, 2)).squeeze(2)
        slope = (self.weights[-1] / self.members).expand_as(x).contiguous()
        for y, weight in zip(reversed(hidden), reversed(self.weights[:-1]), strict=True):
            times_celu_slope(slope.view(-1).numpy(), y.view(-1).numpy(), self.alpha)
            slope = torch.bmm(slope, weight)
        return outputs, slope.sum(0)


def radial_window(shifts: tuple[float, ...], eta: float) -> int:
    """Return how many neighbouring radial terms the kernel has to visit for a distance."""
    count = len(shifts)
    if count < 3:
        return count
    spacing = (shifts[-1] - shifts[0]) / (count - 1)
    if spacing <= 0.0 or np.abs(np.diff(shifts) - spacing).max() > 1e-3 * spacing:
        return count
    reach = math.sqrt(-math.log(_NEGLIGIBLE) / eta) / spacing
    # a multiple of eight fills vector registers
    return min(count, 8 * math.ceil((2 * math.ceil(reach) + 2) / 8))


def _padded_sections(sections: tuple[float, ...]) -> tuple[Array, int]:
    kept = len(sections)
    padded = np.zeros(-(-kept // 4) * 4)
    padded[:kept] = sections
    return np.stack([np.cos(padded), np.sin(padded)]).astype(np.float32), kept


def _columns(radial: int, angular: int, sections: int, kept: int) -> list[int]:
    blocks = [radial + m * sections + k for m in range(angular) for k in range(kept)]
    return [*range(radial), *blocks]
