"""Setting the temperature of u(r; T): same answers as a fresh evaluator, work, following a thermostat."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.fd import calculate_numerical_stress
from ase.calculators.lj import LennardJones
from ase.md.andersen import Andersen
from ase.md.bussi import Bussi
from ase.md.langevin import Langevin
from ase.md.langevinbaoab import LangevinBAOAB
from ase.md.melchionna import MelchionnaNPT
from ase.md.nose_hoover_chain import NoseHooverChainNVT
from ase.md.nvtberendsen import NVTBerendsen
from ase.md.velocitydistribution import thermalize_momenta
from ase.md.verlet import VelocityVerlet

from votca_mlp.errors import UserError
from votca_mlp.evaluation.annealing import TemperatureCalculator, follow_temperature, set_temperature_of
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.temperature import TemperatureCorrection, interpolated


class CountingLennardJones(LennardJones):
    calls = 0

    def calculate(self, *args: object, **kwargs: object) -> None:
        self.calls += 1
        super().calculate(*args, **kwargs)


def correction(**options: bool) -> TemperatureCorrection:
    """Return a u(r; T) that is strong and smooth enough for its work to be seen."""
    r = np.linspace(2.0, 8.0, 241)

    def at(kelvin: float) -> PairCorrection:
        u = 2e-5 * (kelvin - 60.0) * np.cos(1.7 * r + kelvin / 60) * np.exp(-((r - 3.0) ** 2) / 6)
        return PairCorrection({(18, 18): akima_from_points(r, u)})

    return interpolated({kelvin: at(kelvin) for kelvin in (80.0, 100.0, 140.0)}, **options)


def model() -> CountingLennardJones:
    return CountingLennardJones(sigma=3.4, epsilon=0.0104, rc=8.0, smooth=True)


def argon(**options: bool) -> Atoms:
    atoms = bulk("Ar", "fcc", a=5.5, cubic=True).repeat(3)
    atoms.rattle(0.1, seed=1)
    varying = correction(**options)
    evaluator = CalculatorEvaluator(model(), varying.terms[0])
    atoms.calc = TemperatureCalculator(evaluator, varying)
    return atoms


def fresh(atoms: Atoms, kelvin: float) -> tuple[float, np.ndarray, np.ndarray]:
    result = CalculatorEvaluator(model(), correction().at(kelvin)).evaluate(atoms)
    return result.energy, result.forces, result.stress


def check(atoms: Atoms, kelvin: float) -> None:
    energy, forces, stress = fresh(atoms, kelvin)
    assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-10)
    assert atoms.get_forces() == pytest.approx(forces, abs=1e-11)
    assert atoms.get_stress(voigt=False) == pytest.approx(stress, abs=1e-12)


def test_nothing_without_a_temperature() -> None:
    atoms = argon()
    with pytest.raises(UserError, match="has no temperature yet"):
        atoms.get_potential_energy()
    with pytest.raises(UserError, match="no configuration was computed"):
        atoms.calc.correction_slope()


def test_a_new_temperature_needs_no_new_model_evaluation() -> None:
    atoms = argon()
    lennard_jones = atoms.calc.evaluator.calculator
    atoms.calc.set_temperature(80.0)
    check(atoms, 80.0)
    total = 0.0
    for kelvin in (90.0, 131.7, 80.0, 140.0):
        before = atoms.get_potential_energy()
        atoms.calc.set_temperature(kelvin)
        check(atoms, kelvin)
        total += atoms.get_potential_energy() - before
        assert atoms.calc.correction_work == pytest.approx(total, abs=1e-12)
        assert atoms.calc.evaluation.energy == atoms.get_potential_energy()
    assert lennard_jones.calls == 1
    assert abs(fresh(atoms, 140.0)[0] - fresh(atoms, 80.0)[0]) > 0.01
    # elsewhere, with the list that was built before
    atoms.rattle(0.05, seed=3)
    check(atoms, 140.0)
    atoms.calc.evaluator.forget()
    atoms.calc.set_temperature(100.0)
    check(atoms, 100.0)
    # cutoff, cell and number of atoms may change
    atoms.set_cell(atoms.cell.array * 1.02, scale_atoms=True)
    atoms.calc.set_temperature(95.0)
    check(atoms, 95.0)
    del atoms[::9]
    check(atoms, 95.0)


def test_work_is_only_counted_where_there_is_a_configuration() -> None:
    atoms = argon()
    for kelvin in (80.0, 100.0, 140.0):
        atoms.calc.set_temperature(kelvin)
    assert atoms.calc.correction_work == 0.0
    atoms.get_potential_energy()
    atoms.calc.set_temperature(140.0)
    assert atoms.calc.correction_work == 0.0


def test_slope_is_the_derivative_in_temperature() -> None:
    atoms = argon()
    atoms.calc.set_temperature(110.0)
    atoms.get_potential_energy()
    numeric = (fresh(atoms, 110.01)[0] - fresh(atoms, 109.99)[0]) / 0.02
    assert atoms.calc.correction_slope() == pytest.approx(numeric, abs=1e-8)
    # the calculator goes on with its own temperature
    atoms.rattle(0.01, seed=8)
    check(atoms, 110.0)


def test_pressure_is_that_of_the_correction_at_this_temperature() -> None:
    atoms = argon()
    atoms.calc.set_temperature(125.0)
    assert calculate_numerical_stress(atoms, eps=1e-5) == pytest.approx(atoms.get_stress(), abs=1e-8)


def test_a_refused_temperature_changes_nothing() -> None:
    atoms = argon()
    atoms.calc.set_temperature(120.0)
    atoms.get_potential_energy()
    for kelvin in (79.0, 141.0, float("nan"), -1.0):
        with pytest.raises(UserError, match=r"outside|no temperature"):
            atoms.calc.set_temperature(kelvin)
    assert atoms.calc.temperature == 120.0
    check(atoms, 120.0)
    allowed = argon(allow_extrapolation=True)
    with pytest.warns(UserWarning, match="extrapolated"):
        allowed.calc.set_temperature(150.0)
    allowed.get_potential_energy()


def test_energy_less_work_is_conserved_in_a_ramp() -> None:
    """Velocity Verlet: the total energy follows the work; what is left is the integrator's own error."""

    def run(last: float) -> tuple[np.ndarray, np.ndarray]:
        atoms = argon()
        thermalize_momenta(atoms, temperature_K=90, rng=np.random.default_rng(2))
        atoms.calc.set_temperature(80.0)
        dynamics = VelocityVerlet(atoms, timestep=1.0 * units.fs)
        total, work = [], []

        def ramp() -> None:
            total.append(atoms.get_total_energy())
            work.append(atoms.calc.correction_work)
            atoms.calc.set_temperature(80.0 + (last - 80.0) * dynamics.nsteps / 300)

        dynamics.attach(ramp)
        dynamics.run(300)
        return np.array(total), np.array(work)

    total, work = run(140.0)
    conserved = total - work
    still, no_work = run(80.0)
    assert (no_work == 0.0).all()
    assert abs(total[-1] - total[0]) > 0.05
    # as without a ramp
    assert np.ptp(conserved) < 2 * np.ptp(still)
    assert np.ptp(conserved) < 1e-4 * np.ptp(total)


def test_follows_the_thermostat() -> None:
    atoms = argon()
    dynamics = Langevin(
        atoms,
        2 * units.fs,
        temperature_K=80,
        friction=0.01 / units.fs,
        fixcm=False,
        rng=np.random.default_rng(1),
    )
    seen = []
    dynamics.attach(lambda: dynamics.set_temperature(temperature_K=80 + dynamics.nsteps))
    follow_temperature(dynamics, atoms.calc)
    dynamics.attach(lambda: seen.append(atoms.calc.temperature))
    dynamics.run(20)
    assert seen == pytest.approx(80 + np.arange(21.0))
    assert atoms.calc.correction_work != 0.0
    check(atoms, 100.0)


def test_follows_a_function_every_few_steps() -> None:
    atoms = argon()
    dynamics = NoseHooverChainNVT(atoms, 2 * units.fs, temperature_K=100, tdamp=100 * units.fs)
    with pytest.raises(UserError, match="NoseHooverChainNVT does not tell its temperature"):
        follow_temperature(dynamics, atoms.calc)
    assert atoms.calc.temperature is None
    seen = []
    follow_temperature(dynamics, atoms.calc, lambda: 100.0 + dynamics.nsteps, interval=4)
    dynamics.attach(lambda: seen.append(atoms.calc.temperature))
    dynamics.run(9)
    assert seen == [100.0] * 4 + [104.0] * 4 + [108.0] * 2


def test_leaving_the_range_stops_the_run_with_a_message() -> None:
    atoms = argon()
    dynamics = VelocityVerlet(atoms, 1 * units.fs)
    follow_temperature(dynamics, atoms.calc, lambda: 138.0 + dynamics.nsteps)
    with pytest.raises(UserError, match="141 K is outside the fitted range"):
        dynamics.run(10)


@pytest.mark.parametrize("kind", ["langevin", "baoab", "andersen", "bussi", "berendsen", "melchionna"])
def test_set_temperature_of_each_thermostat(kind: str) -> None:
    atoms = argon()
    atoms.calc.set_temperature(100.0)
    thermalize_momenta(atoms, temperature_K=90, rng=np.random.default_rng(2))
    step = 1 * units.fs
    made = {
        "langevin": lambda: Langevin(atoms, step, temperature_K=100, friction=0.01),
        "baoab": lambda: LangevinBAOAB(atoms, step, temperature_K=100, T_tau=100 * units.fs),
        "andersen": lambda: Andersen(atoms, step, temperature_K=100, andersen_prob=0.1),
        "bussi": lambda: Bussi(atoms, step, temperature_K=100, taut=100 * units.fs),
        "berendsen": lambda: NVTBerendsen(atoms, step, temperature_K=100, taut=100 * units.fs),
        "melchionna": lambda: MelchionnaNPT(
            atoms, step, temperature_K=100, externalstress=0.0, ttime=25 * units.fs, pfactor=None
        ),
    }[kind]()
    assert set_temperature_of(made) == pytest.approx(100.0, rel=1e-14)
    if kind == "bussi":
        return  # it cannot be set
    made.set_temperature(temperature_K=123.0)
    assert set_temperature_of(made) == pytest.approx(123.0, rel=1e-14)
