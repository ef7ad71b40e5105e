#!/usr/bin/env python3
"""What other priors of u(r) make of the simulations of scripts/second_order.py: no MD.

    scripts/priors.py DIRECTORY CASE... [--json FILE]

DIRECTORY and CASE (of one interaction) as there. For lengths and envelopes r^-p the last step of every run
with the rule gauss_newton is solved again from all its simulations: the log of the evidence, from that of the
best, and the distance of u from u* (of a measured case the largest u where g > 0.3), meV; means over seeds.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results_file import add_json, mean_number, write_result
from second_order import CASES, known_of

from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.step_data import step_data
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table
from votca_mlp.units import KJMOL_PER_EV
from votca_mlp.update.gauss_newton import prior
from votca_mlp.update.gauss_newton.data import layout_of
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings
from votca_mlp.update.gauss_newton.pool import pooled
from votca_mlp.update.gauss_newton.rule import AMPLITUDES, _coefficients, _peak, _response
from votca_mlp.update.gauss_newton.solve import solve

LENGTHS = (0.3, 0.4, 0.6, 0.8)
POWERS = (1.0, 2.0, 3.0, 4.0)
MEV = 1e3 / KJMOL_PER_EV


def main() -> None:
    """Solve, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("cases", nargs="+", choices=CASES)
    add_json(parser)
    options = parser.parse_args()
    table: dict[str, dict[str, Any]] = {}
    for case in options.cases:
        runs = sorted((options.directory / case / "gauss_newton").iterdir())
        found = np.array([of_run(run, CASES[case].known is not None) for run in runs])
        for n, (length, power) in enumerate(priors()):
            evidence, distance = found[:, n].T
            row = {
                "evidence": mean_number(evidence.tolist()),
                "distance": mean_number(distance.tolist()),
                "seeds": len(runs),
            }
            table[f"{case} {length:g} r^-{power:g}"] = row
            print(case, length, power, row, flush=True)
    write_result(options.json, {"priors": table}, units={"distance": "meV"})


def priors() -> list[tuple[float, float]]:
    """Return length (Angstrom) and p of every prior."""
    return [(length, power) for length in LENGTHS for power in POWERS]


def of_run(run: Path, twin: bool) -> NDArray[np.float64]:
    """Return log evidence and distance of a run for every prior, shape [n_priors, 2]."""
    plan = plan_of(load_settings(run / "settings.xml"))
    kept = [path for path in run.glob("step_*") if (path / "observables.npz").is_file()]
    steps = [step_data(plan, number) for number in range(1, len(kept) + 1)]
    (name,) = steps[-1].pairs
    options = steps[-1].options
    assert isinstance(options, GaussNewtonSettings)
    layout = layout_of(steps[-1], [name], options)
    ran_with = [_coefficients(step, layout) for step in steps]
    pool = pooled([_response(step, layout) for step in steps], ran_with, ran_with[-1])
    target = read_table(run / f"{name}.dist.tgt")
    seen = (target.y > 0.3) & (target.x < target.x[-1] - 0.05)
    star = known_of(run, name, target)
    rows = []
    for length, power in priors():
        prior.POWER = power
        root = prior.prior_root(layout.bases[name].centres, length / 10, _peak(steps[-1], name))
        bounds = (AMPLITUDES[0] * KJMOL_PER_EV, AMPLITUDES[1] * KJMOL_PER_EV)
        solved = solve(pool, layout.wanted, ran_with[-1], root, amplitude=None, bounds=bounds).inferred
        u = layout.bases[name].values @ solved.coefficients * MEV
        distance = np.std((u - MEV * star)[seen]) if twin else np.abs(u[seen]).max()
        rows.append((solved.log_evidence, distance))
    found = np.array(rows)
    found[:, 0] -= found[:, 0].max()
    return found


if __name__ == "__main__":
    main()
