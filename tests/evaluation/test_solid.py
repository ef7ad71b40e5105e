"""The crystal at 0 K against lattice sums and second derivatives made another way."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from typer.testing import CliRunner

from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.solid import (
    GPA_PER_EV_PER_ANGSTROM3,
    cold_curve,
    crystal,
    elastic_constants,
    is_stable,
)
from votca_mlp.models.lennard_jones import lennard_jones_mixture
from votca_mlp.tables import make_table, write_table
from votca_mlp.units import KJMOL_PER_EV

MODEL = lennard_jones_mixture({"Ar": [0.0104, 3.4]}, 6.5)


def test_lattice_constant_and_bulk_modulus() -> None:
    """The stress is zero at the minimum, and B is (C11 + 2 C12)/3."""
    evaluator = PairListEvaluator(MODEL, skin=0.5)
    curve = cold_curve(evaluator, "Ar", "fcc", 5.35)
    stress = evaluator.evaluate(crystal("Ar", "fcc", curve.constant)).stress
    # what is left moves the constant by less than 2e-4 Angstrom
    assert abs(np.trace(stress) / 3) * GPA_PER_EV_PER_ANGSTROM3 < 4e-4
    constants = elastic_constants(evaluator, "Ar", "fcc", curve.constant)
    assert (constants["C11"] + 2 * constants["C12"]) / 3 == pytest.approx(curve.bulk_modulus, rel=0.01)
    # a pair potential at zero stress: Cauchy's relation
    assert constants["C12"] == pytest.approx(constants["C44"], rel=0.01)


def test_against_second_derivatives() -> None:
    """Born's term by automatic differentiation, in the room of training."""
    torch = pytest.importorskip("torch")
    from votca_mlp.training.fusion.observables.frames import stored_frames
    from votca_mlp.training.fusion.observables.static import cold_elastic_constants

    a = 5.27
    with torch.no_grad():
        expected = cold_elastic_constants(MODEL, stored_frames([bulk("Ar", "fcc", a, cubic=True)]), "cubic")
    found = elastic_constants(PairListEvaluator(MODEL, skin=0.5), "Ar", "fcc", a)
    wanted = (expected.numpy() * GPA_PER_EV_PER_ANGSTROM3).tolist()
    assert list(found.values()) == pytest.approx(wanted, rel=2e-3)


def test_hcp() -> None:
    """Pair forces: c/a nearly ideal, energy and volume nearly fcc's; B by strains is the curve's."""
    evaluator = PairListEvaluator(MODEL, skin=0.5)
    curve = cold_curve(evaluator, "Ar", "hcp", 3.76, points=7)
    assert curve.ratio == pytest.approx(1.633, abs=0.005)
    found = elastic_constants(evaluator, "Ar", "hcp", curve.constant, ratio=curve.ratio)
    basal, axial, across = found["C11"] + found["C12"], found["C33"], found["C13"]
    modulus = (basal * axial - 2 * across**2) / (basal + 2 * axial - 4 * across)
    assert modulus == pytest.approx(curve.bulk_modulus, rel=0.01)
    cubic = cold_curve(evaluator, "Ar", "fcc", 5.35, points=9)
    assert curve.energy == pytest.approx(cubic.energy, rel=1e-3)
    assert curve.constant * 2**0.5 == pytest.approx(cubic.constant, rel=1e-3)


def test_refusals() -> None:
    evaluator = PairListEvaluator(MODEL, skin=0.5)
    with pytest.raises(UserError, match="still falling below"):
        cold_curve(evaluator, "Ar", "fcc", 6.0, points=5)
    with pytest.raises(UserError, match="no structure 'wurtzite'"):
        crystal("Ar", "wurtzite", 5.0)
    with pytest.raises(UserError, match="no element 'Xx'"):
        crystal("Xx", "fcc", 5.0)


def test_commands(tmp_path) -> None:
    """The shipped model: near ANI-Al's 4.054 Angstrom that it emulates; a repulsion widens the crystal."""
    x = np.linspace(0.0, 1.0, 201)
    table = tmp_path / "u.pot"
    write_table(table, make_table(x, 0.02 * KJMOL_PER_EV * np.exp(-(((x - 0.25) / 0.06) ** 2)) * (x < 0.9)))
    words = ["--element", "Al", "--guess", "4.05", "--table", str(table), "--json", "--points", "9"]
    result = CliRunner().invoke(app, ["lattice", "builtin:al-hipnn", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["model"]["constant"] == pytest.approx(4.054, abs=0.02)
    assert found["corrected"]["constant"] > found["model"]["constant"] + 0.003
    assert len(found["model"]["energies"]) == 9
    refused = CliRunner().invoke(app, ["lattice", "builtin:al-hipnn", *words, "--step", "2"])
    assert "a model has no steps" in str(refused.exception)


def test_constants_that_no_crystal_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copper is stable; C11 below C12, no shear or a c axis that gives way are not. The command says it."""
    copper = {"C11": 168.4, "C12": 121.4, "C44": 75.4}
    assert is_stable(copper)
    assert not is_stable(copper | {"C11": 120.0})
    assert not is_stable(copper | {"C44": -1.0})
    titanium = {"C11": 160.9, "C12": 92.5, "C13": 69.1, "C33": 179.5, "C44": 46.2}
    assert is_stable(titanium)
    assert not is_stable(titanium | {"C33": 2 * 69.1**2 / (160.9 + 92.5) - 0.1})
    found = {"C11": -292.6, "C12": 170.5, "C44": 139.9}
    monkeypatch.setattr("votca_mlp.evaluation.solid.elastic_constants", lambda *of, **options: found)
    words = ["elastic", "builtin:al-hipnn", "--element", "Al", "--guess", "4.05"]
    assert "no crystal with these constants is stable" in CliRunner().invoke(app, words).output
    assert json.loads(CliRunner().invoke(app, [*words, "--json"]).output)["model"]["stable"] is False
    found |= copper
    assert "no crystal" not in CliRunner().invoke(app, words).output


@pytest.mark.parametrize(
    ("source", "words", "said"),
    [
        ("SETTINGS", ["--kind", "ani"], "--kind: settings.xml says the kind"),
        ("SETTINGS", ["--level", "x"], "--level: a model of kind ase has no levels"),
        ("SETTINGS", ["--state", "hot"], "none: the run has one state"),
        ("builtin:nothing", [], "builtin:nothing: no builtin model 'nothing'"),
        ("FOLDER", [], "of another kind with --kind, such as ani"),
        ("builtin:al-hipnn", ["--level", "x"], "level"),
        ("builtin:al-hipnn", ["--kind", "none"], "builtin:al-hipnn: kind is 'none': no kind of model"),
    ],
)
def test_what_the_commands_refuse(tmp_path: Path, source: str, words: list[str], said: str) -> None:
    """By the names that were given, also where there is no settings.xml."""
    settings = Path(__file__).parents[2] / "settings" / "lj_mixture"
    named = {"SETTINGS": str(settings / "settings.xml"), "FOLDER": str(tmp_path)}
    start = ["lattice", named.get(source, source), "--element", "Ar", "--guess", "5.3"]
    result = CliRunner().invoke(app, [*start, *words])
    assert said in str(result.exception), result.exception
