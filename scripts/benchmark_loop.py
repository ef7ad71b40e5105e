#!/usr/bin/env python3
"""Time spent outside the simulation, one iteration, by votca-mlp inverse and by csg_inverse.

Both run the same settings: 2048 Lennard-Jones atoms, one interaction, 100 frames. An iteration is timed from
the mark of the step before to its own; the engine's own time for its MD steps is subtracted.

    scripts/benchmark_loop.py [--iterations 3] [--atoms 2048] [--frames 100] [--without-csg-inverse]
                              [--json FILE]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from results_file import add_json, rounded, write_result

VOTCA_MLP = Path(sys.executable).parent / "votca-mlp"
CALCULATOR = """
def lj(cutoff):
    import torch

    from votca_mlp.evaluation.calculator import MLPCalculator
    from votca_mlp.evaluation.evaluator import PairListEvaluator
    from votca_mlp.models.lennard_jones import lennard_jones_mixture

    model = lennard_jones_mixture({"Ar": [0.0103, 3.4]}, cutoff)
    return MLPCalculator(PairListEvaluator(model, dtype=torch.float64))
"""
SETTINGS = """<cg>
  <non-bonded>
    <name>Ar-Ar</name> <type1>Ar</type1> <type2>Ar</type2>
    <min>0</min> <max>1</max> <step>0.005</step>
    <inverse> <target>Ar-Ar.dist.tgt</target> <wibi><alpha>0.2</alpha></wibi> </inverse>
  </non-bonded>
  <inverse>
    <scriptpath>$({votca_mlp} scriptpath)</scriptpath>
    <program>ase</program> <method>ibi</method> <kBT>0.99774</kBT>
    <filelist>topol.xml</filelist> <iterations_max>{iterations}</iterations_max>
    <initial_configuration>laststep</initial_configuration>
    <simulation><tasks>1</tasks></simulation>
    <mlp> <kind>ase</kind> <calculator>fluid:lj</calculator> <arguments>{{cutoff: 8.5}}</arguments> </mlp>
    <ase>
      <conf>conf.extxyz</conf> <ensemble>nvt</ensemble> <temperature>120</temperature> <timestep>4</timestep>
      <first_equilibration>0</first_equilibration> <equilibration>0</equilibration>
      <production>{production}</production> <sample_every>4</sample_every>
    </ase>
  </inverse>
</cg>
"""


def make_case(directory: Path, atoms: int, frames: int, iterations: int) -> None:
    """Write a main directory with a crystal of at least ``atoms`` atoms that melts at once."""
    from ase.build import bulk
    from ase.io import write

    directory.mkdir()
    crystal = bulk("Ar", "fcc", a=5.7, cubic=True).repeat(round((atoms / 4) ** (1 / 3)))
    crystal.rattle(0.3, seed=1)
    write(directory / "conf.extxyz", crystal)
    (directory / "fluid.py").write_text(CALCULATOR)
    (directory / "topol.xml").write_text(
        f'<topology><molecules><molecule name="Ar" nmols="{len(crystal)}" nbeads="1">'
        '<bead name="Ar" type="Ar" mass="39.948" q="0"/></molecule></molecules></topology>\n'
    )
    r = np.round(np.arange(0.0, 1.0001, 0.005), 6)
    x = np.clip(r / 0.34, 0.3, None)
    np.savetxt(
        directory / "Ar-Ar.dist.tgt", np.column_stack([r, np.exp(-4.0 * (x**-12 - x**-6))]), fmt="%.6f %.8f i"
    )
    text = SETTINGS.format(votca_mlp=VOTCA_MLP, iterations=iterations, production=4 * frames)
    (directory / "settings.xml").write_text(text)


def overheads(main: Path, iterations: int) -> list[float]:
    """Return the seconds outside the MD steps of each iteration."""
    marks = [(main / f"step_{n:03d}" / "done").stat().st_mtime_ns / 1e9 for n in range(iterations + 1)]
    found = []
    for number in range(1, iterations + 1):
        facts = json.loads((main / f"step_{number:03d}" / "md_step.json").read_text())
        simulated = facts["md_steps"] / facts["steps_per_second"]
        found.append(marks[number] - marks[number - 1] - simulated)
    return found


def main() -> None:
    """Run both loops and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--atoms", type=int, default=2048)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--without-csg-inverse", action="store_true")
    add_json(parser)
    chosen = parser.parse_args()
    loops: dict[str, list[str]] = {"votca-mlp inverse": [str(VOTCA_MLP), "inverse"]}
    if not chosen.without_csg_inverse and shutil.which("csg_inverse"):
        loops["csg_inverse"] = ["csg_inverse"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CSG")}
    print(f"{'':20}{'seconds outside MD, by iteration':>40}{'whole run':>12}")
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, command in loops.items():
            directory = Path(folder) / name.replace(" ", "-")
            make_case(directory, chosen.atoms, chosen.frames, chosen.iterations)
            begin = time.monotonic()
            done = subprocess.run(
                [*command, "--options", "settings.xml"],
                cwd=directory,
                env=kept,
                capture_output=True,
                text=True,
                start_new_session=True,
            )
            if done.returncode != 0:
                sys.exit(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
            whole = time.monotonic() - begin
            spent = overheads(directory, chosen.iterations)
            times = "  ".join(f"{value:.2f}" for value in spent)
            print(f"{name:20}{times:>40}{whole:>10.1f} s", flush=True)
            rows[name] = {"outside": [rounded(value) for value in spent], "run": rounded(whole)}
    write_result(chosen.json, {"loops": rows}, units={"outside": "s", "run": "s"}, seeds="those of the case")


if __name__ == "__main__":
    main()
