"""One interaction of a run: grid, target, options of the rule, and VOTCA's tasks around its update."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.errors import UserError
from votca_mlp.inverse.tables.operations import resample_target
from votca_mlp.tables import Table, read_table, undefined_table
from votca_mlp.targets.plausible import undefined
from votca_mlp.targets.window import RdfWindow
from votca_mlp.update.rule import PairGrid

if TYPE_CHECKING:
    from votca_mlp.fields import Section


@dataclass(frozen=True)
class PairTasks:
    """Options of one interaction's post_update and post_add tasks; cycles are 0 and 1 by iteration."""

    scale: float = 1.0
    smooth_iterations: int = 1
    splinesmooth_step: float = 0.0
    extrapolate_points: int = 5
    ibi_do: tuple[int, ...] = (1,)
    overwrite_do: tuple[int, ...] = (1,)
    convergence: tuple[tuple[str, str, float, int], ...] = (("dist", "tgt", 1.0, 1),)
    """what, base, weight, norm of each part of the measure."""
    copyback: tuple[str, ...] = ()
    compress: tuple[str, ...] = ()
    compress_program: str = "gzip"
    compress_options: tuple[str, ...] = ("-9",)


@dataclass(frozen=True)
class PressureTask:
    """Options of the post_update task ``pressure``, of one state.

    Attributes
    ----------
    type
        ``simple`` or ``wjk``.
    scale
        1/bar for simple, without unit for wjk.
    max_A
        Largest prefactor in units of kBT.
    do
        Cycle of corrections by iteration: 1 corrects, 0 does not.
    target
        ``p_target`` of the interaction, bar; None for the run's ``target_pressure``.
    particle_density
        ``particle_dens`` for wjk, 1/nm^3; None for that of the simulation.
    """

    type: str
    scale: float
    max_A: float = 0.1
    do: tuple[int, ...] = (1,)
    target: float | None = None
    particle_density: float | None = None


@dataclass(frozen=True)
class PairPlan:
    """One interaction of a run, or a state's view of it.

    Attributes
    ----------
    grid
        Name, species and grid in nm.
    target
        The table of the target as it was given; it is read anew for every update. None: nothing was measured
        of this g(r); u(r) begins where the grid does.
    options
        The section of the update rule.
    do_potential
        Cycle of updates by iteration: 1 updates, 0 does not.
    post_update, post_add
        VOTCA's tasks around the sum of potential and update, in order.
    tasks
        Their options.
    pressure
        Those of ``pressure`` among the first, None without it.
    window
        Through what the target was seen; the simulated g(r) is compared as seen through it. None: as it is.
    """

    grid: PairGrid
    target: Path | None
    options: "Section"
    do_potential: tuple[int, ...] = (1,)
    post_update: tuple[str, ...] = ()
    post_add: tuple[str, ...] = ()
    tasks: PairTasks = PairTasks()
    pressure: PressureTask | None = None
    window: RdfWindow | None = None

    @property
    def name(self) -> str:
        """Of the interaction; names its files."""
        return self.grid.name

    def target_on_grid(self) -> Table:
        """Return the target on the grid (nm), with its errors where it has them; an undefined table without.

        Raises
        ------
        UserError
            No such table, too few points, or one that is no number.
        """
        if self.target is None:
            return undefined_table(self.grid.points)
        table = read_table(self.target)
        wrong = undefined(table, self.grid.max)
        if wrong is not None:
            raise UserError(f"the target {wrong.what}", where=self.target, accepted=wrong.accepted)
        return resample_target(table, self.grid.points)


def cycle(values: tuple[int, ...], step: int) -> bool:
    """Return whether a cycle such as ``1 1 0`` says yes in iteration ``step`` (from 1)."""
    return values[(step - 1) % len(values)] == 1
