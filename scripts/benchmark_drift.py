#!/usr/bin/env python3
"""Drift of the total energy at constant energy (NVE): this package beside the reference.

    scripts/benchmark_drift.py [--model hipnn] [--atoms 256] [--time 20] [--reference-time 20] [--threads 1]
                            [--table FILE] [--json FILE]

Ours and the reference start from the same melt (2 ps at 1023 K) with the same velocities, ours with the
correction from a melt with the correction: while a structure relaxes, the energy of the Verlet algorithm
changes with it. The correction is a smooth one, or that of a table. Time step 1 fs, float32. The drift is the
slope of a line through the total energy. ANI needs ANI_AL.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import benchmark_systems as systems
import numpy as np
from results_file import add_json, number, rounded, write_result

from votca_mlp.potentials.correction import read_correction

EVERY = 10  # steps
UNITS = {"time": "ps", "drift": "meV/atom/ps", "rms": "meV/atom", "temperature": "K", "step": "ms"}


def main() -> None:
    """Print a line for each of: ours without and with the correction, the reference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="hipnn", choices=[*systems.NAMES, *systems.NETWORKS])
    parser.add_argument("--atoms", type=int, default=256, choices=list(systems.CELLS))
    parser.add_argument("--time", type=float, default=20.0, help="ps")
    parser.add_argument("--reference-time", type=float, help="ps, 0 for none; default: the same")
    parser.add_argument(
        "--table", metavar="FILE", help="u(r) in VOTCA's format (nm, kJ/mol), such as a fit left"
    )
    parser.add_argument("--melt", type=float, default=2.0, help="ps before")
    parser.add_argument("--threads", type=int, default=1)
    add_json(parser)
    options = parser.parse_args()
    from votca_mlp.versions import versions

    if options.table:
        systems.correction = lambda species=(): read_correction({("Al", "Al"): options.table})
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    melts = {corrected: melt(options, corrected) for corrected in (False, True)}
    print(f"{options.model}, {options.atoms} atoms, NVE, {systems.TIMESTEP} fs, {options.threads} thread(s)")
    print("                       time [ps]  drift [meV/atom/ps]   rms about it [meV/atom]  T [K]  ms/step")
    rows: dict[str, dict[str, Any]] = {}
    for name in ("ours", "ours + correction", "reference"):
        atoms = systems.atoms_of(options.atoms, options.model)
        atoms.positions[:], velocities = melts["+" in name]
        length = options.time
        if name == "reference" and options.reference_time is not None:
            length = options.reference_time
        if not length:
            continue
        if name == "reference":
            total, advance = of_reference(options.model, atoms, velocities)
        else:
            evaluator = systems.evaluator(options.model, corrected="+" in name, threads=options.threads)
            md = systems.ours(evaluator, atoms, "nve", velocities)
            total, advance = of_ours(md)
        begin, values = time.perf_counter(), [total()]
        for step in range(1, round(length * 1000 / systems.TIMESTEP) + 1):
            advance()
            if step % EVERY == 0:
                values.append(total())
        spent = (time.perf_counter() - begin) / step
        energies, temperatures = np.array(values).T / np.array([[options.atoms / 1000.0], [1.0]])
        drift, error, rms = fitted(energies, EVERY * systems.TIMESTEP / 1000.0)
        shown = f"{drift:10.5f} +- {error:.5f}  {rms:24.5f}  {temperatures.mean():5.0f}  {1000 * spent:7.2f}"
        print(f"{name:22s} {length:10.1f}  {shown}", flush=True)
        rows[name] = {
            "time": length,
            "drift": number(drift, error),
            "rms": rounded(rms),
            "temperature": rounded(temperatures.mean()),
            "step": rounded(1000 * spent),
        }
        # what is there stays if a slow reference is interrupted
        write_result(options.json, {"drift": rows}, units=UNITS, seeds=1)


def fitted(energies: Any, spacing: float) -> tuple[float, float, float]:
    """Return slope, its error from blocks' independence of a tenth each, and rms about the line."""
    times = spacing * np.arange(len(energies))
    slope, offset = np.polyfit(times, energies, 1)
    rest = energies - offset - slope * times
    blocks = np.array([block.mean() for block in np.array_split(rest, 10)])
    error = blocks.std(ddof=2) / np.sqrt(10) / (times[-1] / np.sqrt(12.0))
    return float(slope), float(error), float(rest.std())


def melt(options: argparse.Namespace, corrected: bool) -> tuple[Any, Any]:
    """Return positions (Angstrom) and velocities (Angstrom/fs) of a melt with or without the correction."""
    evaluator = systems.evaluator(options.model, corrected=corrected, threads=options.threads)
    md = systems.ours(evaluator, systems.atoms_of(options.atoms, options.model), "nvt")
    for _ in range(round(options.melt * 1000 / systems.TIMESTEP)):
        md.step()
    return md.positions, md.velocities


def of_ours(md: Any) -> tuple[Callable[[], Any], Callable[[], None]]:
    """Return functions for total energy (eV) and temperature (K), and for one step."""
    return (lambda: (md.conserved_energy, md.temperature)), md.step


def of_reference(model: str, atoms: Any, velocities: Any) -> tuple[Callable[[], Any], Callable[[], None]]:
    """Return functions for total energy (eV) and temperature (K), and for one step."""
    dynamics = systems.reference(model, atoms, "nve", velocities=velocities)

    def total() -> tuple[float, float]:
        return float(atoms.get_total_energy()), float(atoms.get_temperature())

    return total, lambda: dynamics.run(1)


if __name__ == "__main__":
    main()
