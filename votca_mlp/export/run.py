"""One export: written beside its place, read back, compared, and only then put there."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from votca_mlp.deploy.compare import (
    EXACT,
    RESAMPLED,
    TABLE,
    Comparison,
    compare,
    of_correction,
    of_pair_function,
)
from votca_mlp.errors import UserError
from votca_mlp.export.joined import is_joined, work_of_joined
from votca_mlp.export.provenance import NAME, write_content
from votca_mlp.export.table import write_tables
from votca_mlp.export.work import Outcome, Work, work_of_run
from votca_mlp.files import sha256_of


@dataclass(frozen=True)
class Export:
    """What an export gave: folder, files in it, comparisons made, what was left out and why."""

    folder: Path
    files: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    left_out: tuple[str, ...] = ()


def export(
    path: str | Path,
    form: str,
    out: str | Path,
    step: int | None = None,
    *,
    temperature: float | None = None,
    extrapolate: bool = False,
    model: str | Path | None = None,
    trust: bool = False,
) -> Export:
    """Write a corrected potential in the format ``form`` to the new folder ``out``.

    Parameters
    ----------
    path
        Main directory of a run, or its settings.xml; or a file of ``votca-mlp temperature``.
    form
        One of ``FORMATS``.
    out
        A folder that does not exist yet.
    step
        For a run: number of the step whose u(r) is taken (the one that it simulated with); the last finished
        by default.
    temperature, extrapolate, model, trust
        For a joined file, see :func:`votca_mlp.export.joined.work_of_joined`. Without a temperature (K) the
        export follows the temperature, in the formats that can.

    Raises
    ------
    UserError
        An unknown format, a folder that exists, no finished step, a model that is missing, an export that
        does not agree with the package's own energy and forces. Nothing is left behind then.
    """
    if form not in FORMATS:
        raise UserError(f"no format '{form}'", where="--format", accepted=", ".join(FORMATS))
    out = Path(out)
    if out.exists() or out.is_symlink():
        raise UserError("this exists already", where=out, accepted="--output with the name of a new folder")
    if not out.absolute().parent.is_dir():
        raise UserError("there is no folder to write into", where=out.parent, accepted="an existing folder")
    if is_joined(path):
        if step is not None:
            raise UserError("a joined file has no steps", where="--step", accepted="--temperature")
        if temperature is None and form not in FOLLOWING:
            accepted = f"--temperature T in K; {', '.join(FOLLOWING)} can follow the temperature"
            raise UserError(f"format '{form}' holds one temperature", where="--format", accepted=accepted)
        work = work_of_joined(path, temperature, extrapolate=extrapolate, model=model, trust=trust)
    else:
        given = {
            "--temperature": temperature,
            "--extrapolate": extrapolate,
            "--model": model,
            "--trust": trust,
        }
        for option, value in given.items():
            if value not in (None, False):
                accepted = "with a file of 'votca-mlp temperature'; a run says these itself"
                raise UserError("this is not for a run", where=option, accepted=accepted)
        work = work_of_run(path, step)
    content = work.content | {"export_format": form}
    write = FORMATS[form] if work.varying is None else FOLLOWING[form]
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.absolute().parent))
    except OSError as error:
        raise UserError(f"cannot write: {error.strerror}", where=out, accepted="a writable place") from None
    try:
        os.chmod(folder, 0o755)
        work = replace(work, content=content, folder=folder)
        files, comparisons, left_out = write(work)
        content["comparisons"] = [str(comparison) for comparison in comparisons]
        content["left_out"] = left_out
        write_content(folder, content)
        try:
            os.rename(folder, out)
        except OSError as error:
            # made by someone else in the meantime
            accepted = "--output with the name of a new folder"
            raise UserError(f"cannot write: {error.strerror}", where=out, accepted=accepted) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Export(out, (NAME, *files), tuple(comparisons), tuple(left_out))


def _write_tables(work: Work) -> Outcome:
    from votca_mlp.export.load import read_exported_correction

    files = write_tables(work.folder, work.tables, work.content)
    for entry in work.content["tables"]:
        entry["sha256"] = sha256_of(work.folder / entry["file"])
    again = read_exported_correction(work.content, work.folder)
    original = of_correction(work.correction, work.atoms)
    resampled = work.content.get("joined", {}).get("points_per_interval", 1) > 1
    what, tolerance = "correction from the table", RESAMPLED if resampled else EXACT
    return files, [compare(what, of_correction(again, work.atoms), original, tolerance)], []


def _write_lammps(work: Work) -> Outcome:
    from votca_mlp.export.lammps import TABLE as NAME_OF_TABLE
    from votca_mlp.export.lammps import pair_function, write_lammps

    files = write_lammps(work.folder, work.correction, work.content)
    pair = pair_function(work.folder / NAME_OF_TABLE)
    exported = of_pair_function(pair, work.correction.cutoff, work.atoms)
    original = of_correction(work.correction, work.atoms)
    return files, [compare("correction as LAMMPS reads it", exported, original, TABLE)], []


def _write_lammps_tables(work: Work) -> Outcome:
    from votca_mlp.export.of_temperature import write_lammps_of_temperature

    return write_lammps_of_temperature(work)


def _write_ase(work: Work) -> Outcome:
    from votca_mlp.export.calculator import write_ase

    if "joined" not in work.content:
        return write_ase(work, _write_tables(work))
    from votca_mlp.export.of_temperature import copy_joined

    return write_ase(work, (copy_joined(work), [], []))


def _write_torchscript(work: Work) -> Outcome:
    from votca_mlp.export.torchscript import write_torchscript

    return write_torchscript(work)


def _write_gromacs(work: Work) -> Outcome:
    from votca_mlp.export.gromacs import write_gromacs

    return write_gromacs(work)


def _write_mliap(work: Work) -> Outcome:
    from votca_mlp.export.mliap_files import write_mliap

    return write_mliap(work)


FORMATS: dict[str, Callable[[Work], Outcome]] = {
    "table": _write_tables,
    "ase": _write_ase,
    "lammps": _write_lammps,
    "torchscript": _write_torchscript,
    "gromacs": _write_gromacs,
    "mliap": _write_mliap,
}
"""What writes u(r) of one temperature, by name of the format."""

FOLLOWING: dict[str, Callable[[Work], Outcome]] = {
    "ase": _write_ase,
    "lammps": _write_lammps_tables,
    "torchscript": _write_torchscript,
}
"""What writes u(r; T) of a joined file; the other formats need ``--temperature``."""
