"""Model plus correction for a configuration: one pair list, one backward pass."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.models.contract import Evaluation, PairModel
from votca_mlp.models.neighbours import SkinList
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.torch_pair import TorchPairCorrection

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]


class Evaluator(ABC):
    """Energy, forces and stress of an ``ase.Atoms``."""

    @abstractmethod
    def evaluate(self, atoms: "Atoms") -> Evaluation:
        """Return the evaluation of one configuration."""

    def forget(self) -> None:  # noqa: B027  an evaluator without a list has nothing to forget
        """Drop what is kept between calls, so that the next one depends on the configuration alone."""


class PairListEvaluator(Evaluator):
    """A pair-list model and a correction on one shared neighbour list.

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
        skin: float = 0.5,
    ) -> None:
        self.device, self.dtype = torch.device(device), dtype
        self.model = model.to(device=self.device, dtype=dtype).eval()
        self.correction: TorchPairCorrection | None = None
        if correction is not None and correction.pairs:
            self.correction = TorchPairCorrection(correction, dtype).to(self.device)
        reach = max(model.cutoff, 0.0 if correction is None else correction.cutoff)
        self.list = SkinList(reach, skin)
        self._numbers = np.empty(0, np.int64)
        self._tensors: tuple[torch.Tensor, ...] = ()

    def forget(self) -> None:
        """Rebuild the neighbour list at the next call."""
        self.list.forget()

    def evaluate(self, atoms: "Atoms") -> Evaluation:
        """Return the evaluation of one configuration.

        Raises
        ------
        UserError
            An element that the model does not know.
        """
        positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
        rebuilt = self.list.update(positions, cell, atoms.pbc)
        if rebuilt or not np.array_equal(atoms.numbers, self._numbers):
            self._check_elements(atoms.numbers)
            self._numbers = atoms.numbers.copy()
            arrays = (self._numbers, self.list.first, self.list.second)
            self._tensors = tuple(torch.from_numpy(a.astype(np.int64)).to(self.device) for a in arrays)
        numbers, first, second = self._tensors
        vectors64 = self.list.vectors(positions, cell)
        vectors = torch.from_numpy(vectors64).to(device=self.device, dtype=self.dtype)
        squared = (vectors * vectors).sum(1)

        members, gradient = self._model_part(numbers, first, second, vectors, squared)
        correction_energy = 0.0
        if self.correction is not None:
            distances = squared.sqrt()
            u, slope = self.correction.pair_energies(numbers[first], numbers[second], distances)
            correction_energy = 0.5 * float(u.sum(dtype=torch.float64))
            gradient = gradient + (0.5 * slope / distances).unsqueeze(1) * vectors
        member_energies = members.sum(1, dtype=torch.float64).cpu().numpy()

        forces = torch.zeros(len(numbers), 3, dtype=self.dtype, device=self.device)
        forces.index_add_(0, first, gradient).index_add_(0, second, gradient, alpha=-1)
        virial = (gradient.T @ vectors).double().cpu().numpy()
        volume = abs(float(np.linalg.det(cell))) if cell.any() else 0.0
        stress = 0.5 * (virial + virial.T) / volume if volume else np.zeros((3, 3))
        return Evaluation(
            energy=float(member_energies.mean()) + correction_energy,
            forces=forces.double().cpu().numpy(),
            stress=stress,
            member_energies=member_energies,
            correction_energy=correction_energy,
            closest=self._closest(squared),
        )

    def _model_part(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the model on the pairs within its own cutoff; return energies and the gradient on all pairs."""
        numbers, first, second, vectors, squared = tensors
        index = (squared < self.model.cutoff**2).nonzero().squeeze(1)
        energies, inner = self.model.energies_and_gradient(
            numbers, first[index], second[index], vectors[index]
        )
        gradient = torch.zeros_like(vectors).index_copy_(0, index, inner.to(self.dtype))
        return energies, gradient

    def _closest(self, squared: torch.Tensor) -> tuple[int, int, float] | None:
        if not len(squared):
            return None
        k = int(squared.argmin())
        return int(self.list.first[k]), int(self.list.second[k]), float(squared[k].sqrt())

    def _check_elements(self, numbers: NDArray[np.int64]) -> None:
        check_elements(numbers, self.model.numbers)


def check_elements(numbers: NDArray[np.int64], known: tuple[int, ...]) -> None:
    """Refuse atomic numbers outside ``known``.

    Raises
    ------
    UserError
        Naming the elements.
    """
    unknown = sorted(set(numbers.tolist()) - set(known))
    if unknown:
        from ase.data import chemical_symbols

        raise UserError(
            "the model does not know " + ", ".join(chemical_symbols[z] for z in unknown),
            where="cg.inverse.mlp.model",
            accepted="configurations of " + ", ".join(chemical_symbols[z] for z in known),
        )


class CalculatorEvaluator(Evaluator):
    """Any ASE calculator plus the correction, summed by energy, forces and stress.

    Parameters
    ----------
    calculator
        An ASE calculator with energy, forces and (for periodic boxes) stress.
    correction, skin
        As for :class:`PairListEvaluator`; skin in Angstrom.
    watch
        Pairs within this distance (Angstrom) are looked at for the closest one.
    """

    def __init__(
        self,
        calculator: Any,
        correction: PairCorrection | None = None,
        *,
        skin: float = 0.5,
        watch: float = 3.0,
    ) -> None:
        self.calculator = calculator
        self.correction = correction or PairCorrection({})
        self.list = SkinList(max(self.correction.cutoff, watch), skin)

    def forget(self) -> None:
        """Rebuild the correction's neighbour list at the next call and reset the calculator."""
        self.list.forget()
        if hasattr(self.calculator, "reset"):
            self.calculator.reset()

    def evaluate(self, atoms: "Atoms") -> Evaluation:
        """Return the evaluation of one configuration."""
        properties = ["energy", "forces"] + (["stress"] if atoms.cell.rank == 3 else [])
        self.calculator.calculate(atoms, properties, ["positions", "cell"])
        results = self.calculator.results
        positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
        self.list.update(positions, cell, atoms.pbc)
        first, second = self.list.first, self.list.second
        vectors = self.list.vectors(positions, cell)
        distances = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        u, slope = self.correction.pair_energies(atoms.numbers[first], atoms.numbers[second], distances)
        gradient = (0.5 * slope / distances)[:, None] * vectors
        forces = np.array(results["forces"], float)
        for axis in range(3):
            forces[:, axis] += np.bincount(first, gradient[:, axis], len(atoms))
            forces[:, axis] -= np.bincount(second, gradient[:, axis], len(atoms))
        stress = np.zeros((3, 3))
        if "stress" in properties:
            from ase.stress import voigt_6_to_full_3x3_stress

            stress = voigt_6_to_full_3x3_stress(results["stress"]) + gradient.T @ vectors / atoms.get_volume()
        energy, extra = float(results["energy"]), 0.5 * float(u.sum())
        closest = None
        if len(distances):
            k = int(distances.argmin())
            closest = (int(first[k]), int(second[k]), float(distances[k]))
        return Evaluation(energy + extra, forces, stress, np.array([energy]), extra, closest)
