#!/usr/bin/env python3
"""csg_inverse of several versions of VOTCA with method imc: two iterations each, and whether they are alike.

    scripts/votca_versions.py DIRECTORY [VOTCA...] [--json FILE]

VOTCA is a folder with bin/ and share/votca/ of one version; that of the PATH comes first, `votca-mlp inverse`
last. The case is the tests' mixture of 108 argon and krypton atoms (three interactions, 160 frames an
iteration), by Gauss-Newton and by VOTCA's own equation (a reg). Runs have the same seeds, so that the same
simulations are to give the same tables. A row: iterations made, VOTCA's warnings on the terminal,
and the largest distances of u(r) after the last (kJ/mol) and of its g(r) from those of the first version.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from results_file import ROOT, add_json, rounded, write_result

sys.path.insert(0, str(ROOT))

from tests.csg.case import VOTCA_MLP, edit, finished, inverse, make_case, start_program
from votca_mlp.tables import read_table

NAMES = ("Ar-Ar", "Ar-Kr", "Kr-Kr")
ITERATIONS = 2
INVERSE = {"Gauss-Newton": "", "reg 50": "<imc><default_reg>50</default_reg></imc>"}


def main() -> None:
    """Run every version, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("votca", nargs="*", type=Path)
    add_json(parser)
    options = parser.parse_args()
    table: dict[str, Any] = {}
    for case, section in INVERSE.items():
        first: Path | None = None
        for votca in (None, *options.votca, Path("ours")):
            surroundings = of_version(votca)
            ours = votca == Path("ours")
            version = "votca-mlp inverse" if ours else version_of(surroundings)
            run = options.directory / f"{case} {version}".replace(" ", "_")
            make_case(run, ("Ar", "Kr"), inverse=section, iterations=ITERATIONS, production=6400)
            text = re.sub(r"<wibi>.*?</wibi>", "", (run / "settings.xml").read_text(), flags=re.DOTALL)
            (run / "settings.xml").write_text(text.replace("<method>ibi", "<method>imc"))
            edit(run / "settings.xml", {"<checkpoint_every>400": "<checkpoint_every>3200"})
            status, output = of_ours(run) if ours else inverse(run, **surroundings)
            (run / "out.log").write_text(output)
            if status:
                sys.exit(f"{run}: status {status}\n{output}")
            first = first or run
            row = compared(run, first) | {"warnings": output.count("WARNING")}
            table[f"{case}, {version}"] = row
            print(f"{case}, {version}", row, flush=True)
    write_result(options.json, {"loops": table}, units={"u": "kJ/mol", "size": "kJ/mol"}, seeds=1)


def of_version(votca: Path | None) -> dict[str, str]:
    """Return the environment that makes this the VOTCA of a csg_inverse; of none, the one of the PATH."""
    if votca is None or votca == Path("ours"):
        return {}
    votca = votca.resolve()
    found = {"PATH": f"{votca / 'bin'}:{os.environ['PATH']}", "VOTCASHARE": str(votca / "share/votca")}
    command = [str(VOTCA_MLP), "defaults"]
    done = subprocess.run(command, env=os.environ | found, capture_output=True, text=True, check=True)
    # CI: a tag that is not in the defaults ends the run instead of being mentioned
    return found | {"VOTCA_CSG_DEFAULTS": done.stdout.strip(), "CI": "true"}


def version_of(surroundings: dict[str, str]) -> str:
    """Return what csg_call says of itself."""
    command = ["csg_call", "--version"]
    done = subprocess.run(command, env=os.environ | surroundings, capture_output=True, text=True, check=True)
    found = re.search(r"version (\S+)", done.stdout)
    assert found is not None, done.stdout
    return f"VOTCA {found[1]}"


def of_ours(run: Path) -> tuple[int, str]:
    """Run `votca-mlp inverse`; return its status and what the terminal shows."""
    process = start_program(run, VOTCA_MLP, "inverse", "--options", "settings.xml")
    output = finished(process)
    return process.returncode, output


def compared(run: Path, first: Path) -> dict[str, Any]:
    """Return how far the tables of a run are from those of the first."""
    last = f"step_{ITERATIONS:03d}"
    far = {}
    for key, end in (("u", "pot.new"), ("g", "dist.new")):
        pairs = [[read_table(path / last / f"{name}.{end}").y for path in (run, first)] for name in NAMES]
        far[key] = rounded(max(float(np.abs(one - other).max()) for one, other in pairs))
    sizes = [np.abs(read_table(run / last / f"{name}.pot.new").y).max() for name in NAMES]
    return {"iterations": len(list(run.glob("step_*/done"))) - 1, **far, "size": rounded(float(max(sizes)))}


if __name__ == "__main__":
    main()
