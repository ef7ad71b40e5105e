"""One export: written beside its place, read back, compared, and only then put there."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from votca_mlp.errors import UserError
from votca_mlp.export.compare import (
    EXACT,
    Comparison,
    Tolerance,
    compare,
    of_correction,
    of_evaluator,
    of_pair_function,
)
from votca_mlp.export.provenance import NAME
from votca_mlp.export.table import write_tables
from votca_mlp.export.work import Outcome, Work, work_of_run
from votca_mlp.files import atomic_write, sha256_of
from votca_mlp.potentials.correction import species_pair

_log = logging.getLogger(__name__)
_SAME_MODEL = Tolerance(1e-6, 1e-4, 10.0)  # the same program twice; some calculators sum in any order
_TABLE = Tolerance(1e-6, 5e-4, 2.0)  # 20000 points, kinks in the curvature of u(r) between them
_FLOAT32 = Tolerance(2e-5, 2e-3, 50.0)  # a float32 model summed in another order
_FLOAT64 = Tolerance(1e-8, 1e-6, 0.1)


@dataclass(frozen=True)
class Export:
    """What an export gave: folder, files in it, comparisons made, what was left out and why."""

    folder: Path
    files: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    left_out: tuple[str, ...] = ()


def export(path: str | Path, form: str, out: str | Path, step: int | None = None) -> Export:
    """Write a corrected potential in the format ``form`` to the new folder ``out``.

    Parameters
    ----------
    path
        Main directory of a run, or its settings.xml.
    form
        ``table``, ``ase``, ``lammps`` or ``torchscript``.
    out
        A folder that does not exist yet.
    step
        Number of the step whose u(r) is taken (the one that it simulated with); the last finished by default.

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
    work = work_of_run(path, step)
    content = work.content | {"export_format": form}
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.absolute().parent))
    except OSError as error:
        raise UserError(f"cannot write: {error.strerror}", where=out, accepted="a writable place") from None
    try:
        os.chmod(folder, 0o755)
        work = replace(work, content=content, folder=folder)
        files, comparisons, left_out = FORMATS[form](work)
        content["comparisons"] = [str(comparison) for comparison in comparisons]
        content["left_out"] = left_out
        _write_content(folder, content)
        try:
            os.rename(folder, out)
        except OSError as error:
            # made by someone else in the meantime
            accepted = "--output with the name of a new folder"
            raise UserError(f"cannot write: {error.strerror}", where=out, accepted=accepted) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Export(out, (NAME, *files), tuple(comparisons), tuple(left_out))


def _write_content(folder: Path, content: dict[str, Any]) -> None:
    with atomic_write(folder / NAME) as file:
        json.dump(content, file, indent=1)
        file.write("\n")


def _write_tables(work: Work) -> Outcome:
    from votca_mlp.export.load import read_exported_correction

    files = write_tables(work.folder, work.tables, work.content)
    for entry in work.content["tables"]:
        entry["sha256"] = sha256_of(work.folder / entry["file"])
    again = read_exported_correction(work.content, work.folder)
    original = of_correction(work.correction, work.atoms)
    what = "correction from the table"
    return files, [compare(what, of_correction(again, work.atoms), original, EXACT)], []


def _write_ase(work: Work) -> Outcome:
    from votca_mlp.export.load import load_corrected
    from votca_mlp.models.load import make_evaluator

    files, comparisons, left_out = _write_tables(work)
    _write_content(work.folder, work.content)
    trust = work.mlp.kind == "ase" or work.mlp.trust_pickle
    with atomic_write(work.folder / _FACTORY) as file:
        file.write(_FACTORY_TEXT.format(arguments=", trust=True" if trust else ""))
    original = make_evaluator(work.mlp, work.correction, work.main, work.skin)
    loaded = load_corrected(work.folder, device=work.mlp.device, trust=trust).evaluator
    exported = of_evaluator(loaded, work.atoms)
    what = "model + correction in ASE"
    comparisons.append(compare(what, exported, of_evaluator(original, work.atoms), _SAME_MODEL))
    return [*files, _FACTORY], comparisons, left_out


_FACTORY = "calculator.py"
_FACTORY_TEXT = '''"""ASE calculator of the corrected potential in this folder."""

from pathlib import Path

from votca_mlp.export import load_corrected


def calculator(**options):
    """Return the calculator; options: model (where its file is now), device."""
    return load_corrected(Path(__file__).parent{arguments}, **options)
'''


def _write_lammps(work: Work) -> Outcome:
    from votca_mlp.export.lammps import TABLE, LammpsTable, keyword, read_lammps, write_lammps

    files = write_lammps(work.folder, work.correction, work.content)
    tables = {name: LammpsTable(rows) for name, rows in read_lammps(work.folder / TABLE).items()}

    def pair(a: int, b: int, r: Any) -> Any:
        table = tables.get(keyword(species_pair(a, b)))
        return (0.0 * r, 0.0 * r) if table is None else table.evaluate(r)

    exported = of_pair_function(pair, work.correction.cutoff, work.atoms)
    original = of_correction(work.correction, work.atoms)
    return files, [compare("correction as LAMMPS reads it", exported, original, _TABLE)], []


def _write_torchscript(work: Work) -> Outcome:
    from votca_mlp.export.torchscript import write_torchscript

    tolerance = _FLOAT32 if work.mlp.dtype == "float32" else _FLOAT64
    return write_torchscript(work, exact=EXACT, tolerance=tolerance)


FORMATS: dict[str, Callable[[Work], Outcome]] = {
    "table": _write_tables,
    "ase": _write_ase,
    "lammps": _write_lammps,
    "torchscript": _write_torchscript,
}
