"""Energies of frames from sums over pairs that are kept: those of the whole model, however it changes."""

import torch

from tests.training.fusion.crystals import network, rattled
from votca_mlp.training.fusion.observables import environments
from votca_mlp.training.fusion.observables.derivatives import derivatives_of_frames, strain_derivatives
from votca_mlp.training.fusion.observables.environments import holds
from votca_mlp.training.fusion.observables.frames import pair_chunk


def held(model):
    """Return the model with its radial functions held."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("sensitivity" not in name)
    return model


def test_they_are_those_of_the_model_also_when_it_changes() -> None:
    frames, other = rattled(3), rattled(3, amplitude=0.05)
    model = held(network())
    assert holds(model)
    assert not holds(network())
    assert not holds(network(n_interaction_layers=2))
    changes = [lambda p: None, lambda p: p.mul_(1.01)]
    for name in (None, "int_weights", "sensitivity.mu", "sensitivity.sigma"):
        for change in changes:
            with torch.no_grad():
                for each, parameter in model.named_parameters():
                    if name is not None and name in each:
                        change(parameter)
            for of in (frames, other, frames.take(slice(0, 1))):
                kept = derivatives_of_frames(model, of, 0, graph=True).energy
                made = strain_derivatives(model, pair_chunk(of, model.cutoff), 0, graph=True).energy
                assert torch.equal(kept, made)
    free = [p for p in model.parameters() if p.requires_grad]
    for one, two in zip(
        torch.autograd.grad(kept.sum(), free, allow_unused=True),
        torch.autograd.grad(made.sum(), free, allow_unused=True),
        strict=True,
    ):
        assert (one is None and two is None) or torch.equal(one, two)


def test_what_is_kept_is_bounded(monkeypatch) -> None:
    kept = environments._Kept()
    monkeypatch.setattr(environments, "_kept", kept)
    monkeypatch.setattr(environments, "MOST_BYTES", 3 * 8 * 6 * 8)
    model, frames = held(network()), rattled(6)
    for k in (0, 1, 2, 0, 3, 4):
        derivatives_of_frames(model, frames.take(slice(k, k + 1)), 0, graph=False)
    assert kept.size == sum(each.nbytes for each in kept.found.values()) <= 3 * 8 * 6 * 8
    assert len(kept.found) == 3
