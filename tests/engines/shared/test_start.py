"""Starts: files, crystals, melting, and the checks before MD."""

from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase.build import bulk

from tests.engines.ase.case import argon, make_case, run_case
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.stages import NAMES, plan_stages
from votca_mlp.engines.shared.start import build_crystal, check_start
from votca_mlp.errors import UserError
from votca_mlp.settings import Crystal

CRYSTAL = {"element": "Ar", "structure": "fcc", "lattice_constant": 6.2, "repeat": "3 3 3"}


def crystal(**options) -> Crystal:
    return Crystal(**(CRYSTAL | options))


@pytest.mark.parametrize(
    ("structure", "per_cell"), [("fcc", 4), ("bcc", 2), ("sc", 1), ("diamond", 8), ("hcp", 4)]
)
def test_crystals_are_rectangular(structure, per_cell) -> None:
    atoms = build_crystal(crystal(structure=structure, repeat="3 4 5"))
    assert len(atoms) == 60 * per_cell
    assert np.count_nonzero(atoms.cell.array) == 3
    check_start(atoms, ["Ar"] * len(atoms), r_max=7.0, where="here", topology="topol.xml")


def test_crystal_of_no_element() -> None:
    with pytest.raises(UserError, match="no element 'Xx'"):
        build_crystal(crystal(element="Xx"))


def test_melt_then_equilibrate(tmp_path) -> None:
    times = {"melt_temperature": 400.0, "melt_time": 4000.0}
    settings = make_case(
        tmp_path, conf=None, crystal=CRYSTAL | times, first_equilibration=2000.0, production=2000.0
    )
    run_case(settings)
    lines = (tmp_path / "step_001" / "thermo.dat").read_text().splitlines()[1:]
    rows = {
        name: [words for line in lines if (words := line.split())[-1] == str(NAMES.index(name))]
        for name in ("melt", "production")
    }
    volumes = np.array([float(row[5]) for row in rows["melt"]])
    assert volumes == pytest.approx(np.full(100, (3 * 6.2) ** 3))
    # the second half of the melt is at its temperature, the production at the other
    melt = np.mean([float(row[2]) for row in rows["melt"][50:]])
    production = np.mean([float(row[2]) for row in rows["production"]])
    assert melt == pytest.approx(400.0, rel=0.1)
    assert production == pytest.approx(120.0, rel=0.15)
    # and no longer a crystal
    moved = ase.io.read(tmp_path / "step_001" / "confout.extxyz").positions
    spacing = 6.2 / np.sqrt(2)
    assert np.sqrt(((moved - build_crystal(settings.ase.crystal).positions) ** 2).sum(1).mean()) > spacing


def test_a_crystal_that_stays_solid_is_refused(tmp_path) -> None:
    cold = CRYSTAL | {"melt_temperature": 20.0, "melt_time": 1000.0, "lattice_constant": 5.4}
    settings = make_case(tmp_path, conf=None, crystal=cold)
    with pytest.raises(
        UserError, match=r"the crystal has not molten: atoms are 0\.\d\d Angstrom.*[\s\S]*higher"
    ):
        run_case(settings)


def test_stages() -> None:
    case = MDPlan(
        1000.0,
        timestep=2.0,
        first_equilibration=400.0,
        equilibration=40.0,
        production=100.0,
        crystal=crystal(melt_time=60.0, melt_temperature=1000.0),
    )

    def shape(plan=case, **options):
        return [(s.name, s.start, s.steps, s.constant_volume, s.draw) for s in plan_stages(plan, **options)]

    production = ("production", 20, 50, False, False)
    assert shape(step_number=2, from_crystal=False) == [("equilibration", 0, 20, False, True), production]
    assert shape(step_number=1, from_crystal=False)[0] == ("equilibration", 0, 200, False, True)
    assert shape(step_number=1, from_crystal=True, max_steps=10) == [
        ("melt", 0, 10, True, True),
        ("equilibration", 10, 10, False, True),
        ("production", 20, 10, False, False),
    ]
    case = replace(case, equilibration=0.0, ensemble="nvt")
    assert shape(case, step_number=2, from_crystal=False) == [("production", 0, 50, True, True)]
    case = replace(case, production=0.5)
    with pytest.raises(UserError, match="there is no production"):
        shape(case, step_number=2, from_crystal=False)


def test_refusals(tmp_path) -> None:
    def refuse(atoms, message, beads=None, r_max=7.0) -> None:
        beads = ["Ar"] * len(atoms) if beads is None else beads
        with pytest.raises(UserError, match=message) as caught:
            check_start(atoms, beads, r_max=r_max, where="conf.extxyz", topology="topol.xml")
        assert "conf.extxyz" in str(caught.value)

    refuse(argon(), "has 108 atoms, the topology topol.xml has 107 beads", ["Ar"] * 107)
    refuse(argon(), "atom 3 is Ar in the configuration and bead type Kr", ["Ar", "Ar", "Kr"] + ["Ar"] * 105)
    refuse(argon(), "half the box is 8.70 Angstrom", r_max=8.8)
    refuse(bulk("Ar").repeat(8), "the box is tilted by")
    open_box = argon()
    open_box.pbc = (True, True, False)
    refuse(open_box, "no periodic box")
    lost = argon()
    lost.positions[4, 1] = np.nan
    refuse(lost, "not finite")


def test_unreadable_and_missing_start(tmp_path) -> None:
    settings = make_case(tmp_path)
    (tmp_path / "conf.extxyz").write_text("108\nnot a configuration\nAr 0 0\n")
    with pytest.raises(UserError, match=r"conf.extxyz: cannot read the configuration"):
        run_case(settings)
    (tmp_path / "conf.extxyz").unlink()
    with pytest.raises(UserError, match=r"no configuration to start from; looked for .*step_001/conf.extxyz"):
        run_case(settings)
