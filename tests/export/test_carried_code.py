"""An export of a calculator of the user's own: its module, or its package, goes with it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.export.runs import make_run, mixture
from votca_mlp.errors import UserError
from votca_mlp.export import load_corrected
from votca_mlp.export.export import export

MLP = (
    "<kind>ase</kind> <calculator>carried_{name}:model</calculator> <arguments>{arguments}</arguments>"
    " <dtype>float64</dtype> <device>cpu</device>"
)
MODULE = """
from pathlib import Path
from votca_mlp.models.lennard_jones import lennard_jones_mixture
{more}
def model(cutoff, weights=None):
    scale = 1.0 if weights is None else float(Path(weights).read_text())
    return lennard_jones_mixture({{"Ar": [0.0104 * scale, 3.4], "Kr": [0.0141, 3.65]}}, cutoff)
"""
ASK = """
import sys
from ase.io import read
from calculator import calculator
atoms = read(sys.argv[1])
atoms.calc = calculator(device="cpu")
print(atoms.get_potential_energy())
"""


def make_case(folder: Path, name: str, arguments: str) -> Path:
    mlp = MLP.format(name=name, arguments=arguments)
    run = make_run(folder / "run", mlp, mixture(), ("Ar-Ar", "Ar-Kr", "Kr-Kr"))
    (run / "weights.dat").write_text("1.3")
    if name == "package":
        package = run / "carried_package"
        package.mkdir()
        (package / "__init__.py").write_text(MODULE.format(more="from carried_package.part import WORD"))
        (package / "part.py").write_text("WORD = 1\n")
    else:
        (run / f"carried_{name}.py").write_text(MODULE.format(more=""))
    return run


@pytest.mark.parametrize(
    ("name", "arguments"), [("package", "{cutoff: 7.0}"), ("module", "{cutoff: 7.0, weights: weights.dat}")]
)
def test_it_works_where_the_run_is_not(tmp_path: Path, name: str, arguments: str) -> None:
    run = make_case(tmp_path, name, arguments)
    result = export(run, "ase", tmp_path / "out")
    carried = "carried_package" if name == "package" else "carried_module.py"
    assert carried in {path.name for path in result.folder.iterdir()}
    if name == "package":
        atoms = mixture()
        atoms.calc = load_corrected(result.folder, device="cpu", trust=True)
        atoms.write(tmp_path / "a.extxyz")
        shutil.rmtree(run)
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    if name == "package":
        # another process, as what is imported here stays so
        command = [sys.executable, "-c", ASK, str(tmp_path / "a.extxyz")]
        done = subprocess.run(command, cwd=moved, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        # the file has eight digits
        assert float(done.stdout) == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    # code that has changed is another model
    path = moved / carried
    path = path / "part.py" if path.is_dir() else path
    path.write_text(path.read_text() + "\n# changed\n")
    with pytest.raises(UserError, match="not the one that was corrected"):
        load_corrected(moved, device="cpu", trust=True)
