"""The learning rate of each schedule, and when training ends."""

import pytest

from votca_mlp.training.trainer.options import TrainOptions
from votca_mlp.training.trainer.schedule import Schedule


def followed(losses: list[float], options: TrainOptions) -> tuple[list[float], str]:
    """Return the rate of each epoch and why there is no other one."""
    schedule, best, at = Schedule(options), float("inf"), 0
    rates, why = [], ""
    for epoch, loss in enumerate(losses, 1):
        rates.append(schedule.rate)
        if loss < best:
            best, at = loss, epoch
        why = schedule.after(epoch, epoch - at, at == epoch)
        if why:
            break
    return rates, why


def test_training_ends_when_validation_gets_no_better() -> None:
    losses = [3.0, 2.0, 2.5, 1.0, 1.5, 1.2, 1.1, 0.5]
    rates, why = followed(losses, TrainOptions(schedule="constant", stop_after=3))
    assert len(rates) == 7
    assert why == "3 epochs without a better validation loss"
    assert followed(losses, TrainOptions(schedule="constant", epochs=8))[1] == Schedule.ALL
    assert followed(losses, TrainOptions(schedule="constant"))[1] == ""


def test_plateau_halves_the_rate_to_its_end() -> None:
    options = TrainOptions(schedule="plateau", patience=1, learning_rate=1e-3, smallest_rate=4e-4)
    rates, why = followed([2.0, 1.0, *[1.5] * 9], options)
    assert rates == [1e-3] * 4 + [5e-4] * 2
    assert why == "the learning rate has come to its end"


def test_cosine_goes_from_the_first_to_the_smallest_rate() -> None:
    options = TrainOptions(schedule="cosine", epochs=4, learning_rate=1.0, smallest_rate=0.2)
    assert followed([1.0] * 4, options)[0] == pytest.approx([1.0, 0.8828427, 0.6, 0.3171573])
