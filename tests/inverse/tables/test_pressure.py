"""The pressure correction against VOTCA's own scripts; states, densities and terms of u(r; T)."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import VOTCA_MLP, csg_call, edit, make_case, needs_votca
from tests.inverse.tables.test_operations import GRID, NAME, noisy
from votca_mlp.engines.shared.result import write_summary
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.pair_plan import PressureTask
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.stages.pressure import with_pressure
from votca_mlp.inverse.tables import operations as ops
from votca_mlp.inverse.tables.pressure import pressure_correction, simple_prefactor, wjk_prefactor
from votca_mlp.observables.protocol import Series
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.step import StepObservables
from votca_mlp.observables.store import write_observables
from votca_mlp.settings import load_settings
from votca_mlp.settings.scripts import SCRIPT_DIRECTORY
from votca_mlp.tables import Table, grid_points, make_table, read_table, write_table
from votca_mlp.targets.target import density_target

KBT = 0.99774
OPTIONS = """</wibi><p_target>1.5</p_target><particle_dens>21.3</particle_dens>
<post_update>pressure</post_update>
<post_update_options><pressure><type>simple</type>
<simple><scale>0.0003</scale><max_A>0.2</max_A></simple><wjk><scale>0.7</scale></wjk></pressure>
</post_update_options>"""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A step in which VOTCA's postupd_pressure.sh finds a pressure of LAMMPS, -250 bar in the mean."""
    needs_votca()
    main = make_case(tmp_path_factory.mktemp("pressure"))
    stock = "postupd pressure postupd_pressure.sh\npressure lammps calc_pressure_lammps.sh\n"
    (main / "step_001").mkdir()
    (main / "stock").mkdir()
    (main / "stock/csg_table").write_text(stock)
    lammps = "<lammps><pressure_file>p.dat</pressure_file></lammps><ase>"
    changes = {f"$({VOTCA_MLP} scriptpath)": f"{SCRIPT_DIRECTORY}:{main}/stock", "</wibi>": OPTIONS}
    edit(main / "settings.xml", changes | {"<program>ase": "<program>lammps", "<ase>": lammps})
    (main / "p.dat").write_text("p\n-240.5\n-259.5\n")
    write_table(main / "Ar-Ar.dist.new", rdf())
    return main


def rdf(first: float = 0.0) -> Table:
    x = grid_points(first, 0.8, 0.01)
    return make_table(x, np.where(x > 0.3, 1.0 + np.cos(20.0 * x) / (1.0 + x), 0.0))


def by_votca(case: Path, kind: str) -> Table:
    text = (case / "settings.xml").read_text()
    (case / "settings.xml").write_text(re.sub("<type>(simple|wjk)", f"<type>{kind}", text))
    write_table(case / "in", noisy())
    (case / "out").unlink(missing_ok=True)
    words = ("postupd", "pressure", "in", "out")
    status, output = csg_call(
        case, *NAME, *words, VOTCA_MLP=str(VOTCA_MLP), CSG_THISSTEP=str(case / "step_001")
    )
    assert status == 0, output
    return read_table(case / "out")


def test_as_votcas_scripts(case: Path) -> None:
    """postupd_pressure.sh with pressure_cor_simple.pl and pressure_cor_wjk.pl: every digit."""
    difference = -250.0 - 1.5
    simple = simple_prefactor(difference, kBT=KBT, scale=0.0003, max_A=0.2)
    assert simple == pytest.approx(0.2 * KBT * 251.5 * 0.0003)
    wjk = wjk_prefactor(difference, rdf(), density=21.3, kBT=KBT, scale=0.7, max_A=0.1)
    for kind, prefactor in (("simple", simple), ("wjk", wjk)):
        theirs = by_votca(case, kind)
        ours = ops.add(noisy(), pressure_correction(GRID, prefactor))
        assert np.abs(ours.y - theirs.y).max() < 2e-15
        assert list(ours.flags) == list(theirs.flags)


def test_prefactors() -> None:
    how = {"kBT": 2.0, "scale": 0.01, "max_A": 0.1}
    assert simple_prefactor(1e4, **how) == -0.2
    assert simple_prefactor(-1e4, **how) == 0.2
    assert simple_prefactor(0.0, **how) == 0.0
    how = {"kBT": 1.0, "scale": 1.0, "max_A": 1e3}
    # dp = -(2 pi/3) rho^2 int r^3 g (dU/dr) dr, with dU/dr = -A/r_max; 1 kJ/mol/nm^3 is 16.606 bar
    prefactor = wjk_prefactor(100.0, rdf(), density=20.0, **how)
    integral = np.trapezoid(rdf().x ** 3 * rdf().y, rdf().x)
    found = 2 * np.pi / 3 * 20.0**2 * integral * prefactor / 0.8 / 0.06022
    assert found == pytest.approx(-100.0, rel=1e-6)
    # VOTCA's program would take the first row for r = 0
    assert wjk_prefactor(100.0, rdf(0.2), density=20.0, **how) == pytest.approx(prefactor, rel=1e-12)
    assert wjk_prefactor(1e9, rdf(), density=20.0, **how) == -1e3


def plan_with(main: Path, task: PressureTask, temperatures: tuple[float, ...], terms: int) -> InversePlan:
    """Return a plan of one state, or of several, which share u(r; T)."""
    plan = plan_of(load_settings(main / "settings.xml"))
    pair = replace(plan.pairs[0], pressure=task)
    one = replace(plan.states[0], pairs=(pair,))
    names = ("",) if len(temperatures) == 1 else tuple(f"T{t:g}" for t in temperatures)
    states = tuple(
        replace(one, name=name, weight=1 / len(names), md=replace(one.md, temperature=t))
        for name, t in zip(names, temperatures, strict=True)
    )
    return replace(plan, states=states, terms=terms)


def write_step(folder: Path, pressure: float, volumes: tuple[float, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_summary(folder, {"production": {"pressure[bar]": {"mean": pressure, "error": 1.0, "samples": 9}}})
    boxes = np.array(volumes)
    counted = PairHistograms(
        10 * GRID, (("Ar", "Ar"),), np.ones((2, 1, 81), int), boxes, np.array([2 / 108**2])
    )
    series = {"volume": Series(boxes, "A3"), "density": Series(7.5e6 / boxes, "kg/m3")}
    write_observables(folder, StepObservables(np.arange(2), (counted,), series))
    write_table(folder / "Ar-Ar.dist.new", rdf())


def test_of_a_simulation_at_constant_volume(tmp_path: Path) -> None:
    plan = plan_with(make_case(tmp_path / "main"), PressureTask("wjk", 1.0, 0.5, (0, 1), 1.0), (120.0,), 1)
    step = tmp_path / "main/step_002"
    write_step(step, -50.0, (5000.0, 5000.0))
    table, (said,) = with_pressure(plan, 2, "Ar-Ar", noisy(), step)
    density = 108 / 5.0
    prefactor = wjk_prefactor(-51.0, rdf(), density=density, kBT=KBT, scale=1.0, max_A=0.5)
    assert 0 < prefactor < 0.5 * KBT
    assert table.y == pytest.approx(ops.add(noisy(), pressure_correction(GRID, prefactor)).y, abs=1e-12)
    assert said.startswith("Ar-Ar: pressure -50 bar, wanted 1, pressure correction A = ")
    assert abs(read_table(step / "Ar-Ar.pressure_correction").y[-1]) < 1e-12
    unchanged, lines = with_pressure(plan, 1, "Ar-Ar", noisy(), step)
    assert not lines
    assert (unchanged.y == noisy().y).all()


def test_towards_a_density(tmp_path: Path) -> None:
    """Too thin by 1 %: as far off as a barostat at p - dp, with the compressibility of the fluctuations."""
    plan = plan_with(make_case(tmp_path / "main"), PressureTask("simple", 1e-4), (120.0,), 1)
    (state,) = plan.states
    plan = replace(plan, states=(replace(state, density=density_target(1515.0)),))
    step = tmp_path / "main/step_001"
    write_step(step, 0.0, (4950.0, 5050.0))
    table, _ = with_pressure(plan, 1, "Ar-Ar", noisy(), step)
    mean = (7.5e6 / 4950 + 7.5e6 / 5050) / 2
    kappa = 50.0**2 / (120.0 * 1.380649e-23 * 5000.0) * 1e-30  # 1/Pa
    difference = (1515.0 - mean) / mean / kappa * 1e-5
    expected = simple_prefactor(difference, kBT=KBT, scale=1e-4, max_A=0.1)
    assert expected < 0
    assert table.y[0] - noisy().y[0] == pytest.approx(expected, rel=1e-4)


def test_states_share_it(tmp_path: Path) -> None:
    """A u(r; T) of two terms gives each of two states what it asks for; one u(r) gives them the mean."""
    main = make_case(tmp_path / "main")
    task = PressureTask("simple", 1e-3, 0.1, (1,), 0.0)
    for terms in (1, 2):
        plan = plan_with(main, task, (100.0, 140.0), terms)
        step = main / f"step_00{terms}"
        for state, pressure in zip(plan.states, (100.0, -300.0), strict=True):
            write_step(step / state.name, pressure, (5000.0, 5000.0))
        asked = [state.kBT * factor for state, factor in zip(plan.states, (-0.01, 0.03), strict=True)]
        found = [with_pressure(plan, terms, stem, noisy(), step) for stem in plan.tables("Ar-Ar")]
        assert [len(lines) for _, lines in found] == [2, 0][:terms]
        change = [table.y[0] - noisy().y[0] for table, _ in found]
        factors = [plan.basis.values(state.temperature) for state in plan.states]
        given = [float(factor @ change) for factor in factors]
        wanted = asked if terms == 2 else [np.mean(asked)] * 2
        assert given == pytest.approx(wanted, rel=1e-6)
