"""Format gromacs: the module called as NNPot calls it, in a process that has torch and nothing of ours.

GROMACS itself runs it only where ``GMX`` names a build with LibTorch.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

from tests.export.runs import ANI, HIPNN, MIXTURE, aluminium, make_run, mixture
from tests.models.ani.neurochem_files import write_model
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.export.export import export
from votca_mlp.models.load import load_model
from votca_mlp.potentials.correction import read_correction
from votca_mlp.settings import load_settings

KJMOL_NM = 964.8533212331002  # 1 eV/Angstrom

NNPOT = """
import json, sys, warnings
warnings.simplefilter("ignore")
import torch
case = json.load(sys.stdin)
module = torch.jit.load(case["module"]).eval()
# grompp's trial: one hydrogen atom in a box of 1 nm
trial = torch.zeros(1, 3, requires_grad=True)
inputs = [trial, torch.ones(1, dtype=torch.int32), torch.eye(3), torch.tensor([True, True, True])]
if case["configurations"][0]["pairs"]:
    inputs += [torch.zeros(1, 2, dtype=torch.int32), torch.zeros(1, 3)]
module(*inputs).backward()
assert float(trial.grad.abs().max()) == 0.0
answers = []
for c in case["configurations"]:
    x = torch.tensor(c["positions"], dtype=torch.float32, requires_grad=True)
    inputs = [x, torch.tensor(c["numbers"], dtype=torch.int32), torch.tensor(c["box"], dtype=torch.float32),
              torch.tensor([True, True, True])]
    if c["pairs"]:
        inputs.append(torch.tensor(c["pairs"], dtype=torch.int32))
        inputs.append(torch.tensor(c["shifts"], dtype=torch.float32))
    energy = module(*inputs)
    energy.backward()
    answers.append({"energy": float(energy.detach()), "forces": (-x.grad).tolist()})
assert not any(name.startswith(("votca_mlp", "hippynn", "ase")) for name in sys.modules)
print(json.dumps(answers))
"""


def as_nnpot(module: Path, configurations: list[Atoms], cutoff: float | None) -> list[dict]:
    """Call the module as NNPot does; with a cutoff (Angstrom) hand over ASE's pairs, each once."""
    cases = []
    for atoms in configurations:
        case = {
            "positions": (atoms.positions / 10).tolist(),
            "numbers": atoms.numbers.tolist(),
            "box": (atoms.cell.array / 10).tolist(),
            "pairs": None,
        }
        if cutoff is not None:
            i, j, shifts = neighbor_list("ijS", atoms, cutoff + 1.0)
            # each pair once, in an order that is not sorted
            once = (i < j) | ((i == j) & ((shifts > 0).argmax(1) < (shifts < 0).argmax(1)))
            order = np.random.default_rng(1).permutation(np.flatnonzero(once))
            case["pairs"] = np.stack([i, j], 1)[order].tolist()
            # d = x_j - x_i - shift
            case["shifts"] = (-(shifts[order] @ atoms.cell.array) / 10).tolist()
        cases.append(case)
    text = json.dumps({"module": str(module), "configurations": cases})
    command = [sys.executable, "-c", NNPOT]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    answers: list[dict] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("kind", ["hippynn", "ani"])
@pytest.mark.parametrize("pairs", [False, True])
def test_the_module_as_nnpot_calls_it(tmp_path: Path, kind: str, pairs: bool) -> None:
    if kind == "hippynn":
        mlp = HIPNN.format(model="builtin:al-hipnn", dtype="float64")
    else:
        mlp = ANI.format(model=write_model(tmp_path / "ani"), dtype="float64")
    run = make_run(tmp_path / "run", mlp, aluminium())
    found = export(run, "gromacs", tmp_path / "out")
    assert all("GROMACS itself was not run" in str(c) for c in found.comparisons)
    settings = load_settings(run / "settings.xml")
    correction = read_correction({("Al", "Al"): run / "step_002/Al-Al.pot.cur"})
    evaluator = PairListEvaluator(load_model(settings.mlp, run), correction, dtype=torch.float64)
    other = bulk("Al", "fcc", a=4.1, cubic=True).repeat((4, 4, 5))
    other.rattle(0.1, seed=8)
    configurations = [aluminium(), other]
    cutoff = float(re.search(r"pair-cutoff = ([\d.]+)", (tmp_path / "out/nnpot_2026.mdp").read_text())[1])
    answers = as_nnpot(tmp_path / "out/nnpot.pt", configurations, 10 * cutoff if pairs else None)
    for answer, atoms in zip(answers, configurations, strict=True):
        # what NNPot hands over is single precision
        atoms.positions[:] = 10 * (atoms.positions / 10).astype(np.float32).astype(float)
        atoms.set_cell(10 * (atoms.cell.array / 10).astype(np.float32).astype(float))
        evaluator.forget()
        own = evaluator.evaluate(atoms)
        assert answer["energy"] / 96.48533212331002 == pytest.approx(own.energy, abs=1e-5 * len(atoms))
        np.testing.assert_allclose(np.array(answer["forces"]) / KJMOL_NM, own.forces, atol=2e-5)


def test_what_nnpot_may_not_ask(tmp_path: Path) -> None:
    mlp = HIPNN.format(model="builtin:al-hipnn", dtype="float32")
    export(make_run(tmp_path / "run", mlp, aluminium()), "gromacs", tmp_path / "out")
    stranger = aluminium()
    stranger.numbers[3] = 8
    small = bulk("Al", "fcc", a=4.05, cubic=True).repeat(3)
    for atoms, message in ((stranger, "does not know atomic number 8"), (small, "half the box must exceed")):
        with pytest.raises(AssertionError, match=message):
            as_nnpot(tmp_path / "out/nnpot.pt", [atoms], None)


def test_an_ase_calculator_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", MIXTURE, mixture(), ("Ar-Ar",))
    with pytest.raises(UserError, match="Python code that TorchScript cannot hold"):
        export(run, "gromacs", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_gromacs_with_libtorch_runs_it(tmp_path: Path) -> None:
    """A whole step through NNPot; its check of step 0 compares the forces."""
    gmx = os.environ.get("GMX", "")
    done = subprocess.run([gmx, "--version"], capture_output=True, text=True, check=False) if gmx else None
    if done is None or not re.search(r"^Torch support: *enabled", done.stdout, re.MULTILINE):
        pytest.skip("GMX names no GROMACS built with LibTorch")
    from tests.csg.case import edit
    from tests.engines.gromacs.case import ROOT, prepare
    from tests.engines.gromacs.case import run as run_step

    main = tmp_path / "main"
    shutil.copytree(ROOT / "settings/al_gromacs", main)
    shutil.copy(ROOT / "gromacs_templates/nnpot.mdp", main / "grompp.mdp")
    edit(main / "grompp.mdp", {"ref-t                    = 300": "ref-t = 1023", "= 20000": "= 200"})
    edit(main / "settings.xml", {"<bin>gmx ": f"<bin>{gmx} ", "<command>gmx ": f"<command>{gmx} "})
    edit(main / "settings.xml", {"<equi_time>1<": "<equi_time>0<", "<with_errors>yes": "<with_errors>no"})
    settings, step = prepare(main)
    assert run_step(settings, step).summary["way"] == "nnpot"
