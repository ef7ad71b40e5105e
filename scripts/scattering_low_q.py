#!/usr/bin/env python3
"""S(Q) of corrected liquid argon at the smallest Q: sums over wave vectors, pair counts, and the measurement.

    VOTCA_MLP_DATA=... scripts/scattering_low_q.py RUN [--json FILE]

RUN is a finished run of the case argon of scripts/scattering_cases.py (DIRECTORY/argon/SEED), fitted to S(Q)
from 0.4 1/Angstrom on. Its last trajectory is measured in three ways at the four smallest wave vectors: by
direct summation, by pair counts to half the box, and by those with their continuation.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results_file import add_json, number, rounded, write_result

from votca_mlp.engines.engine import engine_named
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.observables.step import measure_frames
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.observables.tail import tail_factors
from votca_mlp.settings import load_settings

Array = NDArray[np.float64]
PARTS = 10


def compared(run: Path) -> list[dict[str, Any]]:
    """Return S at each wave vector."""
    (state,) = plan_of(load_settings(run / "settings.xml")).states
    step = max(path for path in run.glob("step_*") if (path / state.md.traj).exists())
    frames = list(engine_named(state.md.engine).frames(state.md, step))
    found = measure_frames(frames, [], {}, {}, whole=True)
    low, counted = found.at_low_q(step), found.to_half_box(step)
    pairs = partial_factors(counted, low.q).values[:, 0]
    tail = tail_factors(counted, low.q)[0]
    source = Path(os.environ["VOTCA_MLP_DATA"]) / "dissolve_argon" / "yarnell.sq"
    measured = np.interp(low.q, *np.loadtxt(source, comments="#").T[:2])
    return [
        {
            "Q": rounded(q),
            "measured": rounded(measured[k]),
            "direct": _mean(1.0 + low.values[:, 0, k]),
            "pairs": _mean(1.0 + pairs[:, k]),
            "continued": _mean(1.0 + pairs[:, k] + tail[k]),
        }
        for k, q in enumerate(low.q)
    ]


def _mean(values: Array) -> Any:
    parts = [part.mean() for part in np.array_split(values, PARTS)]
    return number(float(np.mean(values)), float(np.std(parts, ddof=1) / np.sqrt(PARTS)))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    add_json(parser)
    options = parser.parse_args()
    rows = compared(options.run)
    for row in rows:
        print(row)
    write_result(options.json, {"q": rows})


if __name__ == "__main__":
    main()
