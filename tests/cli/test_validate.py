"""votca-mlp validate: a sound model passes, an unsound one is named, with exit status 1."""

import subprocess
import sys
from pathlib import Path

import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """<cg>
  <non-bonded>
    <name>Al-Al</name> <type1>Al</type1> <type2>Al</type2>
    <min>0.0</min> <max>0.5</max> <step>0.005</step>
    <inverse> <target>Al-Al.dist.tgt</target> </inverse>
  </non-bonded>
  <inverse>
    <program>ase</program> <method>ibi</method> <kBT>8.50577</kBT> <filelist>topol.xml</filelist>
    <iterations_max>1</iterations_max>
    <mlp> <kind>ase</kind> <calculator>CALCULATOR</calculator> </mlp>
    <ase> <conf>conf.extxyz</conf> <temperature>1023</temperature> </ase>
  </inverse>
</cg>
"""
TOPOLOGY = """<topology><molecules><molecule name="Al" nmols="108" nbeads="1">
<bead name="Al" type="Al" mass="26.98" q="0"/></molecule></molecules></topology>
"""


class Friction(EMT):
    """Forces that are not the derivative of the energy."""

    def calculate(self, *arguments) -> None:
        super().calculate(*arguments)
        self.results["forces"] = 1.1 * self.results["forces"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "conf.extxyz", bulk("Al", cubic=True).repeat(3))
    (tmp_path / "topol.xml").write_text(TOPOLOGY)
    rows = "".join(f"{0.005 * k:.3f} {float(k > 50)} i\n" for k in range(101))
    (tmp_path / "Al-Al.dist.tgt").write_text(rows)
    return tmp_path


def run(folder: Path, calculator: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    (folder / "settings.xml").write_text(SETTINGS.replace("CALCULATOR", calculator))
    command = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from votca_mlp.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", command, "validate", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_sound_calculator(folder: Path) -> None:
    done = run(folder, "ase.calculators.emt:EMT")
    assert done.returncode == 0, done.stderr
    assert "Al108 from" in done.stdout
    assert "sound within what float64 resolves" in done.stdout


def test_forces_that_are_no_derivative_are_named(folder: Path) -> None:
    done = run(folder, "tests.cli.test_validate:Friction", "--rattle", "0.1")
    assert done.returncode == 1
    assert "force_error is" in done.stderr
    assert "stress_error" not in done.stderr
    assert "Traceback" not in done.stderr
