"""Format torchscript: the modules in a process that has torch and nothing of ours."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

from tests.export.runs import ANI, HIPNN, MIXTURE, aluminium, brute_force, make_run, mixture
from tests.models.ani.neurochem_files import write_model
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.export.export import export
from votca_mlp.models.ani.neurochem import read_neurochem
from votca_mlp.models.hipnn.files import load_hipnn, save_hipnn
from votca_mlp.models.hipnn.model import build_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.potentials.correction import read_correction

STRANGER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import torch
case = json.load(sys.stdin)
extra = {"export.json": ""}
module = torch.jit.load(case["module"], _extra_files=extra)
answers = []
for c in case["configurations"]:
    x = torch.tensor(c["positions"], dtype=getattr(torch, case["dtype"]), requires_grad=True)
    whole = [torch.tensor(c[name]) for name in ("first", "second", "shifts")]
    cell = torch.tensor(c["cell"], dtype=x.dtype)
    energy = module(x, torch.tensor(c["numbers"]), cell, *whole)
    energy.backward()
    e, f, v = module.evaluate(x, torch.tensor(c["numbers"]), cell, *whole)
    answers.append({"energy": float(energy.detach()), "forces": (-x.grad).tolist(), "virial": v.tolist(),
                    "evaluate": [float(e), f.tolist()]})
assert not any(name.startswith(("votca_mlp", "hippynn", "ase")) for name in sys.modules)
metadata = json.loads(extra["export.json"])
print(json.dumps({"answers": answers, "cutoff": module.cutoff, "step": metadata["step"]}))
"""


def stranger(module: Path, configurations: list[Atoms], cutoff: float, dtype: str = "float64") -> list[dict]:
    """Return the module's answers; pair lists are ASE's, a little too long."""
    cases = []
    for atoms in configurations:
        i, j, shifts = neighbor_list("ijS", atoms, cutoff + 0.2)
        order = np.argsort(i, kind="stable")
        cases.append(
            {
                "positions": atoms.positions.tolist(),
                "cell": atoms.cell.array.tolist(),
                "numbers": atoms.numbers.tolist(),
                "first": i[order].tolist(),
                "second": j[order].tolist(),
                "shifts": shifts[order].tolist(),
            }
        )
    case = json.dumps({"module": str(module), "configurations": cases, "dtype": dtype})
    done = subprocess.run(
        [sys.executable, "-c", STRANGER], input=case, text=True, capture_output=True, cwd=module.parent
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["cutoff"] == pytest.approx(cutoff)
    assert answer["step"] == 2
    return answer["answers"]


def small(symbol: str = "Al") -> Atoms:
    """Return 32 atoms in a skewed box: another number of atoms and pairs."""
    atoms = bulk(symbol, "fcc", a=4.1, cubic=True).repeat(2)
    atoms.set_cell(atoms.cell.array + np.array([[0, 0, 0], [0.5, 0, 0], [0.2, -0.4, 0]]), scale_atoms=True)
    atoms.rattle(0.1, seed=9)
    return atoms


def same(answer: dict, atoms: Atoms, evaluator: PairListEvaluator, energy: float, force: float) -> None:
    expected = evaluator.evaluate(atoms)
    assert answer["energy"] == pytest.approx(expected.energy, abs=energy * len(atoms))
    assert np.array(answer["forces"]) == pytest.approx(expected.forces, abs=force)
    assert answer["evaluate"][0] == pytest.approx(answer["energy"], abs=1e-9 * len(atoms))
    assert np.array(answer["evaluate"][1]) == pytest.approx(np.array(answer["forces"]), abs=force)
    stress = np.array(answer["virial"]) / atoms.get_volume()
    assert stress == pytest.approx(expected.stress, abs=force / 10)


def correction_of(run: Path, pair: str = "Al-Al"):  # type: ignore[no-untyped-def]
    a, b = pair.split("-")
    return read_correction({(a, b): run / "step_002" / f"{pair}.pot.cur"})


def test_correction_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", MIXTURE, mixture(), ("Ar-Kr", "Kr-Kr"))
    result = export(run, "torchscript", tmp_path / "out")
    assert sorted(result.files) == ["correction.pt", "export.json"]
    assert len(result.left_out) == 1
    assert "kind ase: " in result.left_out[0]
    tables = {tuple(p.split("-")): run / "step_002" / f"{p}.pot.cur" for p in ("Ar-Kr", "Kr-Kr")}
    atoms = mixture()
    # an element that no table names
    atoms.numbers[5] = 54
    (answer,) = stranger(tmp_path / "out" / "correction.pt", [atoms], 7.5)
    energy, forces = brute_force(atoms, tables)
    assert answer["energy"] == pytest.approx(energy, abs=1e-10)
    assert np.array(answer["forces"]) == pytest.approx(forces, abs=1e-10)


def test_hipnn(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", HIPNN.format(model="builtin:al-hipnn", dtype="float64"), aluminium())
    result = export(run, "torchscript", tmp_path / "out")
    assert result.left_out == ()
    configurations = [aluminium(), small()]
    answers = stranger(tmp_path / "out" / "corrected.pt", configurations, 7.5)
    model = load_hipnn(builtin_models()["al-hipnn"])
    evaluator = PairListEvaluator(model, correction_of(run), dtype=torch.float64)
    for answer, atoms in zip(answers, configurations, strict=True):
        same(answer, atoms, evaluator, 1e-9, 1e-8)


def test_hipnn_in_float32_fed_with_float32(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", HIPNN.format(model="builtin:al-hipnn", dtype="float32"), aluminium())
    export(run, "torchscript", tmp_path / "out")
    (answer,) = stranger(tmp_path / "out" / "corrected.pt", [small()], 7.5, "float32")
    model = load_hipnn(builtin_models()["al-hipnn"])
    evaluator = PairListEvaluator(model, correction_of(run), dtype=torch.float64)
    same(answer, small(), evaluator, 2e-6, 1e-4)


@pytest.mark.parametrize("kind", ["Hipnn", "HipnnVec", "HipnnQuad"])
def test_hipnn_with_two_layers_and_species(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(4)
    model = build_hipnn(
        {
            "kind": kind,
            "n_features": 5,
            "n_sensitivities": 6,
            "dist_soft_min": 1.5,
            "dist_soft_max": 5.0,
            "dist_hard_max": 6.0,
            "n_interaction_layers": 2,
            "n_atom_layers": 2,
            "resnet": True,
        },
        (18, 36),
    )
    save_hipnn(tmp_path / "model.pt", model, {})
    mlp = HIPNN.format(model=tmp_path / "model.pt", dtype="float64")
    run = make_run(tmp_path / "run", mlp, mixture(), ("Ar-Kr",))
    export(run, "torchscript", tmp_path / "out")
    other = small("Ar")
    other.numbers[::5] = 36
    answers = stranger(tmp_path / "out" / "corrected.pt", [mixture(), other], 7.5)
    evaluator = PairListEvaluator(
        load_hipnn(tmp_path / "model.pt"), correction_of(run, "Ar-Kr"), dtype=torch.float64
    )
    for answer, atoms in zip(answers, [mixture(), other], strict=True):
        same(answer, atoms, evaluator, 1e-9, 1e-8)


@pytest.mark.parametrize("symbols", [("Al",), ("Ar", "Kr")], ids="-".join)
def test_ani(tmp_path: Path, symbols: tuple[str, ...]) -> None:
    from votca_mlp.models.ani.model import AniModel

    model = write_model(tmp_path / "ani", symbols, members=3)
    large, other = (aluminium(), small()) if len(symbols) == 1 else (mixture(), small("Ar"))
    other.numbers[::5] = large.numbers[0]
    pair = f"{symbols[0]}-{symbols[-1]}"
    run = make_run(tmp_path / "run", ANI.format(model=model, dtype="float64"), large, (pair,))
    result = export(run, "torchscript", tmp_path / "out")
    assert result.left_out == ()
    answers = stranger(tmp_path / "out" / "corrected.pt", [large, other], 7.5)
    correction = correction_of(run, pair)
    evaluator = PairListEvaluator(AniModel(read_neurochem(model)), correction, dtype=torch.float64)
    for answer, atoms in zip(answers, [large, other], strict=True):
        same(answer, atoms, evaluator, 1e-9, 1e-8)


def test_the_published_ani_model(tmp_path: Path, data_dir: Path) -> None:
    from votca_mlp.models.ani.model import AniModel

    folder = data_dir / "ani-al" / "model-Al-75"
    run = make_run(tmp_path / "run", ANI.format(model=folder, dtype="float32"), aluminium())
    result = export(run, "torchscript", tmp_path / "out")
    assert result.comparisons[-1].force < 1e-4
    (answer,) = stranger(tmp_path / "out" / "corrected.pt", [small()], 7.5)
    evaluator = PairListEvaluator(AniModel(read_neurochem(folder)), correction_of(run), dtype=torch.float64)
    same(answer, small(), evaluator, 2e-6, 1e-4)
