"""Lennard-Jones fluids with a known correction u*(r): states, targets, and fits to some of the states."""

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.io import write
from numpy.typing import NDArray

from votca_mlp.inverse.from_settings import state_plan
from votca_mlp.inverse.start import run_inverse
from votca_mlp.inverse.twin import known_correction, simulate_targets
from votca_mlp.settings import Settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.settings.states import State, states_of, write_state_settings
from votca_mlp.tables import grid_points, write_table
from votca_mlp.units import kbt_kjmol

Array = NDArray[np.float64]
Bumps = Mapping[str, Sequence[tuple[float, float, float]]]
"""u* by interaction: height in eV, centre and width in nm of each bump."""
Shares = Mapping[str, Array]
"""Of each state in the update of each interaction; those of an interaction sum to 1."""

CASE = Path(__file__).resolve().parent.parent / "settings" / "lj_two_states"
MASSES = {"Ar": 39.948, "Kr": 83.798}
# of the ready case
STAR: Bumps = {
    "Ar-Ar": [(0.0030, 0.36, 0.04), (-0.0020, 0.50, 0.05)],
    "Ar-Kr": [(-0.0030, 0.38, 0.04), (0.0020, 0.52, 0.05)],
    "Kr-Kr": [(0.0035, 0.40, 0.04), (-0.0025, 0.55, 0.05)],
}
# of the size of the model's own wells
ARGON: Bumps = {"Ar-Ar": [(0.0104, 0.37, 0.05), (-0.0052, 0.52, 0.06)]}
BOTH: Bumps = {name: [(3.0 * height, r, width) for height, r, width in bumps] for name, bumps in STAR.items()}


@dataclass(frozen=True)
class Fluid:
    """A state: kelvin, edge in Angstrom of the fcc cells that it starts from, krypton among its 108 atoms."""

    temperature: float
    edge: float
    krypton: int = 0

    def counts(self) -> dict[str, int]:
        """Return the number of atoms by symbol."""
        return {"Ar": 108 - self.krypton, "Kr": self.krypton}

    def pairs(self, interaction: str) -> int:
        """Return how many pairs of atoms an interaction has."""
        counts = self.counts()
        a, b = interaction.split("-")
        return counts[a] * (counts[a] - 1) // 2 if a == b else counts[a] * counts[b]


# 0.0065 atoms a cubic Angstrom, below the critical density: g(r) answers to u(r) nearly as in a dilute gas,
# so that after a few iterations only noise is left, and similar temperatures have similar noise
EQUAL = {f"{t}K": Fluid(t, 8.5) for t in (240, 260, 280)}
# 351 pairs of the rare element, 3240 of the other, 2187 unlike ones
MIXTURE = {"argon_rich": Fluid(340, 8.5, 27), "krypton_rich": Fluid(340, 8.5, 81)}
# 0.0117, 0.0107, 0.0098 atoms a cubic Angstrom: the denser, the more iterations the slow parts of u(r) take
UNEQUAL = {"dense": Fluid(220, 7.0), "middle": Fluid(240, 7.2), "thin": Fluid(260, 7.42)}
SETS: dict[str, tuple[Mapping[str, Fluid], Bumps]] = {
    "equal": (EQUAL, ARGON),
    "mixture": (MIXTURE, BOTH),
    "unequal": (UNEQUAL, ARGON),
}


def fits_of(
    fluids: Mapping[str, Fluid], interactions: Sequence[str], most: int | None = None
) -> dict[str, Shares]:
    """Return every choice of states, at most so many, with shares that are all alike.

    Where the states have different numbers of pairs, also with shares in proportion to these: the variance
    of ln g is inverse to them, and such shares give the mean the smallest variance.
    """
    fits: dict[str, Shares] = {}
    for size in range(1, min(most or len(fluids), len(fluids)) + 1):
        for states in combinations(fluids, size):
            label = " + ".join(states)
            fits[label] = {state: np.full(len(interactions), 1.0 / size) for state in states}
            counts = np.array([[fluids[state].pairs(name) for name in interactions] for state in states])
            if np.any(counts != counts[0]):
                fits[f"{label}, by pairs"] = dict(zip(states, counts / counts.sum(axis=0), strict=True))
    return fits


def prepare(
    main: Path,
    fluids: Mapping[str, Fluid],
    bumps: Bumps,
    *,
    iterations: int,
    production: float,
    replica: int = 1,
) -> None:
    """Make a folder with the states; one that is there is left alone."""
    if (main / "settings.xml").exists():
        return
    for seed, (name, fluid) in enumerate(fluids.items(), start=10 * replica):
        (main / name).mkdir(parents=True, exist_ok=True)
        atoms = bulk("Ar", "fcc", a=fluid.edge, cubic=True).repeat(3)
        atoms.symbols[np.random.default_rng(seed).permutation(len(atoms))[: fluid.krypton]] = "Kr"
        write(main / name / "conf.extxyz", atoms[np.argsort(atoms.numbers, kind="stable")])
        molecules = "".join(
            f'<molecule name="{symbol}" nmols="{count}" nbeads="1">'
            f'<bead name="{symbol}" type="{symbol}" mass="{MASSES[symbol]}" q="0"/></molecule>'
            for symbol, count in fluid.counts().items()
            if count
        )
        topology = f"<topology><molecules>{molecules}</molecules></topology>\n"
        (main / name / "topol.xml").write_text(topology)
        own = f"<filelist>topol.xml</filelist><ase><seed>{seed}</seed></ase>"
        (main / name / "settings.xml").write_text(f"<cg><inverse>{own}</inverse></cg>\n")
    text = (CASE / "settings.xml").read_text()
    for name in STAR.keys() - bumps.keys():
        text = re.sub(rf" *<non-bonded>\s*<name>{name}<.*?</non-bonded>\n", "", text, flags=re.DOTALL)
    changes = {
        "alpha": 1,
        "weight": "uniform",
        "iterations_max": iterations,
        "timestep": 4,
        # the crystal melts before anything is measured
        "first_equilibration": 4000,
        "equilibration": 200,
        "production": production,
        "sample_every": 40,
        "block_length": round(production / 400),
        **states_tags({name: fluid.temperature for name, fluid in fluids.items()}),
    }
    (main / "settings.xml").write_text(edited(text, changes))


def states_tags(temperatures: Mapping[str, float]) -> dict[str, object]:
    """Return the tags that name the states, all of weight 1."""
    return {
        "state_names": " ".join(temperatures),
        "state_weights": " ".join("1" for _ in temperatures),
        "state_kBTs": " ".join(f"{kbt_kjmol(kelvin):.7g}" for kelvin in temperatures.values()),
    }


def edited(text: str, changes: Mapping[str, object]) -> str:
    """Return a settings.xml with the text of simple tags replaced."""
    for tag, value in changes.items():
        text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    return text


def make_targets(
    settings: Settings, main: Path, bumps: Bumps, *, longer: float, signs: Mapping[str, float] | None = None
) -> None:
    """Write the targets of all states and u* into a case's folder; states that have theirs are left alone."""
    known = {
        i.name: known_correction(grid_points(i.min, i.max, i.step), bumps[i.name])
        for i in settings.interactions
    }
    for name, table in known.items():
        write_table(main / f"{name}.pot.known", table)
    comments = ("g(r) of model plus u*, with block errors, made by scripts/multistate_known_answer.py",)
    for state in states_of(settings):
        folder = main / state.name / "target"
        if (folder / "done").exists():
            continue
        sign = (signs or {}).get(state.name, 1.0)
        corrections = {name: table.with_y(sign * table.y) for name, table in known.items()}
        length = longer * md_plan(state.settings).production
        plan = state_plan(state.settings)
        for name, table in simulate_targets(plan, corrections, folder, production=length).items():
            write_table(main / state.name / f"{name}.dist.tgt", replace(table, comments=comments))
        (folder / "done").touch()
        if main == CASE:
            shutil.rmtree(folder)


def fit(main: Path, run: Path, states: Sequence[State], shares: Shares, iterations: int) -> str:
    """Fit u(r) to some of the states, with their shares of the updates; return why the loop ended."""
    inputs = shutil.ignore_patterns("target", "step_*", "fit_*")
    changes: dict[str, object] = {"iterations_max": iterations}
    if len(states) == 1:
        shutil.copytree(main / states[0].name, run, ignore=inputs, dirs_exist_ok=True)
        write_state_settings(states[0], run / "settings.xml")
    else:
        for state in states:
            shutil.copytree(main / state.name, run / state.name, ignore=inputs, dirs_exist_ok=True)
            # the weights W are alike for all interactions, alpha need not be
            alphas = "".join(
                f"<non-bonded><name>{pair.name}</name><inverse><wibi><alpha>{share * len(states):.7g}</alpha>"
                "</wibi></inverse></non-bonded>"
                for pair, share in zip(state.settings.interactions, shares[state.name], strict=True)
            )
            own = run / state.name / "settings.xml"
            own.write_text(own.read_text().replace("<cg>", f"<cg>{alphas}"))
        shutil.copy(main / "settings.xml", run)
        changes |= states_tags({state.name: state.temperature for state in states})
    options = run / "settings.xml"
    options.write_text(edited(options.read_text(), changes))
    (run / "done").unlink(missing_ok=True)
    with open(run / "terminal.log", "w") as terminal, redirect_stdout(terminal), redirect_stderr(terminal):
        return run_inverse(options)
