"""The update rule against VOTCA's own script and its closed form."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from votca_mlp.errors import UserError
from votca_mlp.tables import Table, read_table, write_table
from votca_mlp.update.weights import table_weight, target_weight
from votca_mlp.update.wibi import wibi_update

SCRIPTS = Path("/usr/share/votca/scripts/inverse")
TUTORIALS = Path("/usr/share/votca/csg-tutorials")


def stock_update(directory: Path, rdf: Table, target: Table, potential: Table, kbt: float) -> Table:
    """Run VOTCA's update_ibi_pot.pl."""
    if not (SCRIPTS / "update_ibi_pot.pl").is_file():
        pytest.skip("VOTCA's scripts are not installed (package votca)")
    for name, table in (("target", target), ("rdf", rdf), ("pot", potential)):
        write_table(directory / name, table)
    subprocess.run(
        [
            "perl",
            f"-I{SCRIPTS}",
            str(SCRIPTS / "update_ibi_pot.pl"),
            "target",
            "rdf",
            "pot",
            "out",
            repr(kbt),
        ],
        cwd=directory,
        check=True,
        capture_output=True,
    )
    return read_table(directory / "out")


def tutorial_targets() -> list[Path]:
    return sorted(
        path
        for path in TUTORIALS.rglob("*-*.dist.tgt")
        if path.parent.name in ("ibi", "imc", "ibi_nonbonded")
    )


@pytest.mark.skipif(shutil.which("perl") is None, reason="perl is not installed")
@pytest.mark.parametrize("path", tutorial_targets(), ids=lambda path: "/".join(path.parts[-3:]))
@pytest.mark.parametrize("holes", [False, True], ids=["smooth", "with zeros and undefined points"])
def test_alpha_one_uniform_is_votcas_kernel(path: Path, holes: bool, tmp_path: Path) -> None:
    target = read_table(path)
    random = np.random.default_rng(len(target.x))
    rdf = target.with_y(target.y * np.exp(0.2 * random.standard_normal(len(target.x))))
    flags = np.full(len(target.x), "i")
    if holes:
        rdf.y[random.integers(0, len(rdf.x), len(rdf.x) // 5)] = 0.0
        flags[: len(flags) // 6] = "u"
        flags[-3:] = "u"
    potential = Table(target.x, np.zeros(len(target.x)), flags)
    expected = stock_update(tmp_path, rdf, target, potential, 2.49435)
    update, update_flags = wibi_update(rdf.y, target.y, 2.49435, defined=flags != "u")
    assert np.abs(update - expected.y).max() < 1e-12 * max(1.0, np.abs(expected.y).max())
    assert (update_flags == expected.flags).all()


def test_tutorial_tables_were_found() -> None:
    if not TUTORIALS.is_dir():
        pytest.skip("package votca-tutorials is not installed")
    assert len(tutorial_targets()) >= 4


def test_closed_form() -> None:
    r = np.linspace(2.0, 10.0, 81)
    target = 1.0 + 0.5 * np.cos(r)
    rdf = 1.0 + 0.4 * np.cos(r)
    update, flags = wibi_update(rdf, target, 0.09, alpha=0.5, weight=target)
    assert update == pytest.approx(0.5 * 0.09 * target * np.log(rdf / target), abs=1e-15)
    assert (flags == "i").all()


def test_undefined_core_holds_a_constant() -> None:
    target = np.array([0.0, 0.0, 0.2, 1.5, 1.0])
    rdf = np.array([0.0, 0.1, 0.4, 2.0, 1.0])
    update, flags = wibi_update(rdf, target, 1.0)
    assert list(flags) == ["o", "o", "i", "i", "i"]
    assert update[0] == update[1] == update[2] == pytest.approx(np.log(2.0))


@given(arrays(float, 20, elements=st.floats(0.05, 3.0)), st.floats(0.0, 2.0), st.floats(0.0, 3.0))
def test_no_difference_no_update_and_linear_in_alpha(rdf: np.ndarray, alpha: float, power: float) -> None:
    weight = target_weight(rdf, power)
    update, _ = wibi_update(rdf, rdf.copy(), 1.0, alpha=alpha, weight=weight)
    assert (update == 0.0).all()
    target = rdf[::-1].copy()
    once, _ = wibi_update(rdf, target, 1.0, alpha=1.0, weight=weight)
    scaled, _ = wibi_update(rdf, target, 1.0, alpha=alpha, weight=weight)
    assert scaled == pytest.approx(alpha * once, abs=1e-12)


def test_bad_input() -> None:
    one = np.ones(4)
    with pytest.raises(UserError, match="alpha is -1"):
        wibi_update(one, one, 1.0, alpha=-1.0)
    with pytest.raises(UserError, match="weight is negative"):
        wibi_update(one, one, 1.0, weight=-one)
    with pytest.raises(UserError, match="simulated RDF is zero everywhere"):
        wibi_update(0 * one, one, 1.0)
    with pytest.raises(UserError, match="target RDF is zero everywhere"):
        wibi_update(one, 0 * one, 1.0)
    with pytest.raises(UserError, match="no point in common"):
        wibi_update(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 1.0)
    with pytest.raises(UserError, match="power is -1"):
        target_weight(one, -1.0)


def test_weight_table() -> None:
    x = np.linspace(0.2, 1.0, 9)
    table = Table(np.array([0.2, 0.6, 1.0]), np.array([0.0, 1.0, 0.0]), np.full(3, "i"))
    assert table_weight(table, x, where="w")[4] == pytest.approx(1.0)
    with pytest.raises(UserError, match="does not cover"):
        table_weight(table, np.linspace(0.0, 1.0, 5), where="w")
    with pytest.raises(UserError, match=r"negative weight at 0\.6"):
        table_weight(table.with_y(-table.y), x, where="w")
