#!/usr/bin/env python3
"""F(Q) of EPSR's own box of water beside EPSR's own F(Q): three neutron data sets and one of X-rays.

    VOTCA_MLP_DATA=... scripts/scattering_epsr.py [--json FILE]

Reads dissolve_water/ of VOTCA_MLP_DATA: waterbox.ato (1000 molecules), water.EPSR.u01 (what EPSR calculated),
water.EPSR.t01 (what was measured). EPSR's settings there are a bin of 0.03 Angstrom and a resolution of 2 %
of Q.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
from epsr_box import read_ato, read_columns
from numpy.typing import NDArray
from results_file import add_json, rounded, write_result

from votca_mlp.observables.rdf import pair_histograms
from votca_mlp.observables.structure_factor import Resolution, end_error, partial_factors
from votca_mlp.scattering.data import ScatteringData, r_factor, total
from votca_mlp.scattering.lengths import parsed_isotopes

Array = NDArray[np.float64]

BIN = 0.03
RESOLUTION = Resolution(relative=0.02)
SETS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("D2O", {"radiation": "neutron", "isotopes": parsed_isotopes("D")}),
    ("H2O", {"radiation": "neutron", "isotopes": parsed_isotopes("")}),
    ("HDO", {"radiation": "neutron", "isotopes": parsed_isotopes("H:0.5 D:0.5")}),
    ("X-ray", {"radiation": "xray", "normalisation": "mean_of_squares"}),
)
BANDS = {"low": (0.3, 1.0), "high": (1.0, 30.0)}
"""1/Angstrom. Below 1 the end of the range shows, which EPSR treats otherwise."""


def compared(directory: Path) -> list[dict[str, Any]]:
    """Return for every data set the differences from EPSR, and R against the measurement."""
    frame = read_ato(directory / "waterbox.ato")
    calculated = read_columns(directory / "water.EPSR.u01")
    measured = read_columns(directory / "water.EPSR.t01")
    q = calculated[1:, 0]
    bins: Array = BIN * np.arange(int(0.5 * frame.box[0] / BIN) + 1, dtype=float)
    counted = pair_histograms([frame], [("O", "O"), ("O", "H"), ("H", "H")], bins)
    partials = partial_factors(counted, q, RESOLUTION)
    end = end_error(counted, q, RESOLUTION)
    rows = []
    for column, (name, facts) in enumerate(SETS):
        data = ScatteringData(name, q=q, values=np.zeros_like(q), resolution=RESOLUTION, **facts)
        found = total(data, partials)[0]
        off = found - calculated[1:, 1 + 2 * column]
        row: dict[str, Any] = {"set": name, "unit": data.unit}
        for label, (low, high) in BANDS.items():
            inside = (q >= low) & (q < high)
            row[f"rms_{label}"] = rounded(float(np.sqrt(np.mean(off[inside] ** 2))))
            row[f"max_{label}"] = rounded(float(np.abs(off[inside]).max()))
        weights = np.abs(data.pair_weights(partials.fractions, partials.pairs))
        low_q = q < BANDS["low"][1]
        row["end_of_range"] = rounded(float((weights * end)[:, low_q].sum(axis=0).max()))
        there = np.interp(measured[:, 0], q, found)
        known = measured[:, 1 + 2 * column] != 0.0
        row["R"] = rounded(r_factor(measured[known, 1 + 2 * column], there[known]))
        epsr = np.interp(measured[:, 0], q, calculated[1:, 1 + 2 * column])
        row["R_epsr"] = rounded(r_factor(measured[known, 1 + 2 * column], epsr[known]))
        rows.append(row)
    return rows


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_json(parser)
    options = parser.parse_args()
    rows = compared(Path(os.environ["VOTCA_MLP_DATA"]) / "dissolve_water")
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))
    write_result(options.json, {"sets": {row["set"]: row for row in rows}})


if __name__ == "__main__":
    main()
