"""One export: written into a temporary folder, read back, compared, and only then renamed."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from votca_mlp.deploy.compare import Comparison
from votca_mlp.errors import UserError
from votca_mlp.export.content_file import NAME, write_content
from votca_mlp.export.formats import FOLLOWING, FORMATS
from votca_mlp.export.from_model import is_model_file, potential_of_model
from votca_mlp.export.from_run import potential_of_run
from votca_mlp.export.from_temperature_file import is_temperature_file, potential_of_temperature_file
from votca_mlp.export.potential import CorrectedPotential


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
    level: str | None = None,
) -> Export:
    """Write a corrected potential, or a model alone, in the format ``form`` to the new folder ``out``.

    Parameters
    ----------
    path
        Main directory of a run, or its settings.xml; or a file of ``votca-mlp temperature``; or a model file
        (``.pt``), which is exported without a correction.
    form
        One of :data:`votca_mlp.export.formats.FORMATS`.
    out
        A folder that does not exist yet.
    step
        For a run: number of the step whose u(r) is taken (the one that it simulated with); the last finished
        by default.
    temperature, extrapolate, model, trust
        For a file u(r; T), see
        :func:`votca_mlp.export.from_temperature_file.potential_of_temperature_file`. Without a temperature
        (K) the export follows the temperature, in the formats that can. ``trust`` is for a model file, too.
    level
        Of a model file: level of theory, where it has several.

    Raises
    ------
    UserError
        An unknown format, a folder that exists, no finished step, a model that is missing, an export that
        does not agree with the package's own energy and forces. Nothing is left behind then.
    """
    out = Path(out)
    # before the model is read
    _check_output(form, out)
    if level is not None and not is_model_file(path):
        raise UserError("this is for a model file", where="--level", accepted="a model file such as model.pt")
    if is_model_file(path):
        _refuse_options("a model file", {"--step": step, "--temperature": temperature, "--model": model})
        potential = potential_of_model(path, form, level=level, trust=trust)
    elif is_temperature_file(path):
        if step is not None:
            raise UserError("a joined file has no steps", where="--step", accepted="--temperature")
        if temperature is None and form not in FOLLOWING:
            accepted = f"--temperature T in K; {', '.join(FOLLOWING)} can follow the temperature"
            raise UserError(f"format '{form}' holds one temperature", where="--format", accepted=accepted)
        potential = potential_of_temperature_file(
            path, temperature, extrapolate=extrapolate, model=model, trust=trust
        )
    else:
        options = {
            "--temperature": temperature,
            "--extrapolate": extrapolate,
            "--model": model,
            "--trust": trust,
        }
        for option, value in options.items():
            if value not in (None, False):
                accepted = "with a file of 'votca-mlp temperature'; a run says these itself"
                raise UserError("this is not for a run", where=option, accepted=accepted)
        potential = potential_of_run(path, step)
    return write_export(potential, form, out)


def write_export(potential: CorrectedPotential, form: str, out: Path) -> Export:
    """Write a potential in the format ``form`` to the new folder ``out``, a temporary one until the end.

    Raises
    ------
    UserError
        As :func:`export`.
    """
    _check_output(form, out)
    potential = replace(potential, content=replace(potential.content, format=form))
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.absolute().parent))
    except OSError as error:
        raise UserError(f"cannot write: {error.strerror}", where=out, accepted="a writable place") from None
    try:
        os.chmod(folder, 0o755)
        written = FORMATS[form].write(potential, folder)
        words = tuple(str(comparison) for comparison in written.comparisons)
        write_content(folder, replace(written.content, comparisons=words, left_out=written.left_out))
        try:
            os.rename(folder, out)
        except OSError as error:
            # made by another process in the meantime
            accepted = "--output with the name of a new folder"
            raise UserError(f"cannot write: {error.strerror}", where=out, accepted=accepted) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Export(out, (NAME, *written.files), written.comparisons, written.left_out)


def _refuse_options(what: str, options: Mapping[str, object]) -> None:
    for option, value in options.items():
        if value is not None:
            raise UserError(f"this is not for {what}", where=option, accepted=f"{what} without it")


def _check_output(form: str, out: Path) -> None:
    if form not in FORMATS:
        raise UserError(f"no format '{form}'", where="--format", accepted=", ".join(FORMATS))
    if out.exists() or out.is_symlink():
        raise UserError("this exists already", where=out, accepted="--output with the name of a new folder")
    if not out.absolute().parent.is_dir():
        raise UserError("there is no folder to write into", where=out.parent, accepted="an existing folder")
