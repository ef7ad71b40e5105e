"""The runs behind the paper's figures: the loop accepts each directory, of the size that is said."""

import argparse
import json
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import paper_drawings
import paper_figures
import pytest
from paper_claims import with_whole_form
from paper_drawings import merged
from paper_figures import MODELS, RULES, Case, activation, at_its_end, cases, curves_of, prepare, row_of
from paper_statements import STATEMENTS, judged
from results_figures import FIGURES, checksum
from results_numbers import fill

from tests.report.runs import quickstart_run
from votca_mlp.inverse.from_settings import inverse_plan
from votca_mlp.settings import load_settings
from votca_mlp.units import KB_EV_PER_K


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
    if short and model == "ani":
        assert plan.checks is None
        assert (plan.iterations_max, state.md.production) == (3, 6000.0)
    else:
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
    prepare(Case("hipnn", "1148", "wibi"), tmp_path / "b", short=True, table=table, seed=2)
    state = inverse_plan(load_settings(tmp_path / "b" / "settings.xml")).states[0]
    assert (state.temperature, state.md.seed) == (1148.0, 2)


def test_uniform_weight_only_where_the_paper_has_it() -> None:
    options = argparse.Namespace(models=["hipnn", "ani"], temperature=["943", "1023"], rules=["wibi", "ibi"])
    assert [case.name for case in cases(options) if case.rule == "ibi"] == ["hipnn_1023K_ibi"]
    assert len(list(cases(options))) == 5


def test_rows_and_curves(tmp_path: Path) -> None:
    run, case = quickstart_run(tmp_path / "run"), Case("hipnn", "1023", "wibi")
    row = row_of(run, case)
    assert row is not None
    assert (row["iterations"], len(row["rms"])) == (4, 4)
    assert row["density_before"] == {"value": 2352.1, "error": 2.21}
    assert row["density_target"]["value"] == pytest.approx(2349.39, abs=0.01)
    assert row["largest_u"] > 0.0
    curves = curves_of(run, case)
    assert set(curves) >= {"HIP-NN 1023 K target", "HIP-NN 1023 K wibi u", "HIP-NN 1023 K wibi g 4"}
    assert "HIP-NN 1023 K gauss_newton g 4" not in curves_of(run, Case("hipnn", "1023", "gauss_newton"))
    # what is there is drawn: as a drawing of these numbers would be
    results = {"paper_figures_short": {"tables": {"runs": {"x": row}, "curves": curves}}}
    for name, panels in (
        ("structure", 6),
        ("potentials", 4),
        ("diffusion", 1),
        ("density", 1),
        ("angles", 3),
    ):
        axes = [MagicMock() for _ in range(panels)]
        shaped = [axes[:3], axes[3:]] if panels == 6 else axes if panels > 1 else axes[0]
        getattr(paper_drawings, name)(shaped, results)
        assert all(panel.set.called for panel in axes)


def test_the_whole_form_takes_the_short_ones_place(tmp_path: Path) -> None:
    """Only the runs that are at their end, each named so; what is short stays, and is named, too."""
    run, case = quickstart_run(tmp_path / "run"), Case("hipnn", "1023", "wibi")
    row = row_of(run, case)
    assert row is not None
    other = {**row, "temperature": 943.0}
    curves = curves_of(run, case)
    assert "error" in curves["HIP-NN 1023 K wibi g after"]
    short = {"runs": {"a": row, "b": other}, "curves": {**curves, "HIP-NN 943 K wibi u": {"r": [], "u": []}}}
    short["statements"] = judged(short["runs"], {})
    results = {"paper_figures_short": {"run": "paper_figures_short", "tables": short}}
    sections = [{"title": "x"}, {"title": "y", "whole form": True, "remarks": []}]
    assert with_whole_form(sections, results) == sections[:1]
    before = checksum(FIGURES["paper_1"], results)
    longer = {**row, "iterations": 15}
    tables = {"runs": {"a": longer}, "curves": {"HIP-NN 1023 K wibi u": {"r": [1.0], "u": [2.0]}}}
    tables["statements"] = judged(tables["runs"], {})
    results["paper_figures"] = {"run": "paper_figures", "tables": tables}
    assert checksum(FIGURES["paper_1"], results) != before
    rows, shown, whole = merged(results)
    assert (rows, whole) == ({"a": longer, "b": other}, {"HIP-NN 1023 K wibi"})
    # no curve of the short run beside those of the whole one
    assert {name for name in shown if "1023 K wibi" in name} == {"HIP-NN 1023 K wibi u"}
    section = with_whole_form(sections, results)[1]
    assert section["remarks"][0] == (
        "Run to the end in the whole form: HIP-NN 1023 K wIBI only. In the short form alone, also in "
        "the figures: HIP-NN 943 K wIBI."
    )
    said = [(fill(claim["text"], results), fill(claim["number"], results)) for claim in section["claim"]]
    assert said[0][1].startswith("15; ")
    assert len(said) == 1 + len(tables["statements"])
    # the quickstart's fastest simulation
    short["whole form"] = {"HIP-NN": {"steps": 482000.0}}
    remark = with_whole_form(sections, results)[1]["remarks"][1]
    assert f"({longer['rate']:.0f} steps/s)" in remark
    assert f"takes {482000 / longer['rate'] / 60:.0f} minutes" in remark
    assert "(whole form; short form: " in said[1][0]
    axes = MagicMock()
    paper_drawings.density(axes, results)
    assert axes.plot.call_args.kwargs["label"] == "whole form"
    # the model alone is of that form, too, where only another rule's run is at its end
    tables["runs"] = {"c": {**longer, "rule": "gauss_newton"}}
    assert dict(paper_drawings._by_temperature(results, "density"))["alone"] == [
        (943.0, row["density_before"], False),
        (1023.0, row["density_before"], True),
    ]


def test_a_run_under_way_is_not_at_its_end(tmp_path: Path) -> None:
    run = quickstart_run(tmp_path / "run")
    (run / "done").touch()
    (run / "checks.json").write_text(json.dumps({"": {"corrected": {"density": {}, "diffusion": {}}}}))
    assert not at_its_end(run)
    after: dict[str, object] = {key: {} for key in ("density", "diffusion", "angles", "coordination")}
    (run / "checks.json").write_text(json.dumps({"": {"corrected": after}}))
    assert at_its_end(run)
    (run / "done").unlink()
    assert not at_its_end(run)


def test_nothing_is_published_before_a_run_is_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    words = ["x", str(tmp_path), "--finished", "--minutes", "0", "--json", str(result)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit, match="no run at its end"):
        paper_figures.main()
    assert "hipnn_1023K_ibi: not at its end, left out" in capsys.readouterr().out
    assert not result.exists()


def made_up(**changes: object) -> dict[str, dict[str, object]]:
    """Return the rows of two temperatures, as the paper says they are; changes are of the last."""
    rows = {}
    for temperature, u in ((1023.0, 10.0), (1323.0, 16.0)):
        rows[f"{temperature}"] = {
            "model": "HIP-NN",
            "temperature": temperature,
            "rule": "wibi",
            "iterations": 15,
            "peak_target": 2.6,
            "peak_before": {"value": 2.8, "error": 0.02},
            "peak_after": {"value": 2.61, "error": 0.02},
            "density_target": {"value": 2349.0, "error": 9.0},
            "density_before": {"value": 2400.0, "error": 3.0},
            "density_after": {"value": 2370.0, "error": 3.0},
            "diffusion_before": {"value": 6.0, "error": 0.1},
            "diffusion_after": {"value": 7.0, "error": 0.1},
            "largest_u": u,
        }
    rows["1323.0"] |= changes
    return rows


def test_activation_energy() -> None:
    rows = {}
    for t in (943.0, 1023.0, 1323.0):
        d = 1e2 * np.exp(-0.25 / (KB_EV_PER_K * t))
        after = {"diffusion_infinite_after": {"value": d, "error": 0.01 * d}}
        rows[f"{t}"] = {"model": "HIP-NN", "rule": "gauss_newton", "temperature": t, **after}
    found = activation(rows)
    assert set(found) == {"gauss_newton"}
    energy = found["gauss_newton"]["energy"]
    assert energy["value"] == pytest.approx(250.0)
    # two ends, each known to one percent
    assert 3.0 < energy["error"] < 0.01 * np.sqrt(2.0) * 1e3 * KB_EV_PER_K / (1.0 / 943.0 - 1.0 / 1323.0)


R = np.linspace(2.0, 8.0, 61)
SMOOTH = 10.0 * np.cos(R)
"""Of both weights, meV, without what w = 1 adds below the first peak."""
CURVES = {
    f"HIP-NN 1023 K {rule} u": {"r": R.tolist(), "u": (SMOOTH + core * (R < 2.4)).tolist()}
    for rule, core in (("wibi", 0.0), ("ibi", 300.0))
}


def test_statements_as_the_paper_has_them() -> None:
    found = judged(made_up(), CURVES)
    assert set(STATEMENTS) - set(found) == {"architectures"}
    assert {entry["verdict"] for entry in found.values()} == {"agrees"}
    assert "2.610(20), measured 2.6" in found["first peak"]["found"]


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("over-structured", {"peak_before": {"value": 2.62, "error": 0.02}}),
        ("first peak", {"peak_after": {"value": 2.7, "error": 0.02}}),
        ("temperature", {"largest_u": 9.0}),
        ("diffusion", {"diffusion_after": {"value": 6.1, "error": 0.1}}),
        ("too dense", {"density_before": {"value": 2300.0, "error": 3.0}}),
        ("density", {"density_after": {"value": 2410.0, "error": 3.0}}),
    ],
)
def test_a_statement_that_one_temperature_contradicts(statement: str, changes: dict[str, object]) -> None:
    found = judged(made_up(**changes), CURVES)
    assert found[statement]["verdict"] == "differs"
    others = {entry["verdict"] for name, entry in found.items() if name != statement}
    # a density that is too low is not nearer for the same reason
    assert others == {"agrees"} or statement == "too dense"


def test_statements_about_curves() -> None:
    far = {**CURVES, "HIP-NN 1023 K ibi u": {"r": R.tolist(), "u": (-SMOOTH).tolist()}}
    found = judged({}, far)
    assert {name: entry["verdict"] for name, entry in found.items()} == {
        "weights": "differs",
        "core": "differs",
    }
    both = {**CURVES, "ANI-Al 1023 K wibi u": CURVES["HIP-NN 1023 K wibi u"]}
    assert judged({}, both)["architectures"]["verdict"] == "agrees"
    other = {
        f"{model} 1323 K gauss_newton u": CURVES["HIP-NN 1023 K wibi u"] for model in ("HIP-NN", "ANI-Al")
    }
    other["ANI-Al 1323 K gauss_newton u"] = far["HIP-NN 1023 K ibi u"]
    found = judged({}, {**both, **other})["architectures"]
    assert found["verdict"] == "differs"
    assert "wIBI 1023 K 0.00, Gauss-Newton 1323 K 2.00" in found["found"]
    assert found["why"] == ""
    other["ANI-Al 1323 K gauss_newton u again"] = CURVES["HIP-NN 1023 K wibi u"]
    assert (
        "two seeds of ANI-Al are 2.00 apart, Gauss-Newton 1323 K"
        in judged({}, {**both, **other})["architectures"]["why"]
    )


def test_what_gauss_newton_leaves_open() -> None:
    rows = {name: {**row, "rule": "gauss_newton"} for name, row in made_up(largest_u=9.0).items()}
    u = {"r": [2.0, 3.5, 4.0], "u": [90.0, -8.0, 9.0], "error": [70.0, 3.0, 4.4]}
    found = judged(rows, {"HIP-NN 1323 K gauss_newton u": u})["temperature"]
    assert found["verdict"] == "differs"
    assert found["why"].endswith("standard errors of these by Gauss-Newton: 4 meV at 1323 K")


def test_architectures_within_their_bands() -> None:
    """Said beside a verdict that they differ, in joint errors; where none are known nothing is said."""
    u = {"r": R.tolist(), "u": SMOOTH.tolist(), "error": np.full(len(R), 3.0).tolist()}
    off = {**u, "u": (SMOOTH + 15.0).tolist(), "error": np.full(len(R), 4.0).tolist()}
    found = judged({}, {"HIP-NN 943 K gauss_newton u": u, "ANI-Al 943 K gauss_newton u": off})
    assert found["architectures"]["verdict"] == "differs"
    assert "at most 3.0 at 943 K of their joint standard errors beyond 2.5" in found["architectures"]["why"]


def test_a_model_without_wibi() -> None:
    """What the model alone does is judged of every model; its density by the rule that it was run with."""
    rows = made_up()
    rows["ani"] = rows["1023.0"] | {"model": "ANI-Al", "rule": "gauss_newton"}
    rows["ani"] |= {
        "peak_before": {"value": 2.62, "error": 0.02},
        "density_after": {"value": 2420.0, "error": 3.0},
    }
    found = judged(rows, CURVES)
    assert found["over-structured"]["verdict"] == found["density"]["verdict"] == "differs"
    assert "ANI-Al 1023 K" in found["too dense"]["found"]
    assert "ANI-Al 1023 K, Gauss-Newton, 2.2 to 3.0 %" in found["density"]["found"]
    assert found["first peak"]["verdict"] == "agrees"
