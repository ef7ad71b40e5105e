"""Liquids that run in seconds, to be interrupted: the tests' cases by engine, rule and number of states."""

import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from results_file import ROOT

sys.path.insert(0, str(ROOT))

from tests.csg.case import VOTCA_MLP, edit, make_case
from tests.csg.conftest import HOOKS
from tests.engines.gromacs.case import make_case as gromacs_case
from tests.engines.lammps.loop_case import lammps_case
from tests.inverse.states_case import make_states, split_into_states

LOOPS = {"csg_inverse": ("csg_inverse",), "votca-mlp inverse": (str(VOTCA_MLP), "inverse")}
ITERATIONS = {
    ("csg_inverse", 1): 1,
    ("csg_inverse", 2): 1,
    ("votca-mlp inverse", 1): 2,
    ("votca-mlp inverse", 2): 1,
}
"""By loop and number of states: csg_inverse takes about 15 s an iteration without any simulation."""
ASE_PRODUCTION = 2000
"""fs, 4 fs a step; with a checkpoint every 400 fs."""
EXACT = {"ase": True, "lammps": True, "gromacs": False}
"""Whether a simulation goes on bit for bit; mdrun's stochastic thermostat does not (docs/engines.md)."""


@dataclass(frozen=True)
class Case:
    """What is interrupted: an engine, a loop, a number of states and VOTCA's method (imc: Gauss-Newton)."""

    engine: str
    loop: str
    states: int
    method: str = "ibi"

    @property
    def name(self) -> str:
        """Of the case, for tables and folders."""
        states = "one state" if self.states == 1 else "two states"
        return f"{self.engine}, {self.loop}, {states}, {self.method}"

    def make(self, main: Path, gmx: str) -> None:
        """Write the main directory."""
        iterations, two = ITERATIONS[self.loop, self.states], self.states == 2
        if self.engine == "ase":
            if two:
                make_states(main, iterations=iterations, production=ASE_PRODUCTION)
            else:
                make_case(main, iterations=iterations, production=ASE_PRODUCTION, interaction=HOOKS)
        elif self.engine == "lammps":
            lammps_case(main)
            edit(main / "in.lmp", {"run 200": "run 150", "run 100": "run 50"})
            edit(main / "settings.xml", {"<iterations_max>1<": f"<iterations_max>{iterations}<"})
            edit(main / "settings.xml", {"</script>": "</script><checkpoint_every>40</checkpoint_every>"})
        else:
            gromacs_case(main, gmx=gmx, iterations=iterations)
            # at their temperature before frames count
            edit(main / "grompp.mdp", {"nsteps = 200": "nsteps = 400", "tau-t = 0.2": "tau-t = 0.05"})
            edit(main / "settings.xml", {"<equi_time>0.2<": "<equi_time>0.4<"})
            # minutes between checkpoints
            edit(main / "settings.xml", {"</command>\n": "</command><opts>-cpt 0.01</opts>\n"})
        if two and self.engine != "ase":
            split_into_states(main, {"lammps": "in.lmp", "gromacs": "grompp.mdp"}[self.engine])
        if self.method != "ibi":
            settings = main / "settings.xml"
            edit(settings, {"<method>ibi<": f"<method>{self.method}<"})
            settings.write_text(re.sub(r"<wibi>.*?</wibi>", "", settings.read_text(), flags=re.DOTALL))
        if two:
            # side by side, so that there are other processes than the loop's
            edit(main / "settings.xml", {"<tasks>1<": "<tasks>2<"})

    def again(self, finished: Path, main: Path) -> None:
        """Write the main directory as it was before the iterations of a finished run."""
        steps = shutil.ignore_patterns("step_00[1-9]", "done", "inverse.log", "*.yaml")
        shutil.copytree(finished, main, ignore=steps)
        if self.loop != "csg_inverse":
            # ours makes step 0 in no time, and may be interrupted in it
            shutil.rmtree(main / "step_000")

    @property
    def has_children(self) -> bool:
        """Whether the loop starts other processes."""
        return self.loop == "csg_inverse" or self.engine == "gromacs" or self.states == 2


def all_cases(engines: Iterable[str], loops: Iterable[str]) -> list[Case]:
    """Return the cases with these engines and loops; the rule for all interactions with the first engine."""
    engines, loops = list(engines), list(loops)
    found = [Case(engine, loop, states) for engine in engines for loop in loops for states in (1, 2)]
    return found + [Case(engine, loop, 1, "imc") for engine in engines[:1] for loop in loops]


def folders(main: Path) -> list[Path]:
    """Return where the processes of a run work: the main directory, its steps, and states in them."""
    return [main, *(path for path in main.rglob("*") if path.is_dir())]
