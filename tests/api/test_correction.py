"""A correction in the hand: u(r), calculator, file, figure; simulations and g(r)."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones
from ase.neighborlist import neighbor_list

import votca_mlp as vm
from votca_mlp.models.load import builtin_models
from votca_mlp.tables import make_table
from votca_mlp.units import EV_PER_KJMOL


def correction(model: str = "") -> vm.Correction:
    """Return a smooth u(r) for aluminium, 0.5 kJ/mol at contact, zero from 6 Angstrom on."""
    r = np.linspace(0.0, 0.6, 121)
    return vm.Correction({("Al", "Al"): make_table(r, 0.5 * (1.0 - r / 0.6) ** 2)}, 1023.0, 1.0, model, 3)


def test_u_in_eV_and_angstrom() -> None:
    """At a grid point u is the table's value in eV; beyond the cutoff it is zero."""
    u = correction().u(np.array([3.0, 6.0, 9.0]))
    assert u[0] == pytest.approx(0.5 * 0.25 * EV_PER_KJMOL, rel=1e-12)
    assert (u[1:] == 0.0).all()
    with pytest.raises(vm.UserError, match="no pair Al-Ni"):
        correction().u(np.array([3.0]), ("Al", "Ni"))


def test_calculator_is_model_plus_u(tmp_path: Path) -> None:
    """Of two atoms the energy differs from the model's by u of their distance; another model is refused."""
    model = vm.load_model("builtin:al-hipnn", dtype="float64")
    atoms = Atoms("Al2", [[0, 0, 0], [2.9, 0, 0]], cell=[20, 20, 20], pbc=True)
    fit = correction(model.identity)
    atoms.calc = model.calculator()
    bare = atoms.get_potential_energy()
    atoms.calc = fit.calculator(model)
    assert atoms.get_potential_energy() - bare == pytest.approx(float(fit.u(np.array([2.9]))[0]), abs=1e-9)
    # the same potential in another precision and from another path is the same model
    copied = shutil.copy(builtin_models()["al-hipnn"], tmp_path / "copy.pt")
    assert vm.load_model(copied, dtype="float32").identity == model.identity
    other = vm.load_model("ase.calculators.emt:EMT", kind="ase")
    with pytest.raises(vm.UserError, match="was made for model"):
        fit.calculator(other)
    assert fit.calculator(other, any_model=True) is not None


def test_file_brings_back_the_same_potential(tmp_path: Path) -> None:
    """save and load keep every bit of u(r); a damaged file is one message."""
    path = correction("abc").save(tmp_path / "al.json")
    again = vm.Correction.load(path)
    r = np.linspace(0.5, 7.0, 300)
    np.testing.assert_allclose(again.u(r), correction().u(r), rtol=0, atol=1e-15)
    assert (again.temperature, again.pressure, again.model, again.iterations) == (1023.0, 1.0, "abc", 3)
    content = json.loads(path.read_text())
    for damage in ("", "[]", json.dumps(content | {"version": 2}), json.dumps(content | {"pairs": [{}]})):
        path.write_text(damage)
        with pytest.raises(vm.UserError, match="not a correction, or damaged"):
            vm.Correction.load(path)
    with pytest.raises(vm.UserError, match="No such file"):
        vm.Correction.load(tmp_path / "none.json")


def test_an_object_as_a_model_simulates_and_gives_g() -> None:
    """An ASE calculator that exists already moves atoms; g(r) of its frames counts every neighbour."""
    model = vm.load_model(LennardJones(epsilon=0.0104, sigma=3.4, rc=8.0, smooth=True), name="argon")
    md = vm.MDPlan(
        temperature=40,
        ensemble="nvt",
        timestep=4,
        first_equilibration=200,
        production=400,
        sample_every=40,
        limits=vm.Limits(distance_min=2.0),
    )
    start = bulk("Ar", "fcc", a=5.4, cubic=True).repeat(4)
    run = vm.simulate(model, start, md)
    assert len(run.frames) == 10
    assert run.means["temperature[K]"].mean == pytest.approx(40, rel=0.5)
    found = vm.rdf(run, ("Ar", "Ar"), r_max=5.0, step=0.05, block_length=2)
    assert found.error is not None
    # the integral of g is the number of neighbours, counted by ASE
    edges = 4.0 / 3.0 * np.pi * ((found.r + 0.025) ** 3 - np.maximum(found.r - 0.025, 0.0) ** 3)
    neighbours = len(start) / start.get_volume() * (edges * found.g).sum()
    counted = [
        len(neighbor_list("i", Atoms(frame.types, frame.positions, cell=frame.box, pbc=True), 5.025))
        for frame in run.frames
    ]
    assert neighbours == pytest.approx(np.mean(counted) / len(start), rel=1e-6)
    again = vm.rdf([start], ("Ar", "Ar"), r_max=5.0)
    assert again.r[again.g.argmax()] == pytest.approx(5.4 / np.sqrt(2), abs=0.05)


def test_crystal_is_a_start() -> None:
    """A crystal that does not melt in the time given is refused with words, as with settings.xml."""
    model = vm.load_model(LennardJones(epsilon=0.0104, sigma=3.4, rc=8.0, smooth=True), name="argon")
    crystal = vm.Crystal(
        element="Ar", lattice_constant=5.4, repeat=(4, 4, 4), melt_temperature=10, melt_time=40
    )
    md = vm.MDPlan(temperature=40, timestep=4, first_equilibration=0, production=40, sample_every=40)
    with pytest.raises(vm.UserError, match="has not molten"):
        vm.simulate(model, crystal, md)


def test_only_a_run_has_a_figure() -> None:
    """A correction from a file has no iterations to plot and no table after an update."""
    with pytest.raises(vm.UserError, match="no iterations to plot"):
        correction().plot()
    with pytest.raises(vm.UserError, match="no tables after an update"):
        correction().after_update()


def test_export_reads_back_the_same(tmp_path: Path) -> None:
    """A correction in the hand leaves as every format of ``votca-mlp export``; the folder is a calculator."""
    from votca_mlp.export import load_corrected

    model = vm.load_model("builtin:al-hipnn", dtype="float64")
    fit = correction(model.identity)
    atoms = bulk("Al", "fcc", a=4.05, cubic=True).repeat(4)
    folder = fit.export(model, "ase", tmp_path / "out", atoms)
    atoms.rattle(0.05, seed=1)
    atoms.calc = load_corrected(folder)
    energy = atoms.get_potential_energy()
    atoms.calc = fit.calculator(model)
    assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
