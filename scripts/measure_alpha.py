#!/usr/bin/env python3
"""How fast the quickstart's case converges with different alpha.

    scripts/measure_alpha.py DIRECTORY ALPHA... [--json FILE]

Runs `votca-mlp inverse` once for each and prints status. An alpha that is too large ends in a simulation that
is stopped; that is a result too. Started again in the same directory it goes on.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from results_file import ROOT, add_json, write_result
from run_result import UNITS, iterations

COMMAND = [sys.executable, "-m", "votca_mlp"]


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("alphas", nargs="+", metavar="ALPHA")
    add_json(parser)
    options = parser.parse_args()
    rows: dict[str, Any] = {}
    ended: dict[str, dict[str, str]] = {}
    for alpha in options.alphas:
        run = options.directory / f"alpha_{alpha}"
        if not run.exists():
            prepare(run, alpha)
        print(f"alpha {alpha}", flush=True)
        command = [*COMMAND, "inverse", "--options", "settings.xml"]
        done = subprocess.run(command, cwd=run, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        if done.returncode:
            print(done.stderr, end="")
            first = next(iter(done.stderr.splitlines()), f"status {done.returncode}")
            ended[alpha] = {"text": first.removeprefix("votca-mlp: ")}
        subprocess.run([*COMMAND, "status", str(run)], check=True)
        rows[alpha] = iterations(run)
    tables = {"iterations": rows} | ({"ended": ended} if ended else {})
    write_result(options.json, tables, units=UNITS, seeds="those of the case")


def prepare(run: Path, alpha: str) -> None:
    """Copy the case with this alpha."""
    shutil.copytree(ROOT / "settings" / "al_quickstart", run)
    settings = run / "settings.xml"
    settings.write_text(re.sub(r"<alpha>[^<]*", f"<alpha>{alpha}", settings.read_text()))


if __name__ == "__main__":
    main()
