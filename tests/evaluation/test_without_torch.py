"""An ASE calculator that needs no torch is corrected and moved without: torch takes two seconds to import."""

import subprocess
import sys
from pathlib import Path

from tests.csg.case import CALCULATOR

PROGRAM = """
import sys
from ase.build import bulk
from votca_mlp.engines.shared.first_evaluation import check_apart
from votca_mlp.evaluation.load import evaluator_of
from votca_mlp.kernels.threads import set_threads
from votca_mlp.models.ase_any import load_calculator
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.akima import akima_from_points
import numpy as np
import votca_mlp.engines.ase.step
set_threads(1)
model = load_calculator("fluid:lj", {"species": {"Ar": [0.0103, 3.4]}, "cutoff": 8.0}, ".")
r = np.arange(0.0, 6.01, 0.1)
pair = akima_from_points(r, np.exp(-r))
atoms = bulk("Ar", "fcc", a=5.7, cubic=True).repeat(3)
check_apart(atoms, 2.0, "here")
found = evaluator_of(model, None, PairCorrection({(18, 18): pair}), 0.5).evaluate(atoms)
assert found.correction_energy
print(sorted({"torch", "vesin"} & set(sys.modules)))
"""


def test_no_torch(tmp_path: Path) -> None:
    (tmp_path / "fluid.py").write_text(CALCULATOR)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr
