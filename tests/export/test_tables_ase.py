"""Formats table and ase, and what every export refuses."""

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from tests.export.runs import ANI, HIPNN, MIXTURE, aluminium, brute_force, make_run, make_states, mixture
from tests.models.ani.neurochem_files import write_model
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.export import load_corrected
from votca_mlp.export.export import export
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.potentials.correction import read_correction
from votca_mlp.tables import read_table

BUILTIN = HIPNN.format(model="builtin:al-hipnn", dtype="float64")


@pytest.fixture
def own_model(tmp_path: Path) -> Path:
    """A run on a model file of its own."""
    folder = make_run(tmp_path / "run", HIPNN.format(model="model.pt", dtype="float64"), aluminium())
    shutil.copy(builtin_models()["al-hipnn"], folder / "model.pt")
    return folder


def test_table_holds_what_was_simulated(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    result = export(run, "table", tmp_path / "out")
    assert sorted(path.name for path in result.folder.iterdir()) == ["Al-Al.table", "export.json"]
    x, u = np.loadtxt(tmp_path / "out" / "Al-Al.table", usecols=(0, 1)).T
    x0, u0 = np.loadtxt(run / "step_002" / "Al-Al.pot.cur", usecols=(0, 1)).T
    assert x == pytest.approx(x0, abs=1e-12)
    assert u == pytest.approx(u0 - u0[-1], abs=1e-12)
    text = (tmp_path / "out" / "Al-Al.table").read_text()
    digest = json.loads((tmp_path / "out" / "export.json").read_text())["model_sha256"]
    sha = subprocess.run(["sha256sum", builtin_models()["al-hipnn"]], capture_output=True, text=True).stdout
    assert digest == sha.split()[0]
    for part in ("builtin:al-hipnn", digest, "1023 K and 1 bar", "holds only near", "step 2", "kJ/mol", "nm"):
        assert part in text


def test_ase_export_needs_nothing_of_the_run(own_model: Path, tmp_path: Path) -> None:
    result = export(own_model, "ase", tmp_path / "out")
    assert [comparison.force for comparison in result.comparisons] == pytest.approx([0, 0], abs=1e-12)
    atoms = aluminium()
    tables = {("Al", "Al"): tmp_path / "out" / "Al-Al.table"}
    extra, extra_forces = brute_force(atoms, tables)
    shutil.move(own_model / "model.pt", tmp_path / "elsewhere.pt")
    shutil.rmtree(own_model)

    alone = PairListEvaluator(load_hipnn(tmp_path / "elsewhere.pt"), dtype=torch.float64).evaluate(atoms)
    with pytest.raises(UserError, match=r"no such file"):
        load_corrected(tmp_path / "out")
    atoms.calc = load_corrected(tmp_path / "out", model=tmp_path / "elsewhere.pt", device="cpu")
    assert atoms.get_potential_energy() == pytest.approx(alone.energy + extra, abs=1e-8)
    assert atoms.get_forces() == pytest.approx(alone.forces + extra_forces, abs=1e-8)
    assert np.abs(extra_forces).max() > 0.01


def test_another_model_is_refused(own_model: Path, tmp_path: Path) -> None:
    export(own_model, "ase", tmp_path / "out")
    with (own_model / "model.pt").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(UserError, match="not the one that was corrected"):
        load_corrected(tmp_path / "out")


def test_a_model_folder_has_one_checksum(tmp_path: Path) -> None:
    model = write_model(tmp_path / "ani", ("Al",))
    run = make_run(tmp_path / "run", ANI.format(model=model, dtype="float32"), aluminium())
    export(run, "ase", tmp_path / "out")
    load_corrected(tmp_path / "out", device="cpu")
    file = next(model.rglob("*.bparam"))
    file.write_bytes(bytes(reversed(file.read_bytes())))
    with pytest.raises(UserError, match="not the one that was corrected"):
        load_corrected(tmp_path / "out")


def test_a_changed_table_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    export(run, "ase", tmp_path / "out")
    file = tmp_path / "out" / "Al-Al.table"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-20]))
    with pytest.raises(UserError, match=r"Al-Al.table: the table is not the one"):
        load_corrected(tmp_path / "out")


def test_a_calculator_by_name_needs_trust(tmp_path: Path) -> None:
    pairs = ("Ar-Ar", "Ar-Kr", "Kr-Kr")
    run = make_run(tmp_path / "run", MIXTURE, mixture(), pairs)
    export(run, "ase", tmp_path / "out")
    with pytest.raises(UserError, match="can run any code"):
        load_corrected(tmp_path / "out")
    atoms = mixture()
    atoms.calc = load_corrected(tmp_path / "out", trust=True)
    tables = {tuple(pair.split("-")): tmp_path / "out" / f"{pair}.table" for pair in pairs}
    extra, _ = brute_force(atoms, tables)
    atoms.get_potential_energy()
    assert atoms.calc.evaluation.correction_energy == pytest.approx(extra, abs=1e-9)


def test_the_written_factory_works(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", MIXTURE, mixture(), ("Ar-Kr",))
    export(run, "ase", tmp_path / "out")
    space: dict = {"__file__": str(tmp_path / "out" / "calculator.py")}
    exec((tmp_path / "out" / "calculator.py").read_text(), space)
    atoms = mixture()
    atoms.calc = space["calculator"](device="cpu")
    again = mixture()
    again.calc = load_corrected(tmp_path / "out", trust=True)
    assert atoms.get_potential_energy() == again.get_potential_energy()


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"format": "votca-mlp export", "version": 2}', "\0", '{"format": '], ids=repr
)
def test_damaged_exports(tmp_path: Path, text: str) -> None:
    (tmp_path / "export.json").write_text(text)
    with pytest.raises(UserError, match="not an export, or it is damaged"):
        load_corrected(tmp_path)


def test_every_missing_key_is_a_message(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    export(run, "table", tmp_path / "out")
    file = tmp_path / "out" / "export.json"
    good = json.loads(file.read_text())
    for key in ("format", "model", "tables", "skin", "model_sha256"):
        file.write_text(json.dumps({k: v for k, v in good.items() if k != key}))
        with pytest.raises(UserError):
            load_corrected(tmp_path / "out")
    for spoilt in (
        {"model": 3},
        {"model": {"kind": "none"}},
        {"tables": [{}]},
        {"tables": 1},
        {"skin": "x"},
        {"main_directory": 1},
        {"temperatures": ["x"]},
    ):
        file.write_text(json.dumps(good | spoilt))
        with pytest.raises(UserError):
            load_corrected(tmp_path / "out")


def test_several_states_share_one_table(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    make_states(run)
    with pytest.raises(UserError, match="no step has finished"):
        export(run, "table", tmp_path / "out")
    for name in ("cold", "hot"):
        (run / "step_002" / name).mkdir()
        shutil.copy(run / "step_002" / "Al-Al.dist.new", run / "step_002" / name)
    export(run, "table", tmp_path / "out")
    # 9.5 kJ/mol over 8.314462618e-3 kJ/mol/K
    assert json.loads((tmp_path / "out" / "export.json").read_text())["temperatures"] == [1023.01, 1142.59]
    assert "holds only near 1023.01, 1142.59 K" in (tmp_path / "out" / "Al-Al.table").read_text()


def test_a_full_disk_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for form in ("table", "lammps", "torchscript"):
        with pytest.raises(UserError, match="No space left"):
            export(run, form, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_refusals_leave_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    (tmp_path / "there").mkdir()
    cases = [
        ((run, "xml", tmp_path / "out", None), "no format 'xml'"),
        ((run, "table", tmp_path / "there", None), "exists already"),
        ((run, "table", tmp_path / "no" / "out", None), "no folder to write into"),
        ((tmp_path, "table", tmp_path / "out", None), "no such settings file"),
        ((run, "table", tmp_path / "out", 1), "u\\(r\\) is zero"),
        ((run, "table", tmp_path / "out", 3), "no finished step 3"),
        ((run, "table", tmp_path / "out", -1), "no finished step -1"),
    ]
    for arguments, message in cases:
        with pytest.raises(UserError, match=message):
            export(*arguments)
    for step in (1, 2):
        (run / f"step_{step:03d}" / "Al-Al.dist.new").unlink()
    with pytest.raises(UserError, match="no step has finished"):
        export(run, "table", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "there"]


@pytest.mark.parametrize("form", ["table", "ase", "lammps", "torchscript"])
def test_a_wrong_correction_is_found(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    other = read_correction({("Al", "Al"): run / "step_003" / "Al-Al.pot.cur"})

    def spoil(module: ModuleType, name: str) -> None:
        written = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, **k: written(*changed(a), **k))

    def changed(arguments: tuple) -> tuple:
        return tuple(other if type(x).__name__ == "PairCorrection" else x for x in arguments)

    from votca_mlp.export.formats import lammps, table, torchscript

    if form == "lammps":
        spoil(lammps, "write_table")
    elif form == "torchscript":
        spoil(torchscript, "scripted")
    else:
        write = table.write_tables

        def spoilt(folder, tables, content):  # type: ignore[no-untyped-def]
            return write(folder, {"Al-Al": read_table(run / "step_003" / "Al-Al.pot.cur")}, content)

        monkeypatch.setattr(table, "write_tables", spoilt)
    with pytest.raises(UserError, match="not what it was made from"):
        export(run, form, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
