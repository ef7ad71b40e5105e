#!/usr/bin/env python3
"""The paper's case, shortened to what a machine allows: ANI-Al at a temperature against the measured g(r).

    ANI_AL=/path/to/model-Al-75 scripts/paper_case.py DIRECTORY [--temperature 1023] [--json FILE] ...

Runs csg_inverse (again: goes on) and prints agreement and density by iteration. The paper: 8 cells (2048
atoms), 1 fs, 15 iterations of 10 ps. Lengths in fs.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from results_file import add_json, write_result
from run_result import UNITS, tables_of

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Make the run directory, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--temperature", default="1023", choices=["943", "1023", "1323"])
    parser.add_argument("--cells", type=int, default=5, help="fcc cells along each side, 4 atoms each")
    parser.add_argument("--start", type=Path, help="configuration to start from instead of a melted crystal")
    parser.add_argument("--alpha", type=float, default=0.2)
    parser.add_argument("--timestep", type=float, default=2)
    parser.add_argument("--melt-time", type=float, default=4000)
    parser.add_argument("--first-equilibration", type=float, default=4000)
    parser.add_argument("--equilibration", type=float, default=1500)
    parser.add_argument("--production", type=float, default=8000)
    parser.add_argument("--sample-every", type=float, default=50)
    parser.add_argument("--iterations", type=int, default=10)
    add_json(parser)
    options = parser.parse_args()
    if "ANI_AL" not in os.environ:
        sys.exit("set ANI_AL to the folder of the ANI-Al ensemble")
    run = options.directory
    if not (run / "settings.xml").exists():
        prepare(run, options)
    command = ["csg_inverse", "--options", "settings.xml"]
    if subprocess.run(command, cwd=run, start_new_session=True, check=False).returncode:
        sys.exit("csg_inverse failed, see the message above and inverse.log")
    subprocess.run(["votca-mlp", "status", str(run)], check=True)
    subprocess.run(["votca-mlp", "plot", str(run), "-o", str(run / "run.png")], check=True)
    write_result(options.json, tables_of(run), units=UNITS, seeds="those of the case")


def prepare(run: Path, options: argparse.Namespace) -> None:
    """Copy the case and put the options into it."""
    shutil.copytree(ROOT / "settings" / f"al_{options.temperature}K", run, dirs_exist_ok=True)
    text = (run / "settings.xml").read_text()
    if options.start is not None:
        shutil.copy(options.start, run / "conf.extxyz")
        text = re.sub(r"<crystal>.*</crystal>", "<conf>conf.extxyz</conf>", text, flags=re.DOTALL)
    frames = options.production / options.sample_every
    for tag, value in {
        "repeat": f"{options.cells} {options.cells} {options.cells}",
        "alpha": f"{options.alpha:g}",
        "timestep": f"{options.timestep:g}",
        "melt_time": f"{options.melt_time:g}",
        "first_equilibration": f"{options.first_equilibration:g}",
        "equilibration": f"{options.equilibration:g}",
        "production": f"{options.production:g}",
        "sample_every": f"{options.sample_every:g}",
        "iterations_max": f"{options.iterations}",
        "block_length": f"{frames // 8:g}",
    }.items():
        text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    (run / "settings.xml").write_text(text)
    topology = run / "topol.xml"
    topology.write_text(topology.read_text().replace('nmols="2048"', f'nmols="{4 * options.cells**3}"'))


if __name__ == "__main__":
    main()
