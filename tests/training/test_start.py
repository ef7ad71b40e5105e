"""A training that starts from a model: what it keeps of it, and what is refused before training."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

from tests.training.sources import SMALL, settings, write_settings
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.files import load_hipnn, load_levels, save_hipnn
from votca_mlp.progress import Progress
from votca_mlp.training.command import run_training

TRAINING = {"epochs": 1, "learning_rate": 1e-4, "batch_size": 8}
BOTH = {"model": "out/model.pt", "level": "low"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with data of two levels and a model of both."""
    folder = tmp_path_factory.mktemp("start")
    values = settings(network=SMALL, training={**TRAINING, "epochs": 12, "learning_rate": 0.01})
    run_training(write_settings(folder, values), Progress(None))
    return folder


def one_level(level: str, **changes: Any) -> dict[str, Any]:
    """Return settings that call the low level by another name."""
    values = settings(levels={level: None}, training=TRAINING, output=level, start=BOTH)
    values["data"] = [{**values["data"][0], "levels": {level: values["data"][0]["levels"]["low"]}}]
    return values | changes


def run(folder: Path, values: dict[str, Any]) -> tuple[Any, list[str]]:
    path = folder / f"{values['output']}.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    said: list[str] = []
    return run_training(path, Progress(None), said.append), said


def test_a_new_level_begins_as_the_one_named_and_moves_little(folder: Path) -> None:
    """Energies of another origin, by atom: self energies take it up, forces are the model's."""
    frames = read(folder / "low.xyz", ":")
    for atoms in frames:
        energy, forces = atoms.get_potential_energy() + 300.0, atoms.get_forces()
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    write(folder / "moved.xyz", frames)
    values = one_level("dft")
    values["data"][0]["file"] = "moved.xyz"
    made, said = run(folder, values)
    (line,) = [line for line in said if "before training" in line]
    assert line.startswith("out/model.pt, before training: dft is away by (RMSE) energies")
    with open(folder / "out" / "model.csv", encoding="utf-8") as file:
        last = list(csv.DictReader(file))[-1]
    with open(made.folder / "model.csv", encoding="utf-8") as file:
        first = next(csv.DictReader(file))
    # where the model's own training ended, to what its epochs differ by
    assert float(first["dft force_rmse"]) < 1.3 * float(last["low force_rmse"])
    old, new = (
        load_hipnn(path, level=name)
        for path, name in ((folder / "out/model.pt", "low"), (made.models["model"], "dft"))
    )
    a, b = (PairListEvaluator(model).evaluate(frames[0]) for model in (old, new))
    assert b.energy - a.energy == pytest.approx(300.0, abs=0.1)
    assert np.allclose(a.forces, b.forces, atol=0.2)
    assert new.provenance["start"]["level"] == "low"
    assert new.provenance["network"]["dist_hard_max"] == 2.5
    energies = dict(zip(new.numbers, map(float, new.self_energies), strict=True))
    assert new.provenance["self energies (eV)"]["dft"] == pytest.approx({"H": energies[1], "O": energies[8]})


def test_levels_that_the_model_has_keep_their_heads_and_self_energies(folder: Path) -> None:
    made, said = run(folder, settings(output="both", training=TRAINING, start="out/model.pt"))
    old, new = load_levels(folder / "out" / "model.pt"), load_levels(made.models["model"])
    assert new.levels == ("low", "high")
    assert np.allclose(old.self_energies, new.self_energies)
    assert sum("before training" in line for line in said) == 2


@pytest.mark.parametrize("method", ["continued", "difference"])
def test_the_first_level_starts_from_it(folder: Path, method: str) -> None:
    """Levels after the first are away from the first one by a constant that self energies hold."""
    start = {**BOTH, "level": "low"}
    values = settings(output=method, start=start, training={**TRAINING, "method": method})
    values["levels"] = {"a": None, "b": None}
    for source, level in zip(values["data"], ("a", "b"), strict=True):
        source["levels"] = {level: next(iter(source["levels"].values()))}
    made, _ = run(folder, values)
    # springs a tenth stiffer and 6 eV: of the latter nothing is left over; differences begin at random
    assert made.errors["a" if method == "difference" else "b"]["energies"].rmse < 60.0


def test_a_file_without_levels(folder: Path) -> None:
    save_hipnn(folder / "plain.pt", load_hipnn(folder / "out" / "model.pt", level="low"), {})
    made, _ = run(folder, one_level("again", start="plain.pt", network={"n_features": 4}))
    assert "level" not in load_hipnn(made.models["model"], level="again").provenance["start"]
    with pytest.raises(UserError, match=r"start\.level: is 'low', but the model has no levels of theory"):
        run(folder, one_level("more", start={"model": "plain.pt", "level": "low"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": "out/none.pt"}, r"start\.model: no such file"),
        ({"start": "builtin:no"}, r"start\.model: no builtin model 'no'\n  accepted: builtin:al-hipnn"),
        (
            {"start": "builtin:al-hipnn"},
            r"low\.xyz.*: has H, which the model that the training starts from does",
        ),
        ({"start": "out/model.pt"}, r"start\.level: .*several levels"),
        ({"start": {**BOTH, "level": "lwo"}}, r"start\.level: .*'lwo'"),
        ({"start": {**BOTH, "levle": "low"}}, r"<start\.levle> is no setting; accepted: model, level"),
        (
            {"network": {"dist_hard_max": 6.0}},
            r"network\.dist_hard_max: is 6\.0, but .* has 2\.5\n.*no section",
        ),
        ({"output": "."}, r"start\.model: .* is in the output folder"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    values = one_level("bad", **changes)
    with pytest.raises(UserError, match=f"(?s){message}"):
        run(folder, values)
    assert not (folder / "bad").exists()


def test_energies_of_another_origin_are_not_of_a_level_that_the_model_has(folder: Path) -> None:
    values = one_level("low", output="far")
    values["data"][0]["file"] = "far.xyz"
    frames = read(folder / "low.xyz", ":")
    for atoms in frames:
        moved = SinglePointCalculator(
            atoms, energy=atoms.get_potential_energy() + 90.0, forces=atoms.get_forces()
        )
        atoms.calc = moved
    write(folder / "far.xyz", frames)
    with pytest.raises(UserError, match=r"energies of level 'low' are 30 eV/atom away .*\n.*another name"):
        run(folder, values)


def test_forces_in_another_unit_than_the_models(folder: Path) -> None:
    """Energies are in that unit, too: they agree with each other, and a new level's have any origin."""
    evaluator = PairListEvaluator(load_hipnn(folder / "out" / "model.pt", level="low"))
    frames = read(folder / "low.xyz", ":")
    for atoms in frames:
        found = evaluator.evaluate(atoms)
        atoms.calc = SinglePointCalculator(atoms, energy=1.1 * found.energy, forces=1.1 * found.forces)
    write(folder / "ours.xyz", frames)
    values = one_level("calories")
    values["data"][0]["file"] = "ours.xyz"
    labels = values["data"][0]["levels"]["calories"]
    labels["energy"]["unit"], labels["forces"]["unit"] = "kcal/mol", "kcal/mol/Angstrom"
    message = r"start \(out/model\.pt\): forces of level 'calories' are 0\.04.* times those of the model"
    with pytest.raises(UserError, match=rf"{message}\n.*kcal/mol/Angstrom instead of eV/Angstrom"):
        run(folder, values)


def test_differences_need_all_species_of_the_model(folder: Path) -> None:
    frames = []
    for k in range(8):
        r = 0.8 + 0.05 * k
        atoms = Atoms("H2", [[0, 0, 0], [r, 0, 0]])
        forces = [[2 * (r - 1), 0, 0], [-2 * (r - 1), 0, 0]]
        atoms.calc = SinglePointCalculator(atoms, energy=(r - 1) ** 2, forces=forces)
        frames.append(atoms)
    write(folder / "h2.xyz", frames)
    values = one_level("a", output="h2", levels={"a": None, "b": None})
    label = values["data"][0]["levels"]["a"]
    values["data"] = [{"file": "h2.xyz", "levels": {"a": label, "b": label}}]
    values["training"] = {**TRAINING, "method": "difference"}
    with pytest.raises(UserError, match=r"training\.method: is difference, but .* for H O"):
        run(folder, values)
