"""Model plus u(r; T) for ASE, and how it follows a thermostat.

The temperature is a parameter of the potential, as a field is, not a variable of the motion. Setting it from
T to T' at fixed positions changes the energy by W = U(x; T') - U(x; T): the work done on the system, which
``correction_work`` adds up, so that energy - correction_work is what the motion conserves. Forces and stress
are derivatives at fixed T; du/dT enters neither.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator import MLPCalculator, ase_results
from votca_mlp.evaluation.correction import CorrectionAdder
from votca_mlp.evaluation.result import Evaluation, stress_of
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.temperature import TemperatureCorrection


class TemperatureCalculator(MLPCalculator):
    """ASE calculator of model + u(r; T); nothing is computed before :meth:`set_temperature`.

    Parameters
    ----------
    evaluator
        Model plus the correction of any one temperature (a PairListEvaluator or CalculatorEvaluator); which
        one does not matter.
    correction
        u(r; T).

    Attributes
    ----------
    temperature
        Of the correction, K; None before it is set.
    correction_work
        Sum of the changes of energy by :meth:`set_temperature`, eV.
    """

    evaluator: Any

    def __init__(self, evaluator: Any, correction: TemperatureCorrection, **kwargs: Any) -> None:
        super().__init__(evaluator, **kwargs)
        self.correction = correction
        self.temperature: float | None = None
        self.correction_work = 0.0

    def set_temperature(self, temperature: float) -> None:
        """Use u(r; T) of another temperature in K.

        The last configuration's energy, forces and stress are brought up to date without evaluating the
        model, and the change of its energy is added to ``correction_work``.

        Raises
        ------
        UserError
            A temperature outside the fitted range, where that is not allowed.
        """
        temperature = float(temperature)
        if temperature == self.temperature:
            return
        after = self.correction.at(temperature)
        if self.results and self.temperature is not None:
            self._bring_up_to_date(self.correction.change(self.temperature, temperature))
        self._use(after)
        self.temperature = temperature

    def correction_slope(self) -> float:
        """Return dU/dT of the last configuration at fixed positions, eV/K.

        Raises
        ------
        UserError
            Nothing was computed yet.
        """
        if self.temperature is None or not self.results:
            raise UserError("no configuration was computed yet", accepted="after get_potential_energy()")
        energy, _, _ = self._sums(self.correction.slope_at(self.temperature))
        self._use(self.correction.at(self.temperature))
        return energy

    def calculate(self, *args: Any, **kwargs: Any) -> None:
        """Evaluate ``atoms`` and fill ``results``.

        Raises
        ------
        UserError
            No temperature was set.
        """
        if self.temperature is None:
            raise UserError(
                "u(r; T) has no temperature yet",
                accepted="calculator.set_temperature(T in K), or load_corrected(path, temperature=T)",
            )
        super().calculate(*args, **kwargs)

    def _bring_up_to_date(self, change: PairCorrection) -> None:
        energy, forces, virial = self._sums(change)
        assert self.atoms is not None
        volume = abs(float(np.linalg.det(self.atoms.cell.array)))
        last: Evaluation = self.evaluation  # type: ignore[assignment]  # there are results
        self.evaluation = replace(
            last,
            energy=last.energy + energy,
            forces=last.forces + forces,
            stress=last.stress + stress_of(virial, volume),
            correction_energy=last.correction_energy + energy,
        )
        self.results = ase_results(self.evaluation)
        self.correction_work += energy

    def _sums(self, correction: PairCorrection) -> tuple[float, Any, Any]:
        """Return energy, forces and virial of a correction on the last configuration, and keep using it."""
        atoms = self.atoms
        assert atoms is not None
        cell = np.asarray(atoms.cell.array, np.float64)
        adder = self._use(correction)
        return adder.add(atoms.get_positions(), cell, atoms.pbc, self.evaluator.same_numbers.of(atoms))

    def _use(self, correction: PairCorrection) -> CorrectionAdder:
        """Give the evaluator other tables; each adder comes from the one before, with its neighbour list."""
        adder: CorrectionAdder = self.evaluator.adder.with_tables(correction)
        self.evaluator.adder = adder
        return adder


def follow_temperature(
    dynamics: Any,
    calculator: TemperatureCalculator,
    temperature: Callable[[], float] | None = None,
    *,
    interval: int = 1,
) -> None:
    """Let the correction follow the set temperature of a thermostat during a run of ASE's dynamics.

    Attach what changes the thermostat first: ASE calls observers in the order they were attached.

    Parameters
    ----------
    dynamics
        An ASE dynamics. Every ``interval`` steps its set temperature (not that of the atoms, which
        fluctuates) goes to the calculator.
    temperature
        Returns the set temperature in K; needed where ASE does not tell, such as for Nose-Hoover chains.

    Raises
    ------
    UserError
        At once when the dynamics does not tell its temperature; a temperature outside the fitted range.
    """
    if temperature is None:

        def temperature() -> float:
            return set_temperature_of(dynamics)

    calculator.set_temperature(temperature())
    dynamics.attach(lambda: calculator.set_temperature(temperature()), interval=interval)


def set_temperature_of(dynamics: Any) -> float:
    """Return the set temperature of an ASE dynamics, K.

    Raises
    ------
    UserError
        It has none that can be changed.
    """
    from ase.md.melchionna import MelchionnaNPT
    from ase.md.nvtberendsen import NVTBerendsen
    from ase.units import kB

    if hasattr(dynamics, "temperature_K"):
        return float(dynamics.temperature_K)
    if isinstance(dynamics, NVTBerendsen):
        return float(dynamics.temperature)
    # kB T in eV, with ASE's kB, which is that of CODATA 2014
    for kind, name in ((object, "temp"), (MelchionnaNPT, "temperature")):
        if isinstance(dynamics, kind) and hasattr(dynamics, name):
            return float(getattr(dynamics, name)) / kB
    raise UserError(
        f"{type(dynamics).__name__} does not tell its temperature",
        where="follow_temperature",
        accepted="follow_temperature(dynamics, calculator, temperature), a function that returns it in K",
    )
