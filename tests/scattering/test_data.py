"""F(Q) of a data set: weights, normalisations, calibration, EPSR's own water."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from votca_mlp.observables.structure_factor import PartialFactors
from votca_mlp.scattering.calibration import calibrated
from votca_mlp.scattering.data import ScatteringData, r_factor, total
from votca_mlp.scattering.lengths import parsed_isotopes

Q = np.linspace(0.5, 20.0, 100)
WATER = {"O": 1 / 3, "H": 2 / 3}
PAIRS = (("O", "O"), ("O", "H"), ("H", "H"))


def data(**facts: object) -> ScatteringData:
    return ScatteringData("d", "neutron", Q, np.zeros(100), **facts)  # type: ignore[arg-type]


def test_weights_of_heavy_water_are_those_of_epsr() -> None:
    # the numbers of EPSR's D2O.NWTStot.wts, barn/sr; its lengths are of another edition
    weights = data(isotopes=parsed_isotopes("D")).pair_weights(WATER, PAIRS)[:, 0]
    assert weights == pytest.approx([0.0374164544, 0.172052518, 0.197787762], rel=2e-3)


@pytest.mark.parametrize("normalisation", ["square_of_mean", "mean_of_squares"])
@pytest.mark.parametrize("radiation", ["neutron", "xray"])
def test_normalisations(normalisation: str, radiation: str) -> None:
    whole = ScatteringData("d", radiation, Q, np.zeros(100))  # type: ignore[arg-type]
    part = replace(whole, normalisation=normalisation)  # type: ignore[arg-type]
    strength = whole.strengths(["O", "H"])
    mean = (strength["O"] + 2 * strength["H"]) / 3
    square = (strength["O"] ** 2 + 2 * strength["H"] ** 2) / 3
    unit = 100.0 if radiation == "neutron" else 1.0
    divisor = mean**2 if normalisation == "square_of_mean" else square
    ratio = whole.pair_weights(WATER, PAIRS) / part.pair_weights(WATER, PAIRS)
    assert ratio == pytest.approx(np.broadcast_to(divisor / unit, (3, 100)))
    if normalisation == "square_of_mean":
        assert part.pair_weights(WATER, PAIRS).sum(axis=0) == pytest.approx(np.ones(100))


def test_total_is_the_weighted_sum() -> None:
    random = np.random.default_rng(1)
    partials = PartialFactors(Q, PAIRS, WATER, random.normal(size=(4, 3, 100)))
    found = total(data(), partials)
    weights = data().pair_weights(WATER, PAIRS)
    assert found[2] == pytest.approx(sum(weights[k] * partials.values[2, k] for k in range(3)))


def test_calibration_finds_scale_and_background() -> None:
    found = np.sin(Q) / Q
    measured = replace(data(fit_scale=True, fit_background=True), values=1.2 * found - 0.03)
    scale, background = calibrated(measured, found)
    assert (scale, background) == pytest.approx((1.2, -0.03))
    assert calibrated(measured, found).corrected(measured.values) == pytest.approx(found)
    assert calibrated(data(), found) == (1.0, 0.0)
    only = replace(data(fit_background=True), values=found + 0.5)
    assert calibrated(only, found) == pytest.approx((1.0, 0.5))
    # what is no calibration is not made one
    assert calibrated(replace(measured, values=9.0 * found), found).scale == 2.0


def test_r_factor() -> None:
    assert r_factor(np.array([1.0, 2.0]), np.array([1.0, 4.0])) == 2.0


def test_epsr_water(data_dir: Path) -> None:
    from tests.scripts.conftest import SCRIPTS  # noqa: F401 - the scripts' folder is put on the path

    from scattering_epsr import compared  # isort: skip

    for row in compared(data_dir / "dissolve_water"):
        assert row["rms_high"] < 5e-5, row
        assert row["max_high"] < 2.5e-4, row
        assert row["rms_low"] < 1e-3, row
        assert row["R"] == pytest.approx(row["R_epsr"], rel=5e-3)
