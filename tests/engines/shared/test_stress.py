"""A stress that is not the derivative of the energy is refused before any MD, by every engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from numpy.typing import NDArray

from tests.engines.ase.case import argon, evaluator, make_case, run_case, thermo
from tests.models.test_calculators import Wrapped
from votca_mlp.engines.ase.output import COLUMNS
from votca_mlp.engines.engine import engine_named
from votca_mlp.engines.gromacs.options import GromacsSettings
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.stress import refuse_wrong_stress
from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.stress_check import check_stress
from votca_mlp.settings.plans import md_plan

Array = NDArray[np.float64]


def start() -> Atoms:
    atoms = argon()
    atoms.rattle(0.05, seed=1)
    return atoms


def calculator(change: Callable[[Array], Array]) -> Evaluator:
    """Return Lennard-Jones with another stress."""
    found = CalculatorEvaluator(Wrapped(lambda results: {"stress": change(results["stress"])}))
    found.calculator.inner.parameters.update(sigma=3.4, epsilon=0.0104, rc=7.0)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_sound_stress(dtype: torch.dtype) -> None:
    for model in (evaluator(dtype), calculator(lambda stress: stress)):
        found = check_stress(model, start())
        assert not found.wrong
        assert found.factor == pytest.approx(1.0, abs=5e-3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: 0.0 * s, "a factor of 0, no stress at all"),
        (lambda s: 160.21766 * s, r"a factor of 160\.\d, which looks like GPa\n"),
        (
            lambda s: -1602176.6 * s,
            r"a factor of -1\.60\de\+06, which looks like bar, and the sign of a pressure",
        ),
        (lambda s: -s, r"a factor of -(1\.0|0\.99)\d*, the sign of a pressure"),
        (
            lambda s: s * start().get_volume() * 0.98**3,
            "which looks like the virial, not divided by the volume",
        ),
        (lambda s: 0.5 * s, r"a factor of 0\.(5|499)"),
    ],
)
def test_a_wrong_stress(change: Callable[[Array], Array], words: str) -> None:
    plan = MDPlan(temperature=100.0)
    with pytest.raises(UserError, match=words) as caught:
        refuse_wrong_stress(plan, calculator(change), start(), "ensemble")
    assert caught.value.where == "ase.ensemble"
    assert "a stress in eV/Angstrom^3, dE/dstrain by the volume, tension positive" in str(caught.value)


def test_numbers_that_are_none_are_for_other_checks() -> None:
    assert not check_stress(calculator(lambda stress: np.nan * stress), start()).wrong


def zero() -> Evaluator:
    return calculator(lambda stress: 0.0 * stress)


@pytest.mark.parametrize("ensemble", ["npt", "nvt"])
def test_ase(tmp_path: Path, ensemble: str, caplog: pytest.LogCaptureFixture) -> None:
    settings = make_case(tmp_path, start(), ensemble=ensemble)
    step, options = tmp_path / "step_001", {"evaluator": zero(), "max_steps": 1}
    check: Any = lambda: engine_named("ase").check(md_plan(settings, step), zero, step)  # noqa: E731
    if ensemble == "nvt":
        assert "no stress at all" in check()
        assert run_case(settings, **options).status == "finished"
        assert "is not used, the pressure stays unknown" in caplog.text
        # which is no pressure: the ideal gas's part alone would look like one
        assert np.isnan(thermo(settings)[:, COLUMNS.index("pressure[bar]")]).all()
        return
    for call in (check, lambda: run_case(settings, **options)):
        with pytest.raises(UserError, match="the model's stress does not match its energy"):
            call()
    assert not list(step.iterdir())


def test_gromacs_needs_it_too() -> None:
    """Its check and its first step go through the same function; mdrun is not started for that."""
    plan = MDPlan.of("gromacs", GromacsSettings(), temperature=100.0)
    needed = engine_named("gromacs").needs_stress(plan)
    assert needed is not None
    with pytest.raises(UserError, match="no stress at all") as caught:
        refuse_wrong_stress(plan, zero(), start(), needed[0])
    assert caught.value.where == "gromacs.mdp"


def test_a_rough_correction_is_no_wrong_stress() -> None:
    """A crystal's distances are the same few: what a table does within the strain does not average out."""
    from ase.build import bulk

    from votca_mlp.api.model import load_model
    from votca_mlp.evaluation.stress_check import STRAIN, _at
    from votca_mlp.models.lennard_jones import lennard_jones_mixture
    from votca_mlp.potentials.correction import correction_of_tables
    from votca_mlp.tables import make_table

    r = np.arange(0.2, 0.8001, 0.002)
    u = 0.3 * np.random.default_rng(2).standard_normal(len(r))
    u[-1] = 0.0
    rough = correction_of_tables({("Ar", "Ar"): (make_table(r, u), "rough")})
    argon_model = load_model(lennard_jones_mixture({"Ar": [0.0104, 3.4]}, 8.0), name="rough", dtype="float64")
    model, crystal = argon_model.evaluator(rough), bulk("Ar", "fcc", a=5.3, cubic=True).repeat(4)
    assert _at(model, crystal, STRAIN).wrong
    assert not check_stress(model, crystal).wrong
