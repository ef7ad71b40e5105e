"""export.json: read again as it was written, also in the form of version 0.1.0."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.export.runs import brute_force, mixture
from votca_mlp.errors import UserError
from votca_mlp.export import load_corrected
from votca_mlp.export.content import ExportContent, ExportedTable, JoinedOrigin, band_of
from votca_mlp.export.content_file import read_content, write_content
from votca_mlp.export.provenance import comment_lines
from votca_mlp.models.origin import ModelOrigin
from votca_mlp.tables import grid_points, make_table, write_table
from votca_mlp.units import KJMOL_PER_EV

OLD = """{
 "format": "votca-mlp export",
 "version": 1,
 "model": {
  "kind": "ase",
  "model": null,
  "members": null,
  "calculator": "votca_mlp.models.lennard_jones:lennard_jones_mixture",
  "arguments": {"species": {"Ar": [0.0104, 3.4], "Kr": [0.0141, 3.65]}, "cutoff": 7.0},
  "dtype": "float64"
 },
 "model_sha256": null,
 "main_directory": "/home/old/run",
 "skin": 0.5,
 "versions": {"python": "3.11.7", "votca-mlp": "0.1.0"},
 "written": "2026-11-28T20:05:55Z",
 "settings": "/home/old/run/settings.xml",
 "settings_sha256": "9efa7c3b",
 "step": 2,
 "temperatures": [1023.0],
 "ensemble": "npt",
 "pressure": 1.0,
 "tables": [
  {"name": "Ar-Kr", "types": ["Ar", "Kr"], "file": "Ar-Kr.table", "source_sha256": "ff61", "sha256": "DIGEST"}
 ],
 "export_format": "ase",
 "comparisons": ["correction from the table, 108 atoms: energy differs by 0.0e+00 eV/atom"],
 "left_out": []
}
"""

MODEL = ModelOrigin(
    {"kind": "hippynn", "model": "builtin:al-hipnn"}, "ab" * 32, "/run", 0.5, {"python": "3"}, "now"
)
PLAIN = ExportContent(
    MODEL,
    settings="/run/settings.xml",
    settings_sha256="cd",
    step=3,
    temperatures=(1023.0,),
    ensemble="npt",
    pressure=1.0,
    tables=(ExportedTable("Al-Al", ("Al", "Al"), "Al-Al.table", "ef", "01"),),
    format="table",
    comparisons=("same",),
    left_out=(),
)
JOINED = ExportContent(
    MODEL,
    settings="/u.yaml",
    settings_sha256="cd",
    step=None,
    temperatures=(943.0, 1323.0),
    ensemble=None,
    pressure=None,
    tables=(ExportedTable("Al-Al", ("Al", "Al"), "Al-Al.table"),),
    joined=JoinedOrigin(
        (943.0, 1323.0),
        extrapolation=True,
        extrapolated=False,
        follows_temperature=True,
        functions={"form": "spline", "temperatures": [943.0, 1323.0]},
        sources=({"temperature": 943.0, "step": 2}, {"temperature": 1323.0, "step": 4}),
        sha256="23",
    ),
    format="ase",
    comparisons=(),
    left_out=("nothing",),
)


@pytest.mark.parametrize("content", [PLAIN, JOINED], ids=["run", "joined"])
def test_read_again(tmp_path: Path, content: ExportContent) -> None:
    write_content(tmp_path, content)
    assert read_content(tmp_path) == (content, tmp_path)
    assert read_content(tmp_path / "export.json") == (content, tmp_path)


def test_the_form_of_the_first_version(tmp_path: Path) -> None:
    grid = grid_points(0.0, 0.7, 0.01)
    write_table(tmp_path / "Ar-Kr.table", make_table(grid, 2.0 * np.cos(9.0 * grid) * (0.7 - grid)))
    digest = hashlib.sha256((tmp_path / "Ar-Kr.table").read_bytes()).hexdigest()
    (tmp_path / "export.json").write_text(OLD.replace("DIGEST", digest))
    content, _ = read_content(tmp_path)
    assert content.as_data() == json.loads(OLD.replace("DIGEST", digest))
    atoms = mixture()
    atoms.calc = load_corrected(tmp_path, trust=True)
    atoms.get_potential_energy()
    extra, _ = brute_force(atoms, {("Ar", "Kr"): tmp_path / "Ar-Kr.table"})
    assert atoms.calc.evaluation.correction_energy == pytest.approx(extra, abs=1e-9)


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"model": []},
        {"model_sha256": 3},
        {"skin": None},
        {"temperatures": 943.0},
        {"temperatures": []},
        {"pressure": "high"},
        {"step": "last"},
        {"tables": [{"types": ["Al"], "file": "x"}]},
        {"tables": [{"types": ["Al", "Al"]}]},
        {"joined": {"range": [1323.0, 943.0]}},
        {"joined": {"range": [943.0, 1323.0], "extrapolation": 1}},
        {"comparisons": 4},
    ],
    ids=str,
)
def test_damage_is_one_message(tmp_path: Path, damage: dict[str, object]) -> None:
    (tmp_path / "export.json").write_text(json.dumps(JOINED.as_data() | damage))
    with pytest.raises(UserError, match=r"export\.json: this is not an export, or it is damaged"):
        read_content(tmp_path)


def test_a_file_is_looked_for_in_the_folder_only(tmp_path: Path) -> None:
    data = PLAIN.as_data()
    data["tables"][0]["file"] = "../../elsewhere/Al-Al.table"
    (tmp_path / "export.json").write_text(json.dumps(data))
    assert read_content(tmp_path)[0].tables[0].file == "Al-Al.table"


def test_the_band_of_u_goes_along(tmp_path: Path) -> None:
    """With the rule gauss_newton a table has errors: they are in export.json and in the files' comments."""
    x = np.linspace(0.0, 1.0, 101)
    # constant below the first knot, at 2.5 Angstrom
    errors = KJMOL_PER_EV * 1e-3 * np.where(x < 0.25, 8.0, 4.0 * (1.0 - x))
    band = band_of(make_table(x, np.cos(x), yerr=errors))
    assert band is not None
    assert (band.begin, band.at) == (2.5, 2.5)
    assert band.largest == pytest.approx(3e-3)
    assert band.mean == pytest.approx(3e-3 / np.sqrt(3.0), rel=0.02)
    table = replace(PLAIN.tables[0], band=band)
    content = replace(PLAIN, tables=(table,))
    write_content(tmp_path, content)
    assert read_content(tmp_path)[0].tables[0].band == band
    (line,) = (line for line in comment_lines(content) if "standard error" in line)
    assert line.endswith("from 2.5 Angstrom on, at most 3 at 2.5")
    assert band_of(make_table(x, x)) is None
    assert not any("standard error" in line for line in comment_lines(PLAIN))
