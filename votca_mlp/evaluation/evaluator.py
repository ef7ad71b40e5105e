"""A pair-list model plus correction for a configuration: energy, forces and stress."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.evaluation.contract import CORRECTION_SKIN, Evaluator, SameNumbers, check_elements
from votca_mlp.evaluation.correction import CorrectionAdder
from votca_mlp.evaluation.device import DeviceForces
from votca_mlp.evaluation.result import Evaluation, stress_of
from votca_mlp.models.contract import FastEvaluation, ModelSums, PairModel
from votca_mlp.neighbours.box import volume_of
from votca_mlp.neighbours.device_pairs import DevicePairs
from votca_mlp.neighbours.host_pairs import HostPairs
from votca_mlp.neighbours.skin import VerletSkin
from votca_mlp.potentials.correction import PairCorrection

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]


class PairListEvaluator(Evaluator):
    """A pair-list model and a correction.

    The model reads a pair list out to its own cutoff, the correction, which reaches further, a list of its
    own: together they cost less than one list for both. Each is kept while its skin allows. On a CPU compiled
    loops form the pair vectors and evaluate the correction; elsewhere torch does on the device.

    Parameters
    ----------
    model, correction
        What to add up; an empty correction costs nothing.
    device, dtype
        Where and in which precision the model runs. Pair vectors are formed in float64 first.
    skin
        Angstrom.
    """

    def __init__(
        self,
        model: PairModel,
        correction: PairCorrection | None = None,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        skin: float = 1.0,
    ) -> None:
        self.device, self.dtype = torch.device(device), dtype
        self.model = model.to(device=self.device, dtype=dtype).eval()
        self.correction = correction
        self.pairs: HostPairs | DevicePairs
        if self.device.type == "cpu":
            self.pairs = HostPairs(model.cutoff, skin, dtype)
        else:
            self.pairs = DevicePairs(model.cutoff, skin, dtype, self.device)
        self.fast: FastEvaluation | None = None
        self.adder: CorrectionAdder | None = None
        if correction is not None and correction.pairs:
            self.adder = CorrectionAdder(correction, CORRECTION_SKIN * skin, self.device, dtype)
        self.same_numbers = SameNumbers()
        self._checked: NDArray[np.int64] | None = None

    def on_device(self) -> DeviceForces | None:
        """Return what evaluates positions that are on the device already, with lists of its own."""
        if self.device.type == "cpu":
            return None
        skin, table = self.pairs.list.skin, None if self.adder is None else self.adder.module
        skins = {"skin": skin, "correction_skin": CORRECTION_SKIN * skin}
        return DeviceForces(self.model, table, device=self.device, dtype=self.dtype, **skins)

    def lists(self) -> list[VerletSkin] | None:
        """Return the model's list by pairs, that of its own evaluation, and the correction's."""
        found: list[VerletSkin] = [self.pairs.list]
        fast = self._own_evaluation()
        if fast is not None:
            own = getattr(fast, "list", None)
            if not isinstance(own, VerletSkin):
                return None
            found.append(own)
        return found if self.adder is None else [*found, self.adder.list]

    def forget(self) -> None:
        """Rebuild the neighbour lists at the next call."""
        self.pairs.list.forget()
        if self.fast is not None:
            self.fast.forget()
        if self.adder is not None:
            self.adder.forget()

    def evaluate(self, atoms: "Atoms") -> Evaluation:
        """Return the evaluation of one configuration.

        Raises
        ------
        UserError
            An element that the model does not know.
        """
        positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
        numbers = self.same_numbers.of(atoms)
        if numbers is not self._checked:
            check_elements(numbers, self.model.numbers)
            self._checked = numbers
        found = self._fast_sums(positions, cell, atoms.pbc, numbers)
        if found is None:
            found = self._by_pairs(positions, cell, atoms.pbc, numbers)
        member_energies, forces, virial, closest = found
        extra = 0.0
        if self.adder is not None:
            extra, extra_forces, extra_virial = self.adder.add(positions, cell, atoms.pbc, numbers)
            forces += extra_forces
            virial += extra_virial
        return Evaluation(
            energy=float(member_energies.mean()) + extra,
            forces=forces,
            stress=stress_of(virial, volume_of(cell)),
            member_energies=member_energies,
            correction_energy=extra,
            closest=closest,
        )

    def _fast_sums(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> ModelSums | None:
        fast = self._own_evaluation()
        return None if fast is None else fast.sums(positions, cell, pbc, numbers)

    def _own_evaluation(self) -> FastEvaluation | None:
        """Return the model's own evaluation, None where it has none (yet)."""
        if self.fast is None and self.device.type == "cpu":
            self.fast = self.model.fast_evaluation(self.dtype, self.pairs.list.skin)
        return self.fast

    def _by_pairs(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> ModelSums:
        pairs = self.pairs
        closest = pairs.update(positions, cell, pbc, numbers)
        members, gradient = self.model.energies_and_gradient(
            pairs.numbers, pairs.first, pairs.second, pairs.vectors
        )
        member_energies = members.sum(1, dtype=torch.float64).cpu().numpy()
        return ModelSums(member_energies, *pairs.sums(gradient), closest)
