"""What is measured on frames in one pass, kept in a file, and read again."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from ase.data import atomic_masses, atomic_numbers

from votca_mlp.errors import UserError
from votca_mlp.observables.protocol import Observable, Series
from votca_mlp.observables.rdf import pair_histograms
from votca_mlp.observables.registry import observables
from votca_mlp.observables.step import measure_frames
from votca_mlp.observables.store import NAME, read_observables, write_observables
from votca_mlp.trajectories.frames import Frame

COARSE, FINE = np.arange(0.25, 6.0, 0.5), np.arange(0.05, 5.0, 0.1)
PAIRS = [("Ar", "Ar"), ("Ar", "Kr")]


def frames(count: int = 12) -> list[Frame]:
    random = np.random.default_rng(5)
    types = np.array(["Ar", "Kr"] * 20, dtype=np.str_)
    boxes = [np.array([13.0, 14.0, 15.0]) * (1 + 0.01 * random.standard_normal()) for _ in range(count)]
    return [Frame(random.uniform(0, 13, (40, 3)), box, types, 10 * n) for n, box in enumerate(boxes)]


def recorded(count: int = 12) -> dict[int, dict[str, float]]:
    return {10 * n: {"potential[eV]": -1.0 - 0.1 * n, "pressure[bar]": 5.0 * n} for n in range(count)}


def test_one_pass_gives_what_separate_passes_give(tmp_path: Path) -> None:
    found = measure_frames(iter(frames()), [(PAIRS, COARSE), ([("Kr", "Kr")], FINE)], recorded())
    write_observables(tmp_path, found)
    again = read_observables(tmp_path)
    for measured in (found, again):
        assert measured.steps.tolist() == list(range(0, 120, 10))
        for pairs, r in ((PAIRS, COARSE), ([("Kr", "Kr")], FINE)):
            expected = pair_histograms(frames(), pairs, r)
            histograms = measured.histogram(pairs[-1][::-1])
            assert histograms.pairs == expected.pairs
            for name in ("r", "counts", "volumes", "norms"):
                assert np.array_equal(getattr(histograms, name), getattr(expected, name)), name
                assert getattr(histograms, name).dtype == getattr(expected, name).dtype
        assert set(measured.series) == {"volume", "density", "potential", "pressure"}
        masses = sum(atomic_masses[atomic_numbers[name]] for name in next(iter(frames())).types)
        expected_density = 1660.5390666 * masses / measured.series["volume"].values
        assert measured.series["density"].values == pytest.approx(expected_density)
        assert measured.series["volume"].values.tolist() == [frame.volume for frame in frames()]
        assert measured.series["potential"].values == pytest.approx(-1.0 - 0.1 * np.arange(12))
        assert measured.series["potential"].unit == "eV"
        with pytest.raises(ValueError, match="no histogram"):
            measured.histogram(("Ar", "Xe"))


def test_an_observable_that_a_frame_lacks_is_absent() -> None:
    row = recorded()
    del row[50]
    assert set(measure_frames(frames(), [(PAIRS, COARSE)], row).series) == {"volume", "density"}


def test_several_values_a_frame(tmp_path: Path) -> None:
    edges = Observable("A", "Edges.", per_frame=lambda frame, row: frame.box)
    found = measure_frames(frames(), [(PAIRS, COARSE)], {}, {"edges": edges})
    write_observables(tmp_path, found)
    series = read_observables(tmp_path).series["edges"]
    boxes = np.stack([frame.box for frame in frames()])
    assert np.array_equal(series.values, boxes)
    assert series.mean() == pytest.approx(boxes.mean(axis=0))
    assert series.error().shape == (3,)
    volume = Series(boxes.prod(axis=1), "A3")
    expected = np.cov(boxes.T, volume.values, bias=True)[:3, 3:]
    assert series.covariance(volume) == pytest.approx(expected, rel=1e-9)
    assert series.covariance_error(volume, blocks=4).shape == (3, 1)
    assert volume.estimate().mean == pytest.approx(volume.values.mean())
    weights = np.arange(12.0) / 66.0
    assert volume.mean(weights) == pytest.approx(weights @ volume.values)


def test_g_by_frame_averages_to_g() -> None:
    histograms = pair_histograms(frames(), PAIRS, COARSE)
    for pair in PAIRS:
        assert histograms.series(pair).mean() == pytest.approx(histograms.g(pair), rel=1e-12)


def _fails(frame: Frame, row: Mapping[str, float]) -> float:
    return 1.0 / (frame.step - 30)


def _grows(frame: Frame, row: Mapping[str, float]) -> np.ndarray:
    return np.zeros(frame.step // 50)


@pytest.mark.parametrize(
    ("function", "message"), [(_fails, "toy failed: ZeroDivisionError"), (_grows, "toy has values of shape")]
)
def test_an_observable_that_fails_is_named(function, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=message):
        measure_frames(
            frames(), [(PAIRS, COARSE)], {}, {"toy": Observable("1", "A toy.", per_frame=function)}
        )


def test_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no values by frame"):
        read_observables(tmp_path)
    write_observables(tmp_path, measure_frames(frames(), [(PAIRS, COARSE)], {}))
    data = (tmp_path / NAME).read_bytes()
    for half in (b"", data[: len(data) // 2], b"text"):
        (tmp_path / NAME).write_bytes(half)
        with pytest.raises(UserError, match="cannot read the values by frame"):
            read_observables(tmp_path)


def test_the_file_is_small(tmp_path: Path) -> None:
    """500 frames of one g(r) on 200 bins: 100 000 counts, in fewer bytes than as int32."""
    random = np.random.default_rng(0)
    many = [Frame(random.uniform(0, 20, (100, 3)), np.full(3, 20.0), np.full(100, "Al")) for _ in range(500)]
    write_observables(tmp_path, measure_frames(many, [([("Al", "Al")], np.arange(0.0, 10.0, 0.05))], {}))
    assert (tmp_path / NAME).stat().st_size < 200_000


def test_every_entry_says_what_it_is() -> None:
    for name, entry in observables().items():
        assert entry.unit, name
        assert entry.meaning.endswith("."), name
    measured = {name for name, entry in observables().items() if entry.per_frame is not None}
    assert measured >= {"volume", "potential", "density", "pressure"}
