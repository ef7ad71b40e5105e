"""The runs behind the paper's figures: the loop accepts each directory, of the size that is said."""

import argparse
from pathlib import Path

import pytest
from paper_figures import MODELS, RULES, Case, cases, prepare, row_of

from tests.report.runs import quickstart_run
from votca_mlp.inverse.from_settings import inverse_plan
from votca_mlp.settings import load_settings


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("short", [True, False])
def test_directories(
    tmp_path: Path, model: str, rule: str, short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANI_AL", str(tmp_path))
    prepare(Case(model, "1323", rule), tmp_path / "run", short=short)
    plan = inverse_plan(load_settings(tmp_path / "run" / "settings.xml"))
    state = plan.states[0]
    assert (plan.rule, plan.model.kind) == (
        "gauss_newton" if rule == "gauss_newton" else "wibi",
        {"hipnn": "hippynn"}.get(model, model),
    )
    assert plan.checks is not None
    assert "diffusion" in plan.checks.observables
    assert (len(state.md.symbols), state.md.timestep) == ((500, 2.0) if short else (2048, 1.0))
    assert state.density is not None
    assert state.density.values[0] == pytest.approx(2256.1, abs=0.1)
    if not short:
        assert (plan.iterations_max, state.md.production, state.md.sample_every) == (15, 10000.0, 100.0)


def test_another_temperature(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no measured"):
        prepare(Case("hipnn", "1148", "wibi"), tmp_path / "a", short=True)
    table = Path(__file__).parents[2] / "settings" / "al_1023K" / "Al-Al.dist.tgt"
    prepare(Case("hipnn", "1148", "wibi"), tmp_path / "b", short=True, table=table)
    assert inverse_plan(load_settings(tmp_path / "b" / "settings.xml")).states[0].temperature == 1148.0


def test_uniform_weight_only_where_the_paper_has_it() -> None:
    options = argparse.Namespace(models=["hipnn", "ani"], temperature=["943", "1023"], rules=["wibi", "ibi"])
    assert [case.name for case in cases(options) if case.rule == "ibi"] == ["hipnn_1023K_ibi"]
    assert len(list(cases(options))) == 5


def test_rows(tmp_path: Path) -> None:
    row = row_of(quickstart_run(tmp_path / "run"), "x")
    assert row is not None
    assert (row["iterations"], len(row["rms"])) == (4, 4)
    assert row["density_before"] == {"value": 2352.1, "error": 2.21}
