"""The correction of moving configurations: compiled, on a device, by any calculator, for any threads."""

import numba
import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.stress import voigt_6_to_full_3x3_stress

from tests.potentials.tables import correction, wiggle
from votca_mlp.evaluation import correction_kernel
from votca_mlp.evaluation.calculator import MLPCalculator
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.correction import CorrectionAdder
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.kernels import chunks as kernel_chunks
from votca_mlp.models.contract import PairModel
from votca_mlp.neighbours.host_pairs import HostPairs
from votca_mlp.neighbours.verlet_lists import VerletPairList
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.torch_pair import TorchPairCorrection


class NoModel(PairModel):
    """A model without energy, to see the correction alone."""

    cutoff = 3.0
    numbers = tuple(range(1, 95))

    def forward(self, numbers, first, second, vectors):
        return 0.0 * torch.zeros(1, len(numbers), dtype=vectors.dtype).index_add(1, first, vectors[:, :1].T)


def mixture() -> Atoms:
    atoms = bulk("Al", "fcc", a=4.3, cubic=True).repeat(3)
    random = np.random.default_rng(3)
    atoms.numbers[random.integers(0, len(atoms), 40)] = 28
    atoms.rattle(0.25, seed=5)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.02 * random.standard_normal((3, 3))), scale_atoms=True)
    return atoms


def test_evaluators_agree_and_match_finite_differences() -> None:
    atoms = mixture()
    by_pairs = PairListEvaluator(NoModel(), correction(), dtype=torch.float64)
    atoms.calc = MLPCalculator(by_pairs)
    result = by_pairs.evaluate(atoms)
    lj = {"sigma": 2.5, "epsilon": 0.05, "rc": 5.0, "smooth": True}
    alone = CalculatorEvaluator(LennardJones(**lj)).evaluate(atoms)
    both = CalculatorEvaluator(LennardJones(**lj), correction()).evaluate(atoms)
    assert both.energy - alone.energy == pytest.approx(result.energy, abs=1e-9)
    assert both.forces - alone.forces == pytest.approx(result.forces, abs=1e-9)
    assert both.stress - alone.stress == pytest.approx(result.stress, abs=1e-9)
    assert both.closest is not None
    assert both.closest[2] == pytest.approx(atoms.get_all_distances(mic=True)[both.closest[:2]], abs=1e-9)
    assert voigt_6_to_full_3x3_stress(atoms.get_stress()) == pytest.approx(result.stress, abs=1e-12)
    from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress

    assert calculate_numerical_forces(atoms, eps=1e-5, iatoms=[0, 7, 30]) == pytest.approx(
        result.forces[[0, 7, 30]], abs=1e-6
    )
    assert calculate_numerical_stress(atoms, eps=1e-6) == pytest.approx(atoms.get_stress(), abs=1e-7)


def on_device(adder: CorrectionAdder) -> CorrectionAdder:
    """The same corrections by the code for other devices, here in the CPU's memory."""
    adder.list = VerletPairList(adder.list.cutoff, adder.list.skin, full=False)
    return adder


@pytest.mark.parametrize("pbc", [True, (True, True, False), False], ids=["bulk", "slab", "cluster"])
def test_device_path_equals_compiled_loops(pbc) -> None:
    atoms = mixture()
    atoms.pbc = pbc
    atoms.numbers[:5] = 79  # without a table
    numbers = atoms.numbers.astype(np.int64)
    compiled, device = CorrectionAdder(correction(), 0.5), on_device(CorrectionAdder(correction(), 0.5))
    device.module = TorchPairCorrection(correction())
    random = np.random.default_rng(2)
    for _ in range(4):
        arguments = (atoms.get_positions(), atoms.cell.array, atoms.pbc, numbers)
        energy, forces, virial = compiled.add(*arguments)
        t_energy, t_forces, t_virial = device.add(*arguments)
        assert t_energy == pytest.approx(energy, abs=1e-10)
        assert t_forces == pytest.approx(forces, abs=1e-11)
        assert t_virial == pytest.approx(virial, abs=1e-10)
        atoms.positions += 0.05 * random.standard_normal(atoms.positions.shape)
    assert 1 <= compiled.list.builds == device.list.builds < 4


def test_single_precision_and_other_tables() -> None:
    atoms = bulk("Al", "fcc", a=4.2, cubic=True).repeat(5)
    atoms.rattle(0.2, seed=1)
    arguments = (atoms.get_positions(), atoms.cell.array, atoms.pbc, atoms.numbers.astype(np.int64))
    # steps of 10 meV from point to point: rougher than corrections of real runs
    pairs = [
        PairCorrection({(13, 13): akima_from_points(r, 0.1 * u)})
        for r, u in (wiggle(1, 81, 2, 10), wiggle(9, 81, 2, 10))
    ]
    energy, forces, virial = CorrectionAdder(pairs[0], 0.5).add(*arguments)
    single = CorrectionAdder(pairs[1], 0.5, dtype=torch.float32).with_tables(pairs[0])
    s_energy, s_forces, s_virial = single.add(*arguments)
    assert abs(s_energy - energy) / len(atoms) < 1e-6
    assert 0.0 < np.abs(s_forces - forces).max() < 1e-4
    assert np.abs(s_virial - virial).max() < 1e-5 * len(atoms)


def test_broken_positions_give_nan_forces() -> None:
    atoms = bulk("Al", "fcc", a=4.2, cubic=True).repeat(3)
    adder = CorrectionAdder(correction(), 0.5, dtype=torch.float32)
    numbers = atoms.numbers.astype(np.int64)
    atoms.positions[7] = np.nan
    _, forces, virial = adder.add(atoms.get_positions(), atoms.cell.array, atoms.pbc, numbers)
    assert np.isnan(forces[7]).all()
    assert np.isnan(virial).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_same_bits_for_any_threads(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (kernel_chunks, correction_kernel):
        monkeypatch.setattr(module, "chunks_for", lambda atoms: 6)
    atoms, before = mixture(), torch.get_num_threads()
    arguments = (atoms.get_positions(), atoms.cell.array, atoms.pbc, atoms.numbers.astype(np.int64))
    results = []
    try:
        for threads in range(1, int(vars(numba.config)["NUMBA_NUM_THREADS"]) + 1):
            torch.set_num_threads(threads)
            pairs = HostPairs(5.0, 0.5, dtype)
            pairs.update(*arguments)
            sums = pairs.sums(pairs.vectors)
            results.append((*CorrectionAdder(correction(), 0.5, dtype=dtype).add(*arguments), *sums))
            assert numba.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for result in results[1:]:
        for one, other in zip(result, results[0], strict=True):
            assert np.array_equal(one, other)
