"""F(Q) among the data: its Jacobian against reweighting, calibration, and the steps that need the counts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from votca_mlp.errors import UserError
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.step import StepObservables, measure_frames
from votca_mlp.observables.store import read_observables, write_observables
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.scattering.data import ScatteringData, total
from votca_mlp.scattering.lengths import parsed_isotopes
from votca_mlp.trajectories.frames import Frame
from votca_mlp.update.gauss_newton.basis import spline_basis
from votca_mlp.update.gauss_newton.pool import pooled
from votca_mlp.update.gauss_newton.scattering import scattering_response
from votca_mlp.update.gauss_newton.solve import Wanted, solve

Q = np.linspace(0.6, 14.0, 80)
KBT = 1.1


def frames(count: int = 400, seed: int = 2) -> list[Frame]:
    """Return gases whose density and pairs fluctuate."""
    random = np.random.default_rng(seed)
    types = np.array(["Ar"] * 20 + ["Kr"] * 20)
    found = []
    for _ in range(count):
        edge = 14.0 * (1.0 + 0.01 * random.normal())
        positions = random.random((40, 3)) * edge
        positions[20:] = positions[:20] + 3.0 + 0.3 * random.normal(size=(20, 3))
        found.append(Frame(positions, np.full(3, edge), types))
    return found


@pytest.fixture(scope="module")
def counted() -> PairHistograms:
    found = measure_frames(frames(), [], {}, {}, whole=True).whole
    assert found is not None
    return found


@pytest.mark.parametrize(("radiation", "normalisation"), [("neutron", "none"), ("xray", "mean_of_squares")])
def test_jacobian_is_that_of_reweighting(counted: PairHistograms, radiation: str, normalisation: str) -> None:
    data = ScatteringData("d", radiation, Q, np.zeros(80), normalisation=normalisation)  # type: ignore[arg-type]
    basis = spline_basis(np.linspace(0.0, 5.0, 101), 1.0, 0.8)
    row = counted.row(("Ar", "Kr"))
    functions = basis.on(counted.r)
    h = counted.counts[:, row] @ functions
    found = scattering_response(data, counted, h, {("Kr", "Ar"): functions}, KBT, spacing=0.0)
    by_frame = total(data, partial_factors(counted, Q))
    assert found.values == pytest.approx(by_frame.mean(axis=0))
    for j in (1, basis.size - 1):
        step = 1e-5
        ends = []
        for sign in (1, -1):
            weights = np.exp(-sign * step * (h[:, j] - h[:, j].mean()) / KBT)
            ends.append(weights @ by_frame / weights.sum())
        slope = (ends[0] - ends[1]) / (2 * step)
        # covariances are of a sample: n - 1
        assert found.jacobian[:, j] == pytest.approx(slope * 400 / 399, abs=2e-3 * np.abs(slope).max())


def test_smoothing_leaves_the_jacobian_and_takes_noise(counted: PairHistograms) -> None:
    data = ScatteringData("d", "neutron", Q, np.zeros(80))
    basis = spline_basis(np.linspace(0.0, 5.0, 101), 1.0, 0.8)
    functions = basis.on(counted.r)
    h = counted.counts[:, counted.row(("Ar", "Kr"))] @ functions
    own = {("Ar", "Kr"): functions}
    sharp = scattering_response(data, counted, h, own, KBT, spacing=0.0).jacobian
    smooth = scattering_response(data, counted, h, own, KBT).jacobian
    assert np.corrcoef(sharp.ravel(), smooth.ravel())[0, 1] > 0.9


def test_functions_on_other_points() -> None:
    r = np.linspace(0.0, 1.0, 101)
    basis = spline_basis(r, 0.25, 0.05)
    assert basis.on(r) == pytest.approx(basis.values)
    assert np.all(basis.on(np.array([1.0, 1.5])) == 0.0)


def test_counts_end_at_half_of_the_smallest_box(counted: PairHistograms) -> None:
    smallest = min(frame.box.min() for frame in frames())
    assert 0.5 * smallest - 0.02 < counted.r[-1] <= 0.5 * smallest
    assert counted.n_frames == 400
    alone = measure_frames(frames()[5:6], [], {}, {}, whole=True).whole
    assert alone is not None
    assert np.array_equal(alone.counts[0, :, : len(counted.r)], counted.counts[5])
    assert alone.volumes[0] == counted.volumes[5]


def test_counts_are_kept(tmp_path: Path) -> None:
    measured = measure_frames(frames(5), [], {}, {}, whole=True)
    write_observables(tmp_path, measured)
    again = read_observables(tmp_path)
    assert again.whole is not None
    assert measured.whole is not None
    assert np.array_equal(again.whole.counts, measured.whole.counts)
    assert again.whole.pairs == (("Ar", "Ar"), ("Ar", "Kr"), ("Kr", "Kr"))
    without = StepObservables(measured.steps, (), {})
    write_observables(tmp_path, without)
    assert read_observables(tmp_path).whole is None


def test_three_isotopic_totals_find_what_two_leave_open(counted: PairHistograms) -> None:
    """A change of one partial among three: known where three totals are measured, wide where one is."""
    basis = spline_basis(np.linspace(0.0, 5.0, 101), 1.0, 0.8)
    functions = basis.on(counted.r)
    own, columns = {}, []
    for number, pair in enumerate(counted.pairs):
        wide = np.zeros((len(counted.r), 3 * basis.size))
        wide[:, number * basis.size : (number + 1) * basis.size] = functions
        own[pair] = wide
        columns.append(counted.counts[:, number] @ functions)
    h = np.concatenate(columns, axis=1)
    wanted_c = np.zeros(3 * basis.size)
    wanted_c[2 : basis.size - 2] = 0.05
    errors = {}
    for isotopes in (("36Ar", "", "36Ar:0.35 40Ar:0.65"), ("36Ar",)):
        responses = []
        for text in isotopes:
            data = ScatteringData("d", "neutron", Q, np.zeros(80), isotopes=parsed_isotopes(text))
            responses.append(scattering_response(data, counted, h, own, KBT))
        from votca_mlp.update.gauss_newton.response import stacked

        whole = stacked(responses)
        sigma = np.full(len(whole.values), 1e-4)
        whole = replace(whole, variances=sigma**2, blocks=whole.blocks.mean(axis=0)[None])
        wanted = Wanted(
            whole.values + whole.jacobian @ wanted_c,
            sigma**2,
            np.ones(len(sigma)),
            np.full(len(sigma), np.inf),
            np.ones(len(sigma), bool),
        )
        pool = pooled([whole], [np.zeros(len(wanted_c))], np.zeros(len(wanted_c)))
        step = solve(
            pool, wanted, np.zeros(len(wanted_c)), np.eye(len(wanted_c)), amplitude=0.1, bounds=(1e-4, 1.0)
        )
        off = step.coefficients - wanted_c
        band = np.sqrt(np.diag(step.covariance))
        assert np.mean(np.abs(off) < 3 * band) > 0.95
        errors[len(isotopes)] = float(np.sqrt(np.mean(band**2)))
    assert errors[3] < 0.7 * errors[1]


def test_a_step_without_counts_is_refused(tmp_path: Path) -> None:
    from votca_mlp.update.gauss_newton.scattering import counts_of
    from votca_mlp.update.rule import StateData

    write_observables(tmp_path, measure_frames(frames(3), [], {}, {}))
    state = StateData("", 1.0, KBT, 300.0, {}, {}, {}, {}, tmp_path, tmp_path)
    with pytest.raises(UserError, match="no pair counts to half the box"):
        counts_of(state)
