"""What a step asks of GROMACS, checked before anything runs."""

import os
import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from votca_mlp.deploy.nnpot_mdp import MODULE as NNPOT_MODULE
from votca_mlp.deploy.nnpot_mdp import mdp_fragment
from votca_mlp.engines.gromacs.binary import Binary, Way, choose_way, probe
from votca_mlp.engines.gromacs.mdp import Mdp, read_mdp
from votca_mlp.engines.gromacs.options import options_of
from votca_mlp.engines.gromacs.thermostat import check_thermostat
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.neighbours.box import RECTANGULAR

_OURS = ("-plumed", "-s", "-c", "-o", "-x", "-cpi", "-rerun", "-multidir", "-deffnm", "-nsteps", "-maxh")


@dataclass(frozen=True)
class Plan:
    """A step's simulation with GROMACS.

    Attributes
    ----------
    binary, way
        Which GROMACS, and how it gets its forces.
    mdp
        Parameters by name.
    steps, timestep
        MD steps (without CSG_MDRUN_STEPS), fs.
    frames
        Frames of the trajectory that csg_stat will count.
    log_every
        Steps between two lines of energies.
    constant_volume
        No barostat.
    """

    binary: Binary
    way: Way
    mdp: Mdp
    steps: int
    timestep: float
    frames: int
    log_every: int
    constant_volume: bool

    def __str__(self) -> str:
        names = {"plumed": "through its PLUMED slot", "nnpot": "through NNPot"}
        ensemble = "constant volume" if self.constant_volume else "constant pressure"
        return f"GROMACS {self.binary.version} {names[self.way]}, {ensemble}, {self.steps} MD steps a step"


def make_plan(md: MDPlan, file: Path, *, max_steps: int | None = None) -> Plan:
    """Read the mdp ``file`` and ask GROMACS what it can do.

    Raises
    ------
    UserError
        A GROMACS that is missing or unsuitable, or a plan that does not fit.
    """
    mdp = read_mdp(file)
    binary = probe(md)
    way = choose_way(binary, mdp)
    _check_options(md)
    _check_rectangular(mdp)
    if way == "nnpot" and mdp.get("nnpot-modelfile") != NNPOT_MODULE:
        raise UserError(
            f"{file.name} does not load the model through NNPot, the only way of GROMACS {binary.version}",
            where=mdp.place("nnpot-modelfile"),
            accepted="these lines in it:\n" + mdp_fragment(NNPOT_MODULE, binary.year),
        )
    if options_of(md).temp_check:
        check_thermostat(md, mdp)
    timestep = 1000.0 * mdp.number("dt", 0.001)
    steps = int(mdp.number("nsteps", 0))
    if steps < 1 or timestep <= 0:
        raise UserError(
            f"nsteps is {steps}, dt {timestep / 1000:g} ps",
            where=mdp.place("nsteps" if steps < 1 else "dt"),
            accepted="numbers above 0",
        )
    return Plan(
        binary=binary,
        way=way,
        mdp=mdp,
        steps=steps,
        timestep=timestep,
        frames=_frames(md, mdp, steps, timestep, max_steps),
        log_every=int(mdp.number("nstenergy", 1000)),
        constant_volume=mdp.get("pcoupl", "no").lower() == "no",
    )


def mdrun_options(plan: Plan, md: MDPlan, *, resume: bool, slot: str) -> list[str]:
    """Return what is added to the user's options of mdrun.

    Parameters
    ----------
    resume
        Name the checkpoint (VOTCA does it itself when there is a wall time).
    slot
        File for the PLUMED slot.
    """
    given = options_of(md).mdrun.opts
    added = ["-plumed", slot] if plan.way == "plumed" else []
    if plan.binary.thread_mpi and "-ntmpi" not in given:
        added += ["-ntmpi", "1"]
    if plan.way == "plumed":
        # mdrun has next to nothing to do; its threads would only wait in the model's way
        added += [] if "-ntomp" in given or "-nt" in given else ["-ntomp", "1"]
        added += [] if "-pin" in given else ["-pin", "off"]
    if resume:
        added += ["-cpi", options_of(md).mdrun.checkpoint]
    return added


def _check_options(md: MDPlan) -> None:
    variable = "environment variable CSG_MDRUN_OPTS"
    try:
        more = shlex.split(os.environ.get("CSG_MDRUN_OPTS", ""))
    except ValueError as error:
        raise UserError(f"{error}", where=variable, accepted="options of mdrun") from None
    sources = {md.place("mdrun.opts"): list(options_of(md).mdrun.opts), variable: more}
    for where, words in sources.items():
        for option, value in pairwise([*words, ""]):
            if option in _OURS:
                raise UserError(
                    f"has {option}, which votca-mlp or VOTCA sets", where=where, accepted="other options"
                )
            if option == "-ntmpi" and value != "1":
                raise UserError(
                    f"asks for {value} thread-MPI ranks: the potential is evaluated beside one rank",
                    where=where,
                    accepted="-ntmpi 1; threads are for the model: cg.inverse.mlp.threads",
                )


def _check_rectangular(mdp: Mdp) -> None:
    """Refuse parameters that would tilt the box during the run."""
    anisotropic = (
        mdp.get("pcoupl", "no").lower() != "no" and mdp.get("pcoupltype", "").lower() == "anisotropic"
    )
    for name, acts in (("compressibility", anisotropic), ("deform", True)):
        # of xx, yy, zz, and what tilts
        if acts and any(mdp.numbers(name)[3:]):
            raise UserError(
                f"{name} is '{mdp[name]}', which tilts the box",
                where=mdp.place(name),
                accepted=f"zeros after the third number: {RECTANGULAR}",
            )


def _frames(md: MDPlan, mdp: Mdp, steps: int, timestep: float, max_steps: int | None) -> int:
    name = "nstxout-compressed" if md.traj.endswith(".xtc") else "nstxout"
    every = int(mdp.number(name, mdp.number("nstxtcout", 0) if name != "nstxout" else 0))
    where = mdp.place(name)
    if every < 1:
        raise UserError(f"{name} is 0, so {md.traj} would be empty", where=where, accepted="a number > 0")
    made = min(steps, max_steps or steps)
    times = [k * every * timestep / 1000 for k in range(made // every + 1)]
    left = [t for t in times if t >= md.equi_time - 1e-6]
    frames = min(len(left), len(times) - max(md.first_frame - 1, 0))
    needed = md.frames_needed
    if frames < needed and max_steps is None:
        what = (
            f"{frames} frames are left of {len(times)} after equi_time and first_frame, {needed} are needed"
        )
        raise UserError(
            what, where=where, accepted=f"more nsteps, or a smaller {name}, equi_time or block_length"
        )
    return frames
