#!/usr/bin/env python3
"""Run ready cases in both loops and keep the digests of all their tables; compare two such files.

    scripts/reference_tables.py run tables.json [--cases al_quickstart lj_two_states ...] [--iterations 6]
    scripts/reference_tables.py compare before.json after.json [--json FILE]

A change that is meant to leave every number alone is run before and after it. The numbers are those of one
machine: other processors and libraries round differently. mdrun draws its seeds afresh, so they are set here.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results_file import add_json, write_result

ROOT = Path(__file__).resolve().parents[1]
CASES = ("al_quickstart", "al_lammps", "al_gromacs", "lj_two_states")
LOOPS = {"csg_inverse": ["csg_inverse"], "inverse": ["votca-mlp", "inverse"]}
TABLES = ("*.pot.cur", "*.pot.new", "*.dist.new", "*.dist.tgt", "*.dpot.new")


def prepare(case: str, directory: Path, iterations: int) -> None:
    """Copy a ready case, with fixed seeds for mdrun and its own number of iterations."""
    shutil.copytree(ROOT / "settings" / case, directory)
    settings = directory / "settings.xml"
    text = re.sub(r"(<iterations_max>)\d+", rf"\g<1>{iterations}", settings.read_text())
    settings.write_text(text)
    for mdp in directory.glob("*.mdp"):
        mdp.write_text(re.sub(r"(-seed\s*=\s*)-1", r"\g<1>7", mdp.read_text()))


def digests(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of the numbers of every table of the steps, comments left out, by relative path."""
    found = {}
    for pattern in TABLES:
        for path in sorted(directory.rglob(f"step_*/**/{pattern}")):
            lines = [line for line in path.read_text().splitlines() if line and line[0] not in "#@"]
            found[str(path.relative_to(directory))] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return found


def run(arguments: argparse.Namespace) -> None:
    """Run the cases one after another."""
    result: dict[str, dict[str, str]] = {}
    seconds: dict[str, float] = {}
    facts = {"machine": platform.machine(), "cores": os.cpu_count(), "iterations": arguments.iterations}
    content = {"facts": facts, "seconds": seconds, "tables": result}
    with tempfile.TemporaryDirectory(prefix="reference_tables_", dir=arguments.scratch) as scratch:
        for case in arguments.cases:
            for loop, command in LOOPS.items():
                directory = Path(scratch) / f"{case}_{loop}"
                prepare(case, directory, arguments.iterations)
                begin = time.monotonic()
                done = subprocess.run(
                    [*command, "--options", "settings.xml"],
                    cwd=directory,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                    # csg_inverse kills its process group when it fails
                    start_new_session=True,
                )
                if done.returncode != 0:
                    sys.exit(f"{case}, {loop}: status {done.returncode}\n{done.stdout[-3000:]}")
                seconds[f"{case}/{loop}"] = round(time.monotonic() - begin, 1)
                result[f"{case}/{loop}"] = digests(directory)
                print(
                    f"{case}, {loop}: {len(result[f'{case}/{loop}'])} tables, {seconds[f'{case}/{loop}']} s",
                    flush=True,
                )
                # what is done is not lost when a later case fails
                Path(arguments.file).write_text(json.dumps(content, indent=1) + "\n")


def compare(arguments: argparse.Namespace) -> None:
    """Print for each case and loop how many tables are equal; status 1 when one is not."""
    before, after = (
        json.loads(Path(file).read_text())["tables"] for file in (arguments.before, arguments.after)
    )
    worst, rows = 0, {}
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, {}), after.get(name, {})
        other = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
        rows[name] = {"equal": len(old) - len(other), "tables": len(old)}
        worst = worst or bool(other)
        print(
            f"{name}: {len(old) - len(other)} of {len(old)} tables equal" + "".join(f"\n  {p}" for p in other)
        )
    total = {name: sum(row[name] for row in rows.values()) for name in ("equal", "tables")}
    write_result(arguments.json, {"cases": rows, "all": {"all": total}}, units={"equal": "tables"})
    sys.exit(int(worst))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("run")
    one.add_argument("file")
    one.add_argument("--cases", nargs="+", default=CASES)
    one.add_argument("--iterations", type=int, default=6)
    one.add_argument("--scratch", default=None, help="where the runs lie while they last")
    one.set_defaults(call=run)
    two = commands.add_parser("compare")
    two.add_argument("before")
    two.add_argument("after")
    add_json(two)
    two.set_defaults(call=compare)
    arguments = parser.parse_args()
    arguments.call(arguments)


if __name__ == "__main__":
    main()
