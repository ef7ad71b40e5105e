"""The Jacobian of averages against averages of reweighted frames, and the errors of g(r)."""

import numpy as np
import pytest

from votca_mlp.ensemble.weights import weights_of
from votca_mlp.observables.rdf import PairHistograms, pair_histograms
from votca_mlp.trajectories.frames import Frame
from votca_mlp.update.gauss_newton.basis import spline_basis
from votca_mlp.update.gauss_newton.correlation import frame_covariance
from votca_mlp.update.gauss_newton.response import (
    count_variances,
    covariance_blocks,
    rdf_response,
    series_response,
)

KBT = 2.5
R = np.linspace(0.0, 8.0, 81)


@pytest.fixture(scope="module")
def counted() -> PairHistograms:
    """Pair histograms of 60 frames of a gas of 60 atoms in boxes of different size."""
    rng = np.random.default_rng(1)
    frames = []
    for number in range(60):
        edge = 20.0 + 0.3 * rng.standard_normal()
        frames.append(Frame(rng.uniform(0.0, edge, (60, 3)), np.full(3, edge), np.array(["Ar"] * 60), number))
    return pair_histograms(frames, [("Ar", "Ar")], R)


def test_rdf_against_reweighting(counted: PairHistograms) -> None:
    """A small change of c, done by weights of the frames, changes g(r) and volume as the Jacobian says."""
    basis = spline_basis(R, 2.0, 1.0)
    h = counted.counts[:, 0] @ basis.values
    found = rdf_response(counted, 0, h, basis.values, KBT, spacing=0.0)
    assert found.values == pytest.approx(counted.g(("Ar", "Ar")))
    rng = np.random.default_rng(2)
    change = rng.standard_normal(basis.size)
    # weights are exact for these frames: the covariance with n, not n - 1
    exact = (counted.n_frames - 1) / counted.n_frames

    def g(size: float) -> np.ndarray:
        weights = weights_of(h @ change * size, KBT)
        volume, mean = weights @ counted.volumes, weights @ counted.counts[:, 0]
        step = R[1] - R[0]
        shell = 4.0 / 3.0 * np.pi * ((R + 0.5 * step) ** 3 - np.maximum(R - 0.5 * step, 0.0) ** 3)
        values = volume * counted.norms[0] * mean / shell
        values[0] = 0.0
        return np.asarray(values)

    numeric = (g(1e-5) - g(-1e-5)) / 2e-5
    assert found.jacobian @ change * exact == pytest.approx(numeric, rel=1e-5, abs=1e-8)


def test_smoothing_keeps_the_pairs_themselves(counted: PairHistograms) -> None:
    """In a gas without correlations only pairs at r answer at r: what is smoothed away is noise."""
    basis = spline_basis(R, 2.0, 1.0)
    h = counted.counts[:, 0] @ basis.values
    rough, smooth = (rdf_response(counted, 0, h, basis.values, KBT, spacing=s) for s in (0.0, 2.0))
    volume = counted.volumes.mean()
    step = R[1] - R[0]
    shell = 4.0 / 3.0 * np.pi * ((R + 0.5 * step) ** 3 - np.maximum(R - 0.5 * step, 0.0) ** 3)
    mean = counted.counts[:, 0].mean(axis=0)
    own = -(volume * counted.norms[0] / shell * mean)[:, None] * basis.values / KBT
    used = R > 3.0
    off = [np.sqrt(np.mean((item.jacobian - own)[used] ** 2)) for item in (rough, smooth)]
    assert off[1] < 0.5 * off[0]
    assert smooth.values == pytest.approx(rough.values)


def test_blocks_add_up_to_the_covariance() -> None:
    rng = np.random.default_rng(3)
    y, h = rng.standard_normal((53, 4)), rng.standard_normal((53, 3))
    blocks = covariance_blocks(y, h, 5)
    assert len(blocks) == 5
    expected = np.cov(np.concatenate([y, h], axis=1).T)[:4, 4:]
    assert blocks.mean(axis=0) == pytest.approx(expected)


def test_a_number_with_a_part_of_its_own() -> None:
    """d<p>/dc of p = p0 + c x: the covariance and the mean of x."""
    rng = np.random.default_rng(4)
    energy, virial = rng.standard_normal((2, 4000))
    pressure = 3.0 + 0.5 * energy
    found = series_response(pressure, energy[:, None], KBT, 0.1, direct=np.array([virial.mean()]))
    expected = -0.5 * energy.var(ddof=1) / KBT + virial.mean()
    assert found.jacobian == pytest.approx(np.array([[expected]]))
    assert found.variances == pytest.approx([0.01])


def test_errors_of_counts() -> None:
    """Independent counts have Poisson's error; counts that stay for ten frames have ten times its square."""
    rng = np.random.default_rng(5)
    mean = np.linspace(1.0, 40.0, 60)
    once = rng.poisson(mean, (400, 60)).astype(float)
    assert count_variances(once) == pytest.approx(mean / 400, rel=0.35)
    held = np.repeat(rng.poisson(mean, (40, 60)), 10, axis=0).astype(float)
    assert np.median(count_variances(held) / (mean / 40)) == pytest.approx(1.0, rel=0.25)
    # a bin without a pair is not known exactly
    assert (count_variances(np.zeros((100, 5))) == 1e-4).all()


def test_counts_that_belong_together() -> None:
    """Where the pairs of all shells add up to one number, the covariance says so; counting alone remains."""
    rng = np.random.default_rng(4)
    r = np.linspace(2.0, 8.0, 60)
    mean = 40.0 + 20.0 * np.sin(r)
    # with a fixed sum Poisson counts are multinomial
    counts = rng.multinomial(int(mean.sum()), mean / mean.sum(), size=2000).astype(float)
    found = frame_covariance([counts], [r], [np.ones(60)], 0.5)
    ones = np.ones(60)
    assert ones @ found.matrix @ ones < 1e-6 * mean.sum()
    assert np.diag(found.matrix) == pytest.approx(mean, rel=0.1)
    assert found.frames == pytest.approx(2000, rel=0.1)
    whole = found.of_mean(np.diag(found.matrix) / 50.0)
    assert whole == pytest.approx(found.matrix / 50.0, abs=1e-4)
