"""The file of a correction continuous in temperature: YAML with one block of numbers an interaction.

Angstrom, eV and K, with as many digits as a float has: what is read is bit for bit what was written. The last
line is the SHA-256 of all before it, so that a file cut short or edited is noticed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, refuse_special
from votca_mlp.potentials.akima import AkimaPair, akima_from_points
from votca_mlp.potentials.correction import PairCorrection, Species, species_pair
from votca_mlp.potentials.temperature import TemperatureCorrection, from_terms, interpolated
from votca_mlp.potentials.temperature_functions import SPLINE

FORMAT = "votca-mlp u(r; T)"
VERSION = 1
_ACCEPTED = "a file written by 'votca-mlp temperature', unchanged"
_SEAL = "sha256: "


@dataclass(frozen=True)
class TemperatureFile:
    """What the file holds.

    Attributes
    ----------
    correction
        u(r; T).
    names
        Name of the interaction of each pair of atomic numbers.
    origin
        Plain data: ``model`` (its settings), ``model_sha256``, ``main_directory``, ``skin`` (Angstrom),
        ``sources`` (one mapping a run or table), ``versions``, ``written``.
    """

    correction: TemperatureCorrection
    names: Mapping[Species, str]
    origin: Mapping[str, Any]


class _Interaction(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    types: tuple[str, str]
    table: str


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())
    format: Literal["votca-mlp u(r; T)"]
    version: Literal[1]
    form: Literal["spline", "polynomial"]
    temperatures: list[float] | None = None
    reference: float | None = None
    scale: float | None = None
    range: tuple[float, float]
    extrapolation: StrictBool
    model: dict[str, Any]
    model_sha256: str | None
    main_directory: str
    skin: float
    sources: list[dict[str, Any]]
    versions: dict[str, str]
    written: str
    interactions: list[_Interaction]


def write_temperature_file(path: str | Path, content: TemperatureFile) -> None:
    """Write the file under a temporary name and rename it.

    Raises
    ------
    UserError
        No space or no permission, an origin that YAML cannot hold.
    """
    correction = content.correction
    head = {
        "format": FORMAT,
        "version": VERSION,
        **correction.functions.parameters,
        "range": [correction.minimum, correction.maximum],
        "extrapolation": correction.allow_extrapolation,
        **content.origin,
    }
    try:
        text = yaml.safe_dump(head, sort_keys=False, default_flow_style=None, width=110)
    except yaml.YAMLError as error:
        raise UserError(f"cannot be written as YAML: {error}", where=path) from None
    text = "".join(f"# {line}\n" for line in _explanation(correction)) + text + "interactions:\n"
    for pair, name in content.names.items():
        text += _interaction(correction, pair, name)
    seal = hashlib.sha256(text.encode()).hexdigest()
    with atomic_write(path) as file:
        file.write(f"{text}{_SEAL}{seal}\n")


def read_temperature_file(path: str | Path) -> TemperatureFile:
    """Read the file.

    Raises
    ------
    UserError
        Missing, cut short, changed, of another kind, or with values that make no correction.
    """
    path = Path(path)
    refuse_special(path)
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise UserError("no such file", where=path, accepted=_ACCEPTED) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read: {error}", where=path, accepted=_ACCEPTED) from None
    if f"\nformat: {FORMAT}\n" not in text:
        raise UserError("this is no file of u(r; T)", where=path, accepted=_ACCEPTED)
    body, _, seal = text.rpartition(_SEAL)
    if hashlib.sha256(body.encode()).hexdigest() != seal.strip():
        raise UserError(
            "the file was changed or cut short after it was written", where=path, accepted=_ACCEPTED
        )
    content = _parsed(body, path)
    pairs = {}
    for interaction in content.interactions:
        pair = _pair_of(interaction, path)
        if pair in pairs:
            raise UserError(f"{interaction.name} has two tables", where=path, accepted=_ACCEPTED)
        pairs[pair] = _splines(interaction, path)
    names = {_pair_of(i, path): i.name for i in content.interactions}
    if not pairs or len({len(splines) for splines in pairs.values()}) != 1:
        raise UserError("interactions differ in their number of tables", where=path, accepted=_ACCEPTED)
    count = len(next(iter(pairs.values())))
    terms = [PairCorrection({pair: splines[k] for pair, splines in pairs.items()}) for k in range(count)]
    origin = content.model_dump(include=set(_ORIGIN))
    try:
        return TemperatureFile(_joined(content, terms), names, origin)
    except UserError as error:
        raise UserError(error.what, where=path, accepted=_ACCEPTED) from None


_ORIGIN = ("model", "model_sha256", "main_directory", "skin", "sources", "versions", "written")


def _parsed(text: str, path: Path) -> _Content:
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        if not isinstance(content, dict):
            raise TypeError
        return _Content(**content)
    except yaml.YAMLError as error:
        what = f"not YAML: {str(error).splitlines()[0]}"
    except ValidationError as error:
        first = error.errors()[0]
        what = ".".join(map(str, first["loc"])) + f": {first['msg']}"
    except TypeError:
        what = "not keys and values"
    except (ValueError, RecursionError) as error:
        # a date that is none, lists in lists without end
        what = f"not YAML: {error}"
    raise UserError(what, where=path, accepted=_ACCEPTED)


def _joined(content: _Content, terms: list[PairCorrection]) -> TemperatureCorrection:
    """Return the correction of the terms.

    Raises
    ------
    UserError
        Numbers that contradict each other.
    """
    low, high = content.range
    if content.form == SPLINE:
        kelvins = content.temperatures or []
        agree = len(kelvins) == len(terms) and [low, high] == [kelvins[0], kelvins[-1]]
        if not agree or sorted(set(kelvins)) != kelvins:
            raise UserError("temperatures, range and tables do not agree")
        corrections = dict(zip(kelvins, terms, strict=True))
        return interpolated(corrections, allow_extrapolation=content.extrapolation)
    if content.reference is None or content.scale is None:
        raise UserError("reference and scale of the polynomial are missing")
    return from_terms(
        terms,
        content.reference,
        content.scale,
        minimum=low,
        maximum=high,
        allow_extrapolation=content.extrapolation,
    )


def _pair_of(interaction: _Interaction, path: Path) -> Species:
    from ase.data import atomic_numbers

    try:
        a, b = (atomic_numbers[symbol] for symbol in interaction.types)
    except KeyError as error:
        raise UserError(f"{error} is no chemical symbol", where=path, accepted=_ACCEPTED) from None
    return species_pair(a, b)


def _splines(interaction: _Interaction, path: Path) -> list[AkimaPair]:
    """Return the splines of a block: r in the first column, u_k in the others."""
    try:
        rows = np.array([[float(word) for word in line.split()] for line in interaction.table.splitlines()])
        if rows.ndim != 2 or rows.shape[1] < 2 or not np.isfinite(rows).all():
            raise ValueError("not a block of numbers")
        return [akima_from_points(rows[:, 0], column) for column in rows.T[1:]]
    except ValueError as error:
        raise UserError(f"table of {interaction.name}: {error}", where=path, accepted=_ACCEPTED) from None


def _explanation(correction: TemperatureCorrection) -> list[str]:
    if correction.functions.parameters["form"] == SPLINE:
        functions = "the c_k are the cardinal functions of the natural cubic spline through the temperatures"
    else:
        functions = "c_k = ((T - reference) / scale)^k"
    return [
        "Pair correction u(r; T) = sum_k c_k(T) u_k(r) of one machine-learning potential.",
        f"{functions};",
        "the u_k are Akima splines, zero beyond their last point and constant below the first.",
        "r in Angstrom, u in eV, T in K. The last line seals the file; do not edit.",
    ]


def _interaction(correction: TemperatureCorrection, pair: Species, name: str) -> str:
    from ase.data import chemical_symbols

    splines = [term.pairs[pair] for term in correction.terms]
    first = splines[0]
    r = np.linspace(first.first, first.cutoff, len(first.coefficients) + 1)
    # the grid is made anew from its ends, so only they need all digits
    words = [repr(float(r[0])), *(f"{x:.10g}" for x in r[1:-1]), repr(float(r[-1]))]
    columns = [[*(repr(float(u)) for u in spline.coefficients[:, 3]), "0.0"] for spline in splines]
    # quoted: YAML takes nobelium for a no
    symbols = json.dumps([chemical_symbols[z] for z in pair])
    temperatures = correction.functions.parameters.get("temperatures")
    meaning = (
        [f"u_{k}" for k in range(len(splines))]
        if temperatures is None
        else [f"u({t:g} K)" for t in temperatures]
    )
    rows = "".join("    " + " ".join(row) + "\n" for row in zip(words, *columns, strict=True))
    head = yaml.safe_dump({"name": name}).strip()
    return f"- {head}\n  types: {symbols}\n  # r {' '.join(meaning)}\n  table: |\n{rows}"
