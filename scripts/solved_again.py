#!/usr/bin/env python3
"""What the simulations of scripts/second_order.py say with other data or other errors of the data: no MD.

    scripts/solved_again.py DIRECTORY [--json FILE]

DIRECTORY as there, with runs of the rule gauss_newton in the cases below. Five tables, means over seeds:

errors
    al_twin after N simulations, errors of the target taken as independent, or as those of a simulation:
    distance of u from u* where g* > 0.3 (meV, without its mean), share inside one and two standard errors.
flaw
    al_twin, last step, without and with the plateau of al_flawed put into its target: distance, largest u.
first_rise
    al_1023K and al_flawed, last step, all data and only those beyond R: largest u where g* > 0.3, meV.
temperatures
    al_943K, al_1023K, al_1323K, last step: u at some distances, meV, that each table by itself asks for.
drift
    All these cases, every rule that ran, as long as it did: the largest distance of the density from the
    measured one, %, and the simulation at which the limits of <phase> end the run; 0 where they do not.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from priors import MEV
from results_file import add_json, rounded, write_result
from second_order import _mean, known_of

from votca_mlp.errors import UserError
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.phase import check_phase
from votca_mlp.inverse.step_data import step_data
from votca_mlp.observables.store import read_observables
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table
from votca_mlp.units import KJMOL_PER_EV
from votca_mlp.update.gauss_newton.data import layout_of
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings
from votca_mlp.update.gauss_newton.pool import pooled
from votca_mlp.update.gauss_newton.rule import AMPLITUDES, _coefficients, _response, _root
from votca_mlp.update.gauss_newton.solve import Step, Wanted, solve

Array = NDArray[np.float64]
BOUNDS = (AMPLITUDES[0] * KJMOL_PER_EV, AMPLITUDES[1] * KJMOL_PER_EV)
CUTS = (0.0, 2.35, 2.6)
AT = (2.4, 2.5, 2.7, 3.0)


def drift(run: Path) -> dict[str, float]:
    """Return how far the density of a run went, and where the limits would have ended it."""
    (state,) = plan_of(load_settings(run / "settings.xml")).states
    assert state.density is not None
    off, ended = [], 0
    steps = [path for path in sorted(run.glob("step_*")) if (path / "observables.npz").is_file()]
    for step in steps:
        found = read_observables(step)
        off.append(100.0 * (found.series["density"].mean() / float(state.density.values[0]) - 1.0))
        try:
            check_phase(replace(state, inputs=run), step, found)
        except UserError:
            ended = int(step.name.removeprefix("step_"))
            break
    # the model by itself begins where it is
    return {"simulations": len(steps), "largest_off": rounded(float(np.max(np.abs(off[1:])))), "ended": ended}


class Stored:
    """The simulations of one run, read once."""

    def __init__(self, run: Path, errors: str) -> None:
        plan = plan_of(load_settings(run / "settings.xml"))
        kept = [path for path in run.glob("step_*") if (path / "observables.npz").is_file()]
        steps = [step_data(plan, number) for number in range(1, len(kept) + 1)]
        (self.name,) = steps[-1].pairs
        options = steps[-1].options
        assert isinstance(options, GaussNewtonSettings)
        options = options.model_copy(update={"errors": errors})
        self.layout = layout_of(steps[-1], [self.name], options)
        self.coefficients = [_coefficients(step, self.layout) for step in steps]
        self.responses = [_response(step, self.layout) for step in steps]
        self.root = _root(steps[-1], self.layout, options)
        self.target = read_table(run / f"{self.name}.dist.tgt")
        self.star = known_of(run, self.name, self.target) * MEV
        self.seen = (self.target.y > 0.3) & (self.target.x < self.target.x[-1] - 0.05)

    def solved(self, count: int, wanted: Wanted | None = None) -> Step:
        """Return the step after so many simulations."""
        here = self.coefficients[count - 1]
        pool = pooled(self.responses[:count], self.coefficients[:count], here)
        return solve(pool, wanted or self.layout.wanted, here, self.root, amplitude=None, bounds=BOUNDS)

    def facts(self, step: Step) -> dict[str, float]:
        """Return distance, band and size of what the data ask for."""
        basis = self.layout.bases[self.name].values
        u = (basis @ step.inferred.coefficients * MEV)[self.seen]
        band = np.sqrt(np.einsum("ij,jk,ik->i", basis, step.covariance, basis))[self.seen] * MEV
        off = u - self.star[self.seen]
        return {
            "distance": float(np.std(off)),
            "inside": float(np.mean(np.abs(off) < band)),
            "inside_two": float(np.mean(np.abs(off) < 2 * band)),
            "largest_u": float(np.abs(u).max()),
        }

    def at(self, step: Step) -> dict[str, float]:
        """Return the u that the data ask for at some distances."""
        u = self.layout.bases[self.name].values @ step.inferred.coefficients * MEV
        return {f"u {r:g}": float(np.interp(r, 10.0 * self.target.x, u)) for r in AT}

    def beyond(self, cut: float) -> Wanted:
        """Return the data without those of g(r) below a distance."""
        wanted, datum = self.layout.wanted, self.layout.data[0]
        weights = wanted.weights.copy()
        weights[datum.rows][datum.x < cut] = 1e-9
        return replace(wanted, weights=weights, robust=wanted.robust & (weights > 0.5))

    def flawed(self) -> Wanted:
        """Return the data with the plateau of al_flawed."""
        wanted, datum = self.layout.wanted, self.layout.data[0]
        values = wanted.values.copy()
        inside = (datum.x > 2.149) & (datum.x < 2.301)
        plateau = np.linspace(0.20, 0.27, int(inside.sum()))
        values[datum.rows][inside] = np.maximum(values[datum.rows][inside], plateau)
        return replace(wanted, values=values)


def main() -> None:
    """Solve, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    add_json(parser)
    options = parser.parse_args()
    tables: dict[str, dict[str, Any]] = {
        "errors": {},
        "flaw": {},
        "first_rise": {},
        "temperatures": {},
        "drift": {},
    }
    for errors in ("independent", "simulated"):
        runs = stored(options.directory, "al_twin", errors)
        for count in (3, 4, 6):
            tables["errors"][f"{errors} {count}"] = row([run.facts(run.solved(count)) for run in runs])
        if errors == "independent":
            for label, flawed in (("without", False), ("with", True)):
                made = [run.solved(len(run.responses), run.flawed() if flawed else None) for run in runs]
                tables["flaw"][label] = row([run.facts(step) for run, step in zip(runs, made, strict=True)])
    for case in ("al_1023K", "al_flawed"):
        runs = stored(options.directory, case, "independent")
        for cut in CUTS:
            made = [run.solved(len(run.responses), run.beyond(cut)) for run in runs]
            found = row([run.facts(step) for run, step in zip(runs, made, strict=True)])
            tables["first_rise"][f"{case} {cut:g}"] = {"seeds": len(runs), "largest_u": found["largest_u"]}
    for case in ("al_943K", "al_1023K", "al_1323K"):
        runs = stored(options.directory, case, "independent")
        at = row([run.at(run.solved(len(run.responses))) for run in runs])
        tables["temperatures"][case] = {"seeds": len(runs), **at}
    for case in ("al_1023K", "al_flawed", "al_943K", "al_1323K", "al_twin"):
        for run in sorted((options.directory / case).glob("[gw]*/*")):
            tables["drift"][f"{case} {run.parent.name} {run.name}"] = drift(run)
    for name, table in tables.items():
        for label, values in table.items():
            print(name, label, values)
    units = {"largest_off": "%"}
    units |= dict.fromkeys(("distance", "largest_u", *(f"u {r:g}" for r in AT)), "meV")
    write_result(options.json, tables, units=units)


def stored(directory: Path, case: str, errors: str) -> list[Stored]:
    """Return the runs of a case."""
    return [Stored(run, errors) for run in sorted((directory / case / "gauss_newton").iterdir())]


def row(found: list[dict[str, float]]) -> Mapping[str, Any]:
    """Return means with their errors."""
    return {key: _mean([facts[key] for facts in found]) for key in found[0]}


if __name__ == "__main__":
    main()
