"""How good a fitted model is beyond its errors: its crystal, its liquid."""

from dataclasses import dataclass

import numpy as np
from ase import units
from ase.build import bulk

from votca_mlp.evaluation.calculator import MLPCalculator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.observables.rdf import pair_histograms
from votca_mlp.trajectories.frames import frame_from_atoms


@dataclass(frozen=True)
class Liquid:
    """A melt: first peak of g(r); closest pair and highest temperature at any step (Angstrom, K)."""

    peak_position: float
    peak_height: float
    closest: float
    hottest: float


def liquid(
    evaluator: Evaluator,
    element: str,
    *,
    density: float,
    temperature: float,
    melt_temperature: float = 2000.0,
    melt_time: float = 5000.0,
    time: float = 10000.0,
    repeat: int = 5,
    seed: int = 1,
) -> Liquid:
    """Melt a crystal, cool it and take g(r) over the second half (Langevin, constant volume).

    Densities in atoms per cubic Angstrom, temperatures in K, times in fs (steps of 2 fs).
    """
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

    random = np.random.default_rng(seed)
    atoms = bulk(element, "fcc", (4.0 / density) ** (1.0 / 3.0), cubic=True).repeat(repeat)
    atoms.calc = MLPCalculator(evaluator)
    MaxwellBoltzmannDistribution(atoms, temperature_K=2 * melt_temperature, rng=random)
    step, friction = 2.0 * units.fs, 0.01 / units.fs
    dynamics = Langevin(
        atoms, step, temperature_K=melt_temperature, friction=friction, fixcm=False, rng=random
    )
    closest, hottest, frames = np.inf, 0.0, []

    def watch() -> None:
        nonlocal closest, hottest
        pair = atoms.calc.evaluation.closest
        closest = min(closest, pair[2] if pair else np.inf)
        hottest = max(hottest, atoms.get_temperature())

    dynamics.attach(watch, interval=1)
    dynamics.run(round(melt_time / 2.0))
    dynamics.set_temperature(temperature_K=temperature)
    dynamics.run(round(time / 4.0))
    dynamics.attach(lambda: frames.append(frame_from_atoms(atoms)), interval=25)
    dynamics.run(round(time / 4.0))
    r = np.arange(0.0, 0.5 * min(atoms.cell.lengths()), 0.05)[:-1]
    g = pair_histograms(frames, [(element, element)], r).g((element, element))
    top = int(np.argmax(g))
    a, b, c = np.polyfit(r[top - 2 : top + 3], g[top - 2 : top + 3], 2)
    return Liquid(float(-b / (2 * a)), float(c - b * b / (4 * a)), float(closest), float(hottest))
