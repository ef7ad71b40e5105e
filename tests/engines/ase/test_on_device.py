"""The integrator for devices against the host's, with torch's device ``cpu`` in place of one."""

import numpy as np
import pytest
import torch

from tests.engines.ase.case import ARGON, CUTOFF, argon, evaluator, make_case, run_case, thermo
from votca_mlp.engines.ase.integrate import Integrator
from votca_mlp.engines.ase.on_device import DeviceIntegrator
from votca_mlp.engines.shared.start import draw_velocities
from votca_mlp.evaluation.device import DeviceForces
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.lennard_jones import lennard_jones_mixture
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.torch_pair import TorchPairCorrection

R = np.linspace(0.0, 8.0, 81)
CORRECTION = PairCorrection({(18, 18): akima_from_points(R, 0.002 * np.exp(-((R - 4.0) ** 2)))})


def forces(skin: float = 0.4, *, corrected: bool = True) -> DeviceForces:
    model = lennard_jones_mixture(ARGON, CUTOFF).double()
    table = TorchPairCorrection(CORRECTION) if corrected else None
    place = {"device": torch.device("cpu"), "dtype": torch.float64}
    return DeviceForces(model, table, skin=skin, correction_skin=1.5 * skin, **place)


def both(skin: float = 0.4, **options) -> tuple[Integrator, DeviceIntegrator]:
    atoms = argon(lattice_constant=5.75)
    velocities = draw_velocities(atoms.get_masses(), 240.0, [1])
    options = {"timestep": 4.0, "temperature": 120.0, "barostat_time": 500.0} | options
    model = lennard_jones_mixture(ARGON, CUTOFF)
    host = PairListEvaluator(model, CORRECTION, dtype=torch.float64, skin=skin)
    return (
        Integrator(atoms.copy(), host, velocities, **options),
        DeviceIntegrator(atoms.copy(), forces(skin), velocities, **options),
    )


@pytest.mark.parametrize(
    "options",
    [{"thermostat_time": None}, {}, {"pressure": 400.0}, {"pressure": 400.0, "skin": 0.0}],
    ids=["nve", "nvt", "npt", "no skin"],
)
def test_same_trajectory_as_on_the_host(options) -> None:
    host, device = both(**options)
    start = host.positions.copy()
    for _ in range(150):
        host.step()
        device.step()
    assert np.abs(host.positions - start).max() > 0.5
    assert device.positions == pytest.approx(host.positions, abs=1e-8)
    assert device.velocities == pytest.approx(host.velocities, abs=1e-10)
    assert device.cell == pytest.approx(host.cell, abs=1e-9)
    assert device.conserved_energy == pytest.approx(host.conserved_energy, abs=1e-8)
    assert device.temperature == pytest.approx(host.temperature, abs=1e-7)
    assert device.pressure_bar == pytest.approx(host.pressure_bar, abs=1e-5)
    one, other = host.evaluation, device.evaluation
    assert other.forces == pytest.approx(one.forces, abs=1e-9)
    assert other.correction_energy == pytest.approx(one.correction_energy, abs=1e-9)
    assert other.closest is not None
    assert sorted(other.closest[:2]) == sorted(one.closest[:2])
    assert other.closest[2] == pytest.approx(one.closest[2], abs=1e-9)
    assert other.spread == 0.0


def test_positions_come_back_for_new_lists_alone() -> None:
    _, device = both(pressure=400.0)
    for _ in range(100):
        device.step()
        # what the run looks at in every step
        assert np.isfinite([device.temperature, device.pressure_bar, device.evaluation.energy]).all()
    builds = device.forces.lists[0].listed.builds
    assert device.copies == builds
    assert 2 < builds < 40


def test_state_continues_bit_for_bit() -> None:
    _, device = both(pressure=400.0)
    _, other = both(pressure=400.0)
    for _ in range(30):
        device.step()
    other.restore({name: np.array(value) for name, value in device.state().items()})
    device.recompute()
    for _ in range(30):
        device.step()
        other.step()
    assert np.array_equal(device.positions, other.positions)
    assert device.conserved_energy == other.conserved_energy


def test_a_broken_configuration_ends() -> None:
    """No endless search for better lists; the run's watch finds the numbers."""
    _, device = both()
    device._v[3, 1] = torch.nan
    device.step()
    assert np.isnan(device.temperature)


def test_a_whole_step(tmp_path, monkeypatch) -> None:
    """Stages, samples, checkpoints and last configuration as on the host."""
    host = make_case(tmp_path / "host")
    run_case(host)
    monkeypatch.setattr(PairListEvaluator, "on_device", lambda self: forces(1.0, corrected=False))
    device = make_case(tmp_path / "device")
    run_case(device, evaluator=evaluator())
    assert thermo(device) == pytest.approx(thermo(host), rel=1e-6, abs=1e-6)
    last = [(tmp_path / name / "step_001/confout.extxyz").read_text().split() for name in ("host", "device")]
    assert len(last[0]) == len(last[1])
