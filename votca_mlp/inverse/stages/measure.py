"""g(r) of a step's trajectory as csg_stat and table_average.sh would leave it in NAME.dist.new."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.stages.simulate import check_frames
from votca_mlp.inverse.tables.operations import average_values
from votca_mlp.inverse.tables.printing import VOTCA_DIGITS, as_printed
from votca_mlp.observables.rdf import PairHistograms, pair_histograms
from votca_mlp.settings import Interaction
from votca_mlp.tables import Table, grid_points, make_table, write_table
from votca_mlp.trajectories.frames import Frame
from votca_mlp.trajectories.read import read_frames
from votca_mlp.units import ANGSTROM_PER_NM


def measure(context: Context, number: int) -> dict[str, Table]:
    """Write NAME.dist.new of every interaction and return the tables (nm) by name.

    Raises
    ------
    UserError
        A damaged trajectory; types that it does not have; too few frames for two blocks.
    """
    settings, directory = context.settings, context.step_directory(number)
    tables: dict[str, Table] = {}
    grids: dict[tuple[float, float, float], list[Interaction]] = {}
    for pair in settings.interactions:
        grids.setdefault((pair.min, pair.max, pair.step), []).append(pair)
    for (low, high, step), pairs in grids.items():
        histograms = pair_histograms(
            frames_of(context, directory),
            [(pair.type1, pair.type2) for pair in pairs],
            grid_points(low, high, step) * ANGSTROM_PER_NM,
        )
        skipped = max(settings.engine.first_frame - 1, 0)
        check_frames(directory, settings.engine.traj, histograms.n_frames + skipped)
        for pair in pairs:
            block_length = settings.engine.rdf.block_length if settings.engine.rdf.with_errors else None
            table = rdf_table(histograms, (pair.type1, pair.type2), block_length)
            write_table(directory / f"{pair.name}.dist.new", table)
            tables[pair.name] = table
    return tables


def frames_of(context: Context, directory: Path) -> Iterator[Frame]:
    """Return the frames from ``first_frame`` (from 1) on.

    Raises
    ------
    UserError
        A trajectory that cannot be read, or that ends before.
    """
    files = context.settings.engine
    if context.settings.program == "gromacs":
        from votca_mlp.engines.gromacs.trajectory import read_gromacs_frames

        yield from read_gromacs_frames(context.settings, directory)
        return
    frames = islice(read_frames(directory / files.traj), max(files.first_frame - 1, 0), None)
    first = next(frames, None)
    if first is None:
        raise UserError(
            f"the trajectory ends before first_frame {files.first_frame}",
            where=directory / files.traj,
            accepted=f"a smaller cg.inverse.{context.settings.program}.first_frame",
        )
    yield first
    yield from frames


def rdf_table(histograms: PairHistograms, pair: tuple[str, str], block_length: int | None) -> Table:
    """Return g(r) in nm with VOTCA's digits; with a block length its mean and error over blocks.

    VOTCA normalises a block with the mean volume of all frames up to its end (csg_stat_imc.cc does not
    clear it between blocks); so does this, or both loops would differ at constant pressure.

    Raises
    ------
    UserError
        Fewer than two blocks.
    """
    x = np.round(histograms.r / ANGSTROM_PER_NM, 12)
    if block_length is None:
        return make_table(x, as_printed(histograms.g(pair), VOTCA_DIGITS))
    count = np.arange(1, histograms.n_frames + 1)
    so_far = np.cumsum(histograms.volumes) / count
    ends = np.minimum((count - 1) // block_length * block_length + block_length, len(count)) - 1
    blocks = replace(histograms, volumes=so_far[ends]).block_g(pair, block_length)
    return average_values(x, as_printed(blocks, VOTCA_DIGITS))
