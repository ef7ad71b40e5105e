"""The melting temperature of any model, with a correction or without: crystal and liquid in one box.

At each temperature four simulations: the crystal at a pressure, which gives its lattice constant; its melt in
a box of the crystal's width; both joined along z, with a barostat along z alone, so that the crystal is under
no stress. The interfaces move towards the phase that is stable.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.api.model import Model
from votca_mlp.api.simulate import Simulation, correction_digest, simulate, working_directory
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.result import THERMO
from votca_mlp.engines.shared.start import check_melted
from votca_mlp.errors import UserError
from votca_mlp.evaluation.solid import cells_of
from votca_mlp.files import atomic_write, read_json
from votca_mlp.observables.coexistence import (
    MeltingPoint,
    Moving,
    check_length,
    interface_motion,
    melting_point,
)
from votca_mlp.units import KB_EV_PER_K

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.api.correction import Correction
    from votca_mlp.potentials.correction import PairCorrection

MADE_FROM = "melting.json"
"""In the folder of the simulations: what all of them have in common."""
NEAREST = 0.75
"""Of the crystal's nearest distance: atoms of both halves are not closer when these are joined."""


@dataclass(frozen=True)
class Coexistence:
    """Crystal and liquid at one temperature.

    Attributes
    ----------
    temperature, seed
        K; of the velocities.
    constant
        Lattice constant of the crystal there, Angstrom.
    heat
        Potential energy of an atom that melting takes, eV.
    expansion
        Relative change of the volume.
    motion
        Of the interfaces.
    """

    temperature: float
    seed: int
    constant: float
    heat: float
    expansion: float
    motion: Moving


@dataclass(frozen=True)
class Melting:
    """All temperatures, and where crystal and liquid would coexist."""

    runs: tuple[Coexistence, ...]
    point: MeltingPoint


def melt(
    model: Model,
    element: str,
    structure: str,
    guess: float,
    temperatures: Sequence[float],
    md: MDPlan,
    *,
    correction: "Correction | PairCorrection | None" = None,
    cells: tuple[int, int, int] = (4, 4, 4),
    melt_temperature: float | None = None,
    seeds: Sequence[int] = (1,),
    directory: str | Path | None = None,
    report: Callable[[Coexistence], None] = lambda found: None,
    name: str = "",
) -> Melting:
    """Return the melting temperature by coexistence of crystal and liquid.

    Parameters
    ----------
    model, correction
        What the atoms move in.
    element, structure, guess
        A cubic crystal near this lattice constant (Angstrom).
    temperatures
        K, on both sides of melting, best within 10 %.
    md
        Time step, pressure, times of thermostat and barostat, limits, ``sample_every``; ``production`` is the
        length of the coexistence, ``equilibration`` that of everything before.
    cells
        Of each half: along x, y, z.
    melt_temperature
        Of the half that is molten, K; twice the largest temperature by default.
    seeds
        A simulation of both phases together for each.
    directory
        Keeps the simulations, which go on there; a temporary one by default.
    report
        Called with each finished coexistence.
    name
        Of the potential, before the progress of each simulation.

    Raises
    ------
    UserError
        A crystal that melts by itself, a half that does not melt; what :func:`simulate` refuses.
    """
    check_length(md.production, md.sample_every)
    hot = melt_temperature or 2.0 * max(temperatures)
    runs: list[Coexistence] = []
    with working_directory(directory) as folder:
        made_from = [element, structure, guess, list(cells), md.pressure, md.timestep]
        _refuse_other(
            folder,
            [model.identity, None if correction is None else correction_digest(correction), *made_from],
        )
        for temperature in temperatures:
            here = folder / f"{temperature:g}K"
            of = ", ".join(filter(None, (name, f"{temperature:g} K")))
            plan = replace(md, temperature=temperature, ensemble="npt", first_equilibration=md.equilibration)
            phase = replace(plan, production=2.0 * md.equilibration)
            start = cells_of(element, structure, guess, cells)
            solid = simulate(
                model, start, phase, correction=correction, directory=here / "crystal", name=f"{of}, crystal"
            )
            volume = solid.means["volume[A3]"].mean
            _refuse_molten(start, solid, temperature)
            # the crystal at its own density: of its last configuration the scaled positions count
            edge = guess * float(np.cbrt(volume / start.get_volume()))
            crystal = _scaled(solid.last, [edge * n for n in cells])
            liquid = _melted(model, crystal, phase, hot, correction, here, of)
            energies = [x.means["potential[eV]"].mean / len(start) for x in (solid, liquid)]
            if energies[1] - energies[0] < 0.3 * KB_EV_PER_K * temperature:
                heat = 1000.0 * (energies[1] - energies[0])
                raise UserError(
                    f"the liquid has frozen by itself at {temperature:g} K: melting takes {heat:.1f} meV",
                    accepted="temperatures nearer to melting",
                )
            box = joined(crystal, liquid.last, edge, NEAREST * nearest(start) * edge / guess)
            for seed in seeds:
                together = replace(plan, first_equilibration=0.0, barostat_axes="z", seed=seed)
                path = here / f"both_{seed}"
                named = f"{of}, both, seed {seed}"
                simulate(model, box, together, correction=correction, directory=path, name=named)
                series = np.loadtxt(path / THERMO, ndmin=2)[:, 6] / len(box)
                motion = interface_motion(
                    series, energies[0], energies[1], plan.sample_every, 2 * cells[2] * edge
                )
                expansion = liquid.means["volume[A3]"].mean / volume - 1.0
                heat = energies[1] - energies[0]
                runs.append(Coexistence(temperature, seed, edge, heat, expansion, motion))
                report(runs[-1])
    return Melting(tuple(runs), melting_point([r.temperature for r in runs], [r.motion for r in runs]))


def nearest(atoms: "Atoms") -> float:
    """Return the smallest distance of the first atom to another, Angstrom."""
    return float(atoms.get_distances(0, range(1, len(atoms)), mic=True).min())


def joined(crystal: "Atoms", liquid: "Atoms", constant: float, closest: float) -> "Atoms":
    """Return both on top of each other along z, as near as no two atoms of them are closer than ``closest``.

    Parameters
    ----------
    crystal, liquid
        In boxes of the same edges along x and y.
    constant, closest
        Lattice constant, and the distance, Angstrom.
    """
    lower, upper = crystal.copy(), liquid.copy()
    # whole layers: the box's end between two of them
    lower.positions[:, 2] += constant / 8.0
    for half in (lower, upper):
        half.wrap()
    bottom, top = (half.cell.array[2, 2] for half in (lower, upper))
    between = lower.positions[:, None, :] - upper.positions[None, :, :]
    edges = lower.cell.lengths()[:2]
    between[..., :2] -= edges * np.round(between[..., :2] / edges)
    across = (between[..., :2] ** 2).sum(-1)

    def apart(gap: float) -> bool:
        height = bottom + top + 2.0 * gap
        along = between[..., 2] - bottom - gap
        along = along - height * np.round(along / height)
        return bool((across + along**2).min() >= closest**2)

    # a gap as wide as the distance does in any case
    gap = next(gap for gap in np.arange(0.0, closest + 0.2, 0.1) if apart(gap))
    upper.positions[:, 2] += bottom + gap
    both: Atoms = lower + upper
    both.set_cell([*edges, bottom + top + 2.0 * gap])
    return both


_MADE_OF = ("model", "correction", "element", "structure", "guess", "cells", "pressure", "time step")
"""What a folder's simulations are made from, in the file's order."""


def _refuse_other(folder: Path, made_from: list[Any]) -> None:
    """Refuse a folder whose simulations begin from another crystal: the two halves would not fit together."""
    path = folder / MADE_FROM
    # what was refused before its first simulation has left nothing that could not fit
    if not path.is_file() or not any(folder.glob(f"*K/*/{THERMO}")):
        with atomic_write(path) as file:
            json.dump(made_from, file)
        return
    try:
        known = read_json(path)
    except (OSError, ValueError):
        known = None
    if known != made_from:
        if isinstance(known, list) and len(known) == len(made_from):
            pairs = zip(_MADE_OF, known, made_from, strict=True)
            differ = [f"{name} ({before}, now {now})" for name, before, now in pairs if before != now]
        else:
            differ = ["model, correction, crystal, pressure or time step"]
        raise UserError(
            f"the simulations here are of another {', '.join(differ)}",
            where=folder,
            accepted="another folder; temperatures, seeds and length may change",
        )


def _melted(
    model: Model,
    crystal: "Atoms",
    plan: MDPlan,
    hot: float,
    correction: "Correction | PairCorrection | None",
    folder: Path,
    name: str,
) -> Simulation:
    """Return the simulation of the melt at the plan's temperature, in a box as wide as the crystal."""
    wide = crystal.copy()
    wide.set_cell(wide.cell.array * [[1.0], [1.0], [1.08]], scale_atoms=True)
    heating = replace(plan, temperature=hot, ensemble="nvt", production=plan.first_equilibration)
    molten = simulate(
        model,
        wide,
        heating,
        correction=correction,
        directory=folder / "hot",
        name=f"{name}, heating to {hot:g} K",
    )
    check_melted(wide.positions, molten.last.positions, wide.get_volume(), f"{hot:g} K")
    along = replace(plan, barostat_axes="z")
    return simulate(
        model, molten.last, along, correction=correction, directory=folder / "liquid", name=f"{name}, liquid"
    )


def _refuse_molten(start: "Atoms", solid: Simulation, temperature: float) -> None:
    scaled = start.get_scaled_positions(wrap=False)
    now = solid.last.get_scaled_positions(wrap=False)
    moved = (now - scaled) @ solid.last.cell.array
    rms = float(np.sqrt((moved**2).sum(1).mean()))
    if rms > 0.3 * nearest(start):
        raise UserError(
            f"the crystal melts by itself at {temperature:g} K: atoms have moved {rms:.2f} Angstrom",
            accepted="lower temperatures",
        )


def _scaled(atoms: "Atoms", edges: Sequence[float]) -> "Atoms":
    found: Atoms = atoms.copy()
    found.set_cell(edges, scale_atoms=True)
    return found
