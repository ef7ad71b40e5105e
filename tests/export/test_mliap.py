"""Format mliap: the object, driven as LAMMPS's ML-IAP drives it. LAMMPS itself: test_mliap_lammps."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from tests.export.runs import HIPNN, MIXTURE, aluminium, brute_force, make_run, mixture
from votca_mlp.deploy.mliap_data import LammpsData
from votca_mlp.errors import UserError
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.export.export import export
from votca_mlp.models.load import load_model
from votca_mlp.settings import MLPSettings

BUILTIN = HIPNN.format(model="builtin:al-hipnn", dtype="float64")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mliap")
    run = make_run(folder / "run", BUILTIN, aluminium())
    done = export(run, "mliap", folder / "out")
    assert done.left_out == ("LAMMPS itself was not run with it",)
    assert len(done.comparisons) == 2
    return folder


def loaded(folder: Path):
    return pickle.loads((folder / "out" / "corrected.mliap.pkl").read_bytes())


def expected(folder: Path, atoms: Atoms) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, forces, stress: the model alone by its evaluator, the correction by a loop over images."""
    mlp = MLPSettings(kind="hippynn", model="builtin:al-hipnn", dtype="float64", device="cpu")
    alone = make_evaluator(mlp, None, folder).evaluate(atoms)
    tables = {("Al", "Al"): folder / "run" / "step_002" / "Al-Al.pot.cur"}
    energy, forces = brute_force(atoms, tables)
    return alone.energy + energy, alone.forces + forces, alone.stress


def test_energy_forces_and_ghosts(exported) -> None:
    atoms, thing = aluminium(), loaded(exported)
    data = LammpsData(atoms, thing.element_types, 2 * thing.rcutfac)
    assert data.ntotal > 2 * len(atoms)
    thing.compute_forces(data)
    found = data.answer()
    energy, forces, _ = expected(exported, atoms)
    assert found.energy == pytest.approx(energy, abs=1e-7 * len(atoms))
    assert data.eatoms.sum() == pytest.approx(found.energy, abs=1e-9)
    assert found.forces == pytest.approx(forces, abs=1e-5)
    # stress by finite differences of the object's own energy
    for i, j in ((0, 0), (1, 2)):
        energies = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[i, j] += sign * 5e-5
            strain[j, i] = strain[i, j]
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            again = LammpsData(strained, thing.element_types, 2 * thing.rcutfac)
            thing.compute_forces(again)
            energies.append(again.energy)
        slope = (energies[0] - energies[1]) / 1e-4 / (1 if i == j else 2)
        assert found.stress[i, j] * data.volume == pytest.approx(slope, abs=2e-3)


def test_two_ranks_make_the_whole(exported) -> None:
    """Half of the atoms local on each rank, all others ghosts: the sum is what one rank has."""
    atoms, thing = aluminium(), loaded(exported)
    whole = LammpsData(atoms, thing.element_types, 2 * thing.rcutfac)
    thing.compute_forces(whole)
    count, energy, forces, virial = len(atoms), 0.0, np.zeros((len(atoms), 3)), np.zeros((3, 3))
    for order in (np.arange(count), np.arange(count)[::-1]):
        rank = LammpsData(atoms[order], thing.element_types, 2 * thing.rcutfac)
        local = count // 2
        mine = rank.pair_i < local
        rank.pair_i, rank.pair_j, rank.rij = rank.pair_i[mine], rank.pair_j[mine], rank.rij[mine]
        rank.nlistatoms, rank.npairs = local, int(mine.sum())
        thing.compute_forces(rank)
        assert rank.eatoms.shape == (local,)
        energy += rank.energy
        virial += rank.virial
        np.add.at(forces, order[rank.owners], rank.f)
    assert energy == pytest.approx(whole.energy, abs=1e-8)
    assert forces == pytest.approx(whole.answer().forces, abs=1e-9)
    assert virial == pytest.approx(whole.virial, abs=1e-7)


def test_no_atoms_and_no_pairs(exported) -> None:
    thing = loaded(exported)
    lonely = Atoms("Al2", [[0, 0, 0], [15, 15, 15]], cell=[30, 30, 30], pbc=True)
    data = LammpsData(lonely, thing.element_types, 2 * thing.rcutfac)
    assert data.npairs == 0
    thing.compute_forces(data)
    assert data.energy == pytest.approx(expected(exported, lonely)[0], abs=1e-8)
    data.nlistatoms, data.energy = 0, 7.0
    thing.compute_forces(data)
    assert data.energy == 7.0


def test_arrays_of_kokkos(exported) -> None:
    """The KOKKOS package's object has its arrays filled in place and another method for the forces."""

    class Data(LammpsData):
        def update_pair_forces_cpu(self, fij) -> None:
            LammpsData.update_pair_forces(self, fij.numpy())

        def update_pair_forces(self, fij) -> None:
            raise AssertionError("not a method of the KOKKOS object")

    Data.__module__ = "mliap_unified_couple_kokkos"
    atoms, thing = aluminium(), loaded(exported)
    plain, data = (kind(atoms, thing.element_types, 2 * thing.rcutfac) for kind in (LammpsData, Data))
    place = data.eatoms
    thing.compute_forces(plain)
    thing.compute_forces(data)
    assert data.eatoms is place
    assert data.eatoms == pytest.approx(plain.eatoms, abs=1e-12)
    assert data.f == pytest.approx(plain.f, abs=1e-12)


def test_the_pickle_in_a_fresh_python(exported) -> None:
    """As LAMMPS loads it: nothing of this package imported before, from any directory."""
    file = exported / "out" / "corrected.mliap.pkl"
    code = (
        f"import pickle; thing = pickle.load(open({str(file)!r}, 'rb')); "
        "print(thing.element_types, thing.ndescriptors, thing.rcutfac, thing.interface)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["['Al']", "1", "3.75", "None"]
    fragment = (exported / "out" / "mliap.in").read_text()
    assert "pair_style mliap unified corrected.mliap.pkl 0\npair_coeff * * Al\n" in fragment
    assert "1023 K" in fragment


def test_two_interaction_layers(tmp_path) -> None:
    from votca_mlp.models.hipnn.files import save_hipnn

    model = load_model(MLPSettings(kind="hippynn", model="builtin:al-hipnn"), tmp_path)
    two = two_layers(model)
    save_hipnn(tmp_path / "two.pt", two, {})
    atoms = aluminium()
    run = make_run(tmp_path / "run", HIPNN.format(model=tmp_path / "two.pt", dtype="float32"), atoms)
    with pytest.raises(UserError, match=r"has 2 interaction layers[\s\S]*<program>lammps</program>"):
        export(run, "mliap", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def two_layers(model):
    """Return an untrained network like ``model`` with two interaction layers."""
    import torch

    from votca_mlp.models.hipnn.model import HipnnModel, hyperparameters_of, import_hippynn

    import_hippynn()
    from hippynn.layers.targets import HEnergy
    from hippynn.networks.hipnn import Hipnn

    known = hyperparameters_of(model)
    for name in ("kind", "first_is_interacting"):
        known.pop(name, None)
    network = Hipnn(possible_species=[0, 13], **{**known, "n_interaction_layers": 2})
    return HipnnModel(network, HEnergy(network.feature_sizes), (13,), torch.zeros(1, dtype=torch.float64))


def test_any_calculator_is_refused(tmp_path) -> None:
    run = make_run(tmp_path / "run", MIXTURE, mixture(), ("Ar-Ar",))
    with pytest.raises(UserError, match=r"kind ase is any ASE calculator[\s\S]*kind hippynn or ani"):
        export(run, "mliap", tmp_path / "out")
