"""The engine lammps."""

from votca_mlp.engines.options import EngineSettings
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.fields import CommandLine, FileName, setting


class LammpsSettings(EngineSettings):
    """cg.inverse.lammps: molecular dynamics with LAMMPS; VOTCA's own tags, with VOTCA's meaning."""

    # in MD steps
    not_of_plan = ("checkpoint_every",)

    script: FileName = setting(
        accepted="a file name",
        meaning="LAMMPS input script in units metal, with dump and run; list it in filelist.",
    )
    conf: FileName = setting(
        "conf.data",
        accepted="a file name",
        meaning="Start configuration in the main directory, which the script reads (read_data).",
    )
    topol: FileName = setting(
        "topol.xml",
        accepted="a file name",
        meaning="Topology for csg_stat, whose bead types are the elements of the atoms in the order of their "
        "IDs; list it in filelist.",
    )
    traj: FileName = setting(
        "traj.dump",
        accepted="a file name ending in .dump",
        pattern=r"\.dump$",
        meaning="Trajectory that the script's dump writes for csg_stat.",
    )
    conf_out: FileName = setting(
        "confout.data",
        accepted="a file name ending in .data",
        pattern=r"\.data$",
        meaning="Last configuration of a step (write_data), start of the next.",
    )
    checkpoint_every: int = setting(
        1000,
        ge=1,
        unit="steps",
        meaning="MD steps between two checkpoints; a killed run resumes from the last.",
    )
    command: CommandLine | None = setting(
        None,
        min_length=1,
        accepted="a command, such as lmp or mpirun -np 4 lmp",
        meaning="A LAMMPS program with ML-IAP and Python, on any number of MPI ranks, which evaluates model "
        "and correction itself (pair_style mliap unified). Without it LAMMPS runs as a library, on one rank.",
    )
    python: CommandLine | None = setting(
        None,
        min_length=1,
        accepted="a command",
        meaning="A Python with the module lammps, when it is not the one that votca-mlp runs in.",
    )


def options_of(plan: MDPlan) -> LammpsSettings:
    """Return what a plan has for LAMMPS.

    Raises
    ------
    UserError
        It is a plan for another engine.
    """
    if not isinstance(plan.options, LammpsSettings):
        accepted = "options=LammpsSettings(script=...)"
        raise UserError("a plan without a script for LAMMPS", where="MDPlan", accepted=accepted)
    return plan.options
