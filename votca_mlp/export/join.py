"""``votca-mlp temperature``: corrections of several temperatures joined into one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.export.pieces import ACCEPTED, Piece, read_piece
from votca_mlp.potentials.correction import PairCorrection, Species
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
    content
        As written.
    noise, noisiest
        Largest factor by which independent errors of the tables, all of one size, appear in u(r; T) between
        them, and at which temperature (K).
    """

    content: TemperatureFile
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
        ``PATH`` or ``PATH@T`` (K); see :func:`votca_mlp.export.pieces.read_piece`.
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
    pieces = _merged([read_piece(argument, loaded) for argument in arguments])
    if len(pieces) < 2:
        raise UserError("one temperature is not enough", accepted=f"two or more of {ACCEPTED}")
    _check_model(pieces)
    pieces.sort(key=lambda piece: piece.temperature)
    correction = interpolated(
        {piece.temperature: piece.correction for piece in pieces},
        names=[piece.name for piece in pieces],
        allow_extrapolation=extrapolate,
    )
    sources = [{"temperature": piece.temperature, **piece.record} for piece in pieces]
    origin = pieces[0].origin | {"sources": sources}
    write_temperature_file(out, TemperatureFile(correction, pieces[0].names, origin))
    grid = np.linspace(correction.minimum, correction.maximum, 501)
    norms = [float(np.linalg.norm(correction.functions.values(kelvin))) for kelvin in grid]
    worst = int(np.argmax(norms))
    return Joined(_read_back(out, correction), norms[worst], float(grid[worst]))


def _read_back(path: Path, correction: TemperatureCorrection) -> TemperatureFile:
    """Return the file as it was read, after a look that it says what was written."""
    content = read_temperature_file(path)
    for written, read in zip(correction.terms, content.correction.terms, strict=True):
        for pair, spline in written.pairs.items():
            if not np.allclose(spline.coefficients, read.pairs[pair].coefficients, rtol=1e-12, atol=1e-14):
                path.unlink()
                raise UserError("the file does not hold what was written into it", where=path)
    return content


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Return one piece a temperature: tables of several interactions become one correction.

    Raises
    ------
    UserError
        Two corrections for one temperature.
    """
    found: dict[float, Piece] = {}
    for piece in pieces:
        other = found.get(piece.temperature)
        if other is None:
            found[piece.temperature] = piece
            continue
        both = set(piece.names) & set(other.names)
        if both or "table" not in piece.record or "table" not in other.record:
            raise UserError(
                f"{piece.temperature:g} K is the temperature of {other.name} too",
                where=piece.name,
                accepted="one correction a temperature",
            )
        pairs: dict[Species, Any] = {**other.correction.pairs, **piece.correction.pairs}
        record = {**other.record, "tables": other.record["tables"] | piece.record["tables"]}
        names = other.names | piece.names
        found[piece.temperature] = Piece(
            other.name, piece.temperature, PairCorrection(pairs), names, other.origin, record
        )
    return list(found.values())


def _check_model(pieces: list[Piece]) -> None:
    """Refuse corrections of different models.

    Raises
    ------
    UserError
        Naming two sources and their models.
    """
    first = pieces[0]
    for piece in pieces[1:]:
        if _identity(piece) != _identity(first):
            raise UserError(
                f"this corrects the model {_words(piece)}, {first.name} corrects {_words(first)}",
                where=piece.name,
                accepted="corrections of one model",
            )


def _identity(piece: Piece) -> list[Any]:
    model = piece.origin["model"]
    keys = ("kind", "members", "calculator", "arguments")
    return [piece.origin["model_sha256"], *(model.get(key) for key in keys)]


def _words(piece: Piece) -> str:
    model = piece.origin["model"]
    digest = piece.origin["model_sha256"]
    name = f"{model['kind']} {model.get('calculator') or model.get('model')}"
    members = f", members {model['members']}" if model.get("members") else ""
    return name + members + (f" (SHA-256 {digest[:12]}...)" if digest else f" {model.get('arguments')}")
