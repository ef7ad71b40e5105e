"""A training that starts from an experiment of hippynn: the same energies before, one level or several."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

import votca_mlp as vm
from tests.models.hipnn.graphs import calculator, energy_graph, write_experiment
from tests.training.sources import molecules, settings, write_settings
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.files import load_hipnn, load_levels
from votca_mlp.progress import Progress
from votca_mlp.training.command import run_training
from votca_mlp.units import EV_PER_KCALMOL

START = {"model": "an experiment", "trust_pickle": True, "energy_unit": "kcal/mol"}
STILL = {"epochs": 1, "learning_rate": 1e-30, "smallest_rate": 0, "batch_size": 8}
"""A training that changes no digit of a weight."""
TOTAL = {1: -310.0, 8: -47000.0}
"""Energies of single atoms, kcal/mol, as hippynn's layer on bare species holds them."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return a folder with an experiment and data of two levels, and the experiment's graph."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "an experiment").mkdir()
    graph = energy_graph((1, 8), 2, dist_soft_min=0.7, dist_soft_max=2.0, dist_hard_max=2.5)
    with torch.no_grad():
        graph.torch_module.layers[0].weight[:] = torch.tensor([*TOTAL.values()])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "an experiment")
        write_experiment(folder / "an experiment", graph, (1, 8))
    write_settings(folder, {})
    return folder, graph


def run(folder: Path, name: str, **changes: Any) -> tuple[Any, list[str]]:
    values = settings(**{"start": START, "training": STILL, **changes}, output=name)
    if "levels" in changes:
        values["data"] = values["data"][: len(changes["levels"])]
        for source, level in zip(values["data"], changes["levels"], strict=True):
            source["levels"] = {level: next(iter(source["levels"].values()))}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    said: list[str] = []
    return run_training(path, Progress(None), said.append), said


def both(graph: Any, path: Path, level: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return energies and forces of some molecules by hippynn, in eV, and by our file."""
    ours = PairListEvaluator(load_hipnn(path, level=level), dtype=torch.float64)
    ours_e, ours_f, theirs_e, theirs_f = [], [], [], []
    for atoms in molecules(6, seed=3):
        found = ours.evaluate(atoms)
        ours_e.append(found.energy)
        ours_f.append(found.forces)
        atoms.calc = calculator(graph)
        theirs_e.append(EV_PER_KCALMOL * atoms.get_potential_energy())
        theirs_f.append(EV_PER_KCALMOL * atoms.get_forces())
    return np.array(theirs_e), np.array(theirs_f), np.array(ours_e), np.array(ours_f)


def test_one_level_begins_as_hippynn_left_it_and_trains_on(made: tuple[Path, Any]) -> None:
    folder, graph = made
    still, said = run(folder, "still", levels=["dft"])
    hippynn_e, hippynn_f, energies, forces = both(graph, still.models["model"], "dft")
    # the labels have another origin, which self energies take up: a constant for all molecules of one kind
    assert np.ptp(energies - hippynn_e) < 2e-5
    assert np.abs(forces - hippynn_f).max() < 1e-5
    (line,) = [line for line in said if "before training" in line]
    assert line.startswith("an experiment, before training: dft is away by (RMSE) energies")
    assert sum("self energies of dft, eV" in line for line in said) == 1
    # total energies of atoms are float64 in the file, and taken from labels before these become float32
    file = load_levels(still.models["model"])
    assert not bool(file.head("dft").layers[0].weight.any())
    assert float(file.self_energies[0, 1]) < EV_PER_KCALMOL * TOTAL[8] + 2000.0
    used = vm.load_model(str(still.models["model"]), level="dft").evaluator(None)
    assert used.evaluate(molecules(1, seed=3)[0]).energy == pytest.approx(energies[0], abs=1e-3)
    steps = {"epochs": 60, "learning_rate": 0.02, "batch_size": 4}
    trained, _ = run(folder, "trained", levels=["dft"], training=steps)
    assert trained.errors["dft"]["forces"].rmse < 0.7 * still.errors["dft"]["forces"].rmse


@pytest.mark.parametrize("method", ["together", "continued"])
@pytest.mark.parametrize("heads", ["added", "separate"])
def test_each_of_two_levels_begins_as_hippynn_left_it(
    made: tuple[Path, Any], method: str, heads: str
) -> None:
    folder, graph = made
    training = {**STILL, "method": method, "heads": heads}
    still, _ = run(folder, f"{method} {heads}", levels=["dft", "coupled"], training=training)
    path = still.models["model"]
    assert load_levels(path).levels == ("dft", "coupled")
    for level in ("dft", "coupled"):
        hippynn_e, hippynn_f, energies, forces = both(graph, path, level)
        assert np.ptp(energies - hippynn_e) < 2e-5
        assert np.abs(forces - hippynn_f).max() < 1e-5
    # each level has its own origin: 70 and 76 eV
    apart = both(graph, path, "dft")[2] - both(graph, path, "coupled")[2]
    assert np.allclose(apart, 6.0, atol=0.2)
    # and the file says which heads it has
    assert load_levels(path).provenance["training"]["heads"] == load_levels(path).kind == "separate"


@pytest.mark.parametrize(
    ("start", "more", "message"),
    [
        (
            {"trust_pickle": False},
            {},
            r"start\.model: .*a pickle.*\n  accepted: 'trust_pickle: yes' in 'start'",
        ),
        ({"energy_unit": None}, {}, r"start\.energy_unit: is missing.*\n  accepted: eV \| kcal/mol"),
        ({"energy_unit": "cal"}, {}, r"<start\.energy_unit> is 'cal'; accepted: eV"),
        ({"level": "dft"}, {}, r"start\.level: is 'dft', but the model has no levels"),
        ({"model": "nothing"}, {}, r"start\.model: no such file"),
        ({}, {"network": {"n_interaction_layers": 1}}, r"network\.n_interaction_layers: is 1, but .* has 2"),
        ({}, {"network": {"kind": "HipnnQuad"}}, r"network\.kind: is HipnnQuad, but .* has Hipnn"),
    ],
)
def test_what_is_refused_before_training(
    made: tuple[Path, Any], start: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    folder, _ = made
    with pytest.raises(UserError, match=message):
        run(folder, "refused", levels=["dft"], start={**START, **start}, **more)
    assert not (folder / "refused").exists()


def test_a_species_that_the_experiment_lacks(made: tuple[Path, Any]) -> None:
    folder, _ = made
    text = (folder / "low.xyz").read_text()
    other = folder / "other"
    other.mkdir()
    (other / "low.xyz").write_text(text.replace("O ", "S "))
    (other / "an experiment").symlink_to(folder / "an experiment")
    with pytest.raises(UserError, match=r"low\.xyz, frame 1: has S, .* does not know\n.*an experiment: H O"):
        run(other, "refused", levels=["dft"])
