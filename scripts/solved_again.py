#!/usr/bin/env python3
"""What the simulations of scripts/second_order.py say with other data or other errors of the data: no MD.

    scripts/solved_again.py DIRECTORY [--json FILE]

DIRECTORY as there, with runs of the rule gauss_newton in the cases below. Tables, means over seeds:

errors
    al_twin after N simulations, errors of the target taken as independent, or as those of a simulation:
    distance of u from u* where g* > 0.3 (meV, without its mean), share inside one and two standard errors.
flaw
    al_twin, last step, without and with the plateau of al_flawed put into its target: distance, largest u.
excess
    al_1023K after N simulations: by how much that plateau changes u, the largest where g* > 0.3 and the
    largest in the plateau, meV; "runs N": the same of u of the first run of al_flawed less that of al_1023K.
believed
    al_1023K and al_flawed, last step, every point of the measured g(r) with a standard error: largest u where
    g* > 0.3, meV, and the RMS from the target that is predicted.
first_rise
    al_1023K and al_flawed, last step, all data and only those beyond R: largest u where g* > 0.3, meV.
temperatures
    al_943K, al_1023K, al_1323K, last step: u at some distances, meV, that each table by itself asks for.
terms
    al_states, last step: g(r) of each temperature as far as one u(r), u linear in T, and a u(r) for each are
    predicted to bring it: RMS from the target.
pool
    al_1023K and al_twin, the first seed, after N simulations: standard error of g (RMS where g* > 0.3) and of
    the density (kg/m3) from the last one alone, from all as the rule puts them together, and from all by
    reweighting (votca-mlp predict), how far these two differ, and how many frames the latter are worth.
remade
    al_1023K and al_flawed, the first seed: how far updates of this version are from the stored ones, kJ/mol.
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
from votca_mlp.inverse.predict import predict
from votca_mlp.inverse.step_data import step_data
from votca_mlp.observables.store import NAME, read_observables
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table
from votca_mlp.units import KJMOL_PER_EV
from votca_mlp.update.gauss_newton.data import layout_of
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings
from votca_mlp.update.gauss_newton.pool import pooled
from votca_mlp.update.gauss_newton.rule import AMPLITUDES, _coefficients, _response, _root, _solved
from votca_mlp.update.gauss_newton.solve import Step, Wanted, solve

Array = NDArray[np.float64]
BOUNDS = (AMPLITUDES[0] * KJMOL_PER_EV, AMPLITUDES[1] * KJMOL_PER_EV)
CUTS = (0.0, 2.35, 2.6)
ERRORS = (0.02, 0.05, 0.1)
AT = (2.4, 2.5, 2.7, 3.0)
TERMS = {1: "one u", 2: "linear in T", 3: "one each"}


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

    def solved(self, count: int, wanted: Wanted | None = None, amplitude: float | None = None) -> Step:
        """Return the step after so many simulations; the amplitude in kJ/mol."""
        here = self.coefficients[count - 1]
        pool = pooled(self.responses[:count], self.coefficients[:count], here)
        return solve(pool, wanted or self.layout.wanted, here, self.root, amplitude=amplitude, bounds=BOUNDS)

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

    def with_error(self, error: float) -> dict[str, float]:
        """Return the largest u, and the RMS predicted, where every point of g(r) has a standard error."""
        variances = self.layout.wanted.variances.copy()
        variances[self.layout.data[0].rows] = error**2
        facts = self.whole_way(variances, None)
        return {key: facts[key] for key in ("largest_u", "rms")}

    def whole_way(self, variances: Array, amplitude: float | None) -> dict[str, float]:
        """Return the largest u, and RMS and density predicted, without a limit to the change of a step."""
        wanted = replace(self.layout.wanted, variances=variances, largest=np.full(len(variances), np.inf))
        return self.predicted(self.solved(len(self.responses), wanted, amplitude).inferred.coefficients)

    def predicted(self, coefficients: Array) -> dict[str, float]:
        """Return the largest u, and RMS and distance of the density (%) that it is predicted to have."""
        values, changes = self.linear()
        off = values + changes @ coefficients - self.layout.wanted.values
        u = self.layout.bases[self.name].values @ coefficients * MEV
        return {
            "largest_u": float(np.abs(u[self.seen]).max()),
            "rms": float(np.sqrt(np.mean(off[self.layout.data[0].rows] ** 2))),
            "density_off": 100.0 * float((off[self.density] / self.layout.wanted.values[self.density])[0]),
        }

    @property
    def density(self) -> slice:
        """The row of the density."""
        return next(datum for datum in self.layout.data if datum.name == "density").rows

    def linear(self) -> tuple[Array, Array]:
        """Return the data as a linear function of the coefficients: those of none, and their changes."""
        here = self.coefficients[-1]
        pool = pooled(self.responses, self.coefficients, here)
        return pool.values - pool.jacobian @ here, pool.jacobian

    def beyond(self, cut: float) -> Wanted:
        """Return the data without those of g(r) below a distance."""
        wanted, datum = self.layout.wanted, self.layout.data[0]
        weights = wanted.weights.copy()
        weights[datum.rows][datum.x < cut] = 1e-9
        return replace(wanted, weights=weights, robust=wanted.robust & (weights > 0.5))

    def excess(self, count: int) -> dict[str, float]:
        """Return by how much the plateau of al_flawed changes u."""
        with_it, without = (self.solved(count, wanted).inferred for wanted in (self.flawed(), None))
        change = self.layout.bases[self.name].values @ (with_it.coefficients - without.coefficients) * MEV
        return self.largest(change)

    def largest(self, change: Array) -> dict[str, float]:
        """Return the largest change of u where g* is above 0.3, and in the plateau."""
        inside = (self.target.x > 0.2149) & (self.target.x < 0.2301)
        return {
            "excess": float(np.abs(change[self.seen]).max()),
            "in_plateau": float(np.abs(change[inside]).max()),
        }

    def pooling(self, run: Path, count: int) -> dict[str, Any]:
        """Return what the last simulation, all of them, and all reweighted say of the last u(r)."""
        first = max(0, count - 20)
        here, datum = self.coefficients[count - 1], self.layout.data[0]
        last = self.responses[count - 1]
        pool = pooled(self.responses[first:count], self.coefficients[first:count], here)
        plan = plan_of(load_settings(run / "settings.xml"))
        table = read_table(run / f"step_{count:03d}/{self.name}.pot.cur")
        (again,) = predict(plan, {self.name: table}, list(range(first + 1, count + 1)))
        rdf = again.rdfs[self.name]
        assert rdf.yerr is not None
        used = self.seen[datum.points]
        points = datum.points[used]

        def size(values: Array) -> float:
            return rounded(float(np.sqrt(np.mean(values))))

        return {
            "one": size(last.variances[datum.rows][used]),
            "pooled": size(pool.variances[datum.rows][used]),
            "reweighted": size(rdf.yerr[points] ** 2),
            "apart": size((rdf.y[points] - pool.values[datum.rows][used]) ** 2),
            "density_pooled": rounded(float(np.sqrt(pool.variances[-1]))),
            "density_reweighted": rounded(again.density.error),
            "frames": again.frames,
            "worth": rounded(again.samples),
        }

    def flawed(self) -> Wanted:
        """Return the data with the plateau of al_flawed."""
        wanted, datum = self.layout.wanted, self.layout.data[0]
        values = wanted.values.copy()
        inside = (datum.x > 2.149) & (datum.x < 2.301)
        plateau = np.linspace(0.20, 0.27, int(inside.sum()))
        values[datum.rows][inside] = np.maximum(values[datum.rows][inside], plateau)
        return replace(wanted, values=values)


def remade(run: Path, number: int) -> dict[str, float]:
    """Return by how much the update of a stored step is another one with this version, kJ/mol."""
    plan = plan_of(load_settings(run / "settings.xml"))
    name = plan.pairs[0].name
    updates, _ = _solved(step_data(plan, number), [name], numbers=True)
    before = read_table(run / f"step_{number:03d}/{name}.dpot.pure_ibi").y
    change = np.abs(updates[name].terms[0].y - before).max()
    return {"change": rounded(float(change)), "size": rounded(float(np.abs(before).max()))}


def of_states(run: Path, terms: int) -> dict[str, float]:
    """Return the RMS of each state's g(r) that u(r; T) of so many terms is predicted to have."""
    plan = plan_of(load_settings(run / "settings.xml"))
    steps_of = run.glob("step_*")
    folders = [path for path in steps_of if all((path / s.name / NAME).is_file() for s in plan.states)]
    steps = [step_data(plan, number) for number in range(1, len(folders) + 1)]
    names, options = list(steps[-1].pairs), steps[-1].options
    assert isinstance(options, GaussNewtonSettings)
    layout = layout_of(steps[-1], names, options)
    # what they ran with had one term
    ran = [_coefficients(step, layout) for step in steps]
    ran = [np.concatenate([c, np.zeros((terms - 1) * len(c))]) for c in ran]
    steps = [replace(step, basis=replace(step.basis, terms=terms)) for step in steps]
    wanted = replace(layout.wanted, largest=np.full(len(layout.wanted.values), np.inf))
    pool = pooled([_response(step, layout) for step in steps], ran, ran[-1])
    found = solve(pool, wanted, ran[-1], _root(steps[-1], layout, options), amplitude=None, bounds=BOUNDS)
    off = found.predicted - wanted.values
    return {
        f"rms {datum.state}": float(np.sqrt(np.mean(off[datum.rows] ** 2)))
        for datum in layout.data
        if datum.name in names
    }


def main() -> None:
    """Solve, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    add_json(parser)
    options = parser.parse_args()
    tables: dict[str, dict[str, Any]] = {
        "errors": {},
        "flaw": {},
        "excess": {},
        "believed": {},
        "first_rise": {},
        "temperatures": {},
        "terms": {},
        "pool": {},
        "remade": {},
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
        for error in ERRORS:
            believed = row([run.with_error(error) for run in runs])
            tables["believed"][f"{case} {error:g}"] = {"seeds": len(runs), **believed}
        for cut in CUTS:
            made = [run.solved(len(run.responses), run.beyond(cut)) for run in runs]
            found = row([run.facts(step) for run, step in zip(runs, made, strict=True)])
            tables["first_rise"][f"{case} {cut:g}"] = {"seeds": len(runs), "largest_u": found["largest_u"]}
    runs = stored(options.directory, "al_1023K", "independent")
    for count in (3, 4, 6):
        tables["excess"][f"{count}"] = row([run.excess(count) for run in runs])
    pair = [paths(options.directory, case)[0] for case in ("al_flawed", "al_1023K")]
    for count in (6, 10, 25):
        u = [read_table(path / f"step_{count:03d}/{runs[0].name}.pot.new").y * MEV for path in pair]
        apart = runs[0].largest(u[0] - u[1])
        tables["excess"][f"runs {count}"] = {key: rounded(value) for key, value in apart.items()}
    for terms, label in TERMS.items():
        made_of = [of_states(path, terms) for path in paths(options.directory, "al_states")]
        tables["terms"][label] = {"seeds": len(made_of), **row(made_of)}
    for case in ("al_1023K", "al_flawed"):
        for count in (1, 4, 7, 10):
            tables["remade"][f"{case} {count}"] = remade(paths(options.directory, case)[0], count)
    for case in ("al_1023K", "al_twin"):
        path = paths(options.directory, case)[0]
        run = Stored(path, "independent")
        for count in sorted({4, 6, len(run.responses)}):
            tables["pool"][f"{case} {count}"] = run.pooling(path, count)
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
    units = {
        "change": "kJ/mol",
        "size": "kJ/mol",
        "largest_off": "%",
        "density_pooled": "kg/m3",
        "density_reweighted": "kg/m3",
    }
    units |= dict.fromkeys(
        ("distance", "largest_u", "excess", "in_plateau", *(f"u {r:g}" for r in AT)), "meV"
    )
    write_result(options.json, tables, units=units)


def stored(directory: Path, case: str, errors: str) -> list[Stored]:
    """Return the runs of a case."""
    return [Stored(run, errors) for run in paths(directory, case)]


def paths(directory: Path, case: str) -> list[Path]:
    """Return the folders of a case's runs."""
    return sorted((directory / case / "gauss_newton").iterdir())


def row(found: list[dict[str, float]]) -> Mapping[str, Any]:
    """Return means with their errors."""
    return {key: _mean([facts[key] for facts in found]) for key in found[0]}


if __name__ == "__main__":
    main()
