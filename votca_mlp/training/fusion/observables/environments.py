"""Energies of frames by HIP-NN with one layer, whose sums over pairs are made once for each frame.

Where the parameters of the radial functions are held, an atom's environment e_i = sum_j s(r_ij) is a constant
of the frame: however often fusion asks for the energies of its stored frames, only the small layers on atoms
have to be evaluated again. That is nearly all of the time.
"""

import hashlib
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.fusion.observables.frames import StoredFrames, pair_chunk
from votca_mlp.training.fusion.observables.one_layer import energies_of, environments_of, serves

MOST_BYTES = 64_000_000
"""Of what is kept: so that memory stays bounded, the oldest goes."""


class _Kept:
    """Environments by what they were made of, the last used last."""

    def __init__(self) -> None:
        self.found: OrderedDict[bytes, Tensor] = OrderedDict()
        self.size = 0

    def of(self, model: HipnnModel, frames: StoredFrames) -> Tensor:
        """Return the environments of some frames' atoms, [n_frames * n_atoms, n_sensitivities, n_species]."""
        key = _key(model, frames)
        if key in self.found:
            self.found.move_to_end(key)
            return self.found[key]
        with torch.no_grad():
            made = environments_of(model, pair_chunk(frames, model.cutoff))
        self.found[key] = made
        self.size += made.nbytes
        while self.size > MOST_BYTES and len(self.found) > 1:
            self.size -= self.found.popitem(last=False)[1].nbytes
        return made


_kept = _Kept()


def holds(model: PairModel) -> bool:
    """Whether a model's environments are constants of the frames."""
    if not isinstance(model, HipnnModel) or not serves(model):
        return False
    network: Any = model.network
    return not any(p.requires_grad for p in network.interaction_layers[0].sensitivity.parameters())


def kept_energies(model: PairModel, frames: StoredFrames) -> Tensor:
    """Return the energies of frames, eV, [n_frames], differentiable in the small layers' parameters."""
    assert isinstance(model, HipnnModel)
    return energies_of(model, frames.numbers.repeat(len(frames)), len(frames), _kept.of(model, frames))


def _key(model: HipnnModel, frames: StoredFrames) -> bytes:
    network: Any = model.network
    module = network.interaction_layers[0].sensitivity
    made = hashlib.blake2b(f"{model.numbers} {model.cutoff!r} {type(module).__name__}".encode())
    for tensor in (frames.numbers, frames.positions, frames.cells, *module.state_dict().values()):
        made.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        made.update(tensor.detach().contiguous().numpy().tobytes())
    return made.digest()
