#!/usr/bin/env python3
"""SiO2 glass corrected to one measured neutron F(Q), on a HIP-NN labelled with a public potential.

    VOTCA_MLP_DATA=... scripts/scattering_silica.py DIRECTORY [--layers N] [--epochs N] [--rounds N]
        [--iterations N] [--only STAGE] [--json FILE]

Stages, each of which is skipped when its files are there, and goes on when interrupted:

label    CHGNet (pip install chgnet) labels crystals, and melts and quenches of 72 atoms that a pair
         potential has made (LAMMPS; scripts/silica/frames.py); a short simulation with CHGNet itself
train    votca-mlp train: a HIP-NN of both species, the baseline; again with frames of its own simulations
glass    648 atoms quenched by the pair potential at the density of the sample, annealed by the network
fit      method imc with the F(Q) that NIMROD measured (dissolve_silica/ of VOTCA_MLP_DATA), no g(r)

R (mean square deviation) by iteration and range of Q; bonds and angles of the glass; the errors of the
network on a quench that is held out.
"""

import argparse
import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

import ase.units
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
from metal.chgnet import LOW, teacher
from numpy.typing import NDArray
from results_file import ROOT, add_json, command, number, rounded, write_result
from silica.frames import DENSITY, LADDER, displaced, molten, quenched

import votca_mlp as vm
from votca_mlp.engines.shared.result import production_mean, read_facts
from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator import MLPCalculator
from votca_mlp.observables.store import read_observables
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.scattering.data import beyond, r_factor, total
from votca_mlp.settings import load_settings
from votca_mlp.settings.scattering import scattering_sources

Array = NDArray[np.float64]

CASE = ROOT / "scripts" / "silica"
QUENCHES, HELD_OUT = 6, 3
LARGE = (1, 2)
"""Seeds of glasses of 648 atoms that a second round takes frames from."""
KEPT_STEPS = 250
"""Of 2 fs, CHGNet's own simulation of a quenched frame."""
OWN, OWN_LENGTH = (300, 1200, 2400), 1200.0
"""K, fs: of the network's own simulations that are labelled."""
NETWORK = {
    "kind": "HipnnVec",
    "n_features": 16,
    "n_sensitivities": 14,
    "n_atom_layers": 3,
    "dist_soft_min": 1.3,
    "dist_soft_max": 4.1,
    "dist_hard_max": 4.5,
}
WEIGHTS = {"energy": 10, "forces": 1, "stress": 10}
ANNEALED = (1500, 700, 300)
"""K."""
STEP, SETTLE, LENGTH = 1.5, 1200.0, 1200.0  # fs, at each temperature
NEAREST = 0.9
"""Angstrom: nearer atoms end a simulation."""
RANGES = {"all": (0.0, 60.0), "below 5": (0.0, 5.0), "from 5 to 15": (5.0, 15.0), "above 15": (15.0, 60.0)}
"""1/Angstrom."""


def label(directory: Path, name: str, frames: Callable[[], Iterator[Atoms]]) -> Path:
    """Return the file of frames with CHGNet's energies, forces and stress; made where it is not there."""
    path = directory / "labels" / f"{name}.extxyz"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    potential, labelled = teacher(LOW), []
    for atoms in frames():
        found = potential.evaluate(atoms)
        one = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True)
        one.info["group"] = atoms.info["group"]
        one.calc = SinglePointCalculator(one, energy=found.energy, forces=found.forces, stress=found.stress)
        labelled.append(one)
    part = path.with_suffix(".part")
    write(part, labelled, format="extxyz")
    part.rename(path)
    print(f"{name}: {len(labelled)} frames labelled", flush=True)
    return path


def labels(directory: Path) -> list[Path]:
    """Return the files of crystals and of the melts that the pair potential has chosen."""
    found = [label(directory, "crystals", displaced)]
    for seed in range(QUENCHES):
        name = f"quench-{seed}"
        frames = functools.partial(molten, seed, directory / "pair" / name, hot=False)
        found.append(label(directory, name, frames))
    return found


def more(directory: Path, before: Path) -> list[Path]:
    """Return what a network lacks that has thrown a glass of 648 atoms out of silica.

    Melts, and where the network goes within 0.3 ps from the glasses of the pair potential.
    """

    def frames() -> Iterator[Atoms]:
        model = vm.load_model(before / "model.pt")
        for seed in LARGE:
            run = directory / "own" / f"large-{seed}"
            atoms = sorted_by_species(read(pair_glass(directory, seed)))  # type: ignore[arg-type]
            plan = nvt(700, 10000 + seed, settle=0.0, length=300.0, sample_every=30.0)
            with contextlib.suppress(UserError):
                vm.simulate(model, atoms, plan, directory=run)
            yield from left(run, "1::2", f"large {seed}")

    found = [label(directory, "large", frames)]
    for seed in range(HELD_OUT):
        quench = directory / "pair" / f"quench-{seed}"
        found.append(label(directory, f"melt-{seed}", functools.partial(molten, seed, quench, hot=True)))
    return found


def left(run: Path, chosen: str, group: str) -> Iterator[Atoms]:
    """Yield frames of a simulation, also of one that was ended."""
    paths = [path for path in (run / "traj.dump", run / "traj.dump.part") if path.exists()]
    for frame in read(paths[0], chosen, format="lammps-dump-text"):
        frame.info["group"] = group
        yield frame


def kept(directory: Path) -> dict[str, dict[str, float]]:
    """Return a quenched frame before and after a short simulation with CHGNet itself, at 300 K."""
    path = directory / "kept.json"
    if not path.exists():
        atoms = read(directory / "labels" / "quench-1.extxyz", -1)
        assert isinstance(atoms, Atoms)
        found = {"before": structure(atoms)}
        atoms.calc = MLPCalculator(teacher(LOW))
        random = np.random.default_rng(1)
        MaxwellBoltzmannDistribution(atoms, temperature_K=300.0, rng=random)
        friction = 0.01 / ase.units.fs
        md = Langevin(atoms, 2.0 * ase.units.fs, temperature_K=300.0, friction=friction, rng=random)
        md.run(KEPT_STEPS)
        path.write_text(json.dumps(found | {"after": structure(atoms)}))
    found = json.loads(path.read_text())
    assert isinstance(found, dict)
    return found


def own(directory: Path, number: int, before: Path) -> Path:
    """Return labelled frames of where a network goes from the quenched frames, at several temperatures.

    A simulation that the network throws out of silica is ended by its nearest atoms, and its last frames are
    labelled all the same: they teach most.
    """

    def frames() -> Iterator[Atoms]:
        model = vm.load_model(before / "model.pt")
        for seed in range(HELD_OUT):
            atoms = sorted_by_species(read(directory / "labels" / f"quench-{seed}.extxyz", -1))  # type: ignore[arg-type]
            for temperature in OWN:
                run = directory / "own" / f"{number}-{seed}-{temperature}"
                plan = nvt(
                    temperature, 1000 * number + seed, settle=0.0, length=OWN_LENGTH, sample_every=75.0
                )
                with contextlib.suppress(UserError):
                    vm.simulate(model, atoms, plan, directory=run)
                yield from left(run, "3::4", f"own {number} {seed}")

    return label(directory, f"own-{number}", frames)


def nvt(temperature: float, seed: int, *, settle: float, length: float, sample_every: float) -> vm.MDPlan:
    """Return the plan of a simulation at constant volume."""
    return vm.MDPlan(
        temperature=temperature,
        ensemble="nvt",
        timestep=STEP,
        first_equilibration=settle,
        production=length,
        sample_every=sample_every,
        seed=100 * seed + round(temperature),
        skin=1.0,
        limits=vm.Limits(distance_min=NEAREST),
    )


def train(directory: Path, output: str, layers: int, epochs: int, files: Sequence[Path]) -> None:
    """Fit the network to labelled files, or go on with it. One quench is held out."""
    if (directory / output / "model.md").exists():
        return
    held_out = f"quench-{HELD_OUT}"
    keys = {
        "chgnet": {
            "energy": {"key": "energy", "unit": "eV"},
            "forces": {"key": "forces", "unit": "eV/Angstrom"},
            "stress": {"key": "stress", "unit": "eV/Angstrom^3"},
        }
    }
    use = {"crystals": "training", held_out: "held_out"}
    settings = {
        "output": output,
        "levels": {"chgnet": WEIGHTS},
        "data": [
            {
                "file": str(file.relative_to(directory)),
                "group": "group",
                "use": use.get(file.stem, "split"),
                "levels": keys,
            }
            for file in files
        ],
        "split": {"held_out": 0.0, "validation": 0.25},
        "network": NETWORK | {"n_interaction_layers": layers},
        "training": {
            "epochs": epochs,
            "batch_size": 2,
            "learning_rate": 2e-3,
            "schedule": "cosine",
        },
    }
    path = directory / f"{output}.yaml"
    path.write_text(json.dumps(settings, indent=1))
    subprocess.run([sys.executable, "-m", "votca_mlp", "train", path.name], cwd=directory, check=True)


def glass(directory: Path, name: str) -> Path:
    """Return the start of a fit: a glass quenched by the pair potential, then annealed by the network.

    ``name`` is NETWORK-SEED-K: number of the network, seed of the quench, the first temperature that the
    network anneals at.
    """
    path = directory / "glass" / f"{name}.extxyz"
    if path.exists():
        return path
    past, seed, hottest = map(int, name.split("-"))
    path.parent.mkdir(exist_ok=True)
    model = vm.load_model(directory / f"train-{past}" / "model.pt")
    start = pair_glass(directory, seed)
    if not start.exists():
        edge = (648.0 / DENSITY) ** (1.0 / 3.0)
        write(start, quenched(edge, 216, LADDER, 99 + seed, directory / "pair" / f"glass-{seed}")[-1])
    atoms = sorted_by_species(read(start))  # type: ignore[arg-type]
    for temperature in (one for one in ANNEALED if one <= hottest):
        plan = nvt(temperature, seed, settle=SETTLE, length=LENGTH, sample_every=300.0)
        atoms = vm.simulate(model, atoms, plan, directory=directory / "glass" / name / str(temperature)).last
    write(path, Atoms(atoms.symbols, atoms.positions.round(5), cell=atoms.cell, pbc=True))
    return path


def pair_glass(directory: Path, seed: int) -> Path:
    """Return where the glass of the pair potential is."""
    return directory / "pair" / f"glass-{seed}.extxyz"


def sorted_by_species(atoms: Atoms) -> Atoms:
    """Return the atoms, silicon first, as the topology has them."""
    found = atoms[np.argsort(-atoms.numbers, kind="stable")]
    assert isinstance(found, Atoms)
    return found


def fit(directory: Path, name: str, iterations: int) -> None:
    """Correct, or go on with it."""
    run = directory / "fit" / name
    if not (run / "conf.extxyz").exists():
        shutil.copytree(CASE, run, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
        shutil.copy(_measured(), run)
        shutil.copy(directory / f"train-{name[0]}" / "model.pt", run)
        shutil.copy(directory / "glass" / f"{name}.extxyz", run / "conf.extxyz")
    path = run / "settings.xml"
    text = re.sub(r"<iterations_max>\d+<", f"<iterations_max>{iterations}<", path.read_text())
    path.write_text(text)
    command = [sys.executable, "-m", "votca_mlp", "inverse", "--options", "settings.xml"]
    subprocess.run(command, cwd=run, check=True, stdout=subprocess.DEVNULL)


def by_iteration(run: Path) -> list[dict[str, Any]]:
    """Return R in each range of Q, chi2, bands and the structure of each iteration."""
    (source,) = scattering_sources(load_settings(run / "settings.xml"))
    data, rows = source.data, []
    for step in sorted(run.glob("step_*")):
        if not (step / "gauss_newton.json").exists():
            continue
        counted = read_observables(step).to_half_box(step)
        found = total(data, partial_factors(counted, data.q, data.resolution)).mean(axis=0)
        found += beyond(data, counted)
        row: dict[str, Any] = {"glass": run.name, "step": int(step.name.removeprefix("step_"))}
        for name, (low, end) in RANGES.items():
            inside = (data.q > low) & (data.q < end)
            row[f"R {name}"] = rounded(r_factor(data.values[inside], found[inside]))
        for group in json.loads((step / "gauss_newton.json").read_text()).values():
            row["chi2"] = rounded(group["data"][source.name]["chi2"])
        pressure = production_mean(read_facts(step), "pressure[bar]")
        row["pressure"] = None if pressure is None else number(pressure.mean, pressure.error)
        for name in ("Si-O", "O-O", "Si-Si"):
            band = np.loadtxt(step / f"{name}.dist.band", usecols=(0, 1, 2))
            there = band[:, 0] > 0.12
            row[f"band {name}"] = rounded(float(np.sqrt(np.mean(band[there, 2] ** 2))))
        rows.append(row | structure(read(step / "confout.extxyz")))  # type: ignore[arg-type]
    return rows


def structure(atoms: Atoms) -> dict[str, float]:
    """Return bonds and angles: Si-O below 2.1 Angstrom."""
    vectors = atoms.get_all_distances(mic=True, vector=True)
    lengths = np.linalg.norm(vectors, axis=2)
    silicon, oxygen = np.flatnonzero(atoms.numbers == 14), np.flatnonzero(atoms.numbers == 8)
    bonded = (lengths < 2.1) & (lengths > 0)
    angles = {"O-Si-O": (silicon, oxygen), "Si-O-Si": (oxygen, silicon)}
    bonds = lengths[np.ix_(silicon, oxygen)]
    counts = bonded[np.ix_(silicon, oxygen)].sum(axis=1)
    row = {"Si-O": float(bonds[bonds < 2.1].mean()), "share of four": float(np.mean(counts == 4))}
    for name, (middle, ends) in angles.items():
        found = []
        for atom in middle:
            near = [other for other in ends if bonded[atom, other]]
            for k, one in enumerate(near):
                for two in near[:k]:
                    cosine = vectors[atom, one] @ vectors[atom, two] / lengths[atom, one] / lengths[atom, two]
                    found.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
        row[f"angle {name}"], row[f"its spread, {name}"] = float(np.mean(found)), float(np.std(found))
    return {name: rounded(value) for name, value in row.items()}


def errors(network: Path) -> dict[str, dict[str, Any]]:
    """Return errors on held-out groups, as the network's card has them."""
    found: dict[str, dict[str, Any]] = {}
    card = network / "model.md"
    for line in card.read_text().splitlines() if card.exists() else ():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and cells[0] == "chgnet":
            numbers = {"frames": int(cells[2]), "rmse": float(cells[3]), "mae": float(cells[4])}
            found[cells[1]] = numbers | {"spread": float(cells[5]), "unit": cells[6]}
    return found


def _measured() -> Path:
    return Path(os.environ["VOTCA_MLP_DATA"]) / "dissolve_silica" / "SiO2_NIMROD.mint01"


def networks(directory: Path, layers: int, epochs: int, rounds: int) -> Path:
    """Return the folder of the last network: one of the chosen frames, and one a round of its own frames."""
    files = labels(directory)
    for past in range(rounds + 1):
        output = f"train-{past}"
        train(directory, output, layers, epochs, files)
        if past < rounds:
            files.append(own(directory, past + 1, directory / output))
        if past == 1 < rounds:
            files += more(directory, directory / output)
    return directory / output


def report(directory: Path, rounds: int, glasses: Sequence[str]) -> dict[str, Any]:
    """Return the tables."""
    runs = [directory / "fit" / name for name in glasses]
    rows = [row for run in runs if run.exists() for row in by_iteration(run)]
    tables: dict[str, Any] = {
        "glass": {},
        "iterations": rows,
        "summary": {},
    }
    for past in range(rounds + 1):
        tables[f"errors of {past}"] = errors(directory / f"train-{past}")
    if (directory / "kept.json").exists():
        tables["CHGNet itself"] = kept(directory)
    for name in glasses:
        seed = name.split("-")[1]
        paths = {
            f"pair {seed}": pair_glass(directory, int(seed)),
            name: directory / "glass" / f"{name}.extxyz",
        }
        there = {key: path for key, path in paths.items() if path.exists()}
        tables["glass"] |= {key: structure(read(path)) for key, path in there.items()}  # type: ignore[arg-type]
        of_one = [row for row in rows if row["glass"] == name]
        if of_one:
            ratios = {
                f"ratio {key}": of_one[-1][key] / of_one[0][key] for key in of_one[0] if key[:2] == "R "
            }
            first = {f"first {key}": value for key, value in of_one[0].items() if key != "glass"}
            last = {f"last {key}": value for key, value in of_one[-1].items() if key != "glass"}
            tables["summary"][name] = {k: rounded(v) for k, v in ratios.items()} | first | last
    settings = directory / f"train-{rounds}.yaml"
    used = [one["file"] for one in json.loads(settings.read_text())["data"]] if settings.exists() else []
    frames = sum(len(read(directory / file, ":")) for file in used)
    tables["summary"]["all"] = {"frames": frames, "density": DENSITY}
    return tables


def main() -> None:
    """Make what is not there yet, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument("--layers", type=int, default=2, help="interaction layers of the network")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=1, help="of frames of the network's own")
    parser.add_argument(
        "--glasses", nargs="+", default=["1-1-1500", "1-1-700", "1-3-700"], help="NETWORK-SEED-K"
    )
    stages = ("label", "train", "glass", "fit", "report")
    parser.add_argument("--only", choices=stages, help="one stage alone; report: none")
    add_json(parser)
    options = parser.parse_args()
    directory = options.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)

    def wanted(stage: str) -> bool:
        return options.only in (None, stage)

    if wanted("label"):
        labels(directory)
        kept(directory)
    if wanted("train"):
        networks(directory, options.layers, options.epochs, options.rounds)
    for name in options.glasses:
        if wanted("glass"):
            glass(directory, name)
        if wanted("fit"):
            fit(directory, name, options.iterations)
    tables = report(directory, options.rounds, options.glasses)
    for name, table in tables.items():
        for row in table.items() if isinstance(table, dict) else table:
            print(name, row)
    if options.json:
        seeds = sorted({int(name.split("-")[1]) for name in options.glasses})
        write_result(options.json, tables, seeds=seeds, made_by=command().replace(" --only report", ""))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
