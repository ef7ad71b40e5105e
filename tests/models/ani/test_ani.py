"""ANI against torchani's own classes, the published lattice constant, and its compiled path."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule

from tests.models.ani.neurochem_files import torchani_energy_forces, write_model, write_published
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.ani.model import EV_PER_HARTREE, AniModel
from votca_mlp.models.ani.neurochem import read_neurochem

pytest.importorskip("torchani")


def liquid(symbols: tuple[str, ...] = ("Al",), repeat: int = 2, seed: int = 1) -> Atoms:
    """Return a sheared, strongly rattled box."""
    atoms = bulk("Al", "fcc", 4.2, cubic=True) * (repeat, repeat, repeat)
    atoms.rattle(0.2, seed=seed)
    shear = np.array([[1.02, 0.05, 0.0], [0.0, 0.98, 0.03], [0.0, 0.0, 1.0]])
    atoms.set_cell(atoms.cell.array @ shear, scale_atoms=True)
    rng = np.random.default_rng(seed)
    atoms.symbols = rng.choice(symbols, len(atoms))
    return atoms


def reference(source, atoms: Atoms) -> tuple[float, np.ndarray]:
    energy, forces = torchani_energy_forces(source, atoms)
    energy += sum(source.self_energies[symbol] for symbol in atoms.get_chemical_symbols())
    return energy * EV_PER_HARTREE, forces * EV_PER_HARTREE


def test_hartree() -> None:
    from ase.units import Hartree
    from torchani.units import HARTREE_TO_EV

    assert pytest.approx(Hartree, abs=1e-12) == EV_PER_HARTREE
    assert pytest.approx(HARTREE_TO_EV, abs=1e-12) == EV_PER_HARTREE


@pytest.mark.parametrize("symbols", [("Al",), ("Al", "Cu"), ("O", "Al", "Cu")])
def test_equal_to_torchani(tmp_path: Path, symbols: tuple[str, ...]) -> None:
    source = read_neurochem(write_model(tmp_path / "model", symbols, members=3))
    atoms = liquid(symbols)
    energy, forces = reference(source, atoms)
    evaluation = PairListEvaluator(AniModel(source), dtype=torch.float64).evaluate(atoms)
    assert evaluation.energy == pytest.approx(energy, abs=1e-10 * len(atoms))
    assert np.abs(forces).max() > 0.1
    assert np.abs(evaluation.forces - forces).max() < 1e-11
    assert len(evaluation.member_energies) == 3
    assert np.ptp(evaluation.member_energies) > 0.0


def test_aluminium_equal_to_torchani(data_dir: Path) -> None:
    source = read_neurochem(data_dir / "ani-al" / "model-Al-75")
    atoms = liquid()
    energy, forces = reference(source, atoms)
    evaluation = PairListEvaluator(AniModel(source), dtype=torch.float64).evaluate(atoms)
    assert evaluation.energy == pytest.approx(energy, abs=1e-10 * len(atoms))
    assert np.abs(evaluation.forces - forces).max() < 1e-11


def test_lattice_constant_of_aluminium(data_dir: Path) -> None:
    """The minimum of E(a) of fcc is the 4.054 Angstrom published for ANI-Al."""
    source = read_neurochem(data_dir / "ani-al" / "model-Al-75")
    evaluator = PairListEvaluator(AniModel(source), dtype=torch.float64)
    constants = np.arange(4.03, 4.0801, 0.01)
    energies = [evaluator.evaluate(bulk("Al", "fcc", a, cubic=True)).energy for a in constants]
    fit = np.polynomial.Polynomial.fit(constants, energies, 4)
    roots = fit.deriv().roots()
    minima = [
        r.real for r in roots if abs(r.imag) < 1e-9 and fit.deriv(2)(r.real) > 0 and 4.03 < r.real < 4.08
    ]
    assert minima == [pytest.approx(4.054, abs=5e-4)]


@pytest.fixture(params=["aluminium", "padded sections", "several species"])
def compiled(request: pytest.FixtureRequest, tmp_path: Path) -> AniModel:
    if request.param == "aluminium":
        data_dir: Path = request.getfixturevalue("data_dir")
        return AniModel(read_neurochem(data_dir / "ani-al" / "model-Al-75"))
    symbols = ("Al",) if request.param == "padded sections" else ("O", "Al", "Cu", "H")
    return AniModel(read_neurochem(write_model(tmp_path / "model", symbols)))


def liquid_of(model: AniModel, repeat: int = 2) -> Atoms:
    """Return a liquid of the model's species but hydrogen."""
    symbols = tuple(symbol for symbol in model.environment.constants.symbols if symbol != "H")
    return liquid(symbols, repeat)


@pytest.mark.parametrize("strain", [0.85, 1.0, 1.3])
def test_compiled_path_is_accurate(compiled: AniModel, strain: float) -> None:
    """Against float64: 1e-6 eV an atom, 1e-4 eV/Angstrom; compressed, liquid and stretched."""
    pytest.importorskip("numba")
    atoms = liquid_of(compiled, repeat=3)
    atoms.set_cell(atoms.cell.array * strain, scale_atoms=True)
    exact = PairListEvaluator(compiled, dtype=torch.float64).evaluate(atoms)
    fast = PairListEvaluator(compiled, dtype=torch.float32).evaluate(atoms)
    assert compiled._fast is not None
    scale = max(1.0, np.abs(exact.forces).max() / 10.0)
    assert abs(fast.energy - exact.energy) / len(atoms) < 1e-6 * scale
    assert np.abs(fast.forces - exact.forces).max() < 1e-4 * scale
    assert np.abs(fast.stress - exact.stress).max() < 1e-5 * scale
    assert np.abs(fast.member_energies - exact.member_energies).max() / len(atoms) < 2e-6 * scale


def test_compiled_path_on_a_cluster_and_single_atom(compiled: AniModel) -> None:
    pytest.importorskip("numba")
    cluster = molecule("C60")
    cluster.positions *= 1.9
    symbols = compiled.environment.constants.symbols
    cluster.numbers[:] = 13
    cluster.symbols[: len(symbols)] = symbols
    for atoms in (cluster, Atoms("Al"), Atoms("Al2", [[0, 0, 0], [0, 0, 2.7]]), Atoms()):
        exact = PairListEvaluator(compiled, dtype=torch.float64).evaluate(atoms)
        fast = PairListEvaluator(compiled, dtype=torch.float32).evaluate(atoms)
        assert fast.energy == pytest.approx(exact.energy, abs=1e-5 * max(len(atoms), 1))
        assert fast.forces == pytest.approx(exact.forces, abs=1e-4)


def test_compiled_path_same_bits(compiled: AniModel) -> None:
    """The same bits again, and for another number of threads."""
    pytest.importorskip("numba")
    atoms, before = liquid_of(compiled, repeat=4), torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3, 2):
            torch.set_num_threads(threads)
            evaluator = PairListEvaluator(compiled, dtype=torch.float32)
            vectors, _ = evaluator.evaluate(atoms), evaluator.forget()
            numbers, first, second = (
                getattr(evaluator.pairs, name) for name in ("numbers", "first", "second")
            )
            energies, gradient = evaluator.model.energies_and_gradient(
                numbers, first, second, evaluator.pairs.vectors
            )
            results.append((energies.clone(), gradient.clone(), vectors.energy))
    finally:
        torch.set_num_threads(before)
    for energies, gradient, energy in results[1:]:
        assert torch.equal(energies, results[0][0])
        assert torch.equal(gradient, results[0][1])
        assert energy == results[0][2]


def test_compiled_path_follows_changed_parameters(compiled: AniModel) -> None:
    pytest.importorskip("numba")
    atoms = liquid_of(compiled)
    evaluator = PairListEvaluator(compiled, dtype=torch.float32)
    before = evaluator.evaluate(atoms)
    with torch.no_grad():
        compiled.parameters_of(0)[1][0].mul_(1.2)
    after = evaluator.evaluate(atoms)
    compiled.compiled = False
    plain = evaluator.evaluate(atoms)
    assert abs(after.energy - before.energy) > 0.1
    assert after.energy == pytest.approx(plain.energy, abs=1e-6 * len(atoms))
    assert after.forces == pytest.approx(plain.forces, abs=1e-4)


def test_broken_positions_give_nan(compiled: AniModel) -> None:
    """Two atoms at one place must not give something plausible."""
    pytest.importorskip("numba")
    model = compiled.float()
    numbers, index = torch.tensor([13, 13]), torch.tensor([0, 1])
    vectors = torch.full((2, 3), float("nan"))
    energies, _ = model.energies_and_gradient(numbers, index, index.flip(0), vectors)
    assert torch.isnan(energies).all()


@pytest.mark.parametrize("name", ["ANI-1x", "ANI-2x"])
def test_compiled_path_of_the_published_formats(tmp_path: Path, name: str) -> None:
    """Constants of ANI-1x and ANI-2x, mixtures that have and lack species, against torchani."""
    pytest.importorskip("numba")
    source = read_neurochem(write_published(tmp_path / "model", name))
    evaluator = PairListEvaluator(AniModel(source), dtype=torch.float32)
    for present in (source.constants.symbols, ("O", "H")):
        atoms = liquid(present)
        atoms.set_cell(0.75 * atoms.cell.array, scale_atoms=True)
        energy, forces = reference(source, atoms)
        found = evaluator.evaluate(atoms)
        assert found.energy == pytest.approx(energy, abs=1e-6 * len(atoms))
        assert np.abs(forces).max() > 0.1
        assert np.abs(found.forces - forces).max() < 1e-4


def test_compiled_path_of_several_species_by_differences(tmp_path: Path) -> None:
    """Forces and stress are slopes of the energy."""
    pytest.importorskip("numba")
    symbols = ("Al", "O", "Cu")
    evaluator = PairListEvaluator(AniModel(read_neurochem(write_model(tmp_path / "model", symbols))))
    atoms = liquid(symbols)
    found = evaluator.evaluate(atoms)
    # along the forces and the stress themselves, where float32 has most to go by
    direction = 0.01 * found.forces / np.abs(found.forces).max()
    strain = 0.004 * found.stress / np.abs(found.stress).max()
    energies = []
    for sign in (1, -1):
        moved, strained = atoms.copy(), atoms.copy()
        moved.positions += sign * direction
        strained.set_cell(atoms.cell.array @ (np.eye(3) + sign * strain), scale_atoms=True)
        energies.append([evaluator.evaluate(each).energy for each in (moved, strained)])
    slopes = (np.array(energies[0]) - energies[1]) / 2.0
    assert slopes[0] == pytest.approx(-(found.forces * direction).sum(), rel=5e-3)
    assert slopes[1] == pytest.approx(atoms.get_volume() * (found.stress * strain).sum(), rel=5e-3)


def test_gradient_in_parameters(tmp_path: Path) -> None:
    model = AniModel(read_neurochem(write_model(tmp_path / "model")))
    numbers, first, second = torch.full((2,), 13), torch.tensor([0, 1]), torch.tensor([1, 0])
    vectors = torch.tensor([[0.0, 0.3, 2.6], [0.0, -0.3, -2.6]], dtype=torch.float64)

    def energy() -> torch.Tensor:
        return model(numbers, first, second, vectors).mean(0).sum()

    energy().backward()
    weight = model.parameters_of(0)[1][0]
    slope = float(weight.grad[0, 3, 5])
    with torch.no_grad():
        weight[0, 3, 5] += 1e-4
        up = float(energy())
        weight[0, 3, 5] -= 2e-4
        down = float(energy())
    assert abs(slope) > 1e-6
    assert slope == pytest.approx((up - down) / 2e-4, rel=1e-5)


def test_pairs_beyond_the_cutoffs_do_nothing(compiled: AniModel) -> None:
    """A longer list (skin) gives the same results."""
    atoms = liquid_of(compiled)
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-4)):
        short = PairListEvaluator(compiled, dtype=dtype, skin=0.0).evaluate(atoms)
        long = PairListEvaluator(compiled, dtype=dtype, skin=3.0).evaluate(atoms)
        assert long.energy == pytest.approx(short.energy, abs=tolerance)
        assert long.forces == pytest.approx(short.forces, abs=tolerance)
