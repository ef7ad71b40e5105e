"""``votca-mlp temperature``: corrections of several temperatures joined into one file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.export.join_sources import ACCEPTED, JoinSource, read_join_source
from votca_mlp.models.options import LATER
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.temperature import TemperatureCorrection, interpolated
from votca_mlp.potentials.temperature_file import (
    TemperatureFile,
    read_temperature_file,
    write_temperature_file,
)


@dataclass(frozen=True)
class Joined:
    """What was joined.

    Attributes
    ----------
    file
        As written.
    noise, noisiest
        Largest factor by which independent errors of the tables, all of one size, appear in u(r; T) between
        them, and at which temperature (K).
    """

    file: TemperatureFile
    noise: float
    noisiest: float


def join(
    arguments: Sequence[str],
    out: str | Path,
    *,
    settings: str | Path | None = None,
    extrapolate: bool = False,
) -> Joined:
    """Join runs, exported folders or tables into the new file ``out``.

    Parameters
    ----------
    arguments
        ``PATH`` or ``PATH@T`` (K); see :func:`votca_mlp.export.join_sources.read_join_source`.
    settings
        The settings.xml that bare tables belong to.
    extrapolate
        Whether what reads the file may go outside the temperatures.

    Raises
    ------
    UserError
        Bad input; a file that exists; sources that do not fit together. Nothing is written then.
    """
    out = Path(out)
    if out.exists() or out.is_symlink():
        raise UserError("this exists already", where=out, accepted="--out with the name of a new file")
    loaded = None
    if settings is not None:
        from votca_mlp.settings import load_settings

        loaded = load_settings(Path(settings))
    sources = _one_a_temperature([read_join_source(argument, loaded) for argument in arguments])
    if len(sources) < 2:
        raise UserError("one temperature is not enough", accepted=f"two or more of {ACCEPTED}")
    _check_one_model(sources)
    sources.sort(key=lambda source: source.temperature)
    correction = interpolated(
        {source.temperature: source.correction for source in sources},
        names=[source.argument for source in sources],
        allow_extrapolation=extrapolate,
    )
    records = [{"temperature": source.temperature, **source.record} for source in sources]
    origin = sources[0].model.as_data() | {"sources": records}
    write_temperature_file(out, TemperatureFile(correction, sources[0].names, origin))
    grid = np.linspace(correction.minimum, correction.maximum, 501)
    norms = [float(np.linalg.norm(correction.functions.values(kelvin))) for kelvin in grid]
    worst = int(np.argmax(norms))
    return Joined(_read_back(out, correction), norms[worst], float(grid[worst]))


def _read_back(path: Path, correction: TemperatureCorrection) -> TemperatureFile:
    """Return the file as it was read, after a look that it says what was written."""
    file = read_temperature_file(path)
    for written, read in zip(correction.terms, file.correction.terms, strict=True):
        for pair, spline in written.pairs.items():
            if not np.allclose(spline.coefficients, read.pairs[pair].coefficients, rtol=1e-12, atol=1e-14):
                path.unlink()
                raise UserError("the file does not hold what was written into it", where=path)
    return file


def _one_a_temperature(sources: list[JoinSource]) -> list[JoinSource]:
    """Return one source a temperature: tables of several interactions become one correction.

    Raises
    ------
    UserError
        Two corrections for one temperature.
    """
    found: dict[float, JoinSource] = {}
    for source in sources:
        other = found.get(source.temperature)
        if other is None:
            found[source.temperature] = source
            continue
        both = set(source.names) & set(other.names)
        if both or not (source.is_table and other.is_table):
            raise UserError(
                f"{source.temperature:g} K is the temperature of {other.argument} too",
                where=source.argument,
                accepted="one correction a temperature",
            )
        tables = other.record["tables"] | source.record["tables"]
        found[source.temperature] = replace(
            other,
            correction=PairCorrection({**other.correction.pairs, **source.correction.pairs}),
            names={**other.names, **source.names},
            record={**other.record, "tables": tables},
        )
    return list(found.values())


def _check_one_model(sources: list[JoinSource]) -> None:
    """Refuse corrections of different models.

    Raises
    ------
    UserError
        Naming two sources and their models.
    """
    first = sources[0]
    for source in sources[1:]:
        if _identity(source) != _identity(first):
            raise UserError(
                f"this corrects the model {_words(source)}, {first.argument} corrects {_words(first)}",
                where=source.argument,
                accepted="corrections of one model",
            )


def _identity(source: JoinSource) -> list[Any]:
    keys = ("kind", "members", "calculator", "arguments", *LATER)
    return [source.model.sha256, *(source.model.settings.get(key) for key in keys)]


def _words(source: JoinSource) -> str:
    model, digest = source.model.settings, source.model.sha256
    name = f"{model['kind']} {model.get('calculator') or model.get('model')}"
    members = f", members {model['members']}" if model.get("members") else ""
    level = f", level {model['level']}" if model.get("level") else ""
    return (
        name + members + level + (f" (SHA-256 {digest[:12]}...)" if digest else f" {model.get('arguments')}")
    )
