"""docs/results is what results/ gives; numbers keep their errors on the way."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from votca_mlp.tables import Table


def test_the_pages_are_what_the_numbers_give(scripts: Path) -> None:
    command = [sys.executable, str(scripts / "render_results.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_links_to_a_section_of_another_page_name_it() -> None:
    from results_pages import with_links

    text = "[a](#first), [b](#second), [c](#run-x), [d](../speed.md#first)"
    found = with_links(text, "one", {"first": "one", "second": "two"})
    assert found == "[a](#first), [b](two.md#second), [c](#run-x), [d](../speed.md#first)"


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (2.772, 0.019, "2.772(19)"),
        (0.0727, 0.0007, "0.0727(7)"),
        (2301.1, 2.0, "2301.1(20)"),
        (68.0, 345.0, "68(345)"),
        (2267.74, 4.51, "2268(5)"),
        (0.00232, 0.00236, "0.0023(24)"),
        (1023.0, 0.0, "1023"),
        (5.0, 0.0998, "5.00(10)"),
        (1.0, 0.0299, "1.00(3)"),
    ],
)
def test_errors_are_in_units_of_the_last_digits(value: float, error: float, text: str) -> None:
    from results_numbers import Number

    assert str(Number(value, error)) == text


def test_templates_name_numbers() -> None:
    from results_numbers import fill, runs_in

    rows = [{"rms": {"value": 0.5, "error": 0.1}}, {"rms": 0.25, "text": "last"}]
    results = {"run": {"run": "run", "tables": {"iterations": rows, "ends": {"a + b": {"x": 1.5}}}}}
    template = "{run.iterations.first[rms]} {run.iterations.last[rms]:.3f} {run.iterations[1][text]}"
    assert fill(template, results) == "0.50(10) 0.250 last"
    assert fill("{run.ends[a + b][x]} {run.iterations.count}", results) == "1.5 2"
    assert set(runs_in(template)) == {"run"}
    with pytest.raises(SystemExit, match="no such number"):
        fill("{run.ends[a][x]}", results)


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    from results_file import number, read_result, write_result

    tables = {
        "rows": [{"x": number(1.0, 0.25)}, {"x": number(2.0, float("nan"))}],
        "by": {"a": {"y": [1, 2]}},
    }
    write_result(tmp_path / "run.json", tables, units={"x": "eV"}, seeds=[1, 2])
    found = read_result(tmp_path / "run.json")
    assert found["tables"] == {
        "rows": [{"x": {"value": 1.0, "error": 0.25}}, {"x": 2.0}],
        "by": {"a": {"y": [1, 2]}},
    }
    assert found["units"] == {"x": "eV"}
    assert {"command", "date", "version", "commit", "machine", "versions", "seeds"} <= found.keys()
    (tmp_path / "run.json").rename(tmp_path / "other.json")
    with pytest.raises(SystemExit, match="not the name of the file"):
        read_result(tmp_path / "other.json")


def test_digits_follow_the_error() -> None:
    from results_file import number

    assert number(-37077.123456, 0.0234567) == {"value": -37077.12346, "error": 0.02346}
    assert number(1234567.8, 34567.0) == {"value": 1234570.0, "error": 34570.0}
    assert number(0.123456789) == 0.123457


def test_every_result_says_where_it_is_from(scripts: Path) -> None:
    files = sorted((scripts.parent / "results").glob("*.json"))
    assert files
    for file in files:
        found = json.loads(file.read_text())
        assert {"command", "date", "version", "commit", "machine", "units", "tables"} <= found.keys(), file
        assert all(found["tables"].values()), file


def test_distances_of_replicas_become_rows() -> None:
    from known_tables import print_tables

    fits = {
        "a": {"a": np.ones(2)},
        "b": {"b": np.ones(2)},
        "a + b": {"a": np.full(2, 0.5), "b": np.full(2, 0.5)},
    }
    # two replicas, four iterations, two interactions
    found = {label: np.full((2, 4, 2), size) for label, size in (("a", 3.0), ("b", 2.0), ("a + b", 1.0))}
    tables = print_tables(fits, found, {"a": found["a"], "b": found["b"]}, names=["Ar-Ar", "Kr-Kr"])
    assert tables["by_iteration"]["b"] == {"distance": [2.0] * 4}
    assert tables["ends"]["a + b"]["distance"] == {"value": 1.0, "error": 0.0}
    assert tables["ends"]["a + b"]["expected_of_single"] == pytest.approx(13**0.5 / 2, rel=1e-5)
    assert tables["ends"]["a"]["Kr-Kr"] == 3.0
    assert tables["gains"] == {
        "a + b": {
            "replicas": 2,
            "own": {"value": 1.0, "error": 0.0},
            "own_count": 2,
            "all": {"value": 1.0, "error": 0.0},
            "all_count": 2,
        }
    }


def test_a_curve_is_in_angstrom_and_mev() -> None:
    from run_result import curve

    from votca_mlp.units import KJMOL_PER_EV

    table = Table(np.array([0.1, 0.2]), np.array([KJMOL_PER_EV, 0.0]), np.array(["i", "i"]))
    assert curve(table, "u", 1e3 / KJMOL_PER_EV) == {"r": [1.0, 2.0], "u": [1000.0, 0.0]}
