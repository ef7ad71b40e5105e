"""What every engine's section has."""

from typing import Annotated, ClassVar, Literal

from pydantic import PositiveInt

from votca_mlp.fields import FileName, Section, Words, setting

_ATOMS_PER_CELL = {"sc": 1, "bcc": 2, "fcc": 4, "hcp": 4, "diamond": 8}


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
        meaning="Largest disagreement (standard deviation of the energy) between the members of a committee; "
        "absent: no limit.",
    )


class Crystal(Section):
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

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        x, y, z = self.repeat
        return _ATOMS_PER_CELL[self.structure] * x * y * z


class RdfSettings(Section):
    """cg.inverse.ase.rdf: how VOTCA's csg_stat computes g(r)."""

    with_errors: bool = setting(False, meaning="Compute the standard error of g(r) from blocks of frames.")
    block_length: int = setting(10, gt=0, unit="frames", meaning="Frames in one block.")


class EngineSettings(Section):
    """cg.inverse.PROGRAM: what every engine's section has."""

    not_of_plan: ClassVar[tuple[str, ...]] = ()
    """Fields that mean something else than those of the same name of MDPlan."""

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
