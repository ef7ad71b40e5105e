"""Interactions without a target: u(r) follows from F(Q), g(r) is compared with nothing, in both loops."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import inverse, needs_votca
from tests.inverse.case import ours, same_tables
from tests.update.gauss_newton.test_rule import NAMES, gauss_newton_case, with_scattering
from votca_mlp.inverse.agreement import agreements
from votca_mlp.inverse.context import run_context
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.messages import Silent
from votca_mlp.inverse.stages.update import write_all_updates
from votca_mlp.inverse.step import run_iteration
from votca_mlp.inverse.step_data import step_data
from votca_mlp.report.page.page import report_page
from votca_mlp.report.plot import plot_run
from votca_mlp.report.status import status_table
from votca_mlp.report.summary import summarise_run
from votca_mlp.report.verdict import verdict_lines
from votca_mlp.runs.record import NAME as RECORD
from votca_mlp.settings import load_settings
from votca_mlp.tables import make_table, read_table, write_table
from votca_mlp.update.gauss_newton.data import _functions, layout_of
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings


def without_targets(main: Path, names: tuple[str, ...]) -> None:
    """Take the targets of interactions away."""
    path = main / "settings.xml"
    text = re.sub(r"<window>.*?</window>", "", path.read_text())
    for name in names:
        section = re.search(rf"<non-bonded>\s*<name>{name}<.*?</non-bonded>", text, flags=re.DOTALL)
        assert section is not None
        own = section[0].replace("<min>0<", "<min>0.25<")
        own = own.replace(f"<target>{name}.dist.tgt</target>", "<gauss_newton><fit>no</fit></gauss_newton>")
        text = text.replace(section[0], own)
        (main / f"{name}.dist.tgt").unlink()
    path.write_text(text)


def case(main: Path, names: tuple[str, ...]) -> Path:
    gauss_newton_case(main, ("Ar", "Kr"))
    with_scattering(main)
    without_targets(main, names)
    return main


class Heard(Silent):
    """Output that is kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def one_of_three(tmp_path_factory: pytest.TempPathFactory, mixture: Path) -> tuple[Path, str]:
    """A step in which Ar-Ar alone has a target, made of a simulation that is there, and what was said."""
    main = tmp_path_factory.mktemp("none") / "main"
    shutil.copytree(mixture, main)
    without_targets(main, ("Ar-Kr", "Kr-Kr"))
    plan, step = plan_of(load_settings(main / "settings.xml")), main / "step_001"
    for path in step.iterdir():
        if re.search(r"\.d?pot\.|\.dist\.|gauss|observables|done", path.name):
            path.unlink()
    for pair in plan.pairs:
        zero = make_table(pair.grid.points, np.zeros(len(pair.grid.points)))
        write_table(main / "step_000" / f"{pair.name}.pot.new", zero)
        write_table(step / f"{pair.name}.pot.cur", zero)
    heard = Heard()
    for folder in (main / "step_000", step):
        (folder / RECORD).unlink()
    assert run_iteration(run_context(plan, heard), 1)
    return main, "\n".join(heard.lines)


def test_csg_inverse_writes_the_same(one_of_three: tuple[Path, str], tmp_path: Path) -> None:
    """What it calls for an update: the tables of our loop, and no word of what has no target."""
    main = Path(shutil.copytree(one_of_three[0], tmp_path / "main"))
    step, kept = main / "step_001", one_of_three[0] / "step_001"
    for path in [*step.glob("*.dpot.pure_ibi"), *step.glob("*.dist.tgt")]:
        path.unlink()
    lines = write_all_updates(plan_of(load_settings(main / "settings.xml")), 1, step)
    assert [line[:9] for line in lines if "g(r) is" in line] == ["Ar-Ar: g("]
    for name in NAMES:
        for end in ("dpot.pure_ibi", "dist.tgt"):
            assert (step / f"{name}.{end}").read_bytes() == (kept / f"{name}.{end}").read_bytes()


def test_what_a_step_leaves(one_of_three: tuple[Path, str]) -> None:
    main, said = one_of_three
    step = main / "step_001"
    assert read_table(step / "Ar-Ar.dist.tgt").known
    table = read_table(step / "Kr-Kr.dist.tgt")
    assert not table.known
    assert (table.x[0], table.x[-1]) == (0.25, 0.8)
    assert np.abs(read_table(step / "Kr-Kr.pot.new").y).max() > 0.0
    assert "Ar-Ar: g - target" in said
    assert "Kr: g - target" not in said
    data = json.loads((step / "gauss_newton.json").read_text())["all"]["data"]
    assert set(data) == {"Ar-Ar", "set0", "set0.low"}
    plan = plan_of(load_settings(main / "settings.xml"))
    assert set(agreements(plan, 1)) == {"Ar-Ar"}


def test_where_u_begins_and_what_counts(one_of_three: tuple[Path, str]) -> None:
    """At <min>: pairs below it, such as bonds, are in no h_j, and have no part of their own in F(Q)."""
    step = step_data(plan_of(load_settings(one_of_three[0] / "settings.xml")), 1)
    assert isinstance(step.options, GaussNewtonSettings)
    layout = layout_of(step, NAMES, step.options)
    assert layout.bases["Kr-Kr"].knots[0] == 0.25
    r = np.array([1.0, 2.4, 2.46, 3.0])
    count = sum(basis.size for basis in layout.bases.values())
    found = _functions(step, layout, "Kr-Kr", r, count)[:, layout.columns("Kr-Kr")]
    assert np.all(found[:2] == 0.0)
    assert found[2:] == pytest.approx(layout.bases["Kr-Kr"].on(r[2:] / 10.0))


def test_reports(one_of_three: tuple[Path, str]) -> None:
    """Nothing is said of a distance to a target that is not there."""
    main, _ = one_of_three
    assert "Kr-Kr, step 1: no target to compare g(r) with" in verdict_lines(main)
    rows = status_table(summarise_run(main), False)
    at = rows[0].index("rms")
    assert [row[at] == "-" for row in rows[1:]] == [False, True, True]
    texts = {text.get_text() for panel in plot_run(main, "Kr-Kr").axes for text in panel.texts}
    assert "no target to compare g(r) with" in texts
    page = re.sub(r"<svg.*?</svg>", "", report_page(main, running=False), flags=re.DOTALL)
    assert "it has no target" in page
    assert not re.search(r"\bnan\b", page)
    assert "Ar-Ar.dist.tgt.txt" in page
    assert "Kr-Kr.dist.tgt.txt" not in page


@pytest.mark.slow
def test_both_loops(tmp_path: Path) -> None:
    """csg_inverse, unmodified, makes the tables and the report of our loop without any target."""
    needs_votca()
    theirs, own = (case(tmp_path / name, NAMES) for name in ("theirs", "own"))
    status, output = inverse(theirs)
    assert status == 0, output
    assert ": g(r) is" not in output
    status, output = ours(own)
    assert status == 0, output
    a, b = theirs / "step_001", own / "step_001"
    same_tables(a, b, NAMES, ("dist.tgt", "dist.new", "dpot.new", "pot.cur", "pot.new"))
    for name in ("gauss_newton.json", "set0.fq", *(f"{name}.dist.band" for name in NAMES)):
        assert (a / name).read_bytes() == (b / name).read_bytes()
