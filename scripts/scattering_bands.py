#!/usr/bin/env python3
"""How wide the bands of partial g(r) from totals are: the runs of scripts/scattering_cases.py solved again.

    scripts/scattering_bands.py DIRECTORY [--cases arkr_two] [--seeds 1 2 3] [--steps N] [--json FILE]

DIRECTORY as there, with arkr_three and arkr_two. No MD: the simulations of N iterations are put together in
six ways, and the u(r) and the g(r) that they find are compared with u* and the target's.

one          one amplitude of u(r) for all interactions, errors of F(Q) independent from Q to Q
one_marginal the same, averaged over that amplitude
errors       one amplitude, errors of F(Q) as its simulations scatter (jackknife)
own          an amplitude for each interaction, averaged over all, and errors as its simulations scatter
shapes       as own, averaged by the evidence over length and envelope of the prior as well
sampled      as own, with the error that the data have from the simulation that they were made from: sigma
             of the data is the noise that was added, and not that

"g": RMS of the last step's g(r), moved along the Jacobian to the u(r) found, less the target's.
"of_band": that over the RMS of its error, 1 where errors are right. "inside": the share of points within
one error. "modes": mean square of the twelve widest combinations of all three g(r), over their
variances; 1 where they are right.
"""

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from results_file import add_json, number, rounded, write_result
from scattering_cases import CASES, LONGER, target_of, whole_of
from scipy.linalg import block_diag

from votca_mlp.inverse.from_settings import plan_of, state_plan
from votca_mlp.inverse.step_data import step_data
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.scattering.data import total
from votca_mlp.settings import load_settings
from votca_mlp.tables import Table, read_table
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV
from votca_mlp.update.gauss_newton.amplitudes import WIDTH, _log_evidence, averaged
from votca_mlp.update.gauss_newton.data import layout_of, pair_response, sums_of
from votca_mlp.update.gauss_newton.inference import Linear, infer, without
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings
from votca_mlp.update.gauss_newton.pool import pooled
from votca_mlp.update.gauss_newton.prior import prior_root
from votca_mlp.update.gauss_newton.rule import AMPLITUDES, _coefficients, _groups, _peak, _response, _root
from votca_mlp.update.gauss_newton.solve import solve
from votca_mlp.update.rule import StepData

Array = NDArray[np.float64]
BOUNDS = (AMPLITUDES[0] * KJMOL_PER_EV, AMPLITUDES[1] * KJMOL_PER_EV)
MODES = 12
BLOCKS = 20
"""Of the simulation that the data were made from."""
LENGTHS, POWERS = (0.5, 0.7, 1.0, 1.4, 2.0), (3.0, 0.0, -3.0)
"""Times the prior's own length; what its envelope (peak / r)^3 is multiplied by: (r / peak)^power."""
TOTALS = ("arkr_three", "arkr_two")
MEV = 1e3 / KJMOL_PER_EV
FROM = 0.25
"""nm."""


class Found(NamedTuple):
    """Coefficients and their covariance."""

    coefficients: Array
    covariance: Array


class Run:
    """The simulations of one run."""

    def __init__(self, run: Path, count: int) -> None:
        plan = plan_of(load_settings(run / "settings.xml"))
        steps = [step_data(plan, number) for number in range(1, count + 1)]
        last, options = steps[-1], steps[-1].options
        assert isinstance(options, GaussNewtonSettings)
        self.names = list(last.pairs)
        self.layout = layout_of(last, self.names, options)
        coefficients = [_coefficients(step, self.layout) for step in steps]
        self.here = coefficients[-1]
        self.pool = pooled([_response(step, self.layout) for step in steps], coefficients, self.here)
        self.root, self.groups = _root(last, self.layout, options), _groups(last, self.layout, options)
        self.roots = [
            block_diag(*(self.root_of(last, name, factor * options.length, power) for name in self.names))
            for factor in LENGTHS
            for power in POWERS
        ]
        target = target_of(run, CASES[run.parent.name])
        made_by = state_plan(load_settings(run / "settings.xml"))
        self.counted = whole_of(made_by, LONGER * made_by.md.production, target)
        self.wanted = {name: read_table(target / f"{name}.dist.tgt") for name in self.names}
        self.known = {name: _known(target / f"{name}.known", self.wanted[name]) for name in self.names}
        responses = []
        for step in steps:
            (state,) = step.states
            frames = state.by_frame()
            h = sums_of(step, state, frames, self.layout)
            responses.append([pair_response(step, state, frames, n, self.layout, h) for n in self.names])
        self.g = responses[-1]
        self.jacobians = [np.mean([r[k].jacobian for r in responses], axis=0) for k in range(len(self.names))]

    def root_of(self, step: StepData, name: str, length: float, power: float) -> Array:
        """Return the prior's root of an interaction for a length (Angstrom) and another envelope."""
        centres, peak = self.layout.bases[name].centres, _peak(step, name)
        root = prior_root(centres, length / ANGSTROM_PER_NM, peak)
        return np.asarray((centres[:, None] / peak) ** power * root)

    def ways(self) -> dict[str, Found]:
        """Return what each way finds."""

        def solved(**options: Any) -> Found:
            pool = self.pool if options.pop("together", True) else replace(self.pool, moves=None)
            step = solve(
                pool, self.layout.wanted, self.here, self.root, amplitude=None, bounds=BOUNDS, **options
            )
            return Found(step.inferred.coefficients, step.covariance)

        one, own = solved(together=False), solved(groups=self.groups)
        return {
            "one": one,
            "one_marginal": self.marginal(one),
            "errors": solved(),
            "own": own,
            "shapes": self.shapes(own),
            "sampled": self.sampled(),
        }

    def marginal(self, one: Found) -> Found:
        """Return mean and covariance over one amplitude."""
        wanted, change = self.layout.wanted, one.coefficients - self.here
        variances = self.pool.variances + wanted.variances + self.pool.noise(change)
        target = wanted.values - self.pool.values + self.pool.jacobian @ self.here
        problem = Linear(
            self.pool.jacobian, target, variances, self.root, wanted.robust, wanted.units, wanted.nuisance
        )
        best = infer(problem, amplitude=None, bounds=BOUNDS)
        tried = best.amplitude * np.geomspace(0.4, 2.5, 23)
        each = [infer(problem, amplitude=a, bounds=BOUNDS) for a in tried]
        weights = np.exp(np.array([e.log_evidence for e in each]) - best.log_evidence)
        weights /= weights.sum()
        means = np.array([e.coefficients for e in each])
        mean = weights @ means
        off = means - mean
        spread = (weights[:, None] * off).T @ off
        spread += sum(w * e.covariance for w, e in zip(weights, each, strict=True))
        return Found(mean, one.covariance - best.covariance + spread)

    def sampled(self) -> Found:
        """Return what is found where the data's own simulation counts among their errors."""
        deviations = np.zeros((BLOCKS, len(self.layout.wanted.values)))
        for datum in self.layout.data:
            if datum.scattering is not None:
                by_frame = total(datum.scattering, partial_factors(self.counted, datum.scattering.q))
                means = np.array([part.mean(axis=0) for part in np.array_split(by_frame, BLOCKS)])
                deviations[:, datum.rows] = (means - means.mean(axis=0)) / np.sqrt(BLOCKS * (BLOCKS - 1))
        own = np.sum(deviations**2, axis=0)
        wanted = replace(self.layout.wanted, variances=self.layout.wanted.variances + own)
        step = solve(
            self.pool, wanted, self.here, self.root, amplitude=None, bounds=BOUNDS, groups=self.groups
        )
        # the posterior has them as independent; what they do together is added, as for the simulations
        variances = self.pool.variances + wanted.variances
        gain = step.inferred.covariance @ (self.pool.jacobian / variances[:, None]).T
        moved = deviations @ gain.T
        return Found(step.inferred.coefficients, step.covariance + moved.T @ moved)

    def shapes(self, own: Found) -> Found:
        """Return mean and covariance over the amplitudes, the length and the envelope of the prior."""
        assert self.groups is not None
        wanted, pool, change = self.layout.wanted, self.pool, own.coefficients - self.here
        target = wanted.values - pool.values + pool.jacobian @ self.here
        variances = pool.variances + wanted.variances + pool.noise(change)
        middle = Linear(
            pool.jacobian, target, variances, self.root, wanted.robust, wanted.units, wanted.nuisance
        )
        best = infer(middle, amplitude=None, bounds=BOUNDS)
        inner = averaged(middle, best, self.groups, BOUNDS).inferred
        low, high = max(best.amplitude / WIDTH, BOUNDS[0]), min(best.amplitude * WIDTH, BOUNDS[1])
        tried = np.array(list(product(np.geomspace(low, high, 9), repeat=len(self.names))))
        wanted_white = best.noise.whitened(without(wanted.nuisance, target, best.noise))
        evidence, normals = [], []
        for root in self.roots:
            seen = best.noise.whitened(without(wanted.nuisance, pool.jacobian @ root, best.noise))
            normals.append((root, seen.T @ seen, seen.T @ wanted_white))
            evidence.append([_log_evidence(*normals[-1][1:], each[self.groups]) for each in tried])
        weights = np.exp(np.array(evidence) - np.max(evidence))
        weights[weights < 1e-4] = 0.0
        weights /= weights.sum()
        print("weights of the shapes:", weights.sum(axis=1).round(3), flush=True)
        means, covariance = [], np.zeros_like(own.covariance)
        shares = []
        for shape, (root, normal, right) in enumerate(normals):
            for index in np.flatnonzero(weights[shape]):
                scale = tried[index][self.groups]
                inverse = np.linalg.inv(np.eye(len(right)) + scale[:, None] * normal * scale)
                means.append(root @ (scale * (inverse @ (scale * right))))
                shares.append(weights[shape, index])
                each = root @ (scale[:, None] * inverse * scale) @ root.T
                covariance += weights[shape, index] * each
        mean = np.array(shares) @ np.array(means)
        off = np.array(means) - mean
        covariance += (np.array(shares)[:, None] * off).T @ off
        return Found(mean, own.covariance - inner.covariance + covariance)

    def facts(self, found: Found) -> dict[str, float]:
        """Return how far u and g are, and how far their errors say."""
        ahead, facts = found.coefficients - self.here, {}
        offs, matrices, own = [], [], []
        for index, name in enumerate(self.names):
            wanted, sharp, jacobian = self.wanted[name], self.g[index], self.jacobians[index]
            used = wanted.x > FROM
            error = np.zeros(len(used)) if wanted.yerr is None else wanted.yerr
            offs.append((sharp.values + jacobian @ ahead - wanted.y)[used])
            matrices.append(jacobian[used])
            own.append((sharp.variances + error**2)[used])
            columns, basis = self.layout.columns(name), self.layout.bases[name].values
            seen = (wanted.y > 0.3) & (wanted.x < wanted.x[-1] - 0.05)
            u = (basis @ found.coefficients[columns] - self.known[name])[seen] * MEV
            band = np.einsum("ij,jk,ik->i", basis, found.covariance[columns, columns], basis)[seen] * MEV**2
            facts[f"u {name}"] = float(np.sqrt(np.mean(u**2)))
            facts[f"u band {name}"] = float(np.sqrt(band.mean()))
        off, matrix, noise = np.concatenate(offs), np.concatenate(matrices), np.concatenate(own)
        covariance = matrix @ found.covariance @ matrix.T
        variances = np.diag(covariance) + noise
        vectors = np.linalg.eigh(covariance)[1][:, ::-1][:, :MODES]
        widths = np.einsum("ik,ij,jk->k", vectors, covariance + np.diag(noise), vectors)
        return facts | {
            "g": float(np.sqrt(np.mean(off**2))),
            "of_band": float(np.sqrt(np.mean(off**2) / np.mean(variances))),
            "inside": float(np.mean(off**2 < variances)),
            "modes": float(np.mean((vectors.T @ off) ** 2 / widths)),
        }


def _known(path: Path, wanted: Table) -> Array:
    if not path.exists():
        return np.zeros(len(wanted.x))
    table = read_table(path)
    return np.asarray(np.interp(wanted.x, table.x, table.y))


def main() -> None:
    """Solve, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--cases", nargs="+", choices=TOTALS, default=TOTALS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=4)
    add_json(parser)
    options = parser.parse_args()
    tables: dict[str, dict[str, Any]] = {"seeds": {}, "means": {}}
    for case in options.cases:
        rows: dict[str, list[dict[str, float]]] = {}
        for seed in options.seeds:
            run = Run(options.directory / case / str(seed), options.steps)
            for way, found in run.ways().items():
                rows.setdefault(way, []).append(run.facts(found))
                tables["seeds"][f"{case} {way} {seed}"] = {k: rounded(v) for k, v in rows[way][-1].items()}
        for way, of_way in rows.items():
            tables["means"][f"{case} {way}"] = {key: _mean([row[key] for row in of_way]) for key in of_way[0]}
    for name, table in tables.items():
        for label, values in table.items():
            print(name, label, values)
    write_result(options.json, tables, seeds=options.seeds)


def _mean(values: list[float]) -> Any:
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return number(float(np.mean(values)), error)


if __name__ == "__main__":
    main()
