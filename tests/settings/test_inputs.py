"""The files that settings name: missing, in the wrong unit, too short."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.settings.conftest import GOOD, TOPOLOGY, liquid_rdf, set_tag
from votca_mlp.errors import UserError
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.settings import SettingsError, load_settings
from votca_mlp.settings.inputs import check_inputs
from votca_mlp.tables import grid_points, make_table, write_table
from votca_mlp.update.rule import PairGrid


def messages(path: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        check_inputs(load_settings(path))
    return [problem.text(path) for problem in caught.value.problems]


def write_target(folder: Path, r: np.ndarray, g: np.ndarray) -> None:
    write_table(folder / "Al-Al.dist.tgt", make_table(r, g))


R = grid_points(0.0, 1.2, 0.002)


def test_nothing_wrong(good: Path) -> None:
    check_inputs(load_settings(good))


def test_a_target_may_begin_in_the_core(good: Path) -> None:
    inside = R > 0.15
    write_target(good.parent, R[inside], liquid_rdf(R)[inside])
    check_inputs(load_settings(good))


@pytest.mark.parametrize(
    ("r", "g", "words"),
    [
        (10 * R, liquid_rdf(R), "main peak is at 2.8 nm: its r looks like Angstrom"),
        (R / 10, liquid_rdf(R), "main peak is at 0.028 nm: its r looks like nm divided by 10"),
        (R[R < 0.9], liquid_rdf(R[R < 0.9]), "covers only 0 to 0.898 nm"),
        (R[R > 0.27], liquid_rdf(R[R > 0.27]), "covers only 0.272 to 1.2 nm"),
        (R, 0 * R, "g(r) is 0 everywhere"),
        (R, liquid_rdf(R) * np.exp(-((R / 0.5) ** 2)), "ends at"),
        (R, liquid_rdf(R * 2), "begins at 1."),
        (R, 0.5 * liquid_rdf(R), "g(r) ends at 0.5"),
        (R, 1.5 * liquid_rdf(R), "g(r) ends at 1.5"),
        (R, np.where(np.arange(len(R)) == 200, 500.0, liquid_rdf(R)), "is 500 at 4 Angstrom, beside"),
        (R, np.where((R > 0.4) & (R < 0.44), -0.2, liquid_rdf(R)), "is negative, -0.2 at 4.02 Angstrom"),
        (R, np.where((R > 0.3) & (R < 0.4), 0.0, liquid_rdf(R)), "to 0 at the next point"),
        (
            R[(R < 0.3) | (R > 0.4)],
            liquid_rdf(R)[(R < 0.3) | (R > 0.4)],
            "has no point between 2.98 and 4.02",
        ),
        (R, np.maximum(liquid_rdf(R), 0.2), "where there are no atoms"),
        (R, 1.2 * R * liquid_rdf(R), "far half grows in proportion to r"),
    ],
)
def test_bad_targets(good: Path, r: np.ndarray, g: np.ndarray, words: str) -> None:
    write_target(good.parent, r, g)
    (line,) = messages(good)
    assert line.startswith(f"{good}:10: <cg.non-bonded.inverse.target> names Al-Al.dist.tgt")
    assert words in line


@pytest.mark.parametrize("flag", ["u", "o"])
def test_an_undefined_point_that_the_update_would_use(good: Path, flag: str) -> None:
    """csg_resample takes points whatever their flag; a run without settings.xml says so too."""
    target = good.with_name("Al-Al.dist.tgt")
    rows = [
        f"{r:g} nan {flag}" if r < 0.15 else f"{r:g} {g:g} i" for r, g in zip(R, liquid_rdf(R), strict=True)
    ]
    target.write_text("\n".join(rows))
    (line,) = messages(good)
    assert f"names Al-Al.dist.tgt, which has the line '0 nan {flag}'; accepted: a number at every" in line
    pair = PairPlan(
        PairGrid("Al-Al", ("Al", "Al"), 0.0, 1.0, 0.01), target, load_settings(good).interactions[0]
    )
    with pytest.raises(UserError, match=f"the target has the line '0 nan {flag}'"):
        pair.target_on_grid()
    target.write_text("\n".join(rows).replace(f"nan {flag}", "0 u") + f"\n1.3 nan {flag}")
    check_inputs(load_settings(good))
    assert np.isfinite(pair.target_on_grid().y).all()


def test_errors_of_a_target(good: Path) -> None:
    """Negative is refused; 0 among others only where the data are weighted by them, and not in the core."""
    g = liquid_rdf(R)

    def written(errors: np.ndarray) -> None:
        write_table(good.with_name("Al-Al.dist.tgt"), make_table(R, g, yerr=errors))

    written(np.where(R[150] == R, -0.01, 0.02))
    assert "which has an error of -0.01 at 3; accepted: errors that are numbers >= 0" in messages(good)[0]
    by_pairs = np.where(g > 0.0, 0.02, 0.0)
    one_zero = np.where(R[150] == R, 0.0, by_pairs)
    written(one_zero)
    check_inputs(load_settings(good))
    text = re.sub(r"<wibi>.*?</wibi>", "", good.read_text(), flags=re.DOTALL)
    good.write_text(text.replace("<method>ibi", "<method>imc"))
    (line,) = messages(good)
    assert "has an error of 0 at 3 Angstrom, where g is " in line
    assert "accepted: errors above 0 wherever g is, or no column of errors" in line
    for errors in (by_pairs, 0.0 * g):
        written(errors)
        check_inputs(load_settings(good))


def test_what_goes_beyond_the_grid_is_of_no_account(good: Path) -> None:
    write_target(good.parent, R, np.where(R > 1.0, 0.0, liquid_rdf(R)))
    check_inputs(load_settings(good))


def test_a_damaged_target_is_told_with_its_own_line(good: Path) -> None:
    target = good.with_name("Al-Al.dist.tgt")
    target.write_text("0 0 i\n0.1 x i\n")
    (line,) = messages(good)
    assert f"names a bad file: {target}:2: not a number" in line
    target.unlink()
    assert "no such table" in messages(good)[0]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (None, "no such table"),
        ([(0.0, 1), (0.9, 1)], "covers only 0 to 0.9 nm"),
        ([(0.1, 1), (1.0, 1)], "covers only 0.1 to 1 nm"),
        ([(0.0, 1), (0.5, -1), (1.0, 1)], "negative at 0.5 nm"),
        ([(0.0, 0), (1.0, 0)], "0 everywhere: no update"),
        ([(0.0, 0), (1.0, 1)], None),
    ],
)
def test_weight_tables(good: Path, table: list[tuple[float, float]] | None, words: str | None) -> None:
    tags = "<weight>table</weight><weight_file>w.table</weight_file>"
    good.write_text(GOOD.replace("<wibi>", "<wibi>" + tags))
    if table is not None:
        x, y = np.array(table, float).T
        write_table(good.with_name("w.table"), make_table(x, y))
    if words is None:
        check_inputs(load_settings(good))
    else:
        (line,) = messages(good)
        assert "<cg.non-bonded.inverse.wibi.weight_file> names" in line
        assert words in line


def test_topology(good: Path) -> None:
    good.with_name("topol.xml").write_text(TOPOLOGY.replace('type="Al"', 'type="Cu"'))
    assert any(
        "<cg.non-bonded.type1> is 'Al', a type that topol.xml does not have" in m for m in messages(good)
    )
    good.with_name("topol.xml").write_text("<topology/>")
    assert "the topology has no molecules" in messages(good)[0]
    good.with_name("topol.xml").unlink()
    assert "no such file" in messages(good)[0]


def test_topology_outside_the_filelist(good: Path) -> None:
    good.write_text(set_tag(GOOD, "filelist", "conf.extxyz"))
    (line,) = messages(good)
    assert line.endswith("accepted: <filelist>conf.extxyz topol.xml</filelist>")


def test_a_crystal_that_does_not_fit_the_topology(good: Path) -> None:
    size = "<lattice_constant>4.25</lattice_constant><repeat>5 5 {}</repeat>"
    crystal = f"<crystal><element>Al</element>{size}</crystal>"
    start = "<conf>conf.extxyz</conf>"
    good.write_text(GOOD.replace(start, crystal.format(5)))
    check_inputs(load_settings(good))
    good.write_text(GOOD.replace(start, crystal.format(6)))
    (line,) = messages(good)
    assert "makes 600 Al atoms, but topol.xml has 500 Al" in line


def test_files_that_are_not_there(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good.with_name("conf.extxyz").unlink()
    text = set_tag(GOOD, "filelist", "topol.xml extra.dat")
    good.write_text(set_tag(text, "model", "$NO_SUCH_MODEL/m.pt"))
    monkeypatch.delenv("NO_SUCH_MODEL", raising=False)
    lines = messages(good)
    assert len(lines) == 3
    assert "<cg.inverse.filelist> names extra.dat, which does not exist" in lines[0]
    assert "uses $NO_SUCH_MODEL, which is not set" in lines[1]
    assert "<cg.inverse.ase.conf> names conf.extxyz, which does not exist" in lines[2]
    monkeypatch.setenv("NO_SUCH_MODEL", str(good.parent))
    assert "is $NO_SUCH_MODEL/m.pt, which does not exist" in messages(good)[1]
    good.with_name("m.pt").write_text("")
    assert len(messages(good)) == 2


def test_targets_of_several_states_lie_in_their_folders(good: Path) -> None:
    states = (
        "<multistate><enabled>yes</enabled><state_names>cold hot</state_names>"
        "<state_weights>1 1</state_weights><state_kBTs>7.8 11</state_kBTs></multistate>"
    )
    good.write_text(GOOD.replace("<mlp>", states + "<mlp>"))
    for name in ("cold", "hot"):
        (good.parent / name).mkdir()
    good.with_name("Al-Al.dist.tgt").rename(good.parent / "cold" / "Al-Al.dist.tgt")
    (line,) = messages(good)
    assert str(good.parent / "hot" / "Al-Al.dist.tgt") in line
