"""Model and correction on a device, for a configuration that is there already and stays there.

Neighbour lists are built on the host when they have run out, which is rarely; nothing else as large as a
configuration crosses over.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.evaluation.result import Evaluation, stress_of
from votca_mlp.models.contract import PairModel
from votca_mlp.neighbours.box import volume_of
from votca_mlp.neighbours.device_pairs import DeviceList, Uploaded, closest_of
from votca_mlp.neighbours.verlet_lists import VerletPairList
from votca_mlp.potentials.torch_pair import TorchPairCorrection

Array = NDArray[np.float64]


class DeviceSums(NamedTuple):
    """An evaluation, all of it on the device in float64.

    Attributes
    ----------
    forces
        eV/Angstrom, [n_atoms, 3].
    numbers
        What the host wants to know of every step: the virial's nine numbers (sum of d x dE/dd over pairs,
        eV), the correction's energy (eV), squared distance of the closest pair (Angstrom^2, inf without
        pairs) and its number, for each list the largest displacement since it was built (Angstrom), then
        the members' energies without the correction (eV).
    """

    forces: Tensor
    numbers: Tensor


class DeviceForces:
    """Energy, forces and virial of a moving configuration in a periodic box.

    Parameters
    ----------
    model
        On the device.
    table
        The correction on the device, or None.
    dtype
        The model's.
    skin, correction_skin
        Angstrom.
    """

    def __init__(
        self,
        model: PairModel,
        table: TorchPairCorrection | None,
        *,
        device: torch.device,
        dtype: torch.dtype,
        skin: float,
        correction_skin: float,
    ) -> None:
        self.model, self.table, self.device, self.dtype = model, table, device, dtype
        self.lists = [DeviceList(VerletPairList(model.cutoff, skin), device)]
        if table is not None:
            self.lists.append(DeviceList(VerletPairList(table.cutoff, correction_skin, full=False), device))

    def build(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> None:
        """Build all lists; positions [n_atoms, 3] and cell [3, 3] in Angstrom."""
        for each in self.lists:
            each.build(positions, cell, pbc, numbers)

    def complete(self, displacements: list[float], cell: Array) -> bool:
        """Whether no list misses a pair; displacements as in :class:`DeviceSums`."""
        return all(each.complete(d, cell) for each, d in zip(self.lists, displacements, strict=True))

    def sums(self, positions: Tensor, cell: Array) -> DeviceSums:
        """Evaluate positions [n_atoms, 3] (Angstrom, on the device, float64) with the lists as they are."""
        pairs = self.lists[0].uploaded
        box = torch.from_numpy(cell).to(self.device)
        vectors = pairs.vectors(positions, box)
        arguments = (pairs.numbers, pairs.first, pairs.second, vectors.to(self.dtype))
        members, gradient = self.model.energies_and_gradient(*arguments)
        forces, virial = pairs.sums(gradient.double(), vectors)
        extra = positions.new_zeros(1)
        if self.table is not None:
            energy, more, more_virial = correction_sums(self.table, self.lists[1].uploaded, positions, box)
            forces, virial, extra = forces + more, virial + more_virial, energy.view(1)
        moved = torch.stack([each.displacement(positions, cell) for each in self.lists])
        energies = members.sum(1, dtype=torch.float64)
        return DeviceSums(forces, torch.cat([virial.view(9), extra, closest_of(vectors), moved, energies]))

    def evaluation_of(
        self, numbers: Array, cell: Array, forces: Tensor
    ) -> tuple["DeviceEvaluation", list[float]]:
        """Return the evaluation in the numbers of :meth:`sums`, which are on the host now; displacements."""
        virial, lists = numbers[:9].reshape(3, 3), len(self.lists)
        extra, squared, pair = numbers[9:12].tolist()
        closest = self.lists[0].listed.closest(squared, pair)
        members = numbers[12 + lists :]
        stress = stress_of(virial, volume_of(cell))
        found = DeviceEvaluation(forces, float(members.mean()) + extra, stress, members, extra, closest)
        return found, numbers[12 : 12 + lists].tolist()


class DeviceEvaluation(Evaluation):
    """An evaluation whose forces stay on the device until they are asked for.

    Parameters
    ----------
    on_device
        eV/Angstrom, [n_atoms, 3].
    energy, stress, member_energies, correction_energy, closest
        As of :class:`Evaluation`.
    """

    def __init__(
        self,
        on_device: Tensor,
        energy: float,
        stress: Array,
        member_energies: Array,
        correction_energy: float,
        closest: tuple[int, int, float] | None,
    ) -> None:
        fields = {
            "on_device": on_device,
            "energy": energy,
            "stress": stress,
            "member_energies": member_energies,
            "correction_energy": correction_energy,
            "closest": closest,
        }
        self.__dict__.update(fields)

    @property
    def forces(self) -> Array:
        """eV/Angstrom, [n_atoms, 3]; copied from the device."""
        return np.asarray(self.__dict__["on_device"].cpu().numpy())

    @property
    def n_atoms(self) -> int:
        """Of the configuration."""
        return len(self.__dict__["on_device"])


def correction_sums(
    module: TorchPairCorrection, pairs: Uploaded, positions: Tensor, cell: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and virial sum d x dE/dd (eV, [3, 3]).

    positions [n_atoms, 3] and cell [3, 3] on the device, float64, Angstrom; each pair once in ``pairs``.
    """
    vectors = pairs.vectors(positions, cell)
    distances = vectors.norm(dim=1)
    kinds = pairs.numbers[pairs.first], pairs.numbers[pairs.second]
    energy, slope = module.pair_energies(*kinds, distances)
    gradient = (slope / distances).unsqueeze(1) * vectors
    return energy.sum(), *pairs.sums(gradient, vectors)
