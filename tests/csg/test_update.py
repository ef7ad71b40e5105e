"""The update through tables: VOTCA's chain of scripts is reproduced, and bad tables are refused."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.potentials import check_grid, hold_ends, initial_potential
from votca_mlp.inverse.stages.update import update_of_files
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.models.options import MLPSettings
from votca_mlp.tables import Table, grid_points, make_table, read_table, write_table
from votca_mlp.update.options import WibiSettings
from votca_mlp.update.rule import PairGrid

SCRIPTS = Path("/usr/share/votca/scripts/inverse")
TUTORIALS = Path("/usr/share/votca/csg-tutorials")


def interaction(x: np.ndarray) -> PairGrid:
    return PairGrid("A-A", ("Al", "Al"), float(x[0]), float(x[-1]), float(x[1] - x[0]))


def update_table(
    pair: PairGrid,
    *,
    target: Path,
    rdf: Path,
    potential: Path,
    kbt: float,
    main_directory: Path,
    **wibi: object,
) -> Table:
    """Return the update of a run with one state and one interaction."""
    model = MLPSettings(kind="ase", calculator="a:b")
    options = WibiSettings(**wibi)  # type: ignore[arg-type]
    pairs = (PairPlan(pair, target, options),)
    state = StatePlan(MDPlan(temperature=300.0), pairs, model, main_directory)
    plan = InversePlan(main_directory, pairs, (state,), model, 1)
    files = {"dist.tgt": target, "dist.new": rdf, "pot.cur": potential}
    return update_of_files(plan, 1, "A-A", files, kbt=kbt, directory=main_directory)


def run_perl(directory: Path, script: str, *words: str) -> None:
    if shutil.which("perl") is None or not (SCRIPTS / script).is_file():
        pytest.skip("VOTCA's scripts are not installed (package votca)")
    command = ["perl", f"-I{SCRIPTS}", str(SCRIPTS / script), *words]
    subprocess.run(command, cwd=directory, check=True, capture_output=True)


def tutorial_targets() -> list[Path]:
    return sorted(TUTORIALS.rglob("ibi/CG-CG.dist.tgt")) + sorted(TUTORIALS.rglob("ibi/A-*.dist.tgt"))


@pytest.mark.parametrize("path", tutorial_targets(), ids=lambda path: "/".join(path.parts[-3:]))
def test_the_whole_chain_equals_votcas(path: Path, tmp_path: Path) -> None:
    """alpha 1, weight uniform: update, shift and add give VOTCA's pot.new, to rounding."""
    target = read_table(path)
    x = target.x
    random = np.random.default_rng(7)
    rdf = target.with_y(target.y * np.exp(0.1 * random.standard_normal(len(x))))
    # a sampled core is smaller than the target's, and a bin may be empty
    rdf.y[: np.argmax(target.y > 0.01) + 2] = 0.0
    current = make_table(x, 0.1 * np.cos(30.0 * x))
    for name, table in (("target", target), ("rdf", rdf), ("cur", current)):
        write_table(tmp_path / name, table)
    ours = update_table(
        interaction(x),
        alpha=1.0,
        weight="uniform",
        target=tmp_path / "target",
        rdf=tmp_path / "rdf",
        potential=tmp_path / "cur",
        kbt=2.49435,
        main_directory=tmp_path,
    )
    write_table(tmp_path / "ours", ours)
    run_perl(tmp_path, "update_ibi_pot.pl", "target", "rdf", "cur", "theirs", "2.49435")
    for name in ("ours", "theirs"):
        run_perl(tmp_path, "potential_shift.pl", "--type", "non-bonded", name, f"{name}.shifted")
        run_perl(tmp_path, "add_POT.pl", "cur", f"{name}.shifted", f"{name}.new")
    ours, theirs = read_table(tmp_path / "ours.new"), read_table(tmp_path / "theirs.new")
    assert np.abs(theirs.y - current.y).max() > 0.1
    assert ours.y == pytest.approx(theirs.y, abs=1e-11)
    assert (ours.flags == theirs.flags).all()


def test_tutorials_were_found() -> None:
    if not TUTORIALS.is_dir():
        pytest.skip("package votca-tutorials is not installed")
    assert len(tutorial_targets()) >= 2


class TestWeights:
    x = grid_points(0.0, 0.5, 0.05)
    g = np.array([0.0, 0.0, 0.0, 0.2, 0.9, 2.0, 1.2, 0.9, 0.8, 1.1, 1.0])

    def update(self, directory: Path, **wibi: object) -> Table:
        rdf = self.g.copy()
        rdf[3:] += 0.1
        for name, y in (("target", self.g), ("rdf", rdf), ("cur", 0.0 * self.g)):
            write_table(directory / name, make_table(self.x, y))
        self.log = np.log(rdf[3:] / self.g[3:])
        return update_table(
            interaction(self.x),
            **wibi,
            target=directory / "target",
            rdf=directory / "rdf",
            potential=directory / "cur",
            kbt=2.0,
            main_directory=directory,
        )

    def test_target(self, tmp_path: Path) -> None:
        table = self.update(tmp_path, alpha=0.5, weight="target")
        assert table.y[3:] == pytest.approx(self.log * self.g[3:], abs=1e-14)
        assert list(table.flags) == ["o"] * 3 + ["i"] * 8
        assert (table.y[:3] == table.y[3]).all()

    def test_power(self, tmp_path: Path) -> None:
        table = self.update(tmp_path, alpha=0.5, weight="power", power=2.0)
        assert table.y[3:] == pytest.approx(self.log * self.g[3:] ** 2, abs=1e-14)

    def test_table(self, tmp_path: Path) -> None:
        weight = make_table(np.array([0.0, 0.25, 0.5]), np.array([0.0, 1.0, 0.0]))
        write_table(tmp_path / "w.table", weight)
        table = self.update(tmp_path, alpha=0.5, weight="table", weight_file="w.table")
        expected = self.log * (1.0 - np.abs(self.x[3:] - 0.25) / 0.25)
        assert table.y[3:] == pytest.approx(expected, abs=1e-14)

    def test_missing_table(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"w\.table: no such table"):
            self.update(tmp_path, weight="table", weight_file="w.table")

    def test_other_grid(self, tmp_path: Path) -> None:
        self.update(tmp_path)
        write_table(tmp_path / "rdf", make_table(self.x[:-1], self.g[:-1]))
        with pytest.raises(
            UserError, match=r"rdf: the table has 10 points .* not those of the grid 0:0\.05:0\.5"
        ):
            update_table(
                interaction(self.x),
                target=tmp_path / "target",
                rdf=tmp_path / "rdf",
                potential=tmp_path / "cur",
                kbt=2.0,
                main_directory=tmp_path,
            )


def test_grid_of_another_unit_is_refused() -> None:
    grid = grid_points(0.0, 1.0, 0.005)
    check_grid(make_table(grid + 1e-8, grid), grid, where="here")
    with pytest.raises(UserError, match=r"here: .* 0 to 10 nm"):
        check_grid(make_table(10.0 * grid, grid), grid, where="here")


@given(arrays(float, 12, elements=st.floats(-1e3, 1e3)), st.integers(0, 11), st.integers(0, 11))
def test_hold_ends(y: np.ndarray, a: int, b: int) -> None:
    first, last = min(a, b), max(a, b)
    flags = np.full(12, "o")
    flags[first : last + 1] = "i"
    held = hold_ends(Table(np.arange(12.0), y, flags))
    assert np.array_equal(held.y[first : last + 1], y[first : last + 1])
    assert (held.y[:first] == y[first]).all()
    assert (held.y[last:] == y[last]).all()
    assert (held.flags == flags).all()


def test_hold_ends_needs_a_valid_point() -> None:
    with pytest.raises(UserError, match="no valid point"):
        hold_ends(Table(np.arange(3.0), np.zeros(3), np.full(3, "o")))


def test_an_undefined_initial_potential_is_refused(tmp_path: Path) -> None:
    x = grid_points(0.0, 0.5, 0.05)
    table = make_table(x, x)
    table.flags[4] = "u"
    write_table(tmp_path / "A-A.pot.in", table)
    with pytest.raises(UserError, match=r"A-A\.pot\.in: the value at 0\.2 nm is undefined"):
        initial_potential(interaction(x), tmp_path)


def test_an_initial_potential_of_impossible_size_is_refused(tmp_path: Path) -> None:
    x = grid_points(0.0, 0.5, 0.05)
    y = np.zeros(len(x))
    y[2] = -1e300
    write_table(tmp_path / "A-A.pot.in", make_table(x, y))
    with pytest.raises(UserError, match=r"A-A\.pot\.in: the value at 0\.1 nm is -1e\+300"):
        initial_potential(interaction(x), tmp_path)
