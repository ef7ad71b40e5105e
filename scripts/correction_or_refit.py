#!/usr/bin/env python3
"""Correction or refit? Liquid aluminium's measured g(r) by u(r), by the network's weights, and by both.

    scripts/correction_or_refit.py DIRECTORY [--data FOLDER] [--seeds N...] [--iterations N] [--json FILE]

Ways to bring the shipped HIP-NN to the measured g(r) and density at 1023 K, with as much MD an iteration
(8 ps of 500 atoms):

model          as it is
u(r)           Gauss-Newton, the rule of second_order.py's case al_1023K
u(r), equal    that of its simulation whose g(r) is as near the measured one as that of "refit, loose"
refit          the weights by fusion, held by labels of melts and crystals, with fusion's default limits
refit, loose   likewise, but forces and energies may become twice and ten times as wrong as before
refit, melt    with those limits and labels of melts alone: what u(r) has seen of the world, and no more
both           u(r) by Gauss-Newton on top of "refit"

Labels are energies and forces of ANI-Al, which the shipped model was made of, on a few frames as its own
training had. Each is judged by simulations of its own: g(r) and density at 1023 K and at 1323 K (not trained
at), self-diffusion at the measured density, the crystal at 0 K, and forces beside ANI-Al's on the labelled
frames.
FOLDER has ani-al (VOTCA_MLP_DATA). Each stage leaves a file and is skipped when that is there.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from al_hipnn.recipe import LEVEL, assemble, held_out, kinds_of, read, sample_and_label
from al_hipnn.sampling import plan
from ase import Atoms
from fusion_stages import fused, kept, say
from results_file import ROOT, Json, add_directory, number, parsed, write_result
from second_order import SPREAD, Case, assael, make

from votca_mlp.api.correction import Correction
from votca_mlp.api.model import Model, load_model
from votca_mlp.api.simulate import rdf, simulate
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.start import read_configuration
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.solid import cold_curve, elastic_constants
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.observables.diffusion import self_diffusion
from votca_mlp.runs.reading import RunStep, read_run
from votca_mlp.tables import Table, make_table, read_table
from votca_mlp.targets.agreement import compare_tables
from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import labels_of
from votca_mlp.training.fusion.observables.cell import Density
from votca_mlp.training.fusion.observables.structure import RadialDistribution
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.states import StatePoint
from votca_mlp.training.judge import evaluated
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.sources.writing import write_frames

LEARNT, OTHER = 1023.0, 1323.0
"""K."""
REACH = (2.0, 9.5)
"""Angstrom: where g(r) is compared in the fusion."""
ERROR = 0.02
"""Of the measured g(r): assumed, the table has none."""
PRODUCTION = 8000.0
"""fs, of a trajectory, as that of a Gauss-Newton iteration."""
EVERY = 2
"""Of the shipped model's training trajectories are sampled again."""
MELTS = ("liquid", "hot", "close")
LOOSE = {"energy": 10.0, "force": 2.0, "stress": 10.0}
"""Limits of the labels' errors over those before."""
REFITS = {"refit": (False, None), "refit, loose": (False, LOOSE), "refit, melt": (True, LOOSE)}
"""Whether labels are of melts alone, and limits; None: the default ones."""
LATTICE, WIDTH, POINTS = 4.05, 0.05, 21
"""Angstrom, relative, number: the middle of the cold curve, how far it goes on both sides, its points."""
PAIR = ("Al", "Al")
WAYS = ["model", "u(r)", *REFITS, "u(r), equal", "both"]
NAME = "correction_or_refit"


@dataclass(frozen=True)
class Way:
    """A potential: a model with or without u(r), and how much was simulated for it, in ps."""

    model: Model
    correction: Correction | None = None
    simulated: float = 0.0

    def evaluator(self) -> Evaluator:
        """Return it in double precision."""
        exact = replace(self.model, options=self.model.options.model_copy(update={"dtype": "float64"}))
        return exact.evaluator(None if self.correction is None else self.correction.potential())


def labelled(options: argparse.Namespace) -> LabelledFrames:
    """Return frames with ANI-Al's labels, far fewer than the shipped model was trained to."""
    directory: Path = options.directory
    path = directory / "labels.npz"
    if not path.exists():
        ani = load_model(options.data / "ani-al" / "model-Al-75", kind="ani").evaluator()
        runs = plan(options.scale)
        found = sample_and_label(runs, shipped().evaluator(), ani, "Al", range(0, len(runs), EVERY))
        write_frames(path, assemble([found], ani))
    return read(path)


def shipped() -> Model:
    """Return the shipped model."""
    return load_model("builtin:al-hipnn")


def gauss_newton(options: argparse.Namespace, case: str, seed: int, model: Path | None, steps: int) -> Way:
    """Return u(r) that the last simulation of a Gauss-Newton run was made with, on a model."""
    own = None if model is None else ("hippynn", str(model.absolute()))
    run = options.directory / case / "gauss_newton" / str(seed)
    settings = Case("al_quickstart", density=assael(LEARNT), model=own)
    stopped = make(run, settings, "gauss_newton", seed, steps, options.directory / case)
    if stopped:
        say(f"{case}, seed {seed}: {stopped}")
    return corrected(read_run(run).measured[-1], shipped() if model is None else load_model(model))


def corrected(simulated: RunStep, model: Model) -> Way:
    """Return a model with the u(r) that an iteration of the inversion was simulated with."""
    table = read_table(simulated.directory / "Al-Al.pot.cur")
    correction = Correction({PAIR: table}, LEARNT, 1.0)
    return Way(model, correction, simulated.number * (PRODUCTION + 1000.0) / 1000.0)


def as_near(options: argparse.Namespace, seed: int, rms: float) -> Way:
    """Return u(r) of the simulation whose RMS of g(r) is nearest to the given one; the run is there."""
    run = options.directory / "al_1023K" / "gauss_newton" / str(seed)

    def off(simulated: RunStep) -> float:
        found = compare_tables(read_table(simulated.directory / "Al-Al.dist.new"), measured(LEARNT))
        return abs(found.rms - rms)

    return corrected(min(read_run(run).measured, key=off), shipped())


def start() -> Atoms:
    """Return 500 atoms of the melt at 1023 K."""
    return read_configuration(ROOT / "settings" / "al_quickstart" / "conf.extxyz")


def refit(options: argparse.Namespace, seed: int, frames: LabelledFrames, name: str) -> Path:
    """Return the file of the model whose weights were changed."""
    directory: Path = options.directory
    place = directory / f"seed_{seed}" / folder_of(name)
    melts, limits = REFITS[name]
    place.mkdir(parents=True, exist_ok=True)
    model = load_hipnn(builtin_models()["al-hipnn"])
    chosen = np.isin(kinds_of(frames), MELTS) if melts else np.ones(len(frames), bool)
    held = held_out(frames)
    state = StatePoint(
        "liquid",
        LEARNT,
        start(),
        pressure=1.0,
        timestep=2.0,
        equilibration=1000.0,
        production=PRODUCTION,
        sample_every=100.0,
    )
    target = measured(LEARNT)
    inside = (target.x > REACH[0] / 10.0 - 1e-6) & (target.x < REACH[1] / 10.0 + 1e-6)
    g = torch.from_numpy(target.y[inside])
    density = torch.tensor([assael(LEARNT)], dtype=torch.float64)
    experiments = [
        Experiment("liquid", RadialDistribution(PAIR, 10.0 * target.x[inside]), g, torch.full_like(g, ERROR)),
        Experiment("liquid", Density(float(state.start.get_masses().sum())), density, SPREAD * density),
    ]

    def fusion(folder: Path) -> Fusion:
        return Fusion(
            model,
            [state],
            experiments,
            labels_of(frames, np.flatnonzero(chosen & ~held), model, LEVEL),
            labels_of(frames, np.flatnonzero(chosen & held), model, LEVEL),
            folder,
            FusionOptions(iterations=options.iterations, seed=seed)
            if limits is None
            else FusionOptions(iterations=options.iterations, seed=seed, limits=limits),
            report=lambda line: say(f"seed {seed} {name}: {line}"),
        )

    fused(place, fusion, NAME)
    return place / "fused.pt"


def folder_of(name: str) -> str:
    """Return the folder of a way."""
    return name.replace(", ", "_").replace("(r)", "")


def refitted(path: Path) -> Way:
    """Return the model of a file as a way."""
    made = len(list((path.parent / "fusion" / "liquid").iterdir()))
    return Way(load_model(path), None, made * (PRODUCTION + 1000.0) / 1000.0)


def measured(temperature: float) -> Table:
    """Return the measured g(r); r in nm."""
    folder = "al_quickstart" if temperature == LEARNT else f"al_{temperature:.0f}K"
    return read_table(ROOT / "settings" / folder / "Al-Al.dist.tgt")


def liquid(way: Way, temperature: float, place: Path, seed: int, length: float) -> Json:
    """Return RMS of g(r) and density (kg/m3) of a simulation at 1 bar."""
    md = MDPlan(
        temperature=temperature,
        timestep=2.0,
        first_equilibration=2000.0,
        production=length,
        sample_every=50.0,
        seed=seed,
    )
    found = simulate(
        way.model, start(), md, correction=way.correction, directory=place / f"{temperature:.0f}K"
    )
    blocks = max(1, len(found.frames) // 12)
    ours = rdf(found, PAIR, r_max=10.0, block_length=blocks)
    made = compare_tables(make_table(ours.r / 10.0, ours.g, yerr=ours.error), measured(temperature))
    density = found.means["density[kg/m3]"]
    off = 100.0 / assael(temperature)
    return {
        "rms": [made.rms, made.rms_error],
        "density": [off * density.mean - 100.0, off * density.error],
    }


def diffusion(way: Way, place: Path, seed: int, length: float) -> list[float]:
    """Return the self-diffusion at 1023 K and the measured density, 1e-9 m2/s."""
    atoms = start()
    ratio = atoms.get_masses().sum() * 1660.53907 / assael(LEARNT) / atoms.get_volume()
    atoms.set_cell(atoms.cell.array * ratio ** (1 / 3), scale_atoms=True)
    md = MDPlan(
        temperature=LEARNT,
        ensemble="nvt",
        timestep=2.0,
        first_equilibration=2000.0,
        production=length,
        sample_every=20.0,
        seed=seed,
    )
    found = simulate(way.model, atoms, md, correction=way.correction, directory=place / "nvt")
    d = self_diffusion(found.frames, 20.0, pieces=max(2, round(length / 1000.0)), fit_from=200.0)
    return [1e9 * d.mean, 1e9 * d.error]


def crystal(way: Way) -> Json:
    """Return lattice constant, bulk modulus and elastic constants at 0 K, and the cold curve in eV/atom."""
    evaluator = way.evaluator()
    found: Json = {}
    try:
        curve = cold_curve(evaluator, "Al", "fcc", LATTICE, width=WIDTH, points=POINTS)
        found = {"curve": curve.energies.tolist(), "constant": curve.constant}
        found |= {"bulk_modulus": float(curve.bulk_modulus)}
        found |= elastic_constants(evaluator, "Al", "fcc", curve.constant)
    except UserError as error:  # a crystal that is none is a result, too
        found["failed"] = error.what
    return found


def forces(way: Way, frames: LabelledFrames) -> Json:
    """Return the root mean square difference of forces from ANI-Al's by kind of frame, meV/Angstrom."""
    found = evaluated(way.evaluator(), frames)
    off = np.square(found.forces - frames.levels[LEVEL].forces).mean(1)
    kinds = kinds_of(frames)[frames.frame_of_atom]
    return {kind: 1e3 * float(np.sqrt(off[kinds == kind].mean())) for kind in sorted(set(kinds.tolist()))}


def judged(options: argparse.Namespace, way: Way, place: Path, seed: int, frames: LabelledFrames) -> Json:
    """Return what a way gives."""
    length = 1000.0 * options.judge
    found: Json = {"simulated": way.simulated, "forces": forces(way, frames), "crystal": crystal(way)}
    stages: dict[str, Callable[[], object]] = {
        "learnt": lambda: liquid(way, LEARNT, place, 100 + seed, length),
        "other": lambda: liquid(way, OTHER, place, 200 + seed, length),
        "diffusion": lambda: diffusion(way, place, 300 + seed, length),
    }
    for name, stage in stages.items():
        try:
            found[name] = kept(place / f"{name}.json", lambda stage=stage: {"found": stage()})["found"]  # type: ignore[misc]
        except UserError as error:  # so is a liquid that falls apart
            found[name] = {"failed": error.what}
    return found


def one_seed(options: argparse.Namespace, seed: int, frames: LabelledFrames) -> dict[str, Json]:
    """Return what each way gives."""
    place = options.directory / f"seed_{seed}"
    place.mkdir(parents=True, exist_ok=True)
    found: dict[str, Json] = {}

    def judge(name: str, make_way: Callable[[], Way]) -> None:
        folder = place / folder_of(name)
        folder.mkdir(exist_ok=True)
        path = folder / "judged.json"
        found[name] = kept(path, lambda: judged(options, make_way(), folder, seed, frames))
        say(f"seed {seed} {name}: {found[name]}")

    steps, both = options.steps, place / "refit" / "fused.pt"
    ways: dict[str, Callable[[], Way]] = {
        "model": lambda: Way(shipped()),
        "u(r)": lambda: gauss_newton(options, "al_1023K", seed, None, steps),
        **{
            name: lambda name=name: refitted(refit(options, seed, frames, name))  # type: ignore[misc]
            for name in REFITS
        },
        "u(r), equal": lambda: as_near(options, seed, found["refit, loose"]["learnt"]["rms"][0]),
        "both": lambda: gauss_newton(options, "both", seed, both, options.steps_both),
    }
    for name in options.ways:
        judge(name, ways[name])
    return found


def row(found: Json, model: Json) -> Json:
    """Return a way's numbers with their own errors."""
    cells: Json = {"simulated": found["simulated"]}
    for name, suffix in (("learnt", ""), ("other", "_other")):
        for what in ("rms", "density"):
            cells[what + suffix] = found[name].get(what)
    if isinstance(found["diffusion"], list):
        cells["diffusion"] = found["diffusion"]
    if "curve" in found["crystal"]:
        change = np.subtract(found["crystal"]["curve"], model["crystal"]["curve"])
        cells["cold_curve"] = 1e3 * float(np.sqrt(np.mean((change - change.mean()) ** 2)))
    cells |= {k: v for k, v in found["crystal"].items() if k not in ("curve", "failed")}
    cells |= {f"force_{kind}": value for kind, value in found["forces"].items()}
    return {k: v for k, v in cells.items() if v is not None}


def tables(found: dict[int, dict[str, Json]]) -> Json:
    """Return rows by way and seed, and means over the seeds with their standard errors."""
    runs = {
        f"{way}, seed {seed}": row(each, ways["model"])
        for seed, ways in found.items()
        for way, each in ways.items()
    }
    means: Json = {}
    for way in next(iter(found.values())):
        rows = [runs[f"{way}, seed {seed}"] for seed in found]
        means[way] = {}
        for name in rows[0]:
            values = [each[name] for each in rows if name in each]
            pairs = [value if isinstance(value, list) else [value, None] for value in values]
            plain = np.array([value for value, _ in pairs])
            error = float(plain.std(ddof=1) / len(plain) ** 0.5) if len(plain) > 1 else pairs[0][1]
            means[way][name] = number(float(plain.mean()), error)
    shown = {
        label: {k: number(*v) if isinstance(v, list) else number(v) for k, v in each.items()}
        for label, each in runs.items()
    }
    return {"ways": means, "runs": shown}


def main() -> None:
    """Run the stages that have left nothing yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_directory(parser, [1, 2, 3])
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS, default=WAYS, help="some, in their order; model is needed"
    )
    parser.add_argument("--scale", type=float, default=0.1, help="of the number of labelled frames")
    parser.add_argument("--iterations", type=int, default=20, help="of the fusion, at most")
    parser.add_argument("--steps", type=int, default=6, help="of Gauss-Newton on the model")
    parser.add_argument("--steps-both", type=int, default=3, help="of Gauss-Newton on the refitted model")
    parser.add_argument("--judge", type=float, default=8.0, help="of the simulations that judge, ps")
    options = parsed(parser, "ani-al")
    options.directory.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    frames, found = labelled(options), {}
    for seed in options.seeds:
        found[seed] = one_seed(options, seed, frames)
        # what is there is kept, should a later seed be interrupted
        write_result(
            options.json,
            tables(found),
            units={
                "simulated": "ps",
                "density": "% from the measured",
                "density_other": "% from the measured",
                "diffusion": "1e-9 m2/s",
                "cold_curve": "meV/atom, rms of the change",
                "constant": "Angstrom",
                **dict.fromkeys(("bulk_modulus", "C11", "C12", "C44"), "GPa"),
                "force": "meV/Angstrom, rms from ANI-Al's",
            },
            seeds=list(found),
        )


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
