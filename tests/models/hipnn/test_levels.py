"""A model of several levels of theory: one file, one level at a time, and a message for any other."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.models.hipnn.cases import HYPER, rattled
from votca_mlp.api.model import load_model
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.fast import is_simple
from votca_mlp.models.hipnn.files import load_hipnn, load_levels, save_hipnn, save_levels
from votca_mlp.models.hipnn.kind import KIND
from votca_mlp.models.hipnn.levels import HEADS, LevelledHipnn, build_levels
from votca_mlp.models.hipnn.model import build_hipnn
from votca_mlp.models.hipnn.peek import levels_in
from votca_mlp.models.identity import potential_identity
from votca_mlp.models.options import MLPSettings
from votca_mlp.models.origin import describe_model, found_model

LEVELS = ("PBE", "r2SCAN 'tight', 1.0")


def levelled(heads: str = "separate") -> LevelledHipnn:
    torch.manual_seed(1)
    model = build_levels(HYPER, (13,), LEVELS, heads)
    with torch.no_grad():
        for parameter in model.heads.parameters():
            parameter.normal_()
    model.self_energies[:] = torch.tensor([[-3.0], [-4.5]])
    return model


@pytest.mark.parametrize("heads", HEADS)
def test_each_level_from_one_file(tmp_path: Path, heads: str) -> None:
    model, atoms, path = levelled(heads), rattled(), tmp_path / "m.pt"
    save_levels(path, model, {"made by": "a test"})
    assert levels_in(path) == LEVELS
    energies = []
    for name in LEVELS:
        again = load_hipnn(path, level=name)
        assert (again.level, again.provenance) == (name, {"made by": "a test"})
        assert is_simple(again.network, again.energy)
        # an added head is summed up in float32
        ours, theirs = (
            PairListEvaluator(one, dtype=torch.float64).evaluate(atoms) for one in (model.at(name), again)
        )
        assert ours.energy == pytest.approx(theirs.energy, abs=1e-5)
        assert np.allclose(ours.forces, theirs.forces, atol=1e-6)
        energies.append(ours.energy)
    assert abs(energies[0] - energies[1]) > 0.1
    both = load_levels(path)
    assert (both.levels, both.kind) == (LEVELS, heads)


def test_one_level_follows_the_shared_parameters() -> None:
    model, atoms = levelled(), rattled()
    one = model.at(LEVELS[1])
    before = PairListEvaluator(one, dtype=torch.float64).evaluate(atoms).energy
    with torch.no_grad():
        model.heads[1].layers[1].weight.mul_(2.0)  # type: ignore[index,union-attr]
    assert PairListEvaluator(one, dtype=torch.float64).evaluate(atoms).energy != before


def test_an_added_head_begins_as_the_first() -> None:
    model = build_levels(HYPER, (13,), LEVELS, "added")
    one, two = (
        PairListEvaluator(model.at(name), dtype=torch.float64).evaluate(rattled()).energy for name in LEVELS
    )
    assert one == two


def test_a_level_that_is_missing_or_misspelt(tmp_path: Path) -> None:
    """Where a model is loaded, and before: the check that reads the file without torch."""
    several, plain, single = (tmp_path / name for name in ("m.pt", "plain.pt", "single.pt"))
    save_levels(several, levelled(), {})
    save_hipnn(plain, build_hipnn(HYPER, (13,)), {})
    save_levels(single, build_levels(HYPER, (13,), ("PBE",)), {})
    cases = [
        (several, None, "several levels of theory"),
        (several, "pbe", "'pbe'"),
        (plain, "PBE", "has no levels of theory"),
        (single, "SCAN", "'SCAN'"),
    ]
    assert KIND.check_file is not None
    for path, level, words in cases:
        with pytest.raises(UserError, match=words) as raised:
            load_hipnn(path, level=level)
        if path == several:
            assert raised.value.accepted == ", ".join(LEVELS)
        mlp = MLPSettings(kind="hippynn", model=str(path), level=level)
        ((tag, what, _),) = KIND.check_file(mlp, path)
        assert tag == "level"
        assert words in what
    for path, level in ((several, LEVELS[1]), (single, None), (plain, None)):
        load_hipnn(path, level=level)
        assert not list(KIND.check_file(MLPSettings(kind="hippynn", model=str(path), level=level), path))
    with pytest.raises(UserError, match="has no levels of theory"):
        load_levels(plain)
    with pytest.raises(UserError, match="each once"):
        build_levels(HYPER, (13,), ("PBE", "PBE"))


def test_the_level_belongs_to_the_potential(tmp_path: Path) -> None:
    """Its identity, its origin in exports, and the way back from there."""
    path = tmp_path / "m.pt"
    save_levels(path, levelled(), {})
    one, two = (load_model(path, level=name) for name in LEVELS)
    identities = [potential_identity(model.options, tmp_path) for model in (one, two)]
    assert identities[0] != identities[1]
    origin = describe_model(two.options, tmp_path, 0.4)
    assert origin.settings["level"] == LEVELS[1]
    assert found_model(origin, where="here").level == LEVELS[1]
    assert "level" not in describe_model(MLPSettings(kind="hippynn", model="m.pt"), tmp_path, 0.4).settings
