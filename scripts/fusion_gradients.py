#!/usr/bin/env python3
"""Fusion's derivatives against central differences: every observable, by the weights of aluminium's HIP-NN.

    scripts/fusion_gradients.py [--directions N] [--step H] [--json FILE]

Random numbers are common: both sides of a difference are averages over the same stored frames, of two
trajectories of a crystal that were sampled with different parameters and are one sample by MBAR, with the
weights of the parameters at hand. (Two simulations with one seed part soon, as MD is chaotic: their
difference is then that of two samples.) At constant volume: energy, stress, pressure, elastic constants,
g(r), S(Q), angles; at constant pressure: density and lattice constant; at rest: energy difference, elastic
constants, lattice constant. Reported is the largest deviation over values and random directions, over the
root mean square of the derivatives.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from fusion_stages import say
from results_file import Json, add_json, number, write_result

from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.models.load import builtin_models
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment, RestExperiment
from votca_mlp.training.fusion.observables.angles import AngleDistribution
from votca_mlp.training.fusion.observables.cell import Density, LatticeConstants
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.frames import stored_frames
from votca_mlp.training.fusion.observables.protocol import FrameObservable
from votca_mlp.training.fusion.observables.rest import (
    ColdElasticConstants,
    ColdLattice,
    EnergyDifference,
    RestObservable,
)
from votca_mlp.training.fusion.observables.stress import MeanEnergy, Pressure, StressTensor
from votca_mlp.training.fusion.observables.structure import RadialDistribution, StructureFactor
from votca_mlp.training.fusion.pool import StatePool, Trajectory
from votca_mlp.training.fusion.response import Response, respond, respond_at_rest
from votca_mlp.training.fusion.simulate import simulate
from votca_mlp.training.fusion.states import StatePoint

TEMPERATURE, LATTICE = 600.0, 4.08
"""K, Angstrom."""
AWAY = 2e-4
"""Relative change of the parameters that the second trajectory was sampled with."""
PAIR = ("Al", "Al")


def crystal(repeat: int = 3) -> Atoms:
    """Return fcc aluminium."""
    found: Atoms = bulk("Al", "fcc", a=LATTICE, cubic=True).repeat(repeat)
    return found


def at_constant_volume() -> dict[str, FrameObservable]:
    """Return observables by name."""
    atoms = len(crystal())
    return {
        "energy": MeanEnergy(atoms),
        "stress": StressTensor(TEMPERATURE, atoms),
        "pressure": Pressure(TEMPERATURE, atoms),
        "elastic constants": ElasticConstants(TEMPERATURE, atoms, "cubic"),
        "g(r)": RadialDistribution(PAIR, np.arange(2.5, 5.5, 0.25)),
        "S(Q)": StructureFactor(np.arange(1.0, 8.0, 0.5), 6.0, {PAIR: 1.0}),
        "angles": AngleDistribution(3.5, 18),
    }


def at_constant_pressure() -> dict[str, FrameObservable]:
    """Return observables by name."""
    return {
        "density": Density(float(crystal().get_masses().sum())),
        "lattice constant": LatticeConstants({"a": [(0, 3.0), (1, 3.0), (2, 3.0)]}),
    }


def at_rest() -> dict[str, RestObservable]:
    """Return observables by name."""
    cell, other = (stored_frames([bulk("Al", kind, a=a)]) for kind, a in (("fcc", LATTICE), ("bcc", 3.25)))
    return {
        "energy difference, at rest": EnergyDifference(cell, other),
        "elastic constants, at rest": ColdElasticConstants(cell, "cubic"),
        "lattice constant, at rest": ColdLattice(cell, {"a": [(0, 0.5**0.5)]}),
    }


def sampled(copies: Copies, pressure: float | None, folder: Path) -> StatePool:
    """Return two short trajectories, of the parameters at hand and of others near them."""
    state = StatePoint(
        "crystal",
        TEMPERATURE,
        crystal(),
        pressure=pressure,
        timestep=3.0,
        equilibration=300.0,
        production=900.0,
        sample_every=90.0,
    )
    pool, here = StatePool(state), copies.vector
    random = torch.randn(len(here), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for k, vector in enumerate((here + AWAY * here.abs() * random, here), 1):
        copies.put(vector)
        frames = simulate(state, copies, folder / f"{pressure} {k}", k, pool.last(), 1)
        pool.add(Trajectory(k, frames, vector), copies)
    return pool


def compared(
    evaluate: Callable[[bool], Response], labels: list[str], copies: Copies, options: argparse.Namespace
) -> dict[str, Json]:
    """Return a row for each observable, whose values have the labels."""
    rows = evaluate(True).rows
    assert rows is not None
    here, random = copies.vector, torch.Generator().manual_seed(1)
    exact, differences = [], []
    for _ in range(options.directions):
        direction = here.abs() * torch.randn(len(here), generator=random, dtype=torch.float64)
        sides = []
        for sign in (1.0, -1.0):
            copies.put(here + sign * options.step * direction)
            sides.append(evaluate(False).values)
        copies.put(here)
        exact.append(rows @ direction)
        differences.append((sides[0] - sides[1]) / (2.0 * options.step))
    slopes, off = torch.stack(exact), torch.stack(exact) - torch.stack(differences)
    found = {}
    for name in dict.fromkeys(labels):
        mine = torch.tensor([label == name for label in labels])
        size = float(slopes[:, mine].square().mean().sqrt())
        found[name] = {
            "values": int(mine.sum()),
            "deviation": number(float(off[:, mine].abs().max()) / size),
        }
        say(f"{name}: {found[name]}")
    return found


def of_state(pool: StatePool, observables: dict[str, FrameObservable]) -> list[Experiment]:
    """Return experiments whose values do not matter."""
    found = []
    for each in observables.values():
        zero = torch.zeros(len(each.labels), dtype=torch.float64)
        found.append(Experiment(pool.state.name, each, zero, zero + 1.0))
    return found


def main() -> None:
    """Compare all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--directions", type=int, default=3)
    parser.add_argument("--step", type=float, default=1e-6, help="relative, of the parameters")
    add_json(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    copies = Copies(load_hipnn(builtin_models()["al-hipnn"]))
    table: Json = {}
    with tempfile.TemporaryDirectory() as folder:
        for pressure, make in ((None, at_constant_volume), (1.0, at_constant_pressure)):
            pool, observables = sampled(copies, pressure, Path(folder)), make()
            known = of_state(pool, observables)
            labels = [name for name, each in observables.items() for _ in each.labels]

            def evaluate(rows: bool, pool: StatePool = pool, known: list[Experiment] = known) -> Response:
                return respond(pool, known, copies, probes=1 if rows else None)

            table |= compared(evaluate, labels, copies, options)
    rest = []
    for each in at_rest().values():
        zero = torch.zeros(len(each.labels), dtype=torch.float64)
        rest.append(RestExperiment(each, zero, zero + 1.0))
    labels = [name for name, each in at_rest().items() for _ in each.labels]
    table |= compared(lambda rows: respond_at_rest(rest, copies, rows=rows), labels, copies, options)
    write_result(options.json, {"observables": table}, units={}, seeds=[1])


if __name__ == "__main__":
    main()
