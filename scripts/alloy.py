#!/usr/bin/env python3
"""An alloy from nothing: frames, labels, a HIP-NN of two species, csg_inverse with three interactions.

    scripts/alloy.py DIRECTORY [--stage data | network | answer] [--wall-time SECONDS] [--json FILE]

Copper and silver by ASE's effective-medium potential (32 atoms, three compositions, 300 to 3000 K, some pairs
pushed together); `votca-mlp train`; then a known answer, as in scripts/known_answer.py: the targets of all
three interactions are made with a known u*(r) between unlike atoms, and csg_inverse starts from zero. What is
there goes on; --stage ends after that one. The case's files are in scripts/alloy.
"""

import argparse
import itertools
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import ase.units
import numpy as np
from al_hipnn.sampling import push_together
from ase import Atoms
from ase.calculators.emt import EMT
from ase.io import write
from ase.md.langevin import Langevin
from known_answer import UNITS, recover
from make_start import crystal, molten
from results_file import ROOT, add_json, write_result

from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.training.judge import evaluated
from votca_mlp.training.labelled import labelled_frames
from votca_mlp.training.sources.writing import write_frames

CASE = ROOT / "scripts" / "alloy"
STAGES = ("data", "network", "answer")
LEVEL = "emt"
STARS = {"Cu-Ag": [(0.030, 0.26, 0.03), (-0.015, 0.36, 0.05)]}
COMPOSITIONS = ({"Cu": 8, "Ag": 24}, {"Cu": 16, "Ag": 16}, {"Cu": 24, "Ag": 8})
TEMPERATURES = (300.0, 900.0, 1400.0, 2000.0, 3000.0)  # K
VOLUMES = {"Cu": 12.8, "Ag": 18.2}
"""Angstrom^3 an atom, at 1400 K and about no pressure; frames are at 0.95 and 1.05 times that."""
FRAMES, APART, SETTLE = 15, 10, 80  # of a trajectory; steps of 4 fs
CLOSE_EVERY, CLOSE = 5, (1.7, 2.35)
"""Every fifth frame of a melt has a pair pushed together to such a distance, Angstrom."""
MELTING = (2000.0, 4000.0, 6000.0)
"""Temperature (K) and time (fs) of melting, time of settling."""


def edge_of(counts: dict[str, int]) -> float:
    """Return the edge of the cubic fcc cell, Angstrom."""
    volume = sum(count * VOLUMES[symbol] for symbol, count in counts.items()) / sum(counts.values())
    return float((4.0 * volume) ** (1.0 / 3.0))


def sample() -> tuple[list[Atoms], list[str]]:
    """Return frames of crystals and melts, and the trajectory that each is of."""
    frames, groups = [], []
    for counts, temperature, scale in itertools.product(COMPOSITIONS, TEMPERATURES, (0.95, 1.05)):
        name = f"{' '.join(f'{s}{n}' for s, n in counts.items())} {temperature:g} K {scale}"
        random = np.random.default_rng(zlib.crc32(name.encode()))
        atoms = crystal(scale ** (1.0 / 3.0) * edge_of(counts), counts)
        # make_start's crystal gives sites to species by one fixed choice
        atoms.numbers = random.permutation(atoms.numbers)
        atoms.rattle(0.05, rng=random)
        atoms.calc = EMT()
        friction = 0.05 / ase.units.fs
        md = Langevin(
            atoms, 4.0 * ase.units.fs, temperature_K=temperature, friction=friction, fixcm=False, rng=random
        )
        md.run(SETTLE)
        for k in range(FRAMES):
            md.run(APART)
            frame = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
            close = k % CLOSE_EVERY == CLOSE_EVERY - 1 and temperature > 1000.0
            if close:
                # in an order of its own: from frame to frame its energy bends too much for the check of units
                frame = push_together(frame, random, *CLOSE)[random.permutation(len(frame))]
            frames.append(frame)
            groups.append(name)
    return frames, groups


def write_labelled(path: Path) -> None:
    """Write frames with energies, forces and stress of the effective-medium potential."""
    frames, groups = sample()
    bare = labelled_frames(frames, {}, groups)
    found = evaluated(CalculatorEvaluator(EMT()), bare)
    forces = np.split(found.forces, bare.offsets[1:-1])
    labels: dict[str, Any] = {
        "energies": list(found.energies),
        "forces": forces,
        "stress": list(found.stress),
    }
    write_frames(path, labelled_frames(frames, {LEVEL: labels}, groups))


def errors_on_card(card: Path) -> dict[str, Any]:
    """Return the errors on held-out trajectories by kind of label, which are a table of the model's card."""
    rows: dict[str, Any] = {}
    for line in card.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == LEVEL:
            frames, rmse, mae, spread = (float(cell) for cell in cells[2:6])
            rows[cells[1]] = {
                "frames": int(frames),
                "rmse": rmse,
                "mae": mae,
                "spread": spread,
                "unit": cells[6],
            }
    return rows


def main() -> None:
    """Make what is not there; report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--stage", choices=STAGES, default=STAGES[-1], help="the last one to do")
    parser.add_argument("--longer", type=float, default=4.0, help="length of the targets' run; default 4")
    parser.add_argument("--wall-time", type=int, help="s, of csg_inverse")
    add_json(parser)
    options = parser.parse_args()
    run = options.directory
    run.mkdir(parents=True, exist_ok=True)
    for file in CASE.iterdir():
        if file.is_file() and not (run / file.name).exists():
            shutil.copy(file, run)
    if not (run / "data.xyz").exists():
        write_labelled(run / "data.xyz")
    if options.stage == STAGES[0]:
        return
    if not (run / "network" / "model.md").exists():
        subprocess.run([sys.executable, "-m", "votca_mlp", "train", "train.yaml"], cwd=run, check=True)
    if options.stage == STAGES[1]:
        return
    settings = load_settings(run / "settings.xml")
    if not (run / "conf.extxyz").exists():
        counts = Counter(md_plan(settings).symbols)
        write(run / "conf.extxyz", molten(md_plan(settings), crystal(edge_of(counts), counts), MELTING))
    tables = {"network": errors_on_card(run / "network" / "model.md")}
    tables |= recover(run, STARS, options.longer, options.wall_time)
    write_result(options.json, tables, units=UNITS, seeds="those of the case")


if __name__ == "__main__":
    main()
