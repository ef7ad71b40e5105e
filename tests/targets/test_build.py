"""From measured g(r) to the table: what is changed is right and is said."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.tables import grid_points, read_table
from votca_mlp.targets.build import target_from_rdf
from votca_mlp.targets.measured import Measured, read_measured
from votca_mlp.targets.tail import extend

R = np.round(np.arange(0.0, 12.01, 0.05), 10)
GRID = grid_points(0.0, 1.0, 0.005)


def liquid(r: np.ndarray) -> np.ndarray:
    """Return a smooth g(r) that is zero up to 2 Angstrom and peaks near 2.8."""
    shell = 1 + 1.6 * np.exp(-(r - 2.8) / 2.0) * np.cos(2 * np.pi * (r - 2.8) / 2.4)
    return np.where(r > 2.0, shell * (1 - np.exp(-(((np.maximum(r, 2.0) - 2.0) / 0.5) ** 4))), 0.0)


def _measured(r, g, sigma=None):
    return Measured(r, g, sigma, ("from a paper",), Path("paper.csv"))


def _note(notes, start):
    found = [note for note in notes if note.startswith(start)]
    assert len(found) == 1, notes
    return found[0]


def test_clean_data_on_the_grid_are_not_touched():
    table, notes = target_from_rdf(_measured(R, liquid(R)), GRID)
    np.testing.assert_array_equal(table.y, liquid(R)[:201])
    np.testing.assert_array_equal(table.x, GRID)
    assert "not resampled" in _note(notes, "grid:")
    assert "nothing changed" in _note(notes, "core:")
    assert table.comments[0] == "from a paper"
    assert set(notes) <= set(table.comments)


def test_ripples_below_the_first_peak_are_removed_and_counted():
    ripples = np.where((R > 0) & (R < 2.0), 0.08 * np.sin(8 * R), 0.0)
    table, notes = target_from_rdf(_measured(R, liquid(R) + ripples), GRID)
    assert np.all(table.y[table.x < 0.195] == 0.0)
    beyond = table.x > 0.201
    np.testing.assert_array_equal(table.y[beyond], liquid(R)[:201][beyond])
    changed = int(re.search(r"core: (\d+) points", _note(notes, "core:")).group(1))
    # the core ends at the last point that is not positive
    assert changed in range(30, 40)
    kept, notes = target_from_rdf(_measured(R, liquid(R) + ripples), GRID, core="keep")
    assert kept.y[:30].max() > 0.07
    assert kept.y.min() == 0.0
    assert "kept" in _note(notes, "core:")
    assert "least -0.0797 at 0.6 A" in _note(notes, "negative values:")


def test_negative_values_beyond_the_core_become_zero():
    g = liquid(R)
    hole = np.argmin(np.abs(R - 4.0))
    g[hole] = -0.03
    table, notes = target_from_rdf(_measured(R, g), GRID)
    assert table.y[80] == 0.0
    assert "1 points set to zero (least -0.03 at 4 A)" in _note(notes, "negative values:")


@pytest.mark.parametrize("spline", ["akima", "pchip"])
def test_resampling_from_other_points(spline):
    r = np.arange(0.0, 11.0, 0.03)
    table, notes = target_from_rdf(_measured(r, liquid(r)), GRID, spline=spline)
    np.testing.assert_allclose(table.y, liquid(GRID * 10), atol=0.003)
    assert f"{spline} spline from data 0.03 A apart to points 0.05 A apart" in _note(notes, "grid:")


def test_nanometres_and_sigma():
    sigma = 0.01 + 0.001 * R
    table, notes = target_from_rdf(_measured(R / 10, liquid(R), sigma), GRID, unit="nm")
    np.testing.assert_allclose(table.y, liquid(R)[:201], rtol=1e-12)
    np.testing.assert_allclose(table.yerr, 0.01 + 0.01 * GRID)
    assert _note(notes, "sigma:")


@pytest.mark.parametrize(("r", "unit"), [(R / 10, "angstrom"), (R, "nm")])
def test_wrong_units_are_refused(r, unit):
    with pytest.raises(UserError, match="the first peak is at") as error:
        target_from_rdf(_measured(r, liquid(R)), GRID, unit=unit)
    other = "nm" if unit == "angstrom" else "angstrom"
    assert f"--unit {other}" in str(error.value)
    assert "paper.csv" in str(error.value)


def test_other_functions_are_refused():
    reduced = 4 * np.pi * 0.05 * R * (liquid(R) - 1)
    for other in (reduced, liquid(R) - 1, R**2 * liquid(R)):
        with pytest.raises(UserError):
            target_from_rdf(_measured(R, other), GRID)
    with pytest.raises(UserError, match="no positive"):
        target_from_rdf(_measured(R, 0 * R), GRID)


def test_short_data_need_a_decision():
    short = R <= 8.0
    data = _measured(R[short], liquid(R)[short])
    with pytest.raises(UserError, match="the data end at 8 Angstrom, the grid at 10 Angstrom") as error:
        target_from_rdf(data, GRID)
    assert "--tail one" in str(error.value)
    assert "--max 0.8" in str(error.value)
    table, notes = target_from_rdf(data, GRID, tail="one")
    np.testing.assert_array_equal(table.y[:161], liquid(R)[short])
    np.testing.assert_array_equal(table.y[181:], 1.0)
    assert np.abs(np.diff(table.y[155:])).max() < 0.02
    assert "led to one" in _note(notes, "end of data:")


def test_tail_joins_with_value_and_slope():
    r = np.arange(6.0, 8.0001, 0.05)
    g = 1.05 + 0.04 * (r - 8.0)
    beyond = np.array([8.0, 8.0001, 8.9999, 9.0, 9.5])
    values = extend(r, g, beyond)
    assert values[0] == pytest.approx(1.05)
    assert (values[1] - values[0]) / 1e-4 == pytest.approx(0.04, abs=1e-3)
    assert (values[3] - values[2]) / 1e-4 == pytest.approx(0.0, abs=1e-3)
    np.testing.assert_allclose(values[3:], 1.0)


def test_data_that_miss_the_core():
    late = R >= 2.7
    with pytest.raises(UserError, match=r"the data begin at 2\.7"):
        target_from_rdf(_measured(R[late], liquid(R)[late]), GRID)
    early = R >= 1.5
    table, notes = target_from_rdf(_measured(R[early], liquid(R)[early]), GRID)
    np.testing.assert_array_equal(table.y, liquid(R)[:201])
    assert any("zero below 1.5 A" in note for note in notes)


def test_a_tail_off_one_is_mentioned():
    _, notes = target_from_rdf(_measured(R, 1.03 * liquid(R)), GRID)
    assert "averages to 1.03" in _note(notes, "tail:")


# the first use of scipy takes longer than hypothesis allows
@settings(deadline=None)
@given(
    noise=st.integers(0, 100).map(lambda n: n / 1000),
    seed=st.integers(0, 10**6),
    step=st.sampled_from([0.02, 0.04, 0.05, 0.1]),
    spline=st.sampled_from(["akima", "pchip"]),
)
def test_targets_are_never_negative_and_have_an_empty_core(noise, seed, step, spline):
    r = np.arange(0.0, 10.5, step)
    g = liquid(r) + noise * np.random.default_rng(seed).standard_normal(len(r))
    table, _ = target_from_rdf(_measured(r, g), GRID, spline=spline)
    assert table.y.min() >= 0.0
    # zero as far as the last point of the data below the first peak that is not positive
    core = r[(r < 2.2) & (g <= 0.0)]
    assert len(core) == 0 or np.all(table.y[10 * table.x <= core[-1]] == 0.0)
    assert np.abs(table.y - liquid(GRID * 10))[table.x > 0.22].max() < 8 * noise + 0.05


def test_measured_aluminium_and_water(data_dir):
    for temperature in (943, 1023, 1323):
        data = read_measured(data_dir / "al_liquid_rdf" / f"liquid_al_{temperature}K.csv")
        table, notes = target_from_rdf(data, GRID)
        np.testing.assert_array_equal(table.y, data.y)
        case = Path(__file__).parents[2] / "settings" / f"al_{temperature}K" / "Al-Al.dist.tgt"
        shipped = read_table(case)
        np.testing.assert_array_equal(shipped.y, table.y)
        assert any("lanl/hippynn (BSD-3-Clause)" in comment for comment in shipped.comments)
    water = read_measured(data_dir / "water" / "soper2013_rdf_298K.txt", [1, 2, 3])
    table, notes = target_from_rdf(water, GRID)
    assert "2.49" in _note(notes, "main peak:")
    assert table.yerr.max() > 0.1


def test_command(tmp_path):
    source = tmp_path / "paper.csv"
    source.write_text("r,g\n" + "".join(f"{r:.2f},{g:.6f}\n" for r, g in zip(R, liquid(R), strict=True)))
    output = tmp_path / "Al-Al.dist.tgt"
    arguments = ["target", str(source), "-o", str(output), "--min", "0", "--max", "1", "--step", "0.005"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "main peak: g = 2.6" in result.output
    table = read_table(output)
    np.testing.assert_allclose(table.y, liquid(R)[:201], atol=1e-6)
    for wrong, what in (
        (["target", str(source), "-o", str(output)], "no grid"),
        ([*arguments[:2], "-o", str(source), *arguments[4:]], "replace the data"),
        ([*arguments, "--from-sq"], "without a density"),
        ([*arguments[:-1], "2"], "the grid is 0.0 to 1.0 nm in steps of 2.0"),
        ([*arguments, "--columns", "a"], "--columns a"),
    ):
        failed = CliRunner().invoke(app, wrong)
        assert isinstance(failed.exception, UserError)
        assert what in str(failed.exception)


def test_command_takes_the_grid_from_settings(tmp_path, data_dir):
    case = Path(__file__).parents[2] / "settings" / "al_1023K" / "settings.xml"
    (tmp_path / "settings.xml").write_text(case.read_text())
    source = data_dir / "al_liquid_rdf" / "liquid_al_1023K.csv"
    arguments = ["target", str(source), "--options", str(tmp_path / "settings.xml")]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert len(read_table(tmp_path / "Al-Al.dist.tgt").x) == 201
    failed = CliRunner().invoke(app, [*arguments, "--interaction", "Cu-Cu"])
    assert "no interaction 'Cu-Cu'" in str(failed.exception)
