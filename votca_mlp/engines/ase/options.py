"""The engine ase."""

from typing import Annotated, Literal

from pydantic import PositiveInt

from votca_mlp.engines.options import EngineSettings
from votca_mlp.fields import FileName, Section, Words, setting


class CrystalSettings(Section):
    """cg.inverse.ase.crystal: a start from a crystal that is molten first."""

    element: str = setting(accepted="a chemical symbol", meaning="Element of the crystal.")
    structure: Literal["fcc", "bcc", "hcp", "sc", "diamond"] = setting("fcc", meaning="Crystal structure.")
    lattice_constant: float = setting(unit="Angstrom", gt=0, meaning="Lattice constant a.")
    repeat: Annotated[
        tuple[
            PositiveInt,
            PositiveInt,
            PositiveInt,
        ],
        Words,
    ] = setting((5, 5, 5), accepted="three whole numbers > 0", meaning="Cubic cells along x, y and z.")
    melt_temperature: float = setting(2000.0, unit="K", gt=0, meaning="Temperature at which it is molten.")
    melt_time: float = setting(5000.0, unit="fs", ge=0, meaning="Time at the melt temperature.")


class AseSettings(EngineSettings):
    """cg.inverse.ase: molecular dynamics with ASE."""

    topol: str = setting(
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
    crystal: CrystalSettings | None = None
    ensemble: Literal["npt", "nvt"] = setting("npt", meaning="Constant pressure or constant volume.")
    temperature: float = setting(unit="K", gt=0, meaning="Temperature; must agree with kBT.")
    pressure: float = setting(1.0, unit="bar", meaning="Pressure, for npt.")
    timestep: float = setting(1.0, unit="fs", ge=0.001, meaning="Time step.")
    first_equilibration: float = setting(
        20000.0, unit="fs", ge=0, meaning="Equilibration of step_001, after melting."
    )
    equilibration: float = setting(2000.0, unit="fs", ge=0, meaning="Equilibration of each later step.")
    production: float = setting(
        10000.0, unit="fs", gt=0, meaning="Length of the run that g(r) is measured in."
    )
    sample_every: float = setting(
        100.0, unit="fs", ge=0.001, meaning="Time between two frames of the trajectory."
    )
    thermostat_time: float = setting(100.0, unit="fs", gt=0, meaning="Relaxation time of the thermostat.")
    barostat_time: float = setting(1000.0, unit="fs", gt=0, meaning="Relaxation time of the barostat.")
    seed: int = setting(1, ge=0, meaning="Seed of every random number; the same seed repeats the run.")
    skin: float = setting(
        0.5, unit="Angstrom", ge=0, meaning="Margin of the neighbour list; changes speed only."
    )
    checkpoint_every: float = setting(
        1000.0,
        unit="fs",
        ge=0.001,
        meaning="Time between two checkpoints; a killed run resumes from the last.",
    )
