#!/usr/bin/env python3
"""Fusion with a known answer: liquid aluminium as a perturbed model has it, found again from the shipped one.

    scripts/fusion_known_answer.py DIRECTORY [--seeds N...] [--ways WAY...] [--iterations N] [--production PS]
                                   [--json FILE]

The truth is the shipped HIP-NN with all free parameters changed along a random direction, so far that the
change of U/kBT varies by --size over frames of the liquid: more than one reweighting can bridge. Its pressure
and g(r) at 1000 K are the experiment, with the errors of its simulation. Fusion begins at the shipped model.
Held out: the same at 1300 K. All are judged by fresh simulations of the same length. Labels hold the model as
those of DFT would: energies and forces with noise (5 meV/atom, 0.1 eV/Angstrom) on frames of the shipped
model at 1300 K. They are the truth's (--labels truth), so that truth, labels and experiment agree; or the
shipped model's, which contradict the experiment (the limits of the labels' errors exclude the truth then);
or none: then nothing is known of short distances.

Ways, each of which runs new trajectories as it needs them: "reuse" (n_eff rule and MBAR, the default),
"reuse, no wall" (nothing holds what pushing two atoms together costs), "last trajectory" (the rule, without
MBAR), "always new" (a trajectory each iteration), and Adam as the published DiffTRe has it (momenta 0.1 and
0.4, two rates), which gets as many trajectories as "reuse" needed. Each stage leaves a file in a folder for
each seed and is skipped when that is there. "wall" is what pushing two atoms together costs, over that before
fusion.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from fusion_stages import kept, say
from results_file import Json, add_json, number, write_result

from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.models.load import builtin_models
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import Labels, LabelTerm, labels_of
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.observables.protocol import FrameObservable, measure_all, uniform
from votca_mlp.training.fusion.observables.stress import Pressure
from votca_mlp.training.fusion.observables.structure import RadialDistribution
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.pool import StatePool, Trajectory, energies_of
from votca_mlp.training.fusion.simulate import simulate
from votca_mlp.training.fusion.states import StatePoint
from votca_mlp.training.fusion.wall import Wall
from votca_mlp.training.labelled import labelled_frames

LEARNT, HELD = 1000.0, 1300.0
"""K."""
ATOMS, VOLUME, NEAREST = 108, 19.0, 2.2
"""Number, Angstrom^3 an atom, Angstrom: the nearest that two atoms are at the start."""
RADII = np.arange(2.2, 6.0, 0.2)
"""Angstrom."""
LEAST_ERRORS = {"pressure": 200.0, "g": 0.01}
"""bar, and of g(r): below it an error of a simulation is not believed."""
NOISE = {"energies": 0.005, "forces": 0.1}
"""Of the labels, eV/atom and eV/Angstrom."""
LABELS = "reference"
RATES = (2e-4, 1e-3)
"""Of Adam; the first is the published one."""
MOST_STEPS = 60
WAYS = {
    "reuse": (0.5, 3, 0.3),
    "reuse, no wall": (0.5, 3, 0.0),
    "last trajectory": (0.5, 1, 0.3),
    "always new": (1.0, 1, 0.3),
}
"""Least n_eff of a trajectory, how many are kept, and the share of the repulsive wall that is held."""


def melt() -> Atoms:
    """Return atoms at random, none near another: from moved sites of a crystal some stay one at 1000 K."""
    edge, random = (ATOMS * VOLUME) ** (1 / 3), np.random.default_rng(1)
    found = np.empty((0, 3))
    while len(found) < ATOMS:
        point = edge * random.random(3)
        apart = found - point
        apart -= edge * np.round(apart / edge)
        if not len(found) or np.linalg.norm(apart, axis=1).min() > NEAREST:
            found = np.vstack([found, point])
    return Atoms(f"Al{ATOMS}", found, cell=[edge] * 3, pbc=True)


def liquid(temperature: float, production: float) -> StatePoint:
    """Return the state of a melt; production in ps."""
    return StatePoint(
        f"{temperature:.0f}K",
        temperature,
        melt(),
        timestep=3.0,
        equilibration=2000.0,
        production=1000.0 * production,
        sample_every=150.0,
    )


def observables(temperature: float) -> list[FrameObservable]:
    """Return pressure and g(r)."""
    return [Pressure(temperature, ATOMS), RadialDistribution(("Al", "Al"), RADII)]


def sampled(copies: Copies, temperature: float, production: float, place: Path, seed: int) -> StoredFrames:
    """Return frames of a fresh simulation."""
    state = liquid(temperature, production)
    return simulate(state, copies, place / state.name, 1, state.start, seed)


def observed(copies: Copies, temperature: float, frames: StoredFrames) -> Json:
    """Return pressure (bar) and g(r) of frames with their errors."""
    both = observables(temperature)
    with torch.no_grad():
        values = measure_all(copies.double, frames, both)
    weights = uniform(frames)
    return {
        name: {"values": each.value(weights, values).tolist(), "errors": each.error(weights, values).tolist()}
        for name, each in zip(("pressure", "g"), both, strict=True)
    }


@dataclass(frozen=True)
class Seed:
    """A seed's folder and settings."""

    number: int
    place: Path
    options: argparse.Namespace

    def judged(self, name: str, vector: torch.Tensor | None = None) -> Json:
        """Return both temperatures with some parameters (None: the shipped ones) by fresh simulations."""

        def make() -> Json:
            copies = Copies(shipped())
            if vector is not None:
                copies.put(vector)
            found: Json = {}
            for k, temperature in enumerate((LEARNT, HELD)):
                frames = sampled(
                    copies, temperature, self.options.judge, self.place / name, 100 * self.number + k
                )
                found[f"{temperature:.0f}K"] = observed(copies, temperature, frames)
            return found

        def judged() -> Json:
            try:
                return make()
            except UserError as error:  # a model that fails is a result, too
                say(f"seed {self.number} {name}: {error.what}")
                return {"failed": error.what}

        return kept(self.place / f"{name}.json", judged)

    def labels(self, whose: str | None = None) -> Labels | None:
        """Return noisy labels of the truth or the shipped model on frames of the latter, as --labels says."""
        whose = whose or self.options.labels
        if whose == "none":
            return None
        model, random = shipped(), np.random.default_rng(self.number)
        copies = Copies(model)
        frames = sampled(copies, HELD, self.options.judge, self.place / "before", 100 * self.number + 1)
        if whose == "truth":
            copies.put(truth(self))
        evaluator, atoms = PairListEvaluator(copies.single), []
        given: dict[str, list[object]] = {"energies": [], "forces": []}
        for k in range(0, len(frames), 2):
            atoms.append(
                Atoms(
                    frames.numbers.numpy(),
                    frames.positions[k].numpy(),
                    cell=frames.cells[k].numpy(),
                    pbc=True,
                )
            )
            found = evaluator.evaluate(atoms[-1])
            noise = random.normal(size=found.forces.shape)
            given["energies"].append(found.energy + len(noise) * NOISE["energies"] * random.normal())
            given["forces"].append(found.forces + NOISE["forces"] * noise)
        names = [str(k) for k in range(len(atoms))]
        labelled = labelled_frames(atoms, {LABELS: given}, names, names)
        return labels_of(labelled, np.arange(len(atoms)), model, LABELS)


def shipped() -> HipnnModel:
    """Return the shipped model of aluminium."""
    return load_hipnn(builtin_models()["al-hipnn"])


def truth(seed: Seed) -> torch.Tensor:
    """Return the truth's parameters: a random direction, as far as --size says over shipped frames."""
    path = seed.place / "truth.pt"
    if not path.exists():
        copies = Copies(shipped())
        frames = sampled(copies, LEARNT, seed.options.judge, seed.place / "before", 100 * seed.number)
        here, before = copies.vector, energies_of(copies.double, frames)
        random = torch.Generator().manual_seed(seed.number)
        direction = here.abs() * torch.randn(len(here), generator=random, dtype=torch.float64)
        beta = liquid(LEARNT, 8.0).beta

        def spread(step: float) -> float:
            copies.put(here + step * direction)
            return beta * float((energies_of(copies.double, frames) - before).std())

        low, high = 0.0, 1e-3
        while spread(high) < seed.options.size:
            low, high = high, 2.0 * high
        for _ in range(10):  # not linear: the length is found by halving
            middle = 0.5 * (low + high)
            low, high = (middle, high) if spread(middle) < seed.options.size else (low, middle)
        torch.save(here + high * direction, path)
    found: torch.Tensor = torch.load(path, weights_only=True)
    return found


def excluded(seed: Seed) -> Json:
    """Return the truth's errors on labels of the shipped model, over that one's."""
    copies, labels = Copies(shipped()), seed.labels("shipped")
    assert labels is not None
    before = labels.errors(copies.single)
    copies.put(truth(seed))
    return {kind: error / before[kind] for kind, error in labels.errors(copies.single).items()}


def experiments(known: Json) -> list[Experiment]:
    """Return the truth's values as measured, with their errors."""
    found = []
    for name, each in zip(("pressure", "g"), observables(LEARNT), strict=True):
        columns = [
            torch.tensor(known[f"{LEARNT:.0f}K"][name][k], dtype=torch.float64) for k in ("values", "errors")
        ]
        found.append(Experiment(f"{LEARNT:.0f}K", each, columns[0], columns[1].clamp(min=LEAST_ERRORS[name])))
    return found


def fused(seed: Seed, way: str, known: Json) -> Json:
    """Return the course of a fusion and its parameters."""

    def make() -> Json:
        effective, keep, wall = WAYS[way]
        many = seed.options.iterations
        fusion = Fusion(
            shipped(),
            [liquid(LEARNT, seed.options.production)],
            experiments(known),
            seed.labels(),
            None,
            seed.place / way.replace(" ", "_"),
            FusionOptions(iterations=many, seed=seed.number, effective=effective, keep=keep, wall=wall),
            report=lambda line: say(f"seed {seed.number} {way}: {line}"),
        )
        found = fusion.run()
        return {
            "ended": found.ended,
            "best": found.best,
            "closing": None if found.closing is None else found.closing.plain(),
            "trajectories": sum(found.trajectories.values()),
            "history": [each.plain() for each in found.history],
            "vector": fusion.copies.vector.tolist(),
        }

    return kept(seed.place / f"fused_{way.replace(' ', '_')}.json", make)


def adam(seed: Seed, rate: float, known: Json, budget: int) -> Json:
    """Return what Adam makes of as many trajectories, at the end of the last step that n_eff allows."""

    def make() -> Json:
        copies, state = Copies(shipped()), liquid(LEARNT, seed.options.production)
        pool, measured, number_of = StatePool(state, 3), experiments(known), 0
        labels = seed.labels()
        term = None
        if labels is not None:
            term = LabelTerm(labels, labels.errors(copies.single), labels.counts(copies.single))
        optimizer = torch.optim.Adam(copies.parameters, rate, betas=(0.1, 0.4))
        targets = torch.cat([each.values for each in measured])
        errors = torch.cat([each.errors for each in measured])
        course: list[float] = []
        start = state.start
        began = time.monotonic()
        while len(course) < MOST_STEPS:
            worth = pool.effective(energies_of(copies.double, pool.frames)) if pool.trajectories else 0.0
            if worth < FusionOptions.effective:
                if number_of == budget:
                    break
                number_of += 1
                place = seed.place / f"adam_{rate:g}" / f"{number_of:03d}"
                frames = simulate(state, copies, place, number_of, start, seed.number)
                start = state.start.copy()
                start.positions[:] = frames.positions[-1].numpy()
                pool.add(Trajectory(number_of, frames, copies.vector), copies)
            values = measure_all(copies.double, pool.frames, [each.observable for each in measured])
            weights = pool.weights(values["energy"])
            found = torch.cat([each.observable.value(weights, values) for each in measured])
            loss = 0.5 * ((found - targets) / errors).square().sum()
            course.append(2.0 * float(loss.detach()) / len(found))
            optimizer.zero_grad()
            loss.backward()
            zero, at = torch.zeros_like(copies.vector), 0
            slope = zero if term is None else term.gradient(copies.single, copies.singles)
            for parameter in copies.parameters:
                assert parameter.grad is not None
                parameter.grad += slope[at : at + parameter.numel()].reshape(parameter.shape)
                at += parameter.numel()
            optimizer.step()
            copies.put(copies.vector)
        say(f"seed {seed.number} Adam {rate:g}: {len(course)} steps, {course[0]:.3g} to {course[-1]:.3g}")
        seconds = time.monotonic() - began
        return {
            "trajectories": number_of,
            "course": course,
            "seconds": seconds,
            "vector": copies.vector.tolist(),
        }

    return kept(seed.place / f"fused_adam_{rate:g}.json", make)


def distances(found: Json, known: Json) -> Json:
    """Return how far fresh simulations are from the truth's: pressure in kbar, g(r), and chi^2 a value."""
    if "failed" in found:
        return {"failed": found["failed"]}
    row: Json = {}
    for temperature, kind in ((LEARNT, "learnt"), (HELD, "held")):
        ours, theirs = found[f"{temperature:.0f}K"], known[f"{temperature:.0f}K"]
        terms = []
        for name, scale in (("pressure", 1e-3), ("g", 1.0)):
            change = np.array(ours[name]["values"]) - np.array(theirs[name]["values"])
            joint = np.hypot(ours[name]["errors"], np.maximum(theirs[name]["errors"], LEAST_ERRORS[name]))
            row[f"{kind}_{name}"] = scale * float(np.sqrt(np.mean(change**2)))
            terms += ((change / joint) ** 2).tolist()
        row[f"{kind}_chi2"] = float(np.mean(terms))
    return row


def one_seed(seed: Seed) -> dict[str, Json]:
    """Return a row for each way."""
    seed.place.mkdir(parents=True, exist_ok=True)
    known = seed.judged("truth", truth(seed))
    rows = {"before": distances(seed.judged("before"), known)}
    # of labels of the shipped model, whichever are used
    rows["before"] |= {f"excluded_{kind}": ratio for kind, ratio in excluded(seed).items()}
    rows["before"]["truth_wall"] = wall_of(seed, truth(seed))
    budget = 0
    for way in (each for each in WAYS if each in seed.options.ways):
        found = fused(seed, way, known)
        budget = budget or found["trajectories"]
        history = found["history"]
        rows[way] = distances(
            seed.judged(f"after {way}".replace(" ", "_"), torch.tensor(found["vector"])), known
        )
        rows[way] |= {
            "steps": len(history) - 1,
            "wall": wall_of(seed, torch.tensor(found["vector"])),
            "trajectories": found["trajectories"],
            "chi2_fusion": history[found["best"]]["experiments"],
            "chi2_closing": (found["closing"] or {}).get("experiments"),
            "heaviest_labels": max(each["label_weight"] for each in history),
            "seconds_reuse": _mean([each["seconds"] for each in history if not each["new"]]),
            "seconds_new": _mean([each["seconds"] for each in history if each["new"]]),
            "seconds": sum(each["seconds"] for each in history),
        }
    for rate in RATES if "Adam" in seed.options.ways else ():
        found = adam(seed, rate, known, budget)
        name = f"Adam, rate {rate:g}"
        rows[name] = distances(seed.judged(f"after_adam_{rate:g}", torch.tensor(found["vector"])), known)
        rows[name] |= {
            "steps": len(found["course"]),
            "trajectories": found["trajectories"],
            "seconds": found["seconds"],
        }
    return rows


def wall_of(seed: Seed, vector: torch.Tensor) -> float | None:
    """Return the smallest share of what pushing two atoms together cost that some parameters leave."""
    copies = Copies(shipped())
    wall = Wall([liquid(LEARNT, seed.options.production)], copies, FusionOptions.wall)
    copies.put(vector.double())
    return wall.least()


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def tables(found: dict[int, dict[str, Json]]) -> Json:
    """Return rows by way and seed, and means over seeds with their errors."""
    runs = {
        f"{way}, seed {seed}": {
            k: v if isinstance(v, str) else number(v) for k, v in row.items() if v is not None
        }
        for seed, rows in found.items()
        for way, row in rows.items()
    }
    ways: Json = {}
    for way in next(iter(found.values())):
        ways[way] = {}
        for column in {k: None for rows in found.values() for k in rows[way]}:
            values = [rows[way][column] for rows in found.values() if rows[way].get(column) is not None]
            if column == "failed":
                ways[way]["failed"] = len(values)
            elif values:
                error = np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else None
                ways[way][column] = number(float(np.mean(values)), error)
    return {"runs": runs, "ways": ways}


def main() -> None:
    """Run the stages that have left nothing yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--ways", nargs="+", choices=[*WAYS, "Adam"], default=[*WAYS, "Adam"], help="Adam needs reuse"
    )
    parser.add_argument("--size", type=float, default=2.0, help="of the perturbation, in U/kBT")
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--production", type=float, default=9.0, help="of a trajectory of the fusion, ps")
    parser.add_argument("--judge", type=float, default=12.0, help="of the simulations that judge, ps")
    parser.add_argument("--labels", choices=["truth", "shipped", "none"], default="truth", help="whose")
    add_json(parser)
    options = parser.parse_args()
    if "Adam" in options.ways and "reuse" not in options.ways:
        parser.error("Adam gets as many trajectories as reuse needed: give both")
    torch.set_num_threads(1)
    found = {}
    for k in options.seeds:
        found[k] = one_seed(Seed(k, options.directory / f"seed_{k}", options))
        # what is there is kept, should a later seed be interrupted
        write_result(
            options.json,
            tables(found),
            units={"pressure": "kbar", "learnt_pressure": "kbar", "held_pressure": "kbar", "seconds": "s"},
            seeds=list(found),
        )


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
