"""Exports of a joined correction: at one temperature, and following it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import units
from ase.md.langevin import Langevin

from tests.export.joined_runs import KELVINS, make_runs
from tests.export.runs import HIPNN, MIXTURE, aluminium, brute_force, mixture
from tests.export.test_lammps import lammps_python, run_lammps
from tests.export.test_torchscript import small
from votca_mlp.deploy.compare import of_correction
from votca_mlp.errors import UserError
from votca_mlp.evaluation.annealing import follow_temperature
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.export import load_corrected
from votca_mlp.export.export import export
from votca_mlp.export.formats import FOLLOWING, FORMATS
from votca_mlp.export.join import join
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.potentials.correction import read_correction
from votca_mlp.potentials.temperature import from_terms
from votca_mlp.potentials.temperature_file import (
    TemperatureFile,
    read_temperature_file,
    write_temperature_file,
)

BUILTIN = HIPNN.format(model="builtin:al-hipnn", dtype="float64")
__all__ = ["lammps_python"]


@pytest.fixture(autouse=True)
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three temperatures for LAMMPS instead of eleven: each takes seconds."""
    from votca_mlp.export.formats import lammps

    monkeypatch.setattr(lammps, "TEMPERATURES", 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three runs and ``u.yaml``."""
    folder = tmp_path_factory.mktemp("joined")
    runs = make_runs(folder, BUILTIN, aluminium())
    join([str(run) for run in runs.values()], folder / "u.yaml")
    return folder


def table(folder: Path, kelvin: int) -> dict[tuple[str, str], Path]:
    return {("Al", "Al"): folder / f"run_{kelvin}" / "step_002" / "Al-Al.pot.cur"}


def model_alone(atoms):  # type: ignore[no-untyped-def]
    return PairListEvaluator(load_hipnn(builtin_models()["al-hipnn"]), dtype=torch.float64).evaluate(atoms)


def test_ase_follows(folder: Path, tmp_path: Path) -> None:
    result = export(folder / "u.yaml", "ase", tmp_path / "out")
    assert set(result.files) == {"export.json", "u_of_T.yaml", "calculator.py"}
    assert len(result.comparisons) >= 5
    atoms = aluminium()
    alone = model_alone(atoms)
    atoms.calc = load_corrected(tmp_path / "out", device="cpu")
    with pytest.raises(UserError, match="no temperature yet"):
        atoms.get_potential_energy()
    for kelvin in (1023, 943, 1323):
        extra, extra_forces = brute_force(atoms, table(folder, kelvin))
        atoms.calc.set_temperature(kelvin)
        assert atoms.get_potential_energy() == pytest.approx(alone.energy + extra, abs=1e-8)
        assert atoms.get_forces() == pytest.approx(alone.forces + extra_forces, abs=1e-8)
    with pytest.raises(UserError, match="outside"):
        atoms.calc.set_temperature(1400)
    space: dict = {"__file__": str(tmp_path / "out" / "calculator.py")}
    exec((tmp_path / "out" / "calculator.py").read_text(), space)
    warm = aluminium()
    warm.calc = space["calculator"](temperature=1323, device="cpu")
    assert warm.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), abs=1e-8)
    dynamics = Langevin(
        warm, units.fs, temperature_K=1323, friction=0.01, fixcm=False, rng=np.random.default_rng(1)
    )
    dynamics.attach(lambda: dynamics.set_temperature(temperature_K=1323 - 10 * dynamics.nsteps))
    follow_temperature(dynamics, warm.calc)
    dynamics.run(3)
    assert warm.calc.temperature == pytest.approx(1293)


def test_ase_at_one_temperature(folder: Path, tmp_path: Path) -> None:
    export(folder / "u.yaml", "ase", tmp_path / "out", temperature=1100.0)
    atoms = aluminium()
    atoms.calc = load_corrected(tmp_path / "out", device="cpu")
    energy = atoms.get_potential_energy()
    following = aluminium()
    export(folder / "u.yaml", "ase", tmp_path / "follow")
    following.calc = load_corrected(tmp_path / "follow", temperature=1100.0, device="cpu")
    assert energy == pytest.approx(following.get_potential_energy(), abs=1e-9)
    with pytest.raises(UserError, match="the export is for 1100 K and 1 bar only"):
        load_corrected(tmp_path / "out", temperature=1000.0)
    content = json.loads((tmp_path / "out" / "export.json").read_text())
    assert content["temperatures"] == [1100.0]
    assert content["joined"]["range"] == [943.0, 1323.0]
    assert content["joined"]["extrapolation"] is False
    (tmp_path / "out" / "u_of_T.yaml").write_text("other")
    with pytest.raises(UserError, match="not the one that was exported"):
        load_corrected(tmp_path / "out")


@pytest.mark.parametrize("kelvin", [1023, 1100])
def test_table_at_one_temperature(folder: Path, tmp_path: Path, kelvin: int) -> None:
    result = export(folder / "u.yaml", "table", tmp_path / "out", temperature=float(kelvin))
    file = tmp_path / "out" / "Al-Al.table"
    x, u = np.loadtxt(file, usecols=(0, 1)).T
    correction = read_temperature_file(folder / "u.yaml").correction.at(kelvin)
    expected = correction.pairs[13, 13].evaluate(10 * x)[0]
    assert u / 96.48533212331002 == pytest.approx(expected, abs=1e-12)
    if kelvin == 1023:
        own = np.loadtxt(table(folder, 1023)["Al", "Al"], usecols=(0, 1)).T
        assert x == pytest.approx(own[0], abs=1e-12)
        assert u == pytest.approx(own[1] - own[1][-1], abs=1e-10)
        assert result.comparisons[0].force < 1e-8
    else:
        assert len(x) > 15000
        again = read_correction({("Al", "Al"): file}).pairs[13, 13]
        r = np.linspace(1.5, 7.4, 5000)
        assert again.evaluate(r)[0] == pytest.approx(correction.pairs[13, 13].evaluate(r)[0], abs=1e-5)
        assert again.evaluate(r)[1] == pytest.approx(correction.pairs[13, 13].evaluate(r)[1], abs=1.1e-3)
    assert f"holds only near {kelvin} K and 1 bar" in file.read_text()
    assert "fitted from 943 to 1323 K, extrapolation not allowed" in file.read_text()


STRANGER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import torch
case = json.load(sys.stdin)
module = torch.jit.load(case["module"])
x = torch.tensor(case["positions"], dtype=torch.float64, requires_grad=True)
rest = [torch.tensor(case[name]) for name in ("numbers", "cell", "first", "second", "shifts")]
rest[1] = torch.tensor(case["cell"], dtype=torch.float64)
result = {"answers": [], "errors": []}
def attempt(call):
    try:
        call()
        result["errors"].append("")
    except Exception as error:
        result["errors"].append(str(error))
attempt(lambda: module(x, *rest))
for kelvin in case["kelvins"]:
    module.set_temperature(kelvin)
    energy, forces, virial = module.evaluate(x, *rest)
    assert abs(float(module(x, *rest)) - float(energy)) < 1e-9
    assert module.temperature() == kelvin
    result["answers"].append([float(energy), forces.tolist(), virial.tolist()])
attempt(lambda: module.set_temperature(1400.0))
attempt(lambda: module.set_temperature(900.0))
assert not any(name.startswith(("votca_mlp", "hippynn", "ase")) for name in sys.modules)
print(json.dumps(result))
"""


def test_torchscript_follows_without_this_package(folder: Path, tmp_path: Path) -> None:
    from ase.neighborlist import neighbor_list

    export(folder / "u.yaml", "torchscript", tmp_path / "out")
    atoms = small()
    i, j, shifts = neighbor_list("ijS", atoms, 7.7)
    order = np.argsort(i, kind="stable")
    case = {
        "module": str(tmp_path / "out" / "corrected.pt"),
        "positions": atoms.positions.tolist(),
        "numbers": atoms.numbers.tolist(),
        "cell": atoms.cell.array.tolist(),
        "first": i[order].tolist(),
        "second": j[order].tolist(),
        "shifts": shifts[order].tolist(),
        "kelvins": [943.0, 1200.0, 1023.0, 1323.0],
    }
    done = subprocess.run(
        [sys.executable, "-c", STRANGER], input=json.dumps(case), text=True, capture_output=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "call set_temperature" in result["errors"][0]
    assert all("outside 943" in error for error in result["errors"][1:])
    correction = read_temperature_file(folder / "u.yaml").correction
    model = load_hipnn(builtin_models()["al-hipnn"])
    for kelvin, (energy, forces, virial) in zip(case["kelvins"], result["answers"], strict=True):
        expected = PairListEvaluator(model, correction.at(kelvin), dtype=torch.float64).evaluate(atoms)
        assert energy == pytest.approx(expected.energy, abs=1e-8)
        assert np.array(forces) == pytest.approx(expected.forces, abs=1e-8)
        assert np.array(virial) / atoms.get_volume() == pytest.approx(expected.stress, abs=1e-9)


def test_lammps_steps_through_the_tables(folder: Path, tmp_path: Path, lammps_python: str) -> None:
    out = tmp_path / "out"
    result = export(folder / "u.yaml", "lammps", out)
    assert len(result.comparisons) == 3
    text = (out / "correction.in").read_text()
    points = text.split("table spline ")[1].split()[0]
    (listed,) = [line for line in text.splitlines() if "correction_temperature index" in line and "#" in line]
    names = listed.split("index")[1].split()
    assert names[0] == "943"
    assert names[-1] == "1323"
    assert f"correction_{names[1]}K.table" in result.files
    correction = read_temperature_file(folder / "u.yaml").correction
    atoms = aluminium()
    begin = [
        f"pair_style hybrid/overlay zero 5.0 table spline {points}",
        "pair_coeff * * zero",
        f"variable correction_folder index {out}",
        listed.lstrip("# "),
        f"include {out}/correction.in",
    ]
    step = ["run 0", "next correction_temperature", f"include {out}/correction.in"]
    for number in range(3):
        found = run_lammps(lammps_python, atoms, [13], [*begin, *number * step])
        expected = of_correction(correction.at(float(names[number])), atoms)
        assert found["energy"] == pytest.approx(expected.energy, abs=1e-6 * len(atoms))
        assert np.array(found["forces"]) == pytest.approx(expected.forces, abs=5e-4)
    # at the fitted ends against an independent sum over the run's own table
    energy, _ = brute_force(atoms, table(folder, 1323))
    assert found["energy"] == pytest.approx(energy, abs=1e-6 * len(atoms))


def test_extrapolation_is_refused_allowed_and_recorded(folder: Path, tmp_path: Path) -> None:
    for form in FORMATS:
        with pytest.raises(UserError, match="outside the fitted range"):
            export(folder / "u.yaml", form, tmp_path / "out", temperature=1400.0)
    with pytest.warns(UserWarning, match="extrapolated"):
        export(folder / "u.yaml", "table", tmp_path / "table", temperature=1400.0, extrapolate=True)
    text = (tmp_path / "table" / "Al-Al.table").read_text()
    assert "1400 K (EXTRAPOLATED: fitted from 943 to 1323 K)" in text
    assert "extrapolation allowed" in text
    with pytest.warns(UserWarning, match="extrapolated"):
        export(folder / "u.yaml", "ase", tmp_path / "ase", extrapolate=True)
    assert json.loads((tmp_path / "ase" / "export.json").read_text())["joined"]["extrapolation"] is True
    calculator = load_corrected(tmp_path / "ase", device="cpu")
    with pytest.warns(UserWarning, match="extrapolated"):
        calculator.set_temperature(1400.0)
    runs = [str(folder / f"run_{kelvin}") for kelvin in KELVINS]
    join(runs, tmp_path / "allowed.yaml", extrapolate=True)
    with pytest.warns(UserWarning, match="extrapolated"):
        export(tmp_path / "allowed.yaml", "lammps", tmp_path / "lammps", temperature=1400.0)
    assert "EXTRAPOLATED" in (tmp_path / "lammps" / "correction.table").read_text()


def test_the_runs_and_the_model_may_be_gone(tmp_path: Path) -> None:
    runs = make_runs(
        tmp_path, HIPNN.format(model="model.pt", dtype="float64"), aluminium(), kelvins=(900, 1000)
    )
    for run in runs.values():
        shutil.copy(builtin_models()["al-hipnn"], run / "model.pt")
    join([str(run) for run in runs.values()], tmp_path / "u.yaml")
    shutil.copy(builtin_models()["al-hipnn"], tmp_path / "moved.pt")
    for run in runs.values():
        shutil.rmtree(run)
    with pytest.raises(UserError, match="no such file"):
        export(tmp_path / "u.yaml", "ase", tmp_path / "out")
    export(tmp_path / "u.yaml", "ase", tmp_path / "out", model=tmp_path / "moved.pt")
    atoms = aluminium()
    atoms.calc = load_corrected(tmp_path / "out", temperature=950)
    atoms.get_potential_energy()
    with (tmp_path / "moved.pt").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(UserError, match="not the one that was corrected"):
        export(tmp_path / "u.yaml", "table", tmp_path / "table", temperature=950, model=tmp_path / "moved.pt")


def test_several_interactions_and_a_calculator_by_name(tmp_path: Path) -> None:
    pairs = ("Ar-Ar", "Kr-Ar")
    runs = make_runs(tmp_path, MIXTURE, mixture(), pairs, (900, 1100))
    join([str(run) for run in runs.values()], tmp_path / "u.yaml")
    with pytest.raises(UserError, match="can run any code"):
        export(tmp_path / "u.yaml", "ase", tmp_path / "out")
    for form in FOLLOWING:
        result = export(tmp_path / "u.yaml", form, tmp_path / form, trust=True)
        assert bool(result.left_out) == (form == "torchscript")
    atoms = mixture()
    atoms.calc = load_corrected(tmp_path / "ase", temperature=1100, trust=True)
    atoms.get_potential_energy()
    tables = {tuple(p.split("-")): runs[1100] / "step_002" / f"{p}.pot.cur" for p in pairs}
    extra, _ = brute_force(atoms, tables)
    assert atoms.calc.evaluation.correction_energy == pytest.approx(extra, abs=1e-9)


@pytest.mark.parametrize("form", list(FOLLOWING))
def test_a_wrong_correction_is_found(
    folder: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from votca_mlp.export.formats import ase, lammps, torchscript

    right = read_temperature_file(folder / "u.yaml").correction
    terms = (right.terms[0], right.terms[2], right.terms[1])
    wrong = type(right)(terms, right.functions, right.minimum, right.maximum)
    if form == "lammps":
        write = lammps.write_tables
        monkeypatch.setattr(lammps, "write_tables", lambda f, c, x: write(f, wrong, x))
    elif form == "torchscript":
        scripted = torchscript.scripted
        monkeypatch.setattr(torchscript, "scripted", lambda m, c, d: scripted(m, wrong, d))
    else:
        compare = ase._compare_temperatures
        monkeypatch.setattr(ase, "_compare_temperatures", lambda p, calc, _: compare(p, calc, wrong))
    with pytest.raises(UserError, match="not what it was made from"):
        export(folder / "u.yaml", form, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_options_that_do_not_fit(folder: Path, tmp_path: Path) -> None:
    run, joined, out = folder / "run_943", folder / "u.yaml", tmp_path / "out"
    cases = [
        ((joined, "table", out), {}, "format 'table' holds one temperature"),
        ((joined, "ase", out, 2), {}, "a joined file has no steps"),
        ((joined, "table", out), {"temperature": -1.0}, "-1.0 is no temperature"),
        ((run, "ase", out), {"temperature": 943.0}, "--temperature: this is not for a run"),
        ((run, "ase", out), {"extrapolate": True}, "--extrapolate: this is not for a run"),
        ((run, "ase", out), {"trust": True}, "--trust: this is not for a run"),
        ((run, "ase", out), {"model": "x"}, "--model: this is not for a run"),
        ((tmp_path / "none.yaml", "ase", out), {}, "none.yaml: no such file"),
    ]
    for arguments, options, message in cases:
        with pytest.raises(UserError, match=message):
            export(*arguments, **options)
    assert list(tmp_path.iterdir()) == []


def test_damaged_exports(folder: Path, tmp_path: Path) -> None:
    export(folder / "u.yaml", "ase", tmp_path / "follow")
    export(folder / "u.yaml", "ase", tmp_path / "fixed", temperature=1000.0)
    for name in ("follow", "fixed"):
        file = tmp_path / name / "export.json"
        good = json.loads(file.read_text())
        joined = good["joined"]
        spoilt = [
            joined | {"range": 3},
            joined | {"range": [1]},
            joined | {"extrapolation": "yes"},
            [],
            4,
            {},
        ]
        spoilt += [
            {k: v for k, v in joined.items() if k != key} for key in ("range", "extrapolated", "sha256")
        ]
        for joined in spoilt:
            file.write_text(json.dumps(good | {"joined": joined}))
            with pytest.raises(UserError):
                load_corrected(tmp_path / name)
        file.write_text(json.dumps(good | {"temperatures": []}))
        with pytest.raises(UserError, match="damaged"):
            load_corrected(tmp_path / name)
        file.write_text(json.dumps(good))
        (tmp_path / name / "u_of_T.yaml").unlink()
        with pytest.raises(UserError, match="no such file"):
            load_corrected(tmp_path / name)


def test_the_example_of_the_documentation(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "temperature.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    export(folder / "u.yaml", "ase", tmp_path / "al_anneal")
    aluminium().write(tmp_path / "confout.extxyz")
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    exec(code.replace("steps = 1323, 943, 300", "steps = 1323, 943, 60"), {})
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("step   0  u(r; 1323.0 K)")
    assert last.startswith("step  60  u(r;  943.0 K)")


def test_powers_of_temperature(folder: Path, tmp_path: Path) -> None:
    """The form that a run of several states writes."""
    content = read_temperature_file(folder / "u.yaml")
    terms = content.correction.terms[:2]
    powers = from_terms(terms, 1100.0, 200.0, minimum=943.0, maximum=1323.0)
    write_temperature_file(tmp_path / "u.yaml", TemperatureFile(powers, content.names, content.origin))
    for form in FOLLOWING:
        export(tmp_path / "u.yaml", form, tmp_path / form)
    export(tmp_path / "u.yaml", "table", tmp_path / "table", temperature=1000.0)
    x, u = np.loadtxt(tmp_path / "table" / "Al-Al.table", usecols=(0, 1)).T
    by_hand = sum(
        factor * term.pairs[13, 13].evaluate(10 * x)[0] for factor, term in zip((1, -0.5), terms, strict=True)
    )
    assert u / 96.48533212331002 == pytest.approx(by_hand, abs=1e-12)
