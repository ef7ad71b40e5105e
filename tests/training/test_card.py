"""Model cards: every number given is in it, and the shipped card belongs to the shipped file."""

from votca_mlp.files import sha256_of
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.training.card import model_card
from votca_mlp.training.judge import Errors, Liquid


def test_card_has_what_it_is_given() -> None:
    card = model_card(
        {"fit": {"epochs": 7, "learning_rate": 1e-3}, "versions": {"torch": "2.0"}},
        {"solid": Errors(12, 1.25, 0.75, 0.125, 0.0625, 0.5)},
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
