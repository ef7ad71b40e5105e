"""The typed settings: what a settings.xml means after reading.

Units: nm and kJ/mol in VOTCA's own tags (min, max, step, kBT); Angstrom, fs, K, bar and eV in ours.
Each field's ``setting(...)`` is also the source of its error message and of docs/settings.md.
"""

from os.path import exists
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
)

from votca_mlp.settings.fields import FileName, Section, Words, setting


def _auto(value: Any) -> Any:
    return None if value == "auto" else value


def _all_members(value: Any) -> Any:
    return None if value == "all" else value.split() if isinstance(value, str) else value


def _yaml_mapping(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    import yaml

    try:
        data = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ValueError(f"'{value}' is not a mapping of names to values")
    return data


class WibiSettings(Section):
    """cg.non-bonded.inverse.wibi: the weighted update of one interaction."""

    alpha: float = setting(
        0.2,
        ge=0,
        meaning="Learning rate: the update is multiplied by it. Diverges near 2 divided by the square of the "
        "structure factor's main peak; VOTCA's own update has 1.",
    )
    weight: Literal["target", "uniform", "power", "table"] = setting(
        "target",
        meaning="Weight w(r) of the update: the target g(r) itself (wIBI), 1 everywhere (plain IBI), "
        "a power of the target, or a table of your own.",
    )
    power: float = setting(1.0, ge=0, meaning="Exponent for weight 'power': w = g_target^power.")
    weight_file: str | None = setting(
        None,
        accepted="a VOTCA table r (nm), w >= 0, covering min to max",
        meaning="Table for weight 'table', relative to the main directory.",
    )


class Interaction(Section):
    """One cg.non-bonded section."""

    name: str = setting(meaning="Name of the interaction; names its files (NAME.dist.tgt, NAME.pot.cur).")
    type1: str = setting(accepted="a chemical symbol", meaning="First bead type, a chemical symbol.")
    type2: str = setting(accepted="a chemical symbol", meaning="Second bead type, a chemical symbol.")
    min: float = setting(unit="nm", ge=0, meaning="First point of the grid of g(r) and u(r).")
    max: float = setting(
        unit="nm", gt=0, meaning="Last point of the grid, the cutoff of u(r); below half the box."
    )
    step: float = setting(unit="nm", ge=1e-5, meaning="Spacing of the grid.")
    target: str = setting(
        accepted="a VOTCA table r (nm), g(r), covering min to max",
        meaning="Measured g(r), relative to the main directory.",
    )
    do_potential: Annotated[tuple[Annotated[int, Field(ge=0, le=1)], ...], Words] = setting(
        (1,),
        accepted="0 and 1 separated by spaces",
        min_length=1,
        meaning="Cycle of updates: 1 updates, 0 does not. '1 1 0' leaves out every third iteration.",
    )
    post_update: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="names separated by spaces", meaning="VOTCA's scripts that change the update, in order."
    )
    post_add: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="names separated by spaces", meaning="VOTCA's scripts that follow the update, in order."
    )
    wibi: WibiSettings = WibiSettings()


class MLPSettings(Section):
    """cg.inverse.mlp: the machine-learning potential that is corrected."""

    kind: Literal["hippynn", "ani", "ase"] = setting(
        meaning="A hippynn model, an ANI ensemble in NeuroChem's format, or any ASE calculator."
    )
    model: str | None = setting(
        None,
        accepted="a path or builtin:NAME",
        meaning="The model's file or folder, relative to the main directory; ~ and $VARIABLES are expanded. "
        "Required for hippynn and ani.",
    )
    members: Annotated[tuple[NonNegativeInt, ...] | None, BeforeValidator(_all_members)] = setting(
        None,
        accepted="all, or numbers from 0 separated by spaces",
        meaning="Members of an ANI ensemble that are averaged.",
    )
    calculator: str | None = setting(
        None,
        accepted="module:callable",
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$",
        meaning="For kind 'ase': what makes the calculator, for example ase.calculators.emt:EMT.",
    )
    arguments: Annotated[dict[str, Any], BeforeValidator(_yaml_mapping)] = setting(
        {},
        accepted="a YAML mapping such as {cutoff: 6.0}",
        meaning="For kind 'ase': arguments of the calculator.",
    )
    device: str = setting(
        "auto",
        accepted="auto | cpu | cuda | cuda:N",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        meaning="Where the model runs; auto takes a GPU when there is one.",
    )
    dtype: Literal["float32", "float64"] = setting("float32", meaning="Precision of the model.")
    threads: Annotated[PositiveInt | None, BeforeValidator(_auto)] = setting(
        None, accepted="auto, or a whole number > 0", meaning="CPU threads of the model."
    )
    trust_pickle: bool = setting(
        False,
        meaning="Allow loading a model file that can run code when it is loaded (pickle). "
        "Only for files you made or trust.",
    )


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


class Limits(Section):
    """cg.inverse.PROGRAM.limits: the run stops with a message when one is passed."""

    temperature_max: float | None = setting(
        None,
        unit="K",
        gt=0,
        accepted="a number > 0",
        meaning="Highest temperature allowed; absent: ten times the temperature plus 1000 K.",
    )
    distance_min: float = setting(
        1.5, unit="Angstrom", ge=0, meaning="Smallest distance of two atoms allowed; 0: no limit."
    )
    spread_max: float | None = setting(
        None,
        unit="eV/atom",
        gt=0,
        accepted="a number > 0",
        meaning="Largest disagreement (standard deviation of the energy) between the members of an ensemble; "
        "absent: no limit.",
    )


class RdfSettings(Section):
    """cg.inverse.ase.rdf: how VOTCA's csg_stat computes g(r)."""

    with_errors: bool = setting(False, meaning="Compute the standard error of g(r) from blocks of frames.")
    block_length: int = setting(10, gt=0, unit="frames", meaning="Frames in one block.")


class EngineSettings(Section):
    """cg.inverse.PROGRAM: what every engine's section has."""

    topol: str
    conf: str | None
    traj: FileName
    conf_out: FileName
    equi_time: float = setting(
        0.0, ge=0, unit="ps", meaning="csg_stat leaves out frames before; best left 0."
    )
    first_frame: int = setting(
        0, ge=0, meaning="csg_stat starts at this frame (from 1; 0 is also the first)."
    )
    rdf: RdfSettings = RdfSettings()
    limits: Limits = Limits()


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


class LammpsSettings(EngineSettings):
    """cg.inverse.lammps: molecular dynamics with LAMMPS; VOTCA's own tags, with VOTCA's meaning."""

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
    command: str | None = setting(
        None,
        min_length=1,
        accepted="a command, such as lmp or mpirun -np 4 lmp",
        meaning="A LAMMPS program with ML-IAP and Python, on any number of MPI ranks, which evaluates model "
        "and correction itself (pair_style mliap unified). Without it LAMMPS runs as a library, on one rank.",
    )
    python: str | None = setting(
        None,
        min_length=1,
        accepted="a command",
        meaning="A Python with the module lammps, when it is not the one that votca-mlp runs in.",
    )


class GromppSettings(Section):
    """cg.inverse.gromacs.grompp: the preprocessor."""

    bin: str = setting(
        "gmx grompp", min_length=1, accepted="a command", meaning="Command of grompp, GROMACS 2025 or later."
    )
    opts: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="options separated by spaces", meaning="More options of grompp."
    )


class MdrunSettings(Section):
    """cg.inverse.gromacs.mdrun: the simulation."""

    command: str = setting(
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
    temp_check: bool = setting(True, meaning="Compare kBT with ref-t of the mdp file.")
    rdf: GromacsRdfSettings = GromacsRdfSettings()


class ConvergenceCheck(Section):
    """cg.inverse.convergence_check: when the iterations stop early."""

    type: str = setting(
        "none",
        accepted="none | default | chi2 | rms | largest | fit | plateau | a script's name",
        meaning="none: run iterations_max iterations. default: stop when the measure of post_add "
        "'convergence' falls below limit. The others compare g(r) with the target in every interaction. "
        "chi2: stop when the reduced chi^2 against the errors of both is not above limit (1 is agreement "
        "within noise); rms, largest: when the difference is not above limit; fit: when f_fit is not below "
        "limit; plateau: when the RMS has not improved beyond its error for some iterations.",
    )
    limit: float = setting(0.0, ge=0, meaning="Limit of the measure.")
    iterations: int = setting(
        3, ge=1, meaning="For plateau: iterations without an improvement before it stops."
    )


class MultistateSettings(Section):
    """cg.inverse.multistate: one correction fitted to several states at once."""

    enabled: bool = setting(False, meaning="Fit several thermodynamic states at once.")
    state_names: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="names separated by spaces", meaning="One folder of this name a state, with its inputs."
    )
    state_weights: Annotated[tuple[NonNegativeFloat, ...], Words] = setting(
        (),
        accepted="one number >= 0 a state",
        meaning="Weight of each state's update, normalised to a sum of 1; absent: all equal. A state of "
        "weight 0 is simulated and compared, but neither fitted nor waited for.",
    )
    state_kBTs: Annotated[tuple[PositiveFloat, ...], Words] = setting(
        (),
        unit="kJ/mol",
        accepted="one number > 0 a state",
        meaning="kBT of each state, and with it the temperature; absent: each state's own settings.xml, "
        "or this file, tells.",
    )
    temperature_terms: int = setting(
        1,
        ge=1,
        meaning="K of u(r; T) = sum_k ((T - T_ref)/T_scale)^k u_k(r), k below K: 1 is one u for all "
        "states, 2 adds a part linear in T. At most the number of different temperatures.",
    )
    launch: str | None = setting(
        None,
        accepted="a command, such as srun -n1",
        meaning="Put before the command that simulates one state; the states then run side by side.",
    )


class Settings(Section):
    """Everything in a settings.xml that votca-mlp uses; ``cg.inverse.X`` is the field X."""

    path: Path
    interactions: tuple[Interaction, ...]
    program: Literal["ase", "lammps", "gromacs"] = setting(meaning="The engine.")
    method: Literal["ibi"] = setting(meaning="VOTCA's method; the weighted update is a form of ibi.")
    kBT: float = setting(unit="kJ/mol", gt=0, meaning="Thermal energy; must agree with the temperature.")
    iterations_max: int = setting(gt=0, meaning="Number of iterations.")
    initial_configuration: Literal["maindir", "laststep"] = setting(
        "maindir",
        meaning="Where a step starts: the start configuration of the main directory, "
        "or the last configuration of the step before.",
    )
    filelist: Annotated[tuple[str, ...], Words] = setting(
        (), accepted="file names separated by spaces", meaning="Files copied into each step directory."
    )
    convergence_check: ConvergenceCheck = ConvergenceCheck()
    mlp: MLPSettings
    ase: AseSettings
    lammps: LammpsSettings | None = None
    gromacs: GromacsSettings | None = None
    multistate: MultistateSettings = MultistateSettings()

    _lines: dict[str, int] = PrivateAttr(default_factory=dict)
    _texts: dict[str, str] = PrivateAttr(default_factory=dict)
    _root: Any = PrivateAttr(default=None)
    _run_directory: Path | None = PrivateAttr(default=None)

    @property
    def engine(self) -> EngineSettings:
        """The section of the program."""
        section = getattr(self, self.program)
        assert isinstance(section, EngineSettings)
        return section

    @property
    def main_directory(self) -> Path:
        """The folder of settings.xml; of one of several states, the state's folder."""
        return self.path.parent

    @property
    def run_directory(self) -> Path:
        """The folder of the run's settings.xml, where the model is looked for."""
        return self._run_directory or self.path.parent

    def input_path(self, name: str) -> Path:
        """Return where an input file lies: what a state's folder lacks is that of the run's folder."""
        own = self.main_directory / name
        return own if exists(own) else self.run_directory / name

    def line_of(self, tag_path: str) -> int:
        """Return the line of a tag such as ``cg.inverse.kBT`` or ``cg.non-bonded[Al-Al].max``.

        Interactions are told apart by name; without one, the first is meant. An absent tag has the line of
        the innermost section around it that is present.
        """
        parts = tag_path.split(".")
        while len(parts) > 1 and ".".join(parts) not in self._lines:
            parts.pop()
        return self._lines.get(".".join(parts), 1)

    def text(self, tag_path: str) -> str | None:
        """Return the text of any tag in the file (None when absent), for tags that have no field here."""
        return self._texts.get(tag_path)

    def where(self, tag_path: str) -> str:
        """Return ``file:line: <tag>`` for a message."""
        line = self.line_of(tag_path)
        return f"{getattr(line, 'file', None) or self.path}:{line}: <{tag_path}>"
