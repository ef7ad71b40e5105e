"""Model cards: every number given is in it, and the shipped card belongs to the shipped file."""

import pytest
from al_hipnn.card import crystal_and_melts, judged_again, model_card
from al_hipnn.judge import Liquid

from votca_mlp.files import sha256_of
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.training.judge import LabelErrors


def test_card_has_what_it_is_given() -> None:
    card = model_card(
        {"fit": {"epochs": 7, "learning_rate": 1e-3}, "versions": {"torch": "2.0"}},
        {
            "solid": {
                "energies": LabelErrors(12, 1.25, 0.75, 3.0),
                "forces": LabelErrors(12, 0.125, 0.0625, 0.5),
            }
        },
        (4.0412, 4.0543),
        {"at 1023 K": Liquid(2.7712, 2.6123, 1.9012, 4000.0)},
        "abc123",
    )
    assert "- fit: epochs 7, learning_rate 0.001" in card
    assert "- frames: not recorded" in card
    assert "| solid | 12 | 1.25 | 0.75 | 0.125 | 0.062 | 0.50 |" in card
    assert "4.0412 A (ANI-Al with the same code: 4.0543 A)" in card
    assert "- at 1023 K: first peak of g(r) 2.612 at 2.771 A; closest pair at any step 1.90 A" in card
    assert "`abc123`" in card
    assert "without a licence" in card


def test_shipped_card_is_of_the_shipped_model() -> None:
    path = builtin_models()["al-hipnn"]
    card = path.with_suffix(".md").read_text()
    assert sha256_of(path) in card
    provenance = load_hipnn(path).provenance
    assert "scripts/train_al_hipnn" in provenance["made by"]
    assert f"held out {provenance['frames']['held out']}" in card


def test_a_card_judged_again_changes_in_that_section_only() -> None:
    path = builtin_models()["al-hipnn"].with_suffix(".md")
    lattice, melts = (4.1, 4.2), {"a melt": Liquid(2.7, 2.5, 1.9, 3000.0)}
    old, new = path.read_text(), judged_again(path.read_text(), lattice, melts)
    assert "\n".join(crystal_and_melts(lattice, melts)) in new
    assert old.partition("## Crystal")[0] == new.partition("## Crystal")[0]
    assert old.partition("SHA-256")[2] == new.partition("SHA-256")[2]
    assert judged_again(new, lattice, melts) == new
    with pytest.raises(ValueError, match="no section"):
        judged_again("# another card", lattice, melts)
