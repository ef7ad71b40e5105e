"""VOTCA tables: round trips and one message for each damage."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.tables import Table, grid_points, read_table, write_table

finite = st.floats(-1e6, 1e6)
rows = st.lists(st.tuples(finite, st.floats(0, 10), st.sampled_from("iou")), min_size=1, max_size=30)


@given(rows, st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(tmp_path: Path, rows: list, with_error: bool) -> None:
    y, error, flags = (np.array(column) for column in zip(*rows, strict=True))
    x = 0.005 * np.arange(len(rows))
    table = Table(x, y, flags, error if with_error else None, ("made here",))
    write_table(tmp_path / "t", table)
    again = read_table(tmp_path / "t")
    assert again.x == pytest.approx(table.x, rel=1e-14)
    assert again.y == pytest.approx(table.y, rel=1e-14)
    assert (again.flags == table.flags).all()
    assert again.comments == ("made here",)
    if with_error:
        assert again.yerr == pytest.approx(error, rel=1e-14)
    else:
        assert again.yerr is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no points"),
        ("# only a comment\n", "no points"),
        ("0 1 i\n0.1 1 x\n", ":2: 'x' is not a flag"),
        ("0 1 i\n0.1 i\n", ":2: 2 columns"),
        ("0 1 0.1 i\n0.1 1 i\n", ":2: 3 columns"),
        ("0 1 2 3 i\n", ":1: 5 columns"),
        ("0 one i\n", ":1: not a number in '0 one i'"),
        ("0 1 i\n0 2 i\n", ":2: x does not increase"),
        ("0 nan i\n", ":1: not a finite number"),
        ("inf 1 i\n", ":1: not a finite number"),
    ],
)
def test_damaged_tables(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t").write_text(text)
    with pytest.raises(UserError, match=re.escape(message)):
        read_table(tmp_path / "t")


def test_missing_and_binary(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such table"):
        read_table(tmp_path / "none")
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot read"):
        read_table(tmp_path / "b")


def test_tables_without_flags_are_valid(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("@ title\n 0 0\n 0.002 1.5\n")
    table = read_table(tmp_path / "t")
    assert list(table.flags) == ["i", "i"]
    assert list(table.y) == [0.0, 1.5]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as file:
            file.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["t"]


def test_no_space_left_is_one_message() -> None:
    with pytest.raises(UserError, match="cannot write"), atomic_write("/proc/none/t") as file:
        file.write("x")


@given(st.integers(0, 50), st.integers(1, 400), st.sampled_from([0.001, 0.002, 0.005, 0.01, 0.05]))
def test_grid_includes_both_ends(first: int, count: int, step: float) -> None:
    grid = grid_points(first * step, (first + count) * step, step)
    assert len(grid) == count + 1
    assert grid[[0, -1]] == pytest.approx([first * step, (first + count) * step], abs=1e-11)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", ["x", "y", "yerr"])
def test_no_table_with_a_number_that_is_none(tmp_path: Path, bad: float, column: str) -> None:
    columns = {name: np.array([0.1, 0.2, 0.3]) for name in ("x", "y", "yerr")}
    columns[column][1] = bad
    path = tmp_path / "Al-Al.pot.new"
    path.write_text("as it was")
    table = Table(columns["x"], columns["y"], np.array(["i", "i", "i"]), columns["yerr"])
    with pytest.raises(UserError, match="not written: the table would have the line") as error:
        write_table(path, table)
    assert error.value.where == str(path)
    assert path.read_text() == "as it was"
    # what is undefined may hold anything, at a distance that is a number
    flags = np.array(["i", "u", "i"])
    if column != "x":
        write_table(path, Table(table.x, table.y, flags, table.yerr))
        assert list(read_table(path).flags) == ["i", "u", "i"]
