#!/usr/bin/env python3
"""Known answer: a target made with model + u*(r); csg_inverse must recover u* from zero.

    scripts/known_answer.py CASE DIRECTORY [--iterations N] [--alpha A] [--json FILE] ...

CASE is a folder of settings/: al_quickstart, lj_mixture or n2_liquid. The target comes from a run `--longer`
times as long as one iteration's. Prints the distance between g(r) and target and between u(r) and u*(r),
beside their statistical errors.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results_file import add_json, number, rounded, write_result

from votca_mlp.inverse.from_settings import state_plan
from votca_mlp.inverse.twin import known_correction, simulate_targets
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.tables import Table, grid_points, read_table, write_table
from votca_mlp.targets.agreement import compare_tables
from votca_mlp.units import KJMOL_PER_EV

Array = NDArray[np.float64]
Bump = tuple[float, float, float]
ROOT = Path(__file__).resolve().parent.parent
UNITS = dict.fromkeys(("distance", "size", "scatter"), "meV")
# interaction -> bumps (height in eV, centre and width in nm)
STARS: dict[str, dict[str, list[Bump]]] = {
    "al_quickstart": {"Al-Al": [(0.030, 0.27, 0.03), (-0.015, 0.36, 0.05), (0.006, 0.50, 0.06)]},
    "lj_mixture": {"Ar-Kr": [(0.0025, 0.37, 0.04), (-0.0012, 0.50, 0.06)]},
    "n2_liquid": {"N-N": [(0.0025, 0.36, 0.04), (-0.0012, 0.50, 0.06)]},
}


def edit(settings: Path, changes: dict[str, object]) -> None:
    """Replace the text of simple tags."""
    text = settings.read_text()
    for tag, value in changes.items():
        if value is not None:
            text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    settings.write_text(text)


def main() -> None:
    """Make the target, run csg_inverse, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("case", choices=STARS)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--iterations", type=int, help="default: the case's")
    parser.add_argument("--alpha", type=float, help="default: the case's")
    parser.add_argument("--production", type=float, help="fs an iteration; default: the case's")
    parser.add_argument("--longer", type=float, default=4.0, help="length of the target's run; default 4")
    add_json(parser)
    options = parser.parse_args()
    run = options.directory
    if not (run / "settings.xml").exists():
        shutil.copytree(ROOT / "settings" / options.case, run, dirs_exist_ok=True)
        edit(
            run / "settings.xml",
            {
                "iterations_max": options.iterations,
                "alpha": options.alpha,
                "production": options.production,
            },
        )
        # what was measured of the real liquid is not the density of the known answer
        text = (run / "settings.xml").read_text()
        (run / "settings.xml").write_text(
            re.sub(r"<target_density>.*?</target_density>", "", text, flags=re.S)
        )
    tables = recover(run, STARS[options.case], options.longer)
    write_result(options.json, tables, units=UNITS, seeds="those of the case")


def invert(run: Path, wall_time: int | None = None) -> None:
    """Run csg_inverse, or go on with it, at most for so many seconds."""
    command = ["csg_inverse", "--options", "settings.xml"]
    if wall_time:
        command += ["--wall-time", str(wall_time)]
    if subprocess.run(command, cwd=run, start_new_session=True, check=False).returncode:
        sys.exit("csg_inverse failed, see the message above and inverse.log")


def recover(
    run: Path, bumps: Mapping[str, Sequence[Bump]], longer: float, wall_time: int | None = None
) -> dict[str, Any]:
    """Make targets that are not there, run csg_inverse, print and return agreement by iteration, at last.

    Parameters
    ----------
    run
        Has settings.xml and what it needs but for the targets.
    bumps
        Of u* by name of interaction; of others it is 0.
    longer
        Length of the targets' simulation in those of an iteration's production.
    wall_time
        See :func:`invert`.
    """
    settings = load_settings(run / "settings.xml")
    grid = {i.name: grid_points(i.min, i.max, i.step) for i in settings.interactions}
    known = {name: known_correction(grid[name], given) for name, given in bumps.items()}
    if not (run / "target" / "done").exists():
        length = longer * md_plan(settings).production
        for name, table in simulate_targets(
            state_plan(settings), known, run / "target", production=length
        ).items():
            write_table(run / f"{name}.dist.tgt", table)
        (run / "target" / "done").touch()
    invert(run, wall_time)
    iterations: list[dict[str, Any]] = []
    ends: dict[str, dict[str, Any]] = {}
    for name in grid:
        rows, ends[name] = report(run, name, known.get(name))
        iterations += rows
    return {"iterations": iterations, "ends": ends}


def report(run: Path, name: str, known: Table | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Print and return agreement by iteration and the last potential's distance from u*."""
    target = read_table(run / f"{name}.dist.tgt")
    r = 10.0 * target.x
    u_star = np.zeros_like(r) if known is None else known.y / KJMOL_PER_EV
    # where pairs are: elsewhere nothing is known of u
    seen = (target.y > 0.3) & (r < r[-1] - 0.5)
    print(f"\n{name}: RMS of g against the target, its noise, chi2; RMS of u - u* in meV where g* > 0.3")
    potentials = []
    rows: list[dict[str, Any]] = []
    for step in sorted(run.glob("step_*"))[1:]:
        if not (step / f"{name}.pot.new").exists() or not (step / f"{name}.dist.new").exists():
            continue
        agreement = compare_tables(read_table(step / f"{name}.dist.new"), target)
        u = read_table(step / f"{name}.pot.cur").y / KJMOL_PER_EV
        potentials.append(u)
        off = 1e3 * np.sqrt(np.mean(centred(u - u_star, seen) ** 2))
        chi2 = "" if agreement.chi2 is None else f"{agreement.chi2:8.2f}"
        row: dict[str, Any] = {"step": int(step.name.removeprefix("step_")), "interaction": name}
        row |= {"rms": number(agreement.rms, agreement.rms_error), "distance": rounded(off)}
        rows.append(row if agreement.chi2 is None else row | {"chi2": rounded(agreement.chi2)})
        print(f"  {step.name}  {agreement.rms:.4f} +- {agreement.rms_error or 0:.4f} {chi2}  {off:8.3f} meV")
    size = 1e3 * np.sqrt(np.mean(centred(u_star, seen) ** 2))
    last = np.array(potentials[-min(4, len(potentials) // 2) :])
    scatter = 1e3 * np.sqrt(np.mean([centred(u, seen).var() for u in last - last.mean(0)]))
    off = 1e3 * np.sqrt(np.mean(centred(last.mean(0) - u_star, seen) ** 2))
    print(f"  size of u*: {size:.3f} meV; mean of the last {len(last)} u: {off:.3f} meV from u*;")
    print(f"  statistical scatter of one u about that mean: {scatter:.3f} meV")
    end: dict[str, Any] = {"size": rounded(size), "distance": rounded(off), "scatter": rounded(scatter)}
    return rows, end | {key: rows[-1][key] for key in ("rms", "chi2") if key in rows[-1]}


def centred(u: Array, seen: NDArray[np.bool_]) -> Array:
    """Return u where pairs are, without its mean, as a constant has no force."""
    return np.asarray(u[seen] - u[seen].mean())


if __name__ == "__main__":
    main()
