#!/usr/bin/env python3
"""Self-diffusion by velocities and shear viscosity, from the trajectories that `<checks>` have left.

    scripts/transport.py DIRECTORY [--json FILE]

DIRECTORY is that of scripts/paper_figures.py, whose HIP-NN runs keep 30 ps at constant volume, a frame each
10 fs, of the model alone and with the last u(r). From them: D of straight lines of 30 trajectories, as the
paper has it; D by the integral of the velocities' autocorrelation to 500 fs; the viscosity by that of the
stress's to 600 fs, the stress evaluated on every frame; and D without the box's periodic images with that
viscosity instead of the measured one. Both ends were chosen before anything was seen.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from paper_figures import RULES, VISCOSITY, Case
from results_file import Json, add_json, number, write_result

from votca_mlp.api.model import Model, load_model
from votca_mlp.inverse.final_checks import AFTER, BEFORE, read_checks
from votca_mlp.observables.diffusion import diffusion_coefficient, infinite_box, trajectories_of
from votca_mlp.observables.velocities import integrated_diffusion
from votca_mlp.observables.viscosity import shear_viscosity
from votca_mlp.potentials.correction import PairCorrection, read_correction
from votca_mlp.trajectories.frames import Frame
from votca_mlp.trajectories.read import read_frames

INTERVAL, TRAJECTORIES, FORGOTTEN, RELAXED = 10.0, 30, 500.0, 600.0
"""fs between frames; how many; ends of the integrals over velocities and stress, fs."""
UNITS = {"temperature": "K", "einstein": "1e-9 m2/s", "velocities": "1e-9 m2/s", "infinite": "1e-9 m2/s"}
UNITS |= {"viscosity": "mPa s", "measured": "mPa s", "lowest_at": "fs"}


def stresses(frames: list[Frame], model: Model, correction: PairCorrection | None) -> np.ndarray:
    """Return the stress of every frame but the first and the last, with its kinetic part, eV/Angstrom^3."""
    import ase
    import ase.units

    evaluator = model.evaluator(correction)
    atoms = ase.Atoms(["Al"] * len(frames[0].types), positions=frames[0].positions, pbc=True)
    mass, found = float(atoms.get_masses()[0]) / ase.units.fs**2, []
    for before, now, after in zip(frames, frames[1:], frames[2:], strict=False):
        atoms.set_cell(now.box)
        atoms.positions = now.positions
        # positions are not wrapped between neighbouring frames, or they have jumped by an edge
        moved = after.positions - before.positions
        velocity = (moved - now.box * np.round(moved / now.box)) / (2.0 * INTERVAL)
        kinetic = mass * velocity.T @ velocity / now.volume
        found.append(evaluator.evaluate(atoms).stress - kinetic)
    return np.array(found)


def row_of(folder: Path, case: Case, model: Model, correction: PairCorrection | None) -> Json:
    """Return the numbers of one trajectory."""
    temperature, frames = float(case.temperature), list(read_frames(folder / "traj.dump"))
    parts = trajectories_of(frames, pieces=TRAJECTORIES)
    einstein = diffusion_coefficient(parts, INTERVAL)
    velocities, curve = integrated_diffusion(parts, INTERVAL, FORGOTTEN)
    stress = stresses(frames, model, correction)
    volume = frames[0].volume
    viscosity = shear_viscosity(stress, INTERVAL, volume, temperature, until=RELAXED)
    infinite = infinite_box(einstein, temperature, viscosity.mean, volume ** (1.0 / 3.0))
    # of what is added, the viscosity's error is the larger
    spread = np.hypot(infinite.error, (infinite.mean - einstein.mean) * viscosity.error / viscosity.mean)
    a, b = VISCOSITY
    lowest = int(curve.argmin())
    return {
        "temperature": temperature,
        "einstein": number(1e9 * einstein.mean, 1e9 * einstein.error),
        "velocities": number(1e9 * velocities.mean, 1e9 * velocities.error),
        "lowest": number(curve[lowest] / curve[0]),
        "lowest_at": lowest * INTERVAL,
        "viscosity": number(viscosity.mean, viscosity.error),
        "measured": number(10.0 ** (b / temperature - a)),
        "infinite": number(1e9 * infinite.mean, 1e9 * float(spread)),
    }


def main() -> None:
    """Read what is there, then print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    add_json(parser)
    options = parser.parse_args()
    model = load_model("builtin:al-hipnn")
    rows: dict[str, Any] = {}
    for temperature in ("943", "1023", "1323"):
        for rule in RULES:
            case = Case("hipnn", temperature, rule)
            run = options.directory / case.name
            checks = read_checks(run).get("", {})
            for label, name in ((BEFORE, f"{temperature} K alone"), (AFTER, f"{temperature} K {rule}")):
                facts = checks.get(label)
                if facts is None or name in rows:
                    continue
                table = run / f"step_{facts['step']:03d}" / "Al-Al.pot.cur"
                correction = read_correction({("Al", "Al"): table}) if label == AFTER else None
                folder = run / "checks" / f"{label}_{facts['identity']}"
                rows[name] = row_of(folder, case, model, correction)
                print(
                    f"{name}: " + ", ".join(f"{key} {value}" for key, value in rows[name].items()), flush=True
                )
                write_result(options.json, {"transport": rows}, units=UNITS, seeds=[1])


if __name__ == "__main__":
    main()
