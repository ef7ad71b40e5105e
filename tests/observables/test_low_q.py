"""Structure factors at the smallest wave vectors: the definition, what is kept, and as data of a fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from votca_mlp.errors import UserError
from votca_mlp.observables.low_q import LowCounter
from votca_mlp.observables.step import StepObservables, measure_frames
from votca_mlp.observables.store import read_observables, write_observables
from votca_mlp.observables.structure_factor import PartialFactors
from votca_mlp.scattering.data import ScatteringData, split_low, total
from votca_mlp.trajectories.frames import Frame
from votca_mlp.update.gauss_newton.scattering import direct_response

EDGE, KBT = 12.0, 1.3


def gas(seed: int, edge: float = EDGE) -> Frame:
    random = np.random.default_rng(seed)
    types = np.array(["Ar"] * 30 + ["Kr"] * 20)
    return Frame(random.random((50, 3)) * edge, np.full(3, edge), types)


@pytest.fixture(scope="module")
def measured() -> StepObservables:
    return measure_frames([gas(seed) for seed in range(300)], [], {}, {}, whole=True)


def test_total_is_the_square_of_the_summed_amplitude(measured: StepObservables) -> None:
    """F(k) = |sum of b exp(-i k r)|^2 / N - <b^2>, over all directions of one length."""
    data = ScatteringData("d", "neutron", np.ones(1), np.ones(1))
    low = measured.low
    assert low is not None
    assert low.q == pytest.approx(2 * np.pi / EDGE * np.sqrt([1, 2, 3, 4]))
    strengths = data.strengths(["Ar", "Kr"])
    frame = gas(7)
    b = np.array([strengths[name][0] for name in frame.types]) / 10.0  # barn^(1/2)
    found = []
    for n in ([1, 1, 0], [1, -1, 0], [1, 0, 1], [1, 0, -1], [0, 1, 1], [0, 1, -1]):
        wave = np.exp(-2j * np.pi / EDGE * frame.positions @ np.array(n))
        found.append(abs(b @ wave) ** 2 / 50 - np.mean(b**2))
    there = replace(data, q=low.q, values=np.zeros(4))
    factors = PartialFactors(low.q, low.pairs, {"Ar": 0.6, "Kr": 0.4}, low.values)
    assert total(there, factors)[7, 1] == pytest.approx(np.mean(found), rel=1e-9)
    # an ideal gas: S = 1 but for the like pairs of one closed box
    assert np.abs(low.values.mean(axis=0)).max() < 0.15


def test_kept_and_boxes_that_are_no_cubes(measured: StepObservables, tmp_path: Path) -> None:
    write_observables(tmp_path, measured)
    again = read_observables(tmp_path).at_low_q(tmp_path)
    assert measured.low is not None
    assert np.array_equal(again.values, measured.low.values)
    assert again.pairs == (("Ar", "Ar"), ("Ar", "Kr"), ("Kr", "Kr"))
    counter = LowCounter()
    counter.add(gas(1))
    counter.add(replace(gas(2), box=np.array([12.0, 12.0, 13.0])))
    assert counter.factors() is None
    with pytest.raises(UserError, match="smallest wave vectors"):
        replace(measured, low=None).at_low_q(tmp_path)


def test_split(measured: StepObservables) -> None:
    q = np.arange(0.3, 6.0, 0.05)
    data = ScatteringData("d", "neutron", q, np.cos(q), np.full(len(q), 0.1), fit_scale=True)
    assert measured.low is not None
    rest, part = split_low(data, measured.low, EDGE / 2)
    assert part is not None
    assert rest.q[0] == pytest.approx(1.05)
    assert part.name == "d.low"
    assert part.q == pytest.approx(measured.low.q)
    assert part.values == pytest.approx(np.cos(part.q), abs=1e-3)
    assert (rest.fit_scale, part.fit_scale) == (True, False)
    whole, none = split_low(replace(data, q=q + 1.0), measured.low, EDGE / 2)
    assert none is None
    assert len(whole.q) == len(q)


def test_jacobian_is_that_of_reweighting(measured: StepObservables) -> None:
    assert measured.low is not None
    data = ScatteringData("d", "neutron", measured.low.q, np.zeros(4), direct=True)
    h = np.random.default_rng(3).standard_normal((300, 2)) + measured.low.values[:, 1, :2]
    found = direct_response(data, measured.low, {"Ar": 0.6, "Kr": 0.4}, h, KBT)
    factors = PartialFactors(data.q, measured.low.pairs, {"Ar": 0.6, "Kr": 0.4}, measured.low.values)
    by_frame = total(data, factors)
    assert found.values == pytest.approx(by_frame.mean(axis=0))
    ends = []
    for step in (1e-5, -1e-5):
        weights = np.exp(-step * (h[:, 0] - h[:, 0].mean()) / KBT)
        ends.append(weights @ by_frame / weights.sum())
    slope = (ends[0] - ends[1]) / 2e-5
    assert found.jacobian[:, 0] == pytest.approx(slope * 300 / 299, abs=2e-3 * np.abs(slope).max())
    assert found.variances == pytest.approx(by_frame.var(axis=0, ddof=1) / 300, rel=0.7)
