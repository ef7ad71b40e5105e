"""The engine gromacs."""

from typing import Annotated

from votca_mlp.engines.options import EngineSettings, RdfSettings
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.fields import CommandLine, FileName, Section, Words, setting

NEEDS_STRESS = ("mdp", "GROMACS, which gets the virial in every step,")
"""The tag that messages on a model's stress name, and what needs it."""


class GromppSettings(Section):
    """cg.inverse.gromacs.grompp: the preprocessor."""

    bin: CommandLine = setting(
        "gmx grompp", min_length=1, accepted="a command", meaning="Command of grompp, GROMACS 2025 or later."
    )
    opts: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="options separated by spaces", meaning="More options of grompp."
    )


class MdrunSettings(Section):
    """cg.inverse.gromacs.mdrun: the simulation."""

    command: CommandLine = setting(
        "gmx mdrun", min_length=1, accepted="a command", meaning="Command of mdrun, such as srun gmx mdrun."
    )
    opts: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="options separated by spaces", meaning="More options of mdrun."
    )
    checkpoint: FileName = setting(
        "state.cpt", accepted="a file name", meaning="Checkpoint that mdrun writes and resumes from."
    )


class GromacsRdfSettings(RdfSettings):
    """cg.inverse.gromacs.rdf: how VOTCA's csg_stat computes g(r)."""

    topol: FileName = setting(
        "topol.xml",
        accepted="a file name",
        meaning="Topology for csg_stat, whose bead types are the elements; list it in filelist.",
    )


class GromacsSettings(EngineSettings):
    """cg.inverse.gromacs: molecular dynamics with GROMACS; VOTCA's own tags, with VOTCA's meaning."""

    mdp: FileName = setting(
        "grompp.mdp", accepted="a file name", meaning="Parameters for grompp; list it in filelist."
    )
    conf: FileName = setting(
        "conf.gro", accepted="a gro file's name", pattern=r"\.gro$", meaning="Start configuration."
    )
    topol_in: FileName = setting(
        "topol.top",
        accepted="a file name",
        meaning="Topology for grompp, without any interactions; list it in filelist.",
    )
    topol: FileName = setting(
        "topol.tpr", accepted="a file name", meaning="Run input that grompp writes for mdrun."
    )
    index: FileName = setting(
        "index.ndx",
        accepted="a file name",
        meaning="Index groups for grompp; list it in filelist (csg_inverse needs it).",
    )
    traj: FileName = setting(
        "traj.xtc",
        accepted="a file name ending in .xtc or .trr",
        pattern=r"\.(xtc|trr)$",
        meaning="Trajectory that mdrun writes for csg_stat.",
    )
    conf_out: FileName = setting(
        "confout.gro",
        accepted="a gro file's name",
        pattern=r"\.gro$",
        meaning="Last configuration of a step, start of the next.",
    )
    gmxrc: str | None = setting(
        None, accepted="a file", meaning="GMXRC that is sourced before GROMACS is started."
    )
    grompp: GromppSettings = GromppSettings()
    mdrun: MdrunSettings = MdrunSettings()
    temp_check: bool = setting(
        True,
        meaning="Compare kBT with the thermostat of the mdp file (tcoupl, ref-t, annealing) and with "
        "the mean temperature of the production.",
    )
    rdf: GromacsRdfSettings = GromacsRdfSettings()


def options_of(md: MDPlan) -> GromacsSettings:
    """Return what a plan has for GROMACS.

    Raises
    ------
    UserError
        It is a plan for another engine.
    """
    if not isinstance(md.options, GromacsSettings):
        accepted = "options=GromacsSettings(...)"
        raise UserError("a plan without options of GROMACS", where="MDPlan", accepted=accepted)
    return md.options
