"""Labels as tensors, energies without self energies."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.training.labelled import LabelledFrames


@dataclass(frozen=True)
class Targets:
    """Labels of one level; nan where there are none.

    Attributes
    ----------
    energies
        eV without self energies, shape [n_frames].
    forces
        eV/Angstrom, shape [n_atoms, 3].
    stress
        eV/Angstrom^3, positive in tension, shape [n_frames, 3, 3].
    with_energy, with_force, with_stress
        Frames, atoms and frames that have them.
    """

    energies: Tensor
    forces: Tensor
    stress: Tensor
    with_energy: Tensor
    with_force: Tensor
    with_stress: Tensor

    @staticmethod
    def of(energies: Tensor, forces: Tensor, stress: Tensor) -> "Targets":
        """Return labels with what is there of them."""
        known = (torch.isfinite(energies), torch.isfinite(forces).all(1))
        masks = (*known, torch.isfinite(stress).flatten(1).all(1))
        return Targets(energies, forces, stress, *(mask.nonzero().squeeze(1) for mask in masks))

    def take(self, frames: Tensor, atoms: Tensor) -> "Targets":
        """Return the labels of some frames, whose atoms are ``atoms``."""
        return Targets.of(self.energies[frames], self.forces[atoms], self.stress[frames])


def targets_of(
    frames: LabelledFrames, self_energies: Mapping[str, Mapping[int, float]], dtype: torch.dtype
) -> dict[str, Targets]:
    """Return the labels of the levels that ``self_energies`` names, eV by level and atomic number."""
    found = {}
    for name, energies in self_energies.items():
        labels = frames.levels[name]
        alone = np.array([energies[int(z)] for z in frames.numbers])
        sums = np.bincount(frames.frame_of_atom, weights=alone, minlength=len(frames))
        # the difference in float64: a float32 network sees numbers near zero
        parts: list[NDArray[np.float64]] = [labels.energies - sums, labels.forces, labels.stress]
        found[name] = Targets.of(*(torch.from_numpy(part).to(dtype) for part in parts))
    return found
