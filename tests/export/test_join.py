"""votca-mlp temperature: what can be joined and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.export.joined_runs import KELVINS, make_runs
from tests.export.runs import HIPNN, MIXTURE, aluminium, make_states, mixture
from votca_mlp.errors import UserError
from votca_mlp.export.export import export
from votca_mlp.export.join import join
from votca_mlp.models.load import builtin_models
from votca_mlp.potentials.correction import PairCorrection, read_correction
from votca_mlp.potentials.temperature_file import TemperatureFile, read_temperature_file
from votca_mlp.tables import read_table, write_table

BUILTIN = HIPNN.format(model="builtin:al-hipnn", dtype="float64")


@pytest.fixture
def runs(tmp_path: Path) -> dict[int, Path]:
    return make_runs(tmp_path, BUILTIN, aluminium())


def of_run(run: Path, pair: str = "Al-Al") -> PairCorrection:
    a, b = pair.split("-")
    return read_correction({(a, b): run / "step_002" / f"{pair}.pot.cur"})


def holds(content: TemperatureFile, runs: dict[int, Path], pair: str = "Al-Al") -> None:
    for kelvin, run in runs.items():
        expected = of_run(run, pair).pairs
        for species, spline in expected.items():
            found = content.correction.at(kelvin).pairs[species].coefficients
            # an exported table has 15 digits and is shifted already
            assert found == pytest.approx(spline.coefficients, rel=0, abs=1e-11)


def test_runs_in_any_order_and_any_form(runs: dict[int, Path], tmp_path: Path) -> None:
    export(runs[943], "ase", tmp_path / "cold")
    export(runs[1323], "table", tmp_path / "hot")
    tables = [f"{run}/step_002/Al-Al.pot.cur@{kelvin}" for kelvin, run in runs.items()]
    forms = [
        [str(runs[1323]), str(runs[943]), str(runs[1023])],
        [f"{runs[943]}@943", f"{runs[1023]}/settings.xml@1023", f"{runs[1323]}/step_002@1323"],
        [str(tmp_path / "cold"), str(runs[1023]), f"{tmp_path}/hot/export.json".removesuffix("/export.json")],
        tables,
    ]
    for number, arguments in enumerate(forms):
        settings = runs[943] / "settings.xml" if arguments is tables else None
        out = tmp_path / f"u{number}.yaml"
        joined = join(arguments, out, settings=settings)
        content = read_temperature_file(out)
        holds(content, runs)
        if number != 2:
            exact = of_run(runs[1023]).pairs[13, 13].coefficients
            assert np.array_equal(content.correction.at(1023).pairs[13, 13].coefficients, exact)
        assert content.correction.nodes == list(KELVINS)
        assert content.names == {(13, 13): "Al-Al"}
        assert content.origin["model_sha256"]
        assert [source["temperature"] for source in content.origin["sources"]] == list(KELVINS)
        assert 1.0 < joined.noise < 2.0
        assert 943 < joined.noisiest < 1323


def test_several_interactions_and_tables_of_each(tmp_path: Path) -> None:
    pairs = ("Ar-Ar", "Kr-Ar")
    runs = make_runs(tmp_path, MIXTURE, mixture(), pairs, (900, 1100))
    join([str(run) for run in runs.values()], tmp_path / "a.yaml")
    tables = [f"{run}/step_002/{pair}.pot.cur@{kelvin}" for pair in pairs for kelvin, run in runs.items()]
    join(tables, tmp_path / "b.yaml", settings=runs[900] / "settings.xml")
    for name in ("a", "b"):
        content = read_temperature_file(tmp_path / f"{name}.yaml")
        assert content.names == {(18, 18): "Ar-Ar", (18, 36): "Kr-Ar"}
        for pair in pairs:
            holds(content, runs, pair)
    with pytest.raises(UserError, match="interactions Ar-Ar, but"):
        join([*tables[:2], tables[2]], tmp_path / "c.yaml", settings=runs[900] / "settings.xml")


def test_sources_that_do_not_fit(runs: dict[int, Path], tmp_path: Path) -> None:
    out = tmp_path / "u.yaml"
    again = shutil.copytree(runs[943], tmp_path / "again")
    wide = shutil.copytree(runs[943], tmp_path / "wide")
    for file in (wide / "step_002").glob("*.pot.cur"):
        table = read_table(file)
        short = type(table)(table.x[:-1], table.y[:-1], table.flags[:-1])
        write_table(file, short)
    other = shutil.copytree(runs[1323], tmp_path / "other")
    shutil.copy(builtin_models()["al-hipnn"], other / "model.pt")
    with (other / "model.pt").open("ab") as file:
        file.write(b"\0")
    settings = other / "settings.xml"
    settings.write_text(settings.read_text().replace("builtin:al-hipnn", "model.pt"))
    states = shutil.copytree(runs[1023], tmp_path / "states")
    make_states(states)
    for name in ("cold", "hot"):
        (states / "step_002" / name).mkdir()
        shutil.copy(states / "step_002" / "Al-Al.dist.new", states / "step_002" / name)
    export(runs[943], "lammps", tmp_path / "lammps")
    join([str(runs[943]), str(runs[1023])], tmp_path / "joined.yaml")
    export(tmp_path / "joined.yaml", "table", tmp_path / "joined", temperature=1000)
    table = f"{runs[1323]}/step_002/Al-Al.pot.cur"
    unknown = shutil.copy(table, tmp_path / "Cu-Cu.pot.cur")
    own = runs[943] / "settings.xml"
    cases: list[tuple[list[str], dict, str]] = [
        ([str(runs[943])], {}, "one temperature is not enough"),
        ([str(runs[943]), str(again)], {}, "943 K is the temperature of .*run_943 too"),
        ([str(runs[943]), f"{runs[1023]}@1100"], {}, "the run is at 1023 K, not 1100 K"),
        ([str(runs[943]), f"{runs[1023]}@hot"], {}, "'hot' is no temperature"),
        ([str(runs[943]), f"{runs[1023]}@-3"], {}, "'-3' is no temperature"),
        ([str(runs[943]), f"{runs[1023]}@1e308"], {}, "'1e308' is no temperature"),
        ([str(runs[1323]), str(wide)], {}, "csg_resample --in OLD --out NEW --grid 0:0.005:0.745"),
        ([str(runs[943]), str(other)], {}, r"corrects the model hippynn .*model.pt \(SHA-256"),
        ([str(runs[943]), str(states)], {}, "several temperatures: 1023.01, 1142.59 K"),
        ([str(runs[943]), str(tmp_path / "none")], {}, "no such run or table"),
        ([str(runs[943]), f"{runs[1023]}/step_001"], {}, "simulated the model alone"),
        ([str(runs[943]), f"{runs[1023]}/step_003"], {}, "no finished step 3"),
        ([str(runs[943]), str(tmp_path / "lammps")], {}, "this export has no VOTCA table"),
        ([str(runs[943]), str(tmp_path / "joined")], {}, "this export is of a joined correction"),
        ([str(runs[943]), table], {}, "a table does not say its temperature"),
        ([str(runs[943]), f"{table}@1323"], {}, "does not say which model"),
        ([str(runs[943]), f"{unknown}@1323"], {"settings": own}, "of no interaction of"),
        ([str(runs[943]), f"{table}@943"], {"settings": own}, "943 K is the temperature of"),
        ([f"{table}@943", f"{table}@943"], {"settings": own}, "943 K is the temperature of"),
        ([str(runs[943]), f"{table}@1323"], {"settings": tmp_path / "no.xml"}, "no.xml"),
    ]
    for arguments, options, message in cases:
        with pytest.raises(UserError, match=message):
            join(arguments, out, **options)
        assert not out.exists()
    out.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        join([str(run) for run in runs.values()], out)
    assert out.read_text() == "mine"


def test_a_damaged_export_is_a_message(runs: dict[int, Path], tmp_path: Path) -> None:
    export(runs[943], "table", tmp_path / "cold")
    file = tmp_path / "cold" / "export.json"
    good = json.loads(file.read_text())
    for tables in ([{}], [{"types": ["Al", "Al"]}], [good["tables"][0] | {"types": ["Al", "Qq"]}]):
        file.write_text(json.dumps(good | {"tables": tables}))
        with pytest.raises(UserError):
            join([str(tmp_path / "cold"), str(runs[1023])], tmp_path / "u.yaml")
