"""HIP-NN's files: saved and loaded, damaged, of others, and hippynn's experiments."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase.build import bulk

from tests.models.hipnn.cases import HYPER, rattled
from tests.models.hipnn.graphs import calculator, energy_graph, write_experiment
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.files import sha256_of
from votca_mlp.models.hipnn.files import FORMAT, load_hipnn, save_graph, save_hipnn
from votca_mlp.models.hipnn.kind import KIND
from votca_mlp.models.hipnn.model import build_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.models.options import MLPSettings
from votca_mlp.units import EV_PER_KCALMOL


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    model = build_hipnn(HYPER, (13, 22))
    model.self_energies.copy_(torch.tensor([-1.5, 2.0]))
    path = tmp_path / "m.pt"
    save_hipnn(path, model, {"made by": "a test"})
    again, atoms = load_hipnn(path), rattled("Al-Ti")
    one, two = (PairListEvaluator(m, dtype=torch.float64).evaluate(atoms) for m in (model, again))
    assert again.provenance == {"made by": "a test"}
    assert one.energy == two.energy
    assert np.array_equal(one.forces, two.forces)
    copy = tmp_path / "copy.pt"
    copy.write_bytes(path.read_bytes())
    assert sha256_of(copy) == sha256_of(path)
    copy.write_bytes(path.read_bytes()[:-1] + b"x")
    assert sha256_of(copy) != sha256_of(path)


class Bomb:
    """Leaves a file behind when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def broken_files(directory: Path) -> dict[str, Path]:
    """Files that are no models."""
    path = directory / "m.pt"
    save_hipnn(path, build_hipnn(HYPER, (13,)), {})
    content, good = torch.load(path, weights_only=True), path.read_bytes()
    files = {name: directory / f"{name}.pt" for name in ("cut", "empty", "text", "bomb", "zip_bomb")}
    files["cut"].write_bytes(good[: len(good) // 2])
    files["empty"].write_bytes(b"")
    files["text"].write_text("not a model\n")
    files["bomb"].write_bytes(pickle.dumps(Bomb(directory / "fired")))
    torch.save({"format": FORMAT, "state": Bomb(directory / "fired")}, files["zip_bomb"])
    changes: dict[str, Any] = {
        "other_kind": {"format": "something"},
        "later_version": {"version": 99},
        "no_state": {"state": None},
        "other_state": {"state": {"x": torch.zeros(3)}},
        "wrong_layers": {"hyperparameters": {**HYPER, "n_features": 9}},
        "no_cutoff": {"hyperparameters": {}},
        "odd_names": {"hyperparameters": {**HYPER, "colour": 3}},
        "no_species": {"species": []},
        "odd_species": {"species": ["Al"]},
        "odd_provenance": {"provenance": "trained on Monday"},
        "listed_provenance": {"provenance": [("a", 1)]},
        "far_species": {"species": [10**9]},
        "nan": {"state": {**content["state"], "self_energies": torch.tensor([torch.nan])}},
    }
    for name, change in changes.items():
        files[name] = directory / f"{name}.pt"
        torch.save({**content, **change}, files[name])
    files["list"] = directory / "list.pt"
    torch.save([1, 2], files["list"])
    return files


def test_files_that_are_no_models(tmp_path: Path) -> None:
    for name, path in broken_files(tmp_path).items():
        with pytest.raises(UserError) as caught:
            load_hipnn(path, trust_pickle=True)
        assert caught.value.where == str(path), name
        assert caught.value.accepted, name
    assert not (tmp_path / "fired").exists()
    with pytest.raises(UserError, match="no such model"):
        load_hipnn(tmp_path / "missing.pt")


def test_experiment_only_with_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    energy = energy_graph((13,))
    monkeypatch.chdir(tmp_path)
    write_experiment(tmp_path, energy)
    for path in (tmp_path, tmp_path / "experiment_structure.pt"):
        with pytest.raises(UserError, match="trust_pickle"):
            load_hipnn(path)
    # its files do not say the unit of its energies
    with pytest.raises(UserError, match=r"energy_unit is missing[\s\S]*eV \| kcal/mol"):
        load_hipnn(tmp_path, trust_pickle=True)
    model, atoms = load_hipnn(tmp_path, trust_pickle=True, energy_unit="eV"), rattled()
    # the nodes' modules have the trained weights
    atoms.calc = calculator(energy)
    result = PairListEvaluator(model, dtype=torch.float64).evaluate(atoms)
    assert result.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
    assert np.abs(result.forces - atoms.get_forces()).max() < 1e-9
    # and it can be kept in our own format
    save_hipnn(tmp_path / "own.pt", model, {})
    again = PairListEvaluator(load_hipnn(tmp_path / "own.pt"), dtype=torch.float64).evaluate(atoms)
    assert again.energy == pytest.approx(result.energy, abs=1e-10)
    # trained in kcal/mol, as hippynn has it by default: everything in eV, in every precision and on every way
    kcal = load_hipnn(tmp_path, trust_pickle=True, energy_unit="kcal/mol")
    scaled = PairListEvaluator(kcal, dtype=torch.float64).evaluate(atoms)
    assert scaled.energy == pytest.approx(result.energy * EV_PER_KCALMOL, rel=1e-6)
    assert np.abs(scaled.forces - result.forces * EV_PER_KCALMOL).max() < 1e-6
    assert np.abs(scaled.stress - result.stress * EV_PER_KCALMOL).max() < 1e-8
    compiled = PairListEvaluator(kcal, dtype=torch.float32).evaluate(atoms)
    assert np.abs(compiled.forces - scaled.forces).max() < 1e-5
    # our own file says its unit
    with pytest.raises(UserError, match="energy_unit is kcal/mol, but files of votca-mlp are in eV"):
        load_hipnn(tmp_path / "own.pt", energy_unit="kcal/mol")


def write_lightning(directory: Path, energy: Any) -> tuple[Path, Any]:
    """Write what hippynn's Lightning module does: the module's state, and the model's graph."""
    from hippynn.graphs import GraphModule, get_subgraph
    from hippynn.graphs.nodes.base import InputNode

    node = energy.mol_energy
    graph = GraphModule([each for each in get_subgraph([node]) if isinstance(each, InputNode)], [node])
    checkpoint = directory / "lightning_logs" / "version_0" / "checkpoints" / "epoch=4-step=10.ckpt"
    checkpoint.parent.mkdir(parents=True)
    state = {f"model.{name}": value for name, value in graph.state_dict().items()}
    facts = {"epoch": 4, "pytorch-lightning_version": "2.4.0", "hyper_parameters": {"stopping_key": "Loss"}}
    torch.save({"state_dict": state | {"loss.x": torch.ones(1)}, "controller_state": {}, **facts}, checkpoint)
    with torch.no_grad():
        for value in graph.parameters():
            if value.requires_grad:
                # the structure has the weights of another moment
                value.mul_(1.5)
    torch.save(
        {"model": graph, "loss": None, "controller": None}, checkpoint.parents[1] / "experiment_structure.pt"
    )
    return checkpoint, graph


def test_lightning(tmp_path: Path) -> None:
    energy = energy_graph((13,))
    atoms = rattled()
    atoms.calc = calculator(energy)
    expected = atoms.get_potential_energy()
    checkpoint, graph = write_lightning(tmp_path, energy)
    for path in (checkpoint, checkpoint.parent, checkpoint.parents[1]):
        # check says it, without torch
        mlp = MLPSettings(kind="hippynn", model=str(path), trust_pickle=True)
        assert KIND.check_file is not None
        assert [tag for tag, *_ in KIND.check_file(mlp, path)] == ["energy_unit"]
        assert not list(KIND.check_file(mlp.model_copy(update={"energy_unit": "eV"}), path))
        with pytest.raises(UserError, match="trust_pickle"):
            load_hipnn(path, energy_unit="eV")
        model = load_hipnn(path, trust_pickle=True, energy_unit="eV")
        found = PairListEvaluator(model, dtype=torch.float64).evaluate(atoms)
        assert found.energy == pytest.approx(expected, abs=1e-8)
    # two to choose from
    second = checkpoint.with_name("last.ckpt")
    second.write_bytes(b"PK nonsense")
    with pytest.raises(UserError, match=r"several checkpoints[\s\S]*epoch=4-step=10.ckpt \| last.ckpt"):
        load_hipnn(checkpoint.parents[1], trust_pickle=True, energy_unit="eV")
    with pytest.raises(UserError, match=r"cannot be read[\s\S]*save_graph"):
        load_hipnn(second, trust_pickle=True, energy_unit="eV")
    # hippynn up to now leaves no structure: the message says what does
    (checkpoint.parents[1] / "experiment_structure.pt").unlink()
    with pytest.raises(UserError, match=r"weights and no model[\s\S]*save_graph\('model.pt', module.model"):
        load_hipnn(checkpoint, trust_pickle=True, energy_unit="eV")
    before = [parameter.clone() for parameter in graph.parameters()]
    save_graph(tmp_path / "model.pt", graph, energy_unit="kcal/mol")
    assert all(torch.equal(a, b) for a, b in zip(before, graph.parameters(), strict=True))
    kcal = PairListEvaluator(load_hipnn(tmp_path / "model.pt"), dtype=torch.float64).evaluate(atoms)
    save_graph(tmp_path / "ev.pt", graph, energy_unit="eV")
    same = PairListEvaluator(load_hipnn(tmp_path / "ev.pt"), dtype=torch.float64).evaluate(atoms)
    assert kcal.energy == pytest.approx(same.energy * EV_PER_KCALMOL, rel=1e-6)
    with pytest.raises(UserError, match="energy_unit is 'kcal'"):
        save_graph(tmp_path / "x.pt", graph, energy_unit="kcal")


def test_damaged_experiment(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a hippynn experiment"):
        load_hipnn(tmp_path, trust_pickle=True)
    for name in ("experiment_structure.pt", "best_model.pt"):
        (tmp_path / name).write_bytes(b"PK nonsense")
    with pytest.raises(UserError, match="cannot be read"):
        load_hipnn(tmp_path, trust_pickle=True, energy_unit="eV")


def test_the_models_that_come_along() -> None:
    """Every builtin loads; the aluminium model has its crystal where aluminium has it, near 4.05 Angstrom."""
    assert "al-hipnn" in builtin_models()
    evaluator = PairListEvaluator(load_hipnn(builtin_models()["al-hipnn"]), dtype=torch.float64)
    constants = np.arange(3.9, 4.2, 0.01)
    energies = [evaluator.evaluate(bulk("Al", "fcc", a, cubic=True).repeat(2)).energy for a in constants]
    assert abs(constants[int(np.argmin(energies))] - 4.05) < 0.03
