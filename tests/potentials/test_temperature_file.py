"""The file of u(r; T): what is written comes back to the bit; anything else is one message."""

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from votca_mlp.errors import UserError
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.temperature import TemperatureCorrection, from_terms, interpolated
from votca_mlp.potentials.temperature_file import (
    TemperatureFile,
    read_temperature_file,
    write_temperature_file,
)

ORIGIN = {
    "model": {"kind": "hippynn", "model": "builtin:al-hipnn", "members": None, "arguments": {}},
    "model_sha256": "ab" * 32,
    "main_directory": "/somewhere: else",
    "skin": 0.5,
    "sources": [{"temperature": 943.0, "pressure": None, "tables": {"Al-Al": "0" * 64}}],
    "versions": {"python": "3.11"},
    "written": "2026-11-21T12:00:00Z",
}
# nobelium's symbol is a no in YAML
PAIRS = {(13, 13): "Al-Al", (13, 102): "no"}


def term(seed: int, n: int = 20) -> PairCorrection:
    random = np.random.default_rng(seed)
    first = random.uniform(0, 2)
    grids = [first + random.uniform(0.01, 0.3) * np.arange(n), np.linspace(0.1, 0.7, 7)]
    return PairCorrection(
        {p: akima_from_points(r, random.standard_normal(len(r))) for p, r in zip(PAIRS, grids, strict=True)}
    )


def same_grid_terms(seed: int, count: int) -> list[PairCorrection]:
    random, first = np.random.default_rng(seed), term(seed)
    terms = [first]
    for _ in range(count - 1):
        pairs = {}
        for pair, spline in first.pairs.items():
            r = np.linspace(spline.first, spline.cutoff, len(spline.coefficients) + 1)
            pairs[pair] = akima_from_points(r, random.standard_normal(len(r)))
        terms.append(PairCorrection(pairs))
    return terms


def equal(a: TemperatureCorrection, b: TemperatureCorrection) -> bool:
    limits = (a.minimum, a.maximum, a.allow_extrapolation) == (b.minimum, b.maximum, b.allow_extrapolation)
    terms = all(
        np.array_equal(x.pairs[pair].coefficients, y.pairs[pair].coefficients)
        and (x.pairs[pair].first, x.pairs[pair].cutoff) == (y.pairs[pair].first, y.pairs[pair].cutoff)
        for x, y in zip(a.terms, b.terms, strict=True)
        for pair in PAIRS
    )
    kelvin = 0.3 * a.minimum + 0.7 * a.maximum
    return limits and terms and np.array_equal(a.functions.values(kelvin), b.functions.values(kelvin))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(st.floats(0.1, 5000, allow_nan=False), min_size=2, max_size=5, unique=True).map(sorted),
    st.integers(0, 2**31),
    st.booleans(),
    st.booleans(),
)
def test_what_is_written_comes_back(
    tmp_path: Path, kelvins: list[float], seed: int, powers: bool, allowed: bool
) -> None:
    terms = same_grid_terms(seed, len(kelvins))
    if powers:
        correction = from_terms(terms, kelvins[0], 77.7, minimum=kelvins[0], maximum=kelvins[-1])
        correction = correction.with_extrapolation(allowed)
    else:
        correction = interpolated(dict(zip(kelvins, terms, strict=True)), allow_extrapolation=allowed)
    path = tmp_path / "u.yaml"
    write_temperature_file(path, TemperatureFile(correction, PAIRS, ORIGIN))
    again = read_temperature_file(path)
    assert equal(again.correction, correction)
    assert again.names == PAIRS
    assert again.origin == ORIGIN


def written(path: Path) -> str:
    correction = interpolated(dict(zip([900.0, 1000.0], same_grid_terms(1, 2), strict=True)))
    write_temperature_file(path, TemperatureFile(correction, PAIRS, ORIGIN))
    return path.read_text()


def seal(body: str) -> str:
    return f"{body}sha256: {hashlib.sha256(body.encode()).hexdigest()}\n"


def test_people_and_other_programs_can_read_it(tmp_path: Path) -> None:
    text = written(tmp_path / "u.yaml")
    content = yaml.safe_load(text)
    assert content["temperatures"] == [900.0, 1000.0]
    assert content["interactions"][1]["types"] == ["Al", "No"]
    columns = np.array([line.split() for line in content["interactions"][0]["table"].splitlines()], float)
    assert columns.shape == (20, 3)
    assert "# r u(900 K) u(1000 K)" in text
    assert text.startswith("# Pair correction u(r; T)")


def test_changed_files(tmp_path: Path) -> None:
    path = tmp_path / "u.yaml"
    text = written(path)
    lines = text.splitlines(keepends=True)
    changes = {
        "without the end": "".join(lines[:-1]),
        "cut in the table": "".join(lines[:-10]) + lines[-1],
        "one digit": text.replace("900.0", "901.0", 1),
        "a comment": text.replace("# Pair", "# A pair"),
    }
    for name, changed in changes.items():
        path.write_text(changed)
        with pytest.raises(UserError, match=r"u\.yaml: the file was changed or cut short"):
            pytest.fail(f"{name} was read: {read_temperature_file(path)}")


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "format: 3", "a: [", "\0", "? [1]\n: 2\nformat: votca-mlp u(r; T)", "- &a [*a]"],
    ids=repr,
)
def test_other_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "u.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"u\.yaml: "):
        read_temperature_file(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="cannot read"):
        read_temperature_file(path)
    with pytest.raises(UserError, match="no such file"):
        read_temperature_file(tmp_path / "none.yaml")
    with pytest.raises(UserError, match="cannot read"):
        read_temperature_file(tmp_path)


CHANGES = {
    "version: 1": ("version: 2", "version"),
    "form: spline": ("form: none", "form"),
    "temperatures: [900.0, 1000.0]": ("temperatures: [1000.0, 900.0]", "do not agree"),
    "[900.0, 1000.0]\nrange": ("[900.0]\nrange", "do not agree"),
    "[900.0, 1000.0]\nrange: ": ("[900.0, 900.0]\nrange: ", "do not agree"),
    "range: [900.0, 1000.0]": ("range: [900.0, 1200.0]", "do not agree"),
    "temperatures: [900.0": ("temperatures: [.nan", "do not agree"),
    "temperatures: [900.0, 1000.0]\nrange: [900.0": (
        "temperatures: [-9.0, 1000.0]\nrange: [-9.0",
        "no temperature",
    ),
    "form: spline\n": ("form: polynomial\n", "reference and scale"),
    "form: spline\ntemperatures: [900.0, 1000.0]": (
        "form: polynomial\nreference: 1\nscale: 0",
        "no correction",
    ),
    "skin: ": ("surprise: 1\nskin: ", "surprise"),
    "extrapolation: false": ("extrapolation: maybe", "extrapolation"),
    "skin: 0.5": ("skin: x", "skin"),
    '["Al", "No"]': ('["Al", "Xx"]', "'Xx' is no chemical symbol"),
    '["Al", "No"] ': ('["Al", "Al"]', "two tables"),
    "interactions:\n": ("interactions: []\nrest:\n", "rest"),
    "0.1 ": ("0.1x ", "table of no"),
}


@pytest.mark.parametrize("old", CHANGES)
def test_sealed_nonsense(tmp_path: Path, old: str) -> None:
    path = tmp_path / "u.yaml"
    body = written(path).rpartition("sha256: ")[0]
    new, message = CHANGES[old]
    changed = body.replace(old.rstrip(" ") if old.endswith("] ") else old, new, 1)
    assert changed != body
    path.write_text(seal(changed))
    with pytest.raises(UserError, match=message) as caught:
        read_temperature_file(path)
    assert len(str(caught.value).splitlines()) <= 2


def test_tables_of_unequal_number(tmp_path: Path) -> None:
    path = tmp_path / "u.yaml"
    body = written(path).rpartition("sha256: ")[0]
    head, _, rows = body.rpartition("table: |\n")
    fewer = "".join(" ".join(line.split()[:2]).join(["    ", "\n"]) for line in rows.splitlines())
    path.write_text(seal(f"{head}table: |\n{fewer}"))
    with pytest.raises(UserError, match="differ in their number of tables"):
        read_temperature_file(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.integers(0, 10**6), st.integers(0, 255), st.booleans())
def test_damage_is_never_a_traceback(tmp_path: Path, where: int, byte: int, resealed: bool) -> None:
    path = tmp_path / "u.yaml"
    data = bytearray(written(path).encode())
    original = bytes(data)
    data[where % len(data)] = byte
    if resealed:
        data = bytearray(seal(data.decode(errors="replace").rpartition("sha256: ")[0]).encode())
    path.write_bytes(data)
    try:
        read_temperature_file(path)
    except UserError:
        return
    # a byte that changes nothing, or a sealed one that is a number, a name or a comment
    assert resealed or bytes(data) == original


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "u.yaml"
    text = written(path)

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        written(path)
    assert path.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["u.yaml"]


def test_an_origin_that_yaml_cannot_hold(tmp_path: Path) -> None:
    correction = interpolated(dict(zip([900.0, 1000.0], same_grid_terms(1, 2), strict=True)))
    with pytest.raises(UserError, match="cannot be written as YAML"):
        write_temperature_file(
            tmp_path / "u.yaml", TemperatureFile(correction, PAIRS, ORIGIN | {"model": {"a": object()}})
        )
