"""Partial structure factors: closed forms, direct summation, and the units of a resolution."""

import numpy as np
import pytest

from tests.observables.direct_sum import direct_factors
from votca_mlp.errors import UserError
from votca_mlp.observables.rdf import PairHistograms, pair_histograms
from votca_mlp.observables.structure_factor import (
    FWHM,
    Resolution,
    end_error,
    kernel,
    partial_factors,
    shell_volumes,
)
from votca_mlp.trajectories.frames import Frame


def dimers(seed: int = 1, count: int = 200, edge: float = 22.0, bond: float = 2.5) -> Frame:
    """Return a gas of Ar-Kr of a fixed length: S_ArKr - 1 = 2 sin(Q b)/(Q b), no other structure."""
    random = np.random.default_rng(seed)
    directions = random.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    first = random.random((count, 3)) * edge
    positions = np.concatenate([first, first + bond * directions])
    return Frame(positions, np.full(3, edge), np.repeat(["Ar", "Kr"], count))


def test_kernel_is_the_mean_over_the_shell() -> None:
    r, q = np.array([1.0, 1.4, 1.8]), np.array([0.5, 7.0])
    x = np.linspace(1.2, 1.6, 20001)
    for number, each in enumerate(q):
        exact = np.trapezoid(x * np.sin(each * x) / each, x) / np.trapezoid(x**2, x)
        assert kernel(r, q)[number, 1] == pytest.approx(exact, abs=1e-6)


def test_an_ideal_gas_has_no_structure() -> None:
    random = np.random.default_rng(3)
    q = np.linspace(1.0, 12.0, 60)
    frames = [
        Frame(random.random((400, 3)) * 20.0, np.full(3, 20.0), np.array(["Ar"] * 400)) for _ in range(30)
    ]
    found = partial_factors(pair_histograms(frames, [("Ar", "Ar")], np.arange(0.0, 9.9, 0.05)), q)
    error = found.values.std(axis=0) / np.sqrt(30)
    assert np.all(np.abs(found.mean()) < 5.0 * error)
    assert error.mean() < 0.02


def test_dimers_by_pair_counts_and_by_direct_summation() -> None:
    frames = [dimers(seed) for seed in range(30)]
    pairs = [("Ar", "Ar"), ("Ar", "Kr"), ("Kr", "Kr")]
    counted = pair_histograms(frames, pairs, np.arange(0.0, 10.95, 0.02))
    direct: dict[tuple[str, str], list[np.ndarray]] = {}
    for frame in frames:
        q, values = direct_factors(frame.positions, frame.types, frame.box, 3.2)
        for pair, value in values.items():
            direct.setdefault(pair, []).append(value)
    found = partial_factors(counted, q)
    used = q > 0.7
    # a closed system lacks one pair in N_a, which the vectors of the box do not see
    end = counted.r[-1] + 0.01
    missing = 4 * np.pi * (np.sin(q * end) - q * end * np.cos(q * end)) / q**3 * 2.0 / 22.0**3
    for row, pair in enumerate(counted.pairs):
        bond = 2 * np.sinc(2.5 * q / np.pi) if pair == ("Ar", "Kr") else np.zeros_like(q)
        for each, exact in ((found.values[:, row], bond - missing), (np.array(direct[pair]), bond)):
            error = each.std(axis=0) / np.sqrt(len(frames))
            off = (each.mean(axis=0) - exact) / error
            # neighbouring Q are not independent: some nine values in all
            assert np.sqrt(np.mean(off[used] ** 2)) < 2.0
            assert error[used].mean() < 0.1


def test_a_pair_of_atoms_is_exact() -> None:
    # two atoms: S - 1 = N n H sin(Qr)/(Qr) less the uniform part
    frame = Frame(np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 3.5]]), np.full(3, 30.0), np.array(["Ar", "Ar"]))
    q, r = np.array([0.4, 2.0, 9.0]), np.arange(0.0, 14.9, 0.01)
    found = partial_factors(pair_histograms([frame], [("Ar", "Ar")], r), q).mean()[0]
    end = r[-1] + 0.005
    uniform = 4 * np.pi * 2 / 27000.0 * (np.sin(q * end) - q * end * np.cos(q * end)) / q**3
    assert found == pytest.approx(np.sin(2.5 * q) / (2.5 * q) - uniform, abs=2e-4)


def test_resolution_is_a_convolution_in_q() -> None:
    q = np.arange(0.01, 16.0, 0.01)
    r = np.arange(0.0, 8.0, 0.02)
    sharp, wide = kernel(r, q), kernel(r, np.array([10.0]), Resolution(constant=0.2))[0]
    deviation = 0.2 / FWHM
    gauss = np.exp(-0.5 * ((q - 10.0) / deviation) ** 2)
    smeared = (gauss / gauss.sum()) @ sharp
    assert np.abs(smeared - wide).max() < 2e-3
    assert Resolution(0.1, 0.02).deviation(np.array([5.0])) == pytest.approx(0.2 / FWHM)


def test_shells_fill_the_sphere() -> None:
    r = np.arange(0.0, 10.0, 0.03)
    assert shell_volumes(r).sum() == pytest.approx(4 / 3 * np.pi * (r[-1] + 0.015) ** 3, rel=1e-12)


def test_the_end_matters_at_small_q_only() -> None:
    counted = pair_histograms(
        [dimers()], [("Ar", "Ar"), ("Kr", "Kr"), ("Ar", "Kr")], np.arange(0.0, 10.9, 0.05)
    )
    error = end_error(counted, np.array([0.3, 15.0]))
    assert np.all(error[:, 1] < 0.3 * error[:, 0] + 0.05)


def test_like_pairs_are_needed() -> None:
    counted = PairHistograms(
        np.arange(3.0), (("Ar", "Kr"),), np.zeros((1, 1, 3), np.int64), np.ones(1), np.ones(1)
    )
    with pytest.raises(UserError, match="like pairs of Ar, Kr were not counted"):
        partial_factors(counted, np.ones(1))
