"""Molecular dynamics with a model, with or without a correction, and g(r) of what it gives."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.api.checks import check_kind
from votca_mlp.api.correction import Correction
from votca_mlp.api.model import Model
from votca_mlp.engines.options import Crystal
from votca_mlp.engines.plan import MDPlan
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.trajectories.frames import Frame
from votca_mlp.units import ANGSTROM_PER_NM

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.potentials.correction import PairCorrection

CONFIGURATION = "conf.extxyz"


@dataclass(frozen=True)
class Simulation:
    """A finished simulation.

    Attributes
    ----------
    frames
        Of the production, in order.
    means
        Over the production with standard errors (nan when unknown), by name: ``temperature[K]``,
        ``pressure[bar]``, ``density[kg/m3]`` and others that the engine records.
    last
        The last configuration.
    directory
        With its files, None where it was not kept.
    """

    frames: tuple[Frame, ...]
    means: Mapping[str, Estimate]
    last: "Atoms"
    directory: Path | None = None

    def __repr__(self) -> str:
        """In a line: a notebook shows it."""
        means = ", ".join(f"{name} {found.mean:.5g}" for name, found in self.means.items())
        return f"Simulation({len(self.frames)} frames of {len(self.last)} atoms; {means})"


@dataclass(frozen=True)
class Rdf:
    """g(r) of two species: r in Angstrom, g and its standard error (None when not asked for), shape [n]."""

    r: NDArray[np.float64]
    g: NDArray[np.float64]
    error: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        """In a line: a notebook shows it."""
        top = int(np.argmax(self.g))
        ends = f"{len(self.r)} points from {self.r[0]:g} to {self.r[-1]:g} Angstrom"
        errors = "without errors" if self.error is None else "with errors"
        return f"Rdf({ends}, highest {self.g[top]:.4g} at {self.r[top]:g} Angstrom, {errors})"


def simulate(
    model: Model,
    start: "Atoms | Crystal | str | Path",
    md: MDPlan,
    *,
    correction: "Correction | PairCorrection | None" = None,
    directory: str | Path | None = None,
    name: str = "",
) -> Simulation:
    """Run molecular dynamics and return its frames and means.

    Parameters
    ----------
    model, correction
        What the atoms move in; of a correction its splines do as well.
    start
        A configuration (``ase.Atoms`` or a file that ASE reads), or a :class:`Crystal` that is molten first.
    md
        Ensemble, temperature, lengths, sampling, seed; ``first_equilibration`` comes before the production.
    directory
        Kept, and a simulation found there goes on or is read; a temporary one by default.
    name
        Of the simulation, before its progress.

    Raises
    ------
    UserError
        Input that does not fit; a simulation that has gone wrong; another model than a directory's.
    """
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.engines.shared.start import read_configuration
    from votca_mlp.progress import open_progress

    check_kind(model, Model, "model", "votca_mlp.load_model(...)")
    check_kind(md, MDPlan, "md", "votca_mlp.MDPlan(temperature=...)")
    with working_directory(directory) as folder:
        plan = placed(md, start, folder, model)
        potential = correction.potential() if isinstance(correction, Correction) else correction
        identity = model.identity + ("" if correction is None else f" {correction_digest(correction)}")
        evaluator = model.evaluator(potential, skin=plan.skin)
        evaluator.forget()
        result = engine_named(plan.engine).run_step(
            plan,
            evaluator,
            step_directory=folder,
            step_number=1,
            progress=open_progress(name=name),
            identity=identity,
        )
        frames = tuple(engine_named(plan.engine).frames(plan, folder))
        return Simulation(
            frames,
            {name: _estimate(found) for name, found in result.summary.get("production", {}).items()},
            read_configuration(folder / plan.conf_out),
            None if directory is None else folder,
        )


def rdf(
    frames: "Simulation | Iterable[Frame | Atoms]",
    species: tuple[str, str],
    *,
    r_max: float,
    step: float = 0.05,
    block_length: int | None = None,
) -> Rdf:
    """Return g(r) of two species on the grid 0, step, ... r_max (Angstrom).

    Parameters
    ----------
    frames
        A simulation, or frames or ``ase.Atoms`` of any origin in rectangular periodic boxes.
    species
        Two chemical symbols.
    r_max, step
        Angstrom; half of each box edge must exceed ``r_max``.
    block_length
        Frames in a block, for the standard error from the scatter of blocks.

    Raises
    ------
    UserError
        No frames, a species that they do not have, a box that is too small, fewer than two blocks.
    """
    from votca_mlp.observables.rdf import pair_histograms
    from votca_mlp.tables import grid_points
    from votca_mlp.trajectories.frames import frame_from_atoms

    given = frames.frames if isinstance(frames, Simulation) else frames
    all_frames = (frame if isinstance(frame, Frame) else frame_from_atoms(frame) for frame in given)
    grid = grid_points(0.0, r_max / ANGSTROM_PER_NM, step / ANGSTROM_PER_NM) * ANGSTROM_PER_NM
    histograms = pair_histograms(all_frames, [species], grid)
    error = None if block_length is None else histograms.error(species, block_length)
    return Rdf(grid, histograms.g(species), error)


@contextlib.contextmanager
def working_directory(directory: str | Path | None) -> Iterator[Path]:
    """Return the directory, made where it is not there, or a temporary one that goes afterwards."""
    if directory is None:
        with tempfile.TemporaryDirectory(prefix="votca_mlp_") as folder:
            yield Path(folder)
        return
    path = Path(directory).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot write: {error.strerror}", where=path, accepted="a writable directory"
        ) from None
    yield path


def placed(
    md: MDPlan,
    start: "Atoms | Crystal | str | Path",
    folder: Path,
    model: Model,
    *,
    tables: Sequence[str] = (),
    r_max: float = 0.0,
) -> MDPlan:
    """Return the plan with its start in a directory, the elements of its atoms, and the model.

    Raises
    ------
    UserError
        A start that cannot be read or built.
    """
    from votca_mlp.engines.shared.start import build_crystal, read_configuration

    plan = replace(
        md, model=model.options, model_directory=model.directory, tables=tuple(tables), r_max=r_max
    )
    if isinstance(start, Crystal):
        symbols = build_crystal(start).get_chemical_symbols()
        return replace(plan, crystal=start, start=None, symbols=tuple(symbols), topology="the crystal")
    if isinstance(start, str | Path):
        path = Path(start).absolute()
        atoms = read_configuration(path)
    else:
        import ase.io

        path, atoms = folder / CONFIGURATION, start
        if not path.is_file():
            # numbers, cell and positions are all that a start has
            ase.io.write(path, atoms, format="extxyz", columns=["symbols", "positions"], write_results=False)
    symbols = atoms.get_chemical_symbols()
    return replace(plan, start=path, crystal=None, symbols=tuple(symbols), topology="the start")


def correction_digest(correction: "Correction | PairCorrection") -> str:
    """Return what tells one correction from another, by its tables or splines."""
    import hashlib

    if isinstance(correction, Correction):
        parts = [
            f"{pair}".encode() + table.x.tobytes() + table.y.tobytes()
            for pair, table in correction.tables.items()
        ]
    else:
        parts = [np.ascontiguousarray(array).tobytes() for array in correction.stacked()]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _estimate(found: Mapping[str, float | None]) -> Estimate:
    mean, error = found["mean"], found["error"]
    assert mean is not None
    return Estimate(mean, float("nan") if error is None else error)
