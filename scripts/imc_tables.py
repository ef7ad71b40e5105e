#!/usr/bin/env python3
"""The rule's inverse Monte Carlo with a reg on the tables of VOTCA's own tutorials.

    scripts/imc_tables.py VOTCA [--json FILE]

VOTCA is a checkout of github.com/votca/votca. In csg/src/tools/references it has matrices and updates that
csg_stat --do-imc and csg_imc_solve made of the tutorials spce/imc (no reg) and LJ1-LJ2/imc (reg 1000), with
which VOTCA tests itself, and a trajectory of the latter with its matrix. Compared are the update from each
matrix, and from the trajectory covariances, numbers of pairs and update.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results_file import add_json, rounded, write_result

from votca_mlp.observables.step import measure_frames
from votca_mlp.observables.store import write_observables
from votca_mlp.settings.document import read_document
from votca_mlp.tables import read_table
from votca_mlp.targets.target import Target, target_of_table
from votca_mlp.trajectories.read import read_frames
from votca_mlp.units import ANGSTROM_PER_NM
from votca_mlp.update.gauss_newton.tikhonov import tikhonov, tikhonov_update
from votca_mlp.update.rule import PairGrid, StateData, StepData
from votca_mlp.update.states import TemperatureBasis

Array = NDArray[np.float64]
REFERENCES = Path("csg/src/tools/references")
STORED = {"spce": ("spce/imc", "CG-CG", 0.0), "LJ1-LJ2": ("LJ1-LJ2", "group_1", 1000.0)}
TRAJECTORY = "LJ1-LJ2/smaller_system"
REG = 1.0
"""Of the update from the trajectory: four frames leave most of 170 bins without any."""


def main() -> None:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("votca", type=Path)
    add_json(parser)
    options = parser.parse_args()
    references = options.votca / REFERENCES
    table = {name: of_matrix(references / stored[0], *stored[1:]) for name, stored in STORED.items()}
    table["LJ1-LJ2, trajectory"] = of_trajectory(references / TRAJECTORY)
    for name, row in table.items():
        print(name, row)
    write_result(options.json, {"tables": table})


def matrices(folder: Path, group: str) -> tuple[Array, Array, dict[str, slice]]:
    """Return covariances, <S> - S* and where each interaction stands, as VOTCA has left them."""
    # the matrix has the other sign there
    covariance, excess = -np.loadtxt(folder / f"{group}.gmc"), np.loadtxt(folder / f"{group}.imc")[:, 1]
    where = {}
    for line in (folder / f"{group}.idx").read_text().splitlines():
        name, _, ends = line.partition(" ")
        first, last = map(int, ends.split(":"))
        where[name] = slice(first - 1, last)
    return covariance, excess, where


def of_matrix(folder: Path, group: str, regularisation: float) -> dict[str, Any]:
    """Return how far the update from a stored matrix is from the stored update, over its largest value."""
    covariance, excess, where = matrices(folder, group)
    found = tikhonov(covariance, excess, regularisation)
    off = [np.abs(found[rows] - read_table(folder / f"{name}.dpot.imc").y) for name, rows in where.items()]
    return {"bins": len(found), "reg": regularisation, "update": _share(np.concatenate(off), found)}


def of_trajectory(folder: Path) -> dict[str, Any]:
    """Return how far counts, covariances and update of our own are from VOTCA's on the same frames."""
    pairs = grids(folder / "settings_imc.xml")
    with tempfile.TemporaryDirectory() as temporary:
        step = step_of(folder, pairs, Path(temporary))
        (state,) = step.states
        update = tikhonov_update(step, state, list(pairs), REG)
        frames = state.by_frame()
        counts = np.concatenate(
            [
                (item := frames.histogram(pair.species)).counts[:, item.row(pair.species)]
                for pair in pairs.values()
            ],
            axis=1,
        ).astype(float)
    covariance, excess, where = matrices(folder, "all")
    assert list(where) == list(pairs)
    deviations = counts - counts.mean(axis=0)
    wanted = tikhonov(covariance, excess, REG)
    found = np.concatenate([update[name] for name in where])
    return {
        "bins": len(found),
        "reg": REG,
        "frames": len(counts),
        "covariance": _share(deviations.T @ deviations / len(counts) - covariance, covariance),
        "update": _share(found - wanted, wanted),
    }


def grids(settings: Path) -> dict[str, PairGrid]:
    """Return the interactions of the tutorial's settings."""
    found = {}
    for node in read_document(settings, "cg").all("non-bonded"):
        name, a, b = (node.deepest(tag).text for tag in ("name", "type1", "type2"))
        found[name] = PairGrid(name, (a, b), *(float(node.deepest(t).text) for t in ("min", "max", "step")))
    return found


def step_of(folder: Path, pairs: dict[str, PairGrid], directory: Path) -> StepData:
    """Return a step that has simulated the tutorial's trajectory, with kB T = 1."""
    r = [([pair.species], pair.points * ANGSTROM_PER_NM) for pair in pairs.values()]
    write_observables(directory, measure_frames(read_frames(folder / "traj.gro"), r, {}, {}))
    targets: dict[str, Target] = {}
    for name, pair in pairs.items():
        table = read_table(folder / f"{name}.dist.tgt")
        targets[name] = target_of_table(table, pair.species, source=folder)
    state = StateData("", 1.0, 1.0, 1.0, {}, targets, {}, {}, folder, directory)
    return StepData(1, pairs, (state,), TemperatureBasis(1, 1.0, 1.0), {}, directory)


def _share(difference: Array, of: Array) -> float:
    return rounded(float(np.abs(difference).max() / np.abs(of).max()))


if __name__ == "__main__":
    main()
