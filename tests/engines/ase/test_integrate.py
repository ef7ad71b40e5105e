"""The integrator against conservation laws, ASE's integrator and the ensembles' closed forms."""

from pathlib import Path

import ase.units
import numpy as np
import pytest
from ase.build import bulk
from ase.md.nose_hoover_chain import IsotropicMTKNPT

from tests.engines.ase.case import argon, evaluator
from tests.models.ani.neurochem_files import write_model
from tests.models.hipnn.test_fast import network
from votca_mlp.engines.ase.along_z import IntegratorAlongZ
from votca_mlp.engines.ase.chain import NoseHooverChain
from votca_mlp.engines.ase.integrate import Integrator
from votca_mlp.engines.shared.start import draw_velocities
from votca_mlp.ensemble.blocks import block_error
from votca_mlp.evaluation.calculator import MLPCalculator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.ani.model import AniModel
from votca_mlp.models.ani.neurochem import read_neurochem
from votca_mlp.units import KB_EV_PER_K


def start(timestep: float, temperature: float = 120.0, **options) -> Integrator:
    atoms = argon(lattice_constant=5.75)
    velocities = draw_velocities(atoms.get_masses(), 2 * temperature, [1])
    options = {"thermostat_time": 200.0, "barostat_time": 500.0} | options
    return Integrator(atoms, evaluator(), velocities, timestep=timestep, temperature=temperature, **options)


@pytest.mark.parametrize(
    "options",
    [{"thermostat_time": None}, {}, {"pressure": 400.0}],
    ids=["nve", "nvt", "npt"],
)
def test_conserved_energy_is_of_second_order(options) -> None:
    errors = []
    for timestep in (8.0, 4.0):
        md = start(timestep, **options)
        conserved = [md.conserved_energy]
        for _ in range(round(1600 / timestep)):
            md.step()
            conserved.append(md.conserved_energy)
        errors.append(np.max(np.abs(np.array(conserved) - conserved[0])))
    assert errors[1] / len(md.atoms) < 0.003 * KB_EV_PER_K * 120.0
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.3)


def test_no_drift_without_thermostat() -> None:
    md = start(4.0, thermostat_time=None)
    conserved = []
    for _ in range(2000):
        md.step()
        conserved.append(md.conserved_energy)
    blocks = np.array(conserved).reshape(8, -1).mean(1)
    slope = np.polyfit(np.arange(8), blocks, 1)[0]
    # over the whole run less than a millionth of kB T an atom
    assert abs(8 * slope) < 1e-3 * KB_EV_PER_K * 120.0 * 108
    momentum = (md.masses * md.velocities).sum(0)
    assert np.abs(momentum).max() < 1e-9 * np.abs(md.masses * md.velocities).sum()


def test_same_trajectory_as_ase() -> None:
    """ASE counts 3N degrees of freedom and another barostat chain mass; with those the paths agree."""
    temperature, pressure, timestep = 120.0, 400.0, 4.0
    md = start(timestep, pressure=pressure)
    kbt, n = ase.units.kB * temperature, len(md.atoms)
    md.freedom = 3 * n
    md.thermostat = NoseHooverChain(3 * n, kbt, 200.0)
    md.piston_mass = (3 * n + 3) * kbt * 500.0**2
    md.barostat.masses[0] *= 9.0

    atoms = argon(lattice_constant=5.75)
    atoms.set_velocities(draw_velocities(atoms.get_masses(), 2 * temperature, [1]) / ase.units.fs)
    atoms.calc = MLPCalculator(evaluator())
    reference = IsotropicMTKNPT(
        atoms,
        timestep=timestep * ase.units.fs,
        temperature_K=temperature,
        pressure_au=pressure * ase.units.bar,
        tdamp=200.0 * ase.units.fs,
        pdamp=500.0 * ase.units.fs,
    )
    for _ in range(50):
        md.step()
    reference.run(50)
    moved = np.abs(md.positions - argon(lattice_constant=5.75).positions).max()
    assert moved > 0.3
    assert md.positions == pytest.approx(atoms.positions, abs=1e-6)
    assert md.cell == pytest.approx(atoms.cell.array, abs=1e-7)
    assert md.conserved_energy == pytest.approx(reference.get_conserved_energy(), abs=1e-5)


def test_npt_samples_temperature_and_pressure() -> None:
    md = start(8.0, pressure=400.0, thermostat_time=150.0, barostat_time=400.0)
    for _ in range(1000):
        md.step()
    rows = []
    for _ in range(6000):
        md.step()
        rows.append((md.temperature, md.pressure_bar, md.volume))
    temperature, pressure, volume = np.array(rows).T
    for values, target in ((temperature, 120.0), (pressure, 400.0)):
        error = block_error(values)
        assert error is not None
        assert abs(values.mean() - target) < 4 * error
        # the error itself is small enough for this to mean something
        assert error < 0.02 * target
    # canonical: var(T) = 2 T^2 / (3N - 3)
    assert temperature.std() == pytest.approx(120.0 * np.sqrt(2 / md.freedom), rel=0.08)
    # the work theorem of the isobaric ensemble: <P V> = P0 <V>, up to (1/N) kB T
    assert np.mean(pressure * volume) == pytest.approx(400.0 * volume.mean(), rel=0.05)
    assert volume.std() > 0.005 * volume.mean()


def test_state_continues_bit_for_bit() -> None:
    md = start(4.0, pressure=400.0)
    for _ in range(30):
        md.step()
    state = {name: np.array(value) for name, value in md.state().items()}
    other = start(4.0, pressure=400.0)
    other.restore(state)
    md.evaluator.forget()
    md.recompute()
    for _ in range(30):
        md.step()
        other.step()
    assert np.array_equal(md.positions, other.positions)
    assert np.array_equal(md.velocities, other.velocities)
    assert md.conserved_energy == other.conserved_energy


def of_several_species(kind: str, folder: Path) -> PairListEvaluator:
    if kind == "ani":
        return PairListEvaluator(AniModel(read_neurochem(write_model(folder, ("Al", "Cu")))))
    return PairListEvaluator(network((13, 29), n_interaction_layers=2, kind="HipnnVec"))


@pytest.mark.parametrize("kind", ["hipnn", "ani"])
def test_compiled_models_of_several_species_continue_bit_for_bit(kind: str, tmp_path: Path) -> None:
    atoms = bulk("Al", "fcc", 4.2, cubic=True).repeat(3)
    atoms.rattle(0.2, seed=1)
    atoms.symbols[::3] = "Cu"
    velocities = draw_velocities(atoms.get_masses(), 600.0, [1])
    options = {"timestep": 0.5, "temperature": 300.0, "pressure": 400.0}
    runs = [
        Integrator(
            atoms.copy(),
            of_several_species(kind, tmp_path / str(k)),
            velocities,
            **options,
            thermostat_time=100.0,
            barostat_time=500.0,
        )
        for k in range(2)
    ]
    for _ in range(8):
        runs[0].step()
    assert runs[0].evaluator.model._fast is not None
    runs[1].restore({name: np.array(value) for name, value in runs[0].state().items()})
    for md in runs:
        md.evaluator.forget()
        md.recompute()
        for _ in range(8):
            md.step()
    assert np.array_equal(runs[0].positions, runs[1].positions)
    assert np.array_equal(runs[0].velocities, runs[1].velocities)
    assert runs[0].conserved_energy == runs[1].conserved_energy


def test_velocities() -> None:
    masses = np.concatenate([np.full(1000, 39.948), np.full(1000, 83.798)])
    velocities = draw_velocities(masses, 300.0, [1, 2])
    assert np.array_equal(velocities, draw_velocities(masses, 300.0, [1, 2]))
    assert not np.array_equal(velocities, draw_velocities(masses, 300.0, [1, 3]))
    atoms = bulk("Ar", cubic=True).repeat((10, 10, 5))
    atoms.set_masses(masses)
    atoms.set_velocities(velocities / ase.units.fs)
    assert atoms.get_temperature() * 2000 / 1999 == pytest.approx(300.0, rel=1e-6)
    assert np.abs(atoms.get_momenta().sum(0)).max() < 1e-9
    # equipartition between light and heavy atoms
    kinetic = masses * (velocities**2).sum(1)
    assert kinetic[:1000].mean() / kinetic[1000:].mean() == pytest.approx(1.0, abs=0.1)


def test_barostat_along_z() -> None:
    """x and y of the box stay, z moves, and what is conserved is, to second order."""
    atoms = argon(lattice_constant=5.75)
    velocities = draw_velocities(atoms.get_masses(), 240.0, [1])
    errors = []
    for timestep in (8.0, 4.0):
        md = IntegratorAlongZ(
            atoms.copy(), evaluator(), velocities, timestep=timestep, temperature=120.0, pressure=400.0,
            thermostat_time=200.0, barostat_time=500.0,
        )  # fmt: skip
        conserved = [md.conserved_energy]
        for _ in range(round(1600 / timestep)):
            md.step()
            conserved.append(md.conserved_energy)
        errors.append(np.max(np.abs(np.array(conserved) - conserved[0])))
        assert (md.cell.diagonal()[:2] == atoms.cell.array.diagonal()[:2]).all()
        assert abs(md.cell[2, 2] / atoms.cell.array[2, 2] - 1.0) > 0.005
    assert errors[1] / len(md.atoms) < 0.003 * KB_EV_PER_K * 120.0
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.3)
