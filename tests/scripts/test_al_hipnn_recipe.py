"""Sampling, close pairs, crystal and melt of the recipe for aluminium, with EMT in the place of ANI-Al."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from al_hipnn import judge
from al_hipnn.judge import liquid
from al_hipnn.recipe import (
    LEVEL,
    assemble,
    close_frames,
    held_out,
    kinds_of,
    label,
    read,
    runs_of,
    sample_and_label,
    training_and_validation,
)
from al_hipnn.sampling import Trajectory, plan, push_together
from ase.build import bulk
from ase.calculators.emt import EMT

from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.solid import cold_curve
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.observables.rdf import pair_histograms
from votca_mlp.training.sources.writing import write_frames


@pytest.fixture(scope="module")
def emt() -> Evaluator:
    return CalculatorEvaluator(EMT())


def test_lattice_constant_of_emt(emt: Evaluator) -> None:
    """EMT's aluminium: 3.994 Angstrom (minimum of ASE's own energies by golden section)."""
    from scipy.optimize import minimize_scalar

    def energy(a: float) -> float:
        return emt.evaluate(bulk("Al", "fcc", a, cubic=True).repeat(2)).energy

    expected = minimize_scalar(energy, bracket=(3.9, 4.1), options={"xtol": 1e-8}).x
    assert cold_curve(emt, "Al", "fcc", 4.03).constant == pytest.approx(expected, abs=1e-4)


def test_sampling_depends_on_its_run_only(emt: Evaluator) -> None:
    runs = [
        Trajectory("solid", 300.0, 4 / 4.05**3, repeat=2, frames=2, spacing=2),
        Trajectory("strained", 300.0, 4 / 4.05**3, strain=0.05, repeat=2, frames=3, spacing=2),
    ]
    both = sample_and_label(runs, emt, emt, "Al", [0, 1])
    alone = sample_and_label(runs, emt, emt, "Al", [1])
    assert kinds_of(both).tolist() == ["solid"] * 2 + ["strained"] * 3
    assert runs_of(both).tolist() == [0, 0, 1, 1, 1]
    assert np.array_equal(both.positions[2 * 32 :], alone.positions)
    assert not np.array_equal(alone.positions[:32], alone.positions[32:64])
    assert np.abs(alone.cells[0] - np.diag(np.diag(alone.cells[0]))).max() > 0.05


def test_close_pairs(emt: Evaluator, tmp_path: Path) -> None:
    atoms = bulk("Al", "fcc", 4.1, cubic=True).repeat(3)
    atoms.rattle(0.1, seed=0)
    pushed = push_together(atoms, np.random.default_rng(0))
    distances = pushed.get_all_distances(mic=True)[np.triu_indices(len(pushed), 1)]
    assert 1.55 <= distances.min() <= 2.15
    assert np.sum(np.abs(pushed.positions - atoms.positions).max(axis=1) > 1e-12) == 2
    frames = label([atoms] * 13, ["liquid"] * 12 + ["solid"], list(range(13)), emt)
    close = close_frames(frames, emt)
    assert runs_of(close).tolist() == [0, 6]
    assert set(kinds_of(close)) == {"close"}
    assert np.abs(close.levels[LEVEL].forces).max() <= 40.0
    whole = assemble([frames.take(np.arange(6, 13)), frames.take(np.arange(6))], emt)
    assert runs_of(whole).tolist() == sorted(runs_of(whole).tolist())
    assert len(whole) == 15
    write_frames(tmp_path / "data.npz", whole)
    again = read(tmp_path / "data.npz")
    assert kinds_of(again).tolist() == kinds_of(whole).tolist()
    assert runs_of(again).tolist() == runs_of(whole).tolist()
    assert np.array_equal(again.levels[LEVEL].forces, whole.levels[LEVEL].forces)
    parts = (*training_and_validation(again, 1), np.flatnonzero(held_out(again)))
    assert [len(part) for part in parts] == [13, 1, 1]
    assert sorted(np.concatenate(parts)) == list(range(15))


def test_the_plan_covers_what_it_says() -> None:
    runs = plan()
    assert {run.kind for run in runs} == {"liquid", "hot", "solid", "strained"}
    assert sum(run.frames for run in runs) == 1455
    assert all(run.frames >= 1 for run in plan(0.01))


def test_g_of_a_melt_is_of_many_configurations(monkeypatch: pytest.MonkeyPatch) -> None:
    """g(r) is taken over frames that differ, and peaks where the atoms are."""
    counted = []

    def histograms(*arguments: object) -> object:
        counted.append(pair_histograms(*arguments))  # type: ignore[arg-type]
        return counted[-1]

    monkeypatch.setattr(judge, "pair_histograms", histograms)
    melt = liquid(
        PairListEvaluator(load_hipnn(builtin_models()["al-hipnn"])),
        "Al",
        density=0.06,
        temperature=100,
        melt_temperature=100,
        melt_time=20,
        time=400,
        repeat=3,
    )
    assert melt.peak_position == pytest.approx(2.87, abs=0.1)
    counts = counted[0].counts[:, 0]
    assert len(counts) == 4
    assert not any(np.array_equal(one, other) for one, other in pairwise(counts))
