"""Ctrl-C and SIGTERM in the middle of a step: the state is kept, and the run goes on bit for bit."""

import os
import signal
import threading

import numpy as np
import pytest
import torch
from ase.build import bulk

from tests.engines.ase.case import make_case, run_case
from tests.engines.ase.test_step import contents
from tests.engines.killing import Interrupted
from votca_mlp.engines.ase import checkpoint
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.interrupts import held_back
from votca_mlp.models.load import load_model
from votca_mlp.models.options import MLPSettings
from votca_mlp.potentials.correction import PairCorrection, correction_of_tables
from votca_mlp.tables import grid_points, make_table


@pytest.mark.usefixtures("caught_signals")
def test_goes_on_bit_for_bit_from_any_step(tmp_path) -> None:
    """Stopped in equilibration, in production, in the step before a checkpoint and in the one after."""
    whole, parts = make_case(tmp_path / "a"), make_case(tmp_path / "b")
    run_case(whole)
    file = tmp_path / "b" / "step_001" / checkpoint.NAME
    saved = []
    for k, evaluations in enumerate((35, 40, 4, 60, 25)):
        stop = Interrupted(evaluations, (signal.SIGINT, signal.SIGTERM)[k % 2])
        with pytest.raises(KeyboardInterrupt):
            run_case(parts, evaluator=stop)
        with np.load(file) as data:
            saved.append(data["header"].item())
    steps = [int(text.split('"step": ')[1].split(",")[0]) for text in saved]
    assert steps == sorted(set(steps))
    assert any(step % 50 for step in steps)
    run_case(parts)
    assert contents(parts) == contents(whole)


@pytest.mark.usefixtures("caught_signals")
def test_a_calculator_with_lists_of_its_own_goes_on_from_the_last_checkpoint(tmp_path) -> None:
    whole, parts = make_case(tmp_path / "a"), make_case(tmp_path / "b")
    run_case(whole)
    with pytest.raises(KeyboardInterrupt):
        run_case(parts, evaluator=Interrupted(75, signal.SIGINT, known=False))
    with np.load(tmp_path / "b" / "step_001" / checkpoint.NAME) as data:
        assert '"step": 50,' in data["header"].item()
    run_case(parts)
    assert contents(parts) == contents(whole)


@pytest.mark.usefixtures("caught_signals")
def test_impatience_and_other_threads(monkeypatch) -> None:
    now = 10.0
    monkeypatch.setattr("time.monotonic", lambda: now)

    def patience() -> None:
        nonlocal now
        with held_back() as held:
            os.kill(os.getpid(), signal.SIGINT)
            # the process group has sent the same once more
            os.kill(os.getpid(), signal.SIGTERM)
            assert held.came == 10.0
            now = 11.5
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        patience()
    found = []

    def elsewhere() -> None:
        with held_back() as held:
            found.append(held.came)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [None]


def test_every_list_is_recalled() -> None:
    """A HIP-NN with a correction: the bits of a configuration, long after its lists were built."""
    model = load_model(MLPSettings(kind="hippynn", model="builtin:al-hipnn"), ".")
    r = grid_points(0.0, 0.7, 0.01)
    table = make_table(r, 2.0 * np.exp(-((r - 0.4) ** 2) / 0.01) * (1.0 - r / 0.7) ** 2)
    correction = correction_of_tables({("Al", "Al"): (table, "u")})
    atoms = bulk("Al", "fcc", a=4.2, cubic=True).repeat(4)
    rng = np.random.default_rng(1)

    def fresh(correction: PairCorrection | None) -> PairListEvaluator:
        return PairListEvaluator(model, correction, dtype=torch.float32, skin=0.5)

    first = fresh(correction)
    for _ in range(6):
        atoms.positions += rng.normal(0.0, 0.03, atoms.positions.shape)
        atoms.set_cell(atoms.cell.array * 1.0005, scale_atoms=True)
        found = first.evaluate(atoms)
    lists, second = first.lists(), fresh(correction)
    assert lists is not None
    assert len({each.reference[0].tobytes() for each in lists if each.reference is not None}) > 1
    second.evaluate(atoms)
    second.forget()
    for old, new in zip(lists, second.lists() or (), strict=True):
        if old.reference is not None:
            new.recall(old.reference)
    again = second.evaluate(atoms)
    assert (again.energy, again.forces.tobytes()) == (found.energy, found.forces.tobytes())
    assert again.stress.tobytes() == found.stress.tobytes()
    # a place too far from the present one is not used
    second.forget()
    far = atoms.positions + rng.normal(0.0, 1.0, atoms.positions.shape)
    for each in second.lists() or ():
        each.recall((far, atoms.cell.array))
    assert second.evaluate(atoms).energy == pytest.approx(found.energy, abs=1e-4)
