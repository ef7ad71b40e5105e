#!/usr/bin/env python3
"""Elastic constants by fluctuations against slopes of the stress, and what a Born term costs.

    scripts/elastic_proof.py [--replicas N] [--steps N] [--temperature K] [--json FILE]

The crystal is Lennard-Jones argon, 32 atoms of fcc at constant cell, so small that both sides are known well.
Langevin dynamics of independent replicas gives C11, C12 and C44 by the fluctuation formula and, of strained
cells, by differences of the mean stress. At 0 K lattice sums say what they are. The errors by blocks stand
beside the scatter of the replicas. The ways to a Born term are timed on 150 atoms of a HIP-NN.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from ase.build import bulk
from results_file import Json, add_json, number, write_result

from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn
from votca_mlp.models.lennard_jones import LennardJones, lennard_jones_mixture
from votca_mlp.training.fusion.observables.by_autograd import (
    autograd_derivatives,
    frame_energies,
    strained_energies,
)
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.frames import PairChunk, StoredFrames, pair_chunk, stored_frames
from votca_mlp.training.fusion.observables.one_layer import one_layer_derivatives
from votca_mlp.training.fusion.observables.protocol import measure_all, uniform
from votca_mlp.training.fusion.observables.static import cold_elastic_constants
from votca_mlp.training.fusion.observables.stress import StressTensor
from votca_mlp.training.fusion.observables.voigt import dyads_of, tensor_of
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3, EV_FS2_PER_ANGSTROM2_PER_AMU, KB_EV_PER_K

GPA = 1e-4 * BAR_PER_EV_PER_ANGSTROM3
MASS = 39.95 * EV_FS2_PER_ANGSTROM2_PER_AMU
LATTICE, CUTOFF, SKIN = 5.3, 6.0, 1.2  # Angstrom
TIMESTEP, FRICTION, EVERY = 8.0, 0.002, 25  # fs, 1/fs, steps
STRAIN = 0.006
CONSTANTS = ("C11", "C12", "C44")


def argon() -> LennardJones:
    """Return Lennard-Jones argon."""
    return lennard_jones_mixture({"Ar": [0.0104, 3.4]}, CUTOFF)


def crystal(strain: tuple[int, float] | None = None) -> StoredFrames:
    """Return the crystal, strained by an element in Voigt's order."""
    frames = stored_frames([bulk("Ar", "fcc", a=LATTICE, cubic=True).repeat(2)])
    if strain is None:
        return frames
    elements = torch.zeros(6, dtype=torch.float64)
    elements[strain[0]] = strain[1]
    deformation = torch.eye(3, dtype=torch.float64) + tensor_of(elements, strain=True)
    return StoredFrames(frames.numbers, frames.positions @ deformation, frames.cells @ deformation)


def sample(model: LennardJones, start: StoredFrames, options: argparse.Namespace) -> list[StoredFrames]:
    """Return the frames of each replica: Langevin dynamics (BAOAB) on a list that a crystal never leaves."""
    random, kbt = torch.Generator().manual_seed(options.seed), KB_EV_PER_K * options.temperature
    count, atoms = options.replicas, start.n_atoms
    chunk = pair_chunk(start.take([0] * count), CUTOFF + SKIN)
    x = start.positions.repeat(count, 1, 1).reshape(-1, 3)
    shift = chunk.vectors - x[chunk.second] + x[chunk.first]

    def normal() -> torch.Tensor:
        return torch.randn(x.shape, generator=random, dtype=torch.float64)

    def force() -> torch.Tensor:
        vectors = x[chunk.second] - x[chunk.first] + shift
        _, gradient = model.energies_and_gradient(chunk.numbers, chunk.first, chunk.second, vectors)
        return torch.zeros_like(x).index_add_(0, chunk.first, 2.0 * gradient)

    v, f, damping = normal() * (kbt / MASS) ** 0.5, force(), float(np.exp(-FRICTION * TIMESTEP))
    noise, kept = ((1.0 - damping**2) * kbt / MASS) ** 0.5, []
    for step in range(options.steps + options.steps // 10):
        v += 0.5 * TIMESTEP / MASS * f
        x += 0.5 * TIMESTEP * v
        v = damping * v + noise * normal()
        x += 0.5 * TIMESTEP * v
        f = force()
        v += 0.5 * TIMESTEP / MASS * f
        if step >= options.steps // 10 and step % EVERY == 0:
            kept.append(x.reshape(count, atoms, 3).clone())
    by_replica = torch.stack(kept, 1)
    cells = start.cells.expand(len(kept), 3, 3)
    return [StoredFrames(start.numbers, each, cells) for each in by_replica]


def by_fluctuations(model: LennardJones, options: argparse.Namespace) -> dict[str, tuple[float, ...]]:
    """Return constants in GPa with the scatter of replicas and the blocks' error, both of the mean."""
    observable = ElasticConstants(options.temperature, 32, "cubic")
    values, errors = [], []
    for frames in sample(model, crystal(), options):
        found = measure_all(model, frames, [observable])
        values.append(GPA * observable.value(uniform(frames), found))
        errors.append(GPA * observable.error(uniform(frames), found))
    all_values, root = torch.stack(values), len(values) ** 0.5
    scatter = all_values.std(0) / root
    blocks = torch.stack(errors).square().mean(0).sqrt() / root
    return {
        name: tuple(each)
        for name, *each in zip(
            CONSTANTS, all_values.mean(0).tolist(), scatter.tolist(), blocks.tolist(), strict=True
        )
    }


def by_stress(model: LennardJones, options: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """Return constants in GPa and the scatter of replicas, from cells strained along x and sheared in yz."""
    observable, slopes = StressTensor(options.temperature, 32), {}
    for element in (0, 3):
        sides = []
        for sign in (1.0, -1.0):
            stresses = [
                observable.value(uniform(frames), measure_all(model, frames, [observable]))
                for frames in sample(model, crystal((element, sign * STRAIN)), options)
            ]
            sides.append(torch.stack(stresses))
        slopes[element] = GPA * (sides[0] - sides[1]) / (2.0 * STRAIN)
    of = {
        "C11": slopes[0][:, 0],
        "C12": 0.5 * (slopes[0][:, 1] + slopes[0][:, 2]),
        "C44": slopes[3][:, 3],
    }
    return {name: (float(x.mean()), float(x.std() / len(x) ** 0.5)) for name, x in of.items()}


def cold_sums(model: LennardJones) -> dict[str, float]:
    """Return the constants at 0 K in GPa by plain lattice sums: Hooke's, C11 - p, C12 + p, C44 - p."""
    n = int(np.ceil(2.0 * CUTOFF / LATTICE)) + 1
    grid = np.stack(np.meshgrid(*[np.arange(-n, n + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    d = 0.5 * LATTICE * torch.from_numpy(grid[(grid.sum(1) % 2 == 0) & grid.any(1)]).double()
    r = d.norm(dim=1)
    d, r = d[r < CUTOFF], r[r < CUTOFF].requires_grad_(True)
    kinds = torch.zeros(len(r), dtype=torch.long)
    _, slope = model.pair_energies(kinds, kinds, r)
    (second,) = torch.autograd.grad(slope.sum(), r)
    with torch.no_grad():
        dyads, volume = dyads_of(d), 0.25 * LATTICE**3
        born = ((second - slope / r) / r**2 * dyads.T) @ dyads / (2.0 * volume)
        pressure = -float((slope * r).sum()) / (6.0 * volume)
    found = (born[0, 0] - pressure, born[0, 1] + pressure, born[3, 3] - pressure)
    return {name: GPA * float(x) for name, x in zip(CONSTANTS, found, strict=True)}


def network() -> HipnnModel:
    """Return an untrained HIP-NN of titanium in float64: what it costs does not depend on its weights."""
    torch.manual_seed(0)
    sizes = {"n_features": 20, "n_sensitivities": 20, "n_interaction_layers": 1, "n_atom_layers": 3}
    lengths = {"dist_soft_min": 1.6, "dist_soft_max": 5.5, "dist_hard_max": 6.5}
    return build_hipnn(sizes | lengths, (22,)).double()


def forward_over_reverse(model: HipnnModel, chunk: PairChunk) -> torch.Tensor:
    """Return Born terms as six derivatives of the gradient along strains."""

    def gradient(strain: torch.Tensor) -> torch.Tensor:
        of_strain = torch.func.grad(lambda s: strained_energies(model, chunk, chunk.vectors, s).sum())
        found: torch.Tensor = of_strain(strain)
        return found

    zero, rows = torch.zeros(chunk.n_frames, 6, dtype=torch.float64), []
    for k in range(6):
        along = torch.zeros_like(zero)
        along[:, k] = 1.0
        rows.append(torch.func.jvp(gradient, (zero,), (along,))[1].detach())
    return torch.stack(rows, 1)


def central(model: HipnnModel, chunk: PairChunk, step: float = 1e-4) -> torch.Tensor:
    """Return Born terms as central differences of virials of strained frames."""
    rows = []
    for k in range(6):
        sides = []
        for sign in (1.0, -1.0):
            strain = torch.zeros(chunk.n_frames, 6, dtype=torch.float64)
            strain[:, k] = sign * step
            strain.requires_grad_(True)
            # exactly: F^2 = 1 + 2 eta
            squared = torch.eye(3, dtype=torch.float64) + 2.0 * tensor_of(strain, strain=True)
            values, axes = torch.linalg.eigh(squared.detach())
            root = axes @ torch.diag_embed(values.sqrt()) @ axes.transpose(1, 2)
            of_pairs = chunk.frame[chunk.first]
            vectors = torch.einsum("pi,pij->pj", chunk.vectors, root[of_pairs]).requires_grad_(True)
            (gradient,) = torch.autograd.grad(frame_energies(model, chunk, vectors).sum(), vectors)
            # dU/d(eta) = F^-1 (sum of d dU/dd) F^-1 for the deformed vectors d
            virial = torch.zeros(chunk.n_frames, 3, 3, dtype=torch.float64)
            virial.index_add_(0, of_pairs, vectors.detach().unsqueeze(2) * gradient.unsqueeze(1))
            back = axes @ torch.diag_embed(values.rsqrt()) @ axes.transpose(1, 2)
            tensor = back @ virial @ back
            rows_of = [tensor[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))]
            sides.append(torch.stack(rows_of, 1))
        rows.append((sides[0] - sides[1]) / (2.0 * step))
    return torch.stack(rows, 1)


def speeds() -> Json:
    """Return the time of Born terms by each way, and its deviation from the closed form."""
    model, frames = network(), []
    for seed in range(4):
        atoms = bulk("Ti", "hcp", a=2.95, c=4.68).repeat((5, 5, 3))
        atoms.rattle(0.1, seed=seed)
        frames.append(atoms)
    chunk = pair_chunk(stored_frames(frames), model.cutoff)
    ways: dict[str, Callable[[], torch.Tensor | None]] = {
        "closed form": lambda: one_layer_derivatives(model, chunk, 2, graph=False).born,
        "double autograd": lambda: autograd_derivatives(model, chunk, 2, graph=False).born,
        "forward over reverse": lambda: forward_over_reverse(model, chunk),
        "central differences": lambda: central(model, chunk),
    }
    reference = ways["closed form"]()
    assert reference is not None
    rows: Json = {}
    for name, way in ways.items():
        times = []
        for _ in range(3):
            began = time.process_time()
            found = way()
            times.append((time.process_time() - began) / len(frames))
        assert found is not None
        off = float((found - reference).abs().max() / reference.abs().max())
        rows[name] = {"time": number(1e3 * min(times)), "deviation": float(f"{off:.1g}")}
    for name, by in (("closed form", one_layer_derivatives), ("double autograd", autograd_derivatives)):
        began = time.process_time()
        found = by(model, chunk, 2, graph=True).born
        assert found is not None
        torch.autograd.grad(found.sum(), list(model.parameters()), allow_unused=True)
        rows[name]["with_gradient"] = number(1e3 * (time.process_time() - began) / len(frames))
    return rows


def main() -> None:
    """Compare and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replicas", type=int, default=8)
    parser.add_argument("--steps", type=int, default=12000, help="of 8 fs, after a tenth of it")
    parser.add_argument("--temperature", type=float, default=40.0, help="K")
    parser.add_argument("--seed", type=int, default=1)
    add_json(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, rows = argon(), {}
    cold, sums = cold_elastic_constants(model, crystal(), "cubic"), cold_sums(model)
    fluctuations, slopes = by_fluctuations(model, options), by_stress(model, options)
    for k, name in enumerate(CONSTANTS):
        value, scatter, blocks = fluctuations[name]
        difference = value - slopes[name][0]
        rows[name] = {
            "lattice_sums": number(sums[name]),
            "cold": number(GPA * float(cold[k])),
            "fluctuations": number(value, scatter),
            "stress_strain": number(*slopes[name]),
            "difference_in_errors": number(difference / float(np.hypot(scatter, slopes[name][1]))),
            "blocks_by_scatter": number(blocks / scatter),
        }
        print(name, rows[name], flush=True)
    born = speeds()
    for name, row in born.items():
        print(name, row, flush=True)
    units = dict.fromkeys(("lattice_sums", "cold", "fluctuations", "stress_strain"), "GPa")
    units |= dict.fromkeys(("time", "with_gradient"), "ms of processor time a frame of 150 atoms")
    write_result(options.json, {"elastic": rows, "born": born}, units=units, seeds=[options.seed])


if __name__ == "__main__":
    main()
