"""F(Q) without sigma: chi2 falls while R rises, as what no u(r) meets counts as the errors of the data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.csg.case import edit
from tests.update.gauss_newton.test_rule import facts, gauss_newton_case, with_scattering
from votca_mlp.inverse.check import check_start_and_model
from votca_mlp.inverse.context import run_context, state_contexts
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.messages import Silent
from votca_mlp.settings import load_settings
from votca_mlp.update.gauss_newton.guard import with_before
from votca_mlp.update.gauss_newton.report import in_words, judged


def found(r: float, chi2: float, *, without: bool = True) -> dict[str, Any]:
    report: Any = facts(chi2, 0.5)
    datum = report["all"]["data"].pop("Al-Al")
    datum |= {"without_errors": without, "R": r, "unit": "barn/sr", "scale": 1.0, "background": 0.0}
    report["all"]["data"]["SiO2"] = datum
    return dict(report)


def test_r_judges() -> None:
    before, step = found(1.19e-3, 17.9), found(1.48e-3, 1.0)
    assert judged(step, [before]).met
    with_before(step, before)
    said = [line for line in in_words(step) if "WARNING" in line]
    assert len(said) == 1
    assert "SiO2: R rose from 0.00119 to 0.00148 while chi2 fell from 17.9 to 1: it has no sigma" in said[0]
    verdict = judged(step, [before])
    assert not verdict.stop
    assert "without a sigma SiO2: R rose from 0.00119 to 0.00148" in verdict.reason
    assert json.loads(json.dumps(step)) == step


@pytest.mark.parametrize(
    ("before", "step", "without"),
    [
        ((1.0e-3, 2.0), (1.05e-3, 1.0), True),  # noise
        ((1.0e-3, 2.0), (0.9e-3, 1.0), True),
        (None, (1.0e-3, 1.0), True),
        ((1.0e-3, 2.0), (2.0e-3, 1.0), False),
    ],
)
def test_where_nothing_is_said(
    before: tuple[float, float] | None, step: tuple[float, float], without: bool
) -> None:
    """R does not rise, there is nothing to compare with, or the set has errors: chi2 judges, as ever."""
    report = found(*step, without=without)
    with_before(report, None if before is None else found(*before, without=without))
    assert not any("WARNING" in line for line in in_words(report))
    assert judged(report, []).met


def test_check_says_it(tmp_path: Path) -> None:
    """Before a run, and only of sets without sigma."""
    main = gauss_newton_case(tmp_path / "main", ("Ar", "Kr"))
    with_scattering(main)

    def said() -> str:
        (context,) = state_contexts(run_context(plan_of(load_settings(main / "settings.xml")), Silent()))
        return check_start_and_model(context)

    assert "sigma" not in said()
    edit(main / "settings.xml", {"<columns>1 2 3<": "<columns>1 2<"})
    np.savetxt(main / "set0.dat", np.loadtxt(main / "set0.dat")[:, :2])
    assert "set0: no sigma, so that" in said()
