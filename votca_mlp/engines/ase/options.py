"""The engine ase."""

from typing import Literal

from votca_mlp.engines.options import Crystal, EngineSettings
from votca_mlp.engines.plan import MDPlan
from votca_mlp.fields import FileName, setting


class AseSettings(EngineSettings):
    """cg.inverse.ase: molecular dynamics with ASE."""

    topol: FileName = setting(
        "topol.xml", accepted="a file name", meaning="Topology for csg_stat; list it in filelist."
    )
    traj: FileName = setting(
        "traj.dump",
        accepted="a file name ending in .dump or .gro",
        pattern=r"\.(dump|gro)$",
        meaning="Trajectory that is written for csg_stat, in LAMMPS's or GROMACS's format.",
    )
    conf: str | None = setting(
        None,
        accepted="a file that ASE reads, with periodic cell",
        meaning="Start configuration, relative to the main directory. Give this or crystal.",
    )
    conf_out: FileName = setting(
        "confout.extxyz", accepted="a file name", meaning="Last configuration of a step, start of the next."
    )
    crystal: Crystal | None = None
    ensemble: Literal["npt", "nvt"] = setting(
        MDPlan.ensemble, meaning="Constant pressure or constant volume."
    )
    temperature: float = setting(unit="K", gt=0, meaning="Temperature; must agree with kBT.")
    pressure: float = setting(MDPlan.pressure, unit="bar", meaning="Pressure, for npt.")
    timestep: float = setting(MDPlan.timestep, unit="fs", ge=0.001, meaning="Time step.")
    first_equilibration: float = setting(
        MDPlan.first_equilibration, unit="fs", ge=0, meaning="Equilibration of step_001, after melting."
    )
    equilibration: float = setting(
        MDPlan.equilibration, unit="fs", ge=0, meaning="Equilibration of each later step."
    )
    production: float = setting(
        MDPlan.production, unit="fs", gt=0, meaning="Length of the run that g(r) is measured in."
    )
    sample_every: float = setting(
        MDPlan.sample_every, unit="fs", ge=0.001, meaning="Time between two frames of the trajectory."
    )
    thermostat_time: float = setting(
        MDPlan.thermostat_time, unit="fs", gt=0, meaning="Relaxation time of the thermostat."
    )
    barostat_time: float = setting(
        MDPlan.barostat_time, unit="fs", gt=0, meaning="Relaxation time of the barostat."
    )
    seed: int = setting(1, ge=0, meaning="Seed of every random number; the same seed repeats the run.")
    skin: float = setting(
        MDPlan.skin, unit="Angstrom", ge=0, meaning="Margin of the neighbour list; changes speed only."
    )
    checkpoint_every: float = setting(
        MDPlan.checkpoint_every,
        unit="fs",
        ge=0.001,
        meaning="Time between two checkpoints; a killed run resumes from the last.",
    )
