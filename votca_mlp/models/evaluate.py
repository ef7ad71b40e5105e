"""Model plus correction for a configuration: energy, forces and stress."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.models.add_correction import CorrectionAdder, DevicePairs
from votca_mlp.models.contract import Evaluation, PairModel
from votca_mlp.models.neighbours import SkinList
from votca_mlp.potentials.correction import PairCorrection

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

CORRECTION_SKIN = 2.0
"""Skin of the correction's list by the model's: its pairs cost little beside building its list."""


class Evaluator(ABC):
    """Energy, forces and stress of an ``ase.Atoms``."""

    @abstractmethod
    def evaluate(self, atoms: "Atoms") -> Evaluation:
        """Return the evaluation of one configuration."""

    def forget(self) -> None:  # noqa: B027  an evaluator without a list has nothing to forget
        """Drop what is kept between calls, so that the next one depends on the configuration alone."""


class PairListEvaluator(Evaluator):
    """A pair-list model and a correction.

    The model reads a full list out to its own cutoff; the correction, which reaches further, a half list:
    together they cost less than one list for both. Each is kept while its skin allows. On a CPU compiled
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
        self.list = SkinList(model.cutoff, skin)
        self.adder: CorrectionAdder | None = None
        if correction is not None and correction.pairs:
            self.adder = CorrectionAdder(correction, CORRECTION_SKIN * skin, self.device, dtype)
        self._numbers = np.empty(0, np.int64)
        self._tensors: tuple[torch.Tensor, ...] = ()
        self._vectors = torch.empty(0)

    def forget(self) -> None:
        """Rebuild the neighbour lists at the next call."""
        self.list.forget()
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
        rebuilt = self.list.update(positions, cell, atoms.pbc)
        if rebuilt or not np.array_equal(atoms.numbers, self._numbers):
            check_elements(atoms.numbers, self.model.numbers)
            self._numbers = atoms.numbers.astype(np.int64)
            self._pairs = DevicePairs(self.list, self._numbers, self.device)
            numbers = torch.from_numpy(self._numbers).to(self.device)
            self._tensors = numbers, self._pairs.first, self._pairs.second
            self._vectors = torch.empty(len(self.list.first), 3, dtype=self.dtype, device=self.device)
        vectors, closest = self._pair_vectors(positions, cell)
        numbers, first, second = self._tensors
        members, gradient = self.model.energies_and_gradient(numbers, first, second, vectors)
        member_energies = members.sum(1, dtype=torch.float64).cpu().numpy()

        forces, virial = self._sums(gradient, vectors)
        extra = 0.0
        if self.adder is not None:
            extra, extra_forces, extra_virial = self.adder.add(positions, cell, atoms.pbc, self._numbers)
            forces += extra_forces
            virial += extra_virial
        volume = abs(float(np.linalg.det(cell))) if cell.any() else 0.0
        return Evaluation(
            energy=float(member_energies.mean()) + extra,
            forces=forces,
            stress=0.5 * (virial + virial.T) / volume if volume else np.zeros((3, 3)),
            member_energies=member_energies,
            correction_energy=extra,
            closest=closest,
        )

    def _sums(self, gradient: torch.Tensor, vectors: torch.Tensor) -> tuple[Array, Array]:
        """Return forces and virial of the pairs' gradients."""
        numbers, first, second = self._tensors
        if self.device.type == "cpu":
            from votca_mlp.models.pair_kernels import pair_sums

            atoms, arrays = len(numbers), (gradient.numpy(), vectors.numpy())
            forces, virial = pair_sums(self.list.first, self.list.second, *arrays, atoms)
            return forces, virial
        pulled = torch.zeros(len(numbers), 3, dtype=self.dtype, device=self.device)
        pulled.index_add_(0, first, gradient).index_add_(0, second, gradient, alpha=-1)
        return pulled.double().cpu().numpy(), (gradient.T @ vectors).double().cpu().numpy()

    def _pair_vectors(
        self, positions: Array, cell: Array
    ) -> tuple[torch.Tensor, tuple[int, int, float] | None]:
        """Return the vectors of the model's pairs on the device, and the closest pair."""
        listed = self.list
        if self.device.type == "cpu":
            from votca_mlp.models.pair_kernels import pair_vectors

            vectors = self._vectors
            pair, squared = pair_vectors(
                positions, cell, listed.first, listed.second, listed.shifts, vectors.numpy()
            )
        else:
            vectors64 = self._pairs.vectors(positions, cell)
            distances2 = vectors64.square().sum(1)
            pair = int(distances2.argmin()) if len(distances2) else -1
            squared = float(distances2[pair]) if len(distances2) else 0.0
            vectors = vectors64.to(self.dtype)
        if pair < 0:
            return vectors, None
        return vectors, (int(listed.first[pair]), int(listed.second[pair]), float(np.sqrt(squared)))


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
        skin: float = 1.0,
        watch: float = 3.0,
    ) -> None:
        self.calculator = calculator
        self._species: tuple[bytes, bytes] | None = None
        self.watched = SkinList(watch, skin, full=False)
        self.adder: CorrectionAdder | None = None
        if correction is not None and correction.pairs:
            self.adder = CorrectionAdder(correction, CORRECTION_SKIN * skin)

    def forget(self) -> None:
        """Rebuild the neighbour lists at the next call and reset the calculator."""
        self.watched.forget()
        if self.adder is not None:
            self.adder.forget()
        self._species = None
        if hasattr(self.calculator, "reset"):
            self.calculator.reset()

    def evaluate(self, atoms: "Atoms") -> Evaluation:
        """Return the evaluation of one configuration."""
        from ase.stress import voigt_6_to_full_3x3_stress

        periodic = atoms.cell.rank == 3
        # calculators set up their lists anew only when they are told that numbers or pbc are others
        species = (atoms.numbers.tobytes(), atoms.pbc.tobytes())
        changes = ["positions", "cell"] + ([] if species == self._species else ["numbers", "pbc"])
        self._species = species
        self.calculator.calculate(atoms, ["energy", "forces"] + (["stress"] if periodic else []), changes)
        results = self.calculator.results
        positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
        forces = np.array(results["forces"], float)
        stress = np.array(voigt_6_to_full_3x3_stress(results["stress"])) if periodic else np.zeros((3, 3))
        energy, extra = float(results["energy"]), 0.0
        if self.adder is not None:
            numbers = atoms.numbers.astype(np.int64)
            extra, extra_forces, virial = self.adder.add(positions, cell, atoms.pbc, numbers)
            forces += extra_forces
            if periodic:
                stress += virial / atoms.get_volume()
        return Evaluation(
            energy + extra,
            forces,
            stress,
            np.array([energy]),
            extra,
            self._closest(positions, cell, atoms.pbc),
        )

    def _closest(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_]
    ) -> tuple[int, int, float] | None:
        self.watched.update(positions, cell, pbc)
        vectors = self.watched.vectors(positions, cell)
        if not len(vectors):
            return None
        squared = np.einsum("ij,ij->i", vectors, vectors)
        k = int(squared.argmin())
        return int(self.watched.first[k]), int(self.watched.second[k]), float(np.sqrt(squared[k]))
