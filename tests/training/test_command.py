"""votca-mlp train: from settings.yaml to a folder whose model runs, goes on, and says its errors."""

import csv
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from typer.testing import CliRunner

from tests.training.sources import SMALL, harmonic, molecules, settings, write_settings
from votca_mlp.cli.app import app
from votca_mlp.cli.chosen import Chosen
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.progress import Progress
from votca_mlp.runs.lock import locked
from votca_mlp.training.assemble import assemble
from votca_mlp.training.command import Made, run_training
from votca_mlp.training.settings.read import load_train_settings


def small(method: str = "together", epochs: int = 12, **more: Any) -> dict[str, Any]:
    training = {"method": method, "epochs": epochs, "learning_rate": 0.01, "batch_size": 8}
    return settings(network=SMALL, training=training, **more)


def trained(folder: Path, values: dict[str, Any]) -> tuple[Made, list[str]]:
    said: list[str] = []
    return run_training(write_settings(folder, values), Progress(None), said.append), said


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made, list[str]]:
    folder = tmp_path_factory.mktemp("together")
    return (folder, *trained(folder, small()))


def test_the_folder_is_whole(together: tuple[Path, Made, list[str]]) -> None:
    folder, made, said = together
    assert made.models == {"model": folder / "out" / "model.pt"}
    assert {path.name for path in made.folder.iterdir()} == {
        "checkpoints",
        "model.csv",
        "model.md",
        "model.pt",
        "settings.yaml",
    }
    with open(made.folder / "model.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert any("forces of 'low' in" in line and "fit the energies" in line for line in said)
    assert any("least norm" in line for line in said)


def test_card_has_the_errors_of_the_file_on_held_out_groups(together: tuple[Path, Made, list[str]]) -> None:
    folder, made, _ = together
    card = (made.folder / "model.md").read_text()
    assert set(made.errors) == {"low", "high"}
    assert set(made.errors["low"]) == {"energies", "forces"}
    found = made.errors["low"]["forces"]
    assert f"| low | forces | {found.labels} | {found.rmse:.4g} | {found.mae:.4g} |" in card
    assert "with `<model>` this file and `<level>` one of low, high" in card
    assert load_hipnn(made.models["model"], level="high").provenance["method"] == "together"
    # the file's own error on all frames is of the same size
    evaluator = PairListEvaluator(load_hipnn(made.models["model"], level="low"))
    wrong = [evaluator.evaluate(atoms).forces - atoms.get_forces() for atoms in read(folder / "low.xyz", ":")]
    assert found.rmse == pytest.approx(np.sqrt(np.square(wrong).mean()), rel=0.6)


def test_card_says_what_a_level_s_own_head_is_worth(together: tuple[Path, Made, list[str]]) -> None:
    folder, made, said = together
    data = assemble(load_train_settings(folder / "settings.yaml"), folder)
    low = PairListEvaluator(load_hipnn(made.models["model"], level="low"))

    def away(part: Any) -> Any:
        rows = [k for k in part if data.frames.has("high", "energies")[k]]
        return [
            data.frames.levels["high"].energies[k] - low.evaluate(data.frames.atoms(k)).energy for k in rows
        ]

    # of one molecule, self energies are one number
    wrong = np.array(away(data.split.held_out)) - np.mean(away(data.split.training))
    (line,) = [line for line in said if "with the head of 'low' instead" in line]
    assert f"- {line}" in (made.folder / "model.md").read_text().splitlines()
    rmse = float(line.partition(": energies ")[2].removesuffix(" meV/atom"))
    assert rmse == pytest.approx(1e3 * np.sqrt(np.square(wrong).mean()) / 3, rel=1e-3)


def test_heads_differ_and_a_level_has_to_be_named(together: tuple[Path, Made, list[str]]) -> None:
    folder, made, _ = together
    atoms = read(folder / "low.xyz", 0)
    energies = [
        PairListEvaluator(load_hipnn(made.models["model"], level=level)).evaluate(atoms).energy
        for level in ("low", "high")
    ]
    assert energies[0] - energies[1] == pytest.approx(6.0, abs=0.5)
    with pytest.raises(UserError, match="several levels"):
        load_hipnn(made.models["model"])
    # as commands on crystals take it: one of its levels, by name
    ((_, model, _),) = Chosen(str(made.models["model"]), "O", level="high").potentials()
    assert model.evaluator(None).evaluate(atoms).energy == pytest.approx(energies[1], abs=1e-5)
    refused = CliRunner().invoke(
        app, ["lattice", str(made.models["model"]), "--element", "O", "--guess", "3", "--level", "hihg"]
    )
    assert "no level 'hihg'" in str(refused.exception)


def test_again_is_the_same_and_other_settings_are_refused(together: tuple[Path, Made, list[str]]) -> None:
    folder, made, _ = together
    before = (made.folder / "model.csv").read_text()
    again = run_training(folder / "settings.yaml", Progress(None))
    assert (made.folder / "model.csv").read_text() == before
    assert again.errors == made.errors
    (folder / "other.yaml").write_text(yaml.safe_dump(small(epochs=13), sort_keys=False))
    with pytest.raises(UserError, match=r"was made with other settings than other\.yaml"):
        run_training(folder / "other.yaml", Progress(None))


def test_rivals_leave_a_file_each(tmp_path: Path) -> None:
    transfer, _ = trained(tmp_path, small("transfer", epochs=4, output="transfer"))
    assert sorted(path.name for path in transfer.folder.glob("*.pt")) == ["high.pt", "low.pt"]
    assert set(transfer.errors["high"]) == {"energies"}
    assert load_hipnn(transfer.models["high"]).provenance["method"] == "transfer"
    difference, _ = trained(tmp_path, small("difference", epochs=4, output="difference"))
    names = ["high-minus-low.pt", "low.pt", "model.pt"]
    assert sorted(path.name for path in difference.folder.glob("*.pt")) == names
    assert difference.errors["high"]["energies"].labels == transfer.errors["high"]["energies"].labels
    # one file has both levels: the first, and the sum of the first and the difference
    files = {name: difference.folder / f"{name}.pt" for name in ("model", "low", "high-minus-low")}
    models = [load_hipnn(files["model"], level=level) for level in ("low", "high")]
    alone = [load_hipnn(files[name], level=name.partition("-")[0]) for name in ("low", "high-minus-low")]
    atoms = read(tmp_path / "low.xyz", 0)
    low, high, first, added = (PairListEvaluator(model).evaluate(atoms) for model in (*models, *alone))
    assert low.energy == pytest.approx(first.energy, abs=1e-4)
    assert high.energy == pytest.approx(first.energy + added.energy, abs=1e-4)
    assert np.allclose(high.forces, first.forces + added.forces, atol=1e-5)
    assert "`<level>` one of low, high" in (difference.folder / "model.md").read_text()
    assert "high-minus-low.pt`:" not in (difference.folder / "model.md").read_text()


def test_all_levels_from_the_first_one(tmp_path: Path) -> None:
    """The first level, then one file with all: its head there is where it was, moved on by training."""
    values = small("continued", epochs=3)
    values["training"] |= {"last_layer": "least_squares", "keep": "last"}
    made, said = trained(tmp_path, values)
    assert sorted(path.name for path in made.folder.glob("*.pt")) == ["model.pt"]
    assert sorted(path.name for path in (made.folder / "checkpoints").glob("*.pt")) == ["low.pt", "model.pt"]
    assert set(made.errors) == {"low", "high"}
    assert any(line.startswith("model: head of high by least squares") for line in said)
    with open(made.folder / "model.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # it begins where the first level's training ended
    state = torch.load(made.folder / "checkpoints" / "low.pt", weights_only=True)
    assert float(rows[0]["low energy_rmse"]) < state["history"][0]["low energy_rmse"]


@pytest.mark.parametrize("method", ["continued", "transfer", "difference"])
def test_a_species_that_the_first_level_lacks(tmp_path: Path, method: str) -> None:
    """It was found out by the second training, after the first one had run to its end."""
    values = small(method, epochs=2)
    path = write_settings(tmp_path, values)
    frames = [atoms[1:] for atoms in molecules(24)]
    for atoms in frames:
        energy, forces = harmonic(atoms.positions)
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    write(tmp_path / "low.xyz", frames)
    made = run_training(path, Progress(None))
    assert set(made.errors) == {"low", "high"}
    model = load_hipnn(made.models.get("high") or made.models["model"], level="high")
    assert model.numbers == (1, 8)
    assert np.isfinite(PairListEvaluator(model).evaluate(molecules(1)[0]).forces).all()


def test_two_at_once_in_a_folder(together: tuple[Path, Made, list[str]]) -> None:
    folder, made, _ = together
    with locked(made.folder / "checkpoints"), pytest.raises(UserError, match="another run works in this"):
        run_training(folder / "settings.yaml", Progress(None))


def test_differences_that_cannot_be_one_file_are_refused_before_training(tmp_path: Path) -> None:
    values = small("difference")
    values["network"] = {**SMALL, "n_features": 1}
    with pytest.raises(UserError, match=r"network\.n_features: 2 networks with 1 features"):
        trained(tmp_path, values)
    assert not list((tmp_path / "out" / "checkpoints").glob("*.pt"))


def test_rivals_need_two_levels(tmp_path: Path) -> None:
    one = small("transfer", levels={"low": None})
    del one["data"][1]
    with pytest.raises(UserError, match=r"training.method: is transfer, with one level"):
        trained(tmp_path, one)


@pytest.mark.usefixtures("caught_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_training_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(
        "votca_mlp.training.command.run_training",
        lambda *given: os.kill(os.getpid(), number) or time.sleep(9),
    )
    result = CliRunner().invoke(app, ["train", str(write_settings(tmp_path, small()))])
    assert result.exit_code == 130
    assert "stopped; run it again to go on" in result.output


def test_command_checks_without_training(tmp_path: Path) -> None:
    path = write_settings(tmp_path, small())
    result = CliRunner().invoke(app, ["train", str(path), "--check", "--write", str(tmp_path / "a.h5")])
    assert (tmp_path / "a.h5").is_file()
    assert result.exit_code == 0, result.output
    assert "low.xyz: 24 frames in 20 groups" in result.output or "24 frames in 12 groups" in result.output
    assert not (tmp_path / "out").exists()
