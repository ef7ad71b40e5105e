"""Every table operation against the script of VOTCA that it replaces."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import csg_call, edit, make_case, needs_votca
from votca_mlp.errors import UserError
from votca_mlp.inverse.tables import operations as ops
from votca_mlp.inverse.tables.printing import as_printed
from votca_mlp.inverse.tables.splines import akima_curve, cubic_fit, fit_knots
from votca_mlp.tables import Table, grid_points, make_table, read_table, write_table

GRID = grid_points(0.0, 0.8, 0.01)
NAME = ("--ia-type", "non-bonded", "--ia-name", "Ar-Ar")
OPTIONS = """</wibi>
<post_update_options>
  <scale>0.37</scale><smooth><iterations>3</iterations></smooth>
  <splinesmooth><step>0.04</step></splinesmooth><extrapolate><points>4</points></extrapolate>
</post_update_options>"""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A main directory whose settings hold the options of the scripts."""
    needs_votca()
    directory = make_case(tmp_path_factory.mktemp("operations"))
    edit(directory / "settings.xml", {"</wibi>": OPTIONS})
    return directory


def noisy(seed: int = 1, *, core: int = 26) -> Table:
    """Return a table like an update of u: held in the core (flag o), noisy outside."""
    rng = np.random.default_rng(seed)
    y = np.sin(15.0 * GRID) * np.exp(-2.0 * GRID) + 0.01 * rng.standard_normal(len(GRID))
    y[:core] = y[core]
    table = make_table(GRID, as_printed(y, 15))
    table.flags[:core] = "o"
    return table


def by_script(case: Path, words: tuple[str, ...], **tables: Table) -> Table:
    """Run a script through csg_call; words ``in``, ``in2`` and ``out`` are files."""
    for name, table in tables.items():
        write_table(case / name, table)
    (case / "out").unlink(missing_ok=True)
    status, output = csg_call(case, *NAME, *words)
    assert status == 0, output
    return read_table(case / "out")


def same(ours: Table, theirs: Table, tolerance: float) -> None:
    """Compare values and flags; ``tolerance`` is a relative unit of the last printed digit."""
    assert ours.x == pytest.approx(theirs.x, abs=1e-9)
    assert list(ours.flags) == list(theirs.flags)
    assert np.ptp(theirs.y) > 0.01
    assert np.abs(ours.y - theirs.y).max() <= tolerance * np.abs(theirs.y).max()


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (("potential", "shift", "in", "out"), ops.shift),
        (("postupd", "scale", "in", "out"), lambda t: ops.scale(t, 0.37)),
        (("postupd", "smooth", "in", "out"), lambda t: ops.smooth(t, 3)),
        (
            ("postupd", "extrapolate", "in", "out"),
            lambda t: ops.extrapolate(t, left="exponential", points=4),
        ),
    ],
    ids=["shift", "scale", "smooth", "extrapolate"],
)
def test_perl_scripts(case: Path, words: tuple[str, ...], function: Callable[[Table], Table]) -> None:
    table = noisy()
    same(function(table), by_script(case, words, **{"in": table}), 2e-15)


def test_splinesmooth(case: Path) -> None:
    table = noisy(2)
    theirs = by_script(case, ("postupd", "splinesmooth", "in", "out"), **{"in": table})
    ours = ops.splinesmooth(table, 0.04)
    same(ours, theirs, 1.1e-10)
    # it has smoothed, and the core is flat
    assert np.abs(np.diff(ours.y[26:], 2)).max() < 0.5 * np.abs(np.diff(table.y[26:], 2)).max()
    assert np.ptp(ours.y[:26]) == 0.0


def test_add(case: Path) -> None:
    potential, update = noisy(3, core=0), noisy(4)
    update.flags[40] = "u"
    potential.flags[:5] = "o"
    theirs = by_script(case, ("table", "add", "in", "in2", "out"), **{"in": potential, "in2": update})
    same(ops.add(potential, update), theirs, 2e-15)


@pytest.mark.parametrize("kind", ["finer", "coarser", "short", "flags", "with error"])
def test_target(case: Path, kind: str) -> None:
    rng = np.random.default_rng(5)
    x = {
        "finer": np.arange(0.0, 0.9, 0.0037),
        "coarser": np.arange(0.0, 0.85, 0.05),
        "short": np.arange(0.213, 0.7001, 0.013),
    }.get(kind, GRID)
    g = np.clip(1.0 - np.exp(-(((x - 0.2) / 0.08) ** 3)), -0.1, None) * (1 + 0.2 * np.cos(20 * x))
    target = make_table(np.round(x, 6), g - 0.02 + 0.01 * rng.standard_normal(len(x)))
    if kind == "flags":
        target.flags[:20] = "o"
        target.flags[-9:] = "o"
    if kind == "with error":
        target = make_table(target.x, target.y, yerr=np.full(len(x), 0.03))
    write_table(case / "Ar-Ar.dist.tgt", target)
    theirs = by_script(case, ("resample", "target", "Ar-Ar.dist.tgt", "out"))
    ours = ops.resample_target(target, GRID)
    same(ours, theirs, 1.1e-10)
    assert (ours.y >= 0.0).all()
    assert (ours.yerr is not None) == (kind == "with error")


def test_average(case: Path) -> None:
    tables = [noisy(seed, core=0) for seed in range(5)]
    names = [f"block{k}" for k in range(5)]
    words = ("table", "average", "--output", "out", *names)
    theirs = by_script(case, words, **dict(zip(names, tables, strict=True)))
    ours = ops.average(tables)
    same(ours, theirs, 1.1e-6)
    assert ours.yerr == pytest.approx(theirs.yerr, rel=1.1e-5)


@pytest.mark.parametrize(("letter", "power"), [("d", 1), ("d2", 2)])
def test_summed_difference(case: Path, letter: str, power: int) -> None:
    a, b = noisy(6), noisy(7)
    write_table(case / "in", a)
    write_table(case / "in2", b)
    words = ("table", "combine", "--sum", "--withflag", "i", "--op", letter, "in", "in2")
    status, output = csg_call(case, *NAME, *words)
    assert status == 0, output
    found = re.findall(r"^[-+.e\d]+$", output, re.MULTILINE)
    assert ops.summed_difference(a, b, power) == pytest.approx(float(found[-1]), rel=1e-12)


def test_smooth_at_cut_off(case: Path) -> None:
    table = ops.shift(noisy(8, core=0))
    write_table(case / "in", table)
    script = "/usr/share/votca/scripts/inverse/table_smooth_at_cut_off.py"
    done = subprocess.run(
        [sys.executable, script, "--cut-off=0.8", "in", "out"], cwd=case, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    same(ops.smooth_at_cut_off(table), read_table(case / "out"), 1e-9)


def test_splines_against_closed_forms() -> None:
    """Both reproduce what they must: Akima a parabola, the fit a natural cubic spline of its own kind."""
    from scipy.interpolate import CubicSpline

    x = np.arange(0.0, 0.85, 0.1)
    parabola = akima_curve(x, 3.0 * x**2 - x)
    at = np.linspace(-0.1, 0.9, 50)
    assert parabola(at) == pytest.approx(3.0 * at**2 - at, abs=1e-12)
    knots = fit_knots(0.0, 1.0, 0.25)
    assert knots == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])
    natural = CubicSpline(knots, [0.0, 1.0, 0.3, -0.2, 0.5], bc_type="natural")
    points = np.linspace(0.0, 1.0, 33)
    assert cubic_fit(points, natural(points), knots)(points) == pytest.approx(natural(points), abs=1e-10)
    assert len(fit_knots(0.26, 0.8, 0.04)) == 14
    assert fit_knots(0.26, 0.8, 0.05)[-2:] == pytest.approx([0.71, 0.8])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.resample(make_table(GRID[:3], GRID[:3]), GRID), "needs four"),
        (lambda: ops.splinesmooth(noisy(), 0.001), "no data near"),
        (lambda: ops.add(noisy(), make_table(GRID[1:], GRID[1:])), "different grids"),
        (
            lambda: ops.extrapolate(noisy().with_y(0.0 * GRID), left="exponential", points=3),
            "exponential",
        ),
        (lambda: ops.summed_difference(noisy(core=3), noisy(), 1), "flags"),
    ],
)
def test_refusals(call: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()
