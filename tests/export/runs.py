"""Runs with two finished steps, made without MD: the second simulated with a known u(r)."""

import re
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk

from votca_mlp.tables import grid_points, make_table, write_table
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV

R_MAX = 0.75  # nm

PAIR = """  <non-bonded>
    <name>{a}-{b}</name> <type1>{a}</type1> <type2>{b}</type2>
    <min>0.0</min> <max>0.75</max> <step>0.005</step>
    <inverse> <target>{a}-{b}.dist.tgt</target> </inverse>
  </non-bonded>
"""
SETTINGS = """<cg>
{pairs}  <inverse>
    <scriptpath>$(votca-mlp scriptpath)</scriptpath>
    <program>ase</program> <method>ibi</method> <kBT>8.50577</kBT>
    <filelist>topol.xml</filelist> <iterations_max>3</iterations_max>
    <mlp> {mlp} </mlp>
    <ase> <conf>conf.extxyz</conf> <temperature>1023</temperature> <pressure>1</pressure> </ase>
  </inverse>
</cg>
"""
HIPNN = "<kind>hippynn</kind> <model>{model}</model> <dtype>{dtype}</dtype> <device>cpu</device>"
ANI = "<kind>ani</kind> <model>{model}</model> <dtype>{dtype}</dtype> <device>cpu</device>"
MIXTURE = (
    "<kind>ase</kind> <calculator>votca_mlp.models.lennard_jones:lennard_jones_mixture</calculator>"
    " <arguments>{species: {Ar: [0.0104, 3.40], Kr: [0.0141, 3.65]}, cutoff: 7.0}</arguments>"
    " <dtype>float64</dtype> <device>cpu</device>"
)


def correction(r: np.ndarray, phase: float = 0.0) -> np.ndarray:
    """Return an oscillating u(r) in eV of r in Angstrom with some noise, not zero at the end."""
    noise = np.random.default_rng(3).normal(size=len(r)) * 0.001
    return 0.03 * np.cos(2.2 * r + phase) * np.exp(-0.3 * (r - 2.0)) * (r > 2.0) + noise + 0.004


def aluminium() -> Atoms:
    """Return 256 atoms, 16.2 Angstrom wide."""
    atoms = bulk("Al", "fcc", a=4.05, cubic=True).repeat(4)
    atoms.rattle(0.15, seed=5)
    return atoms


def mixture() -> Atoms:
    """Return 108 atoms of argon and krypton."""
    atoms = bulk("Ar", "fcc", a=5.9, cubic=True).repeat(3)
    atoms.numbers[::3] = 36
    atoms.rattle(0.15, seed=6)
    return atoms


def make_run(folder: Path, mlp: str, atoms: Atoms, pairs: tuple[str, ...] = ("Al-Al",)) -> Path:
    """Write settings, step_001 (u = 0), step_002 and an unfinished step_003; return ``folder``."""
    sections = "".join(PAIR.format(a=pair.split("-")[0], b=pair.split("-")[1]) for pair in pairs)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.xml").write_text(SETTINGS.format(pairs=sections, mlp=mlp))
    (folder / "topol.xml").write_text("<topology/>")
    atoms.write(folder / "conf.extxyz")
    grid = grid_points(0.0, R_MAX, 0.005)
    for step in (1, 2, 3):
        directory = folder / f"step_{step:03d}"
        directory.mkdir()
        for number, pair in enumerate(pairs):
            u = (step - 1) * KJMOL_PER_EV * correction(ANGSTROM_PER_NM * grid, float(number))
            write_table(directory / f"{pair}.pot.cur", make_table(grid, u))
            if step < 3:
                write_table(directory / f"{pair}.dist.new", make_table(grid, np.ones(len(grid))))
        if step < 3:
            atoms.write(directory / "confout.extxyz")
    return folder


def make_states(run: Path, kbts: str = "8.50577 9.5") -> None:
    """Make two states of a run of aluminium, cold and hot; none has a g(r) yet."""
    states = (
        "<multistate><enabled>yes</enabled><state_names>cold hot</state_names>"
        f"<state_weights>1 1</state_weights><state_kBTs>{kbts}</state_kBTs></multistate>"
    )
    text = (run / "settings.xml").read_text()
    text = re.sub("<kBT>.*</kBT>|<temperature>.*</temperature>", "", text)
    (run / "settings.xml").write_text(text.replace("<program>", states + "<program>"))
    (run / "topol.xml").write_text(
        '<topology><molecules><molecule name="Al" nmols="256" nbeads="1"><bead name="Al" type="Al"'
        ' mass="26.98" q="0"/></molecule></molecules></topology>'
    )
    for name in ("cold", "hot"):
        (run / name).mkdir()


def brute_force(atoms: Atoms, tables: dict[tuple[str, str], Path]) -> tuple[float, np.ndarray]:
    """Return energy (eV) and forces of u(r) tables by scipy's Akima spline and a loop over images."""
    from scipy.interpolate import Akima1DInterpolator

    energy, forces = 0.0, np.zeros((len(atoms), 3))
    symbols = np.array(atoms.get_chemical_symbols())
    images = [np.array(n) - 1 for n in np.ndindex(3, 3, 3)]
    for (a, b), path in tables.items():
        x, y = np.loadtxt(path, usecols=(0, 1)).T
        x, y = 10.0 * x, (y - y[-1]) / 96.48533212331002
        step = x[1] - x[0]
        # constant before, zero behind: three more knots on each side, as Akima's rule looks at
        knots = np.concatenate([x[0] - step * np.arange(3, 0, -1), x, x[-1] + step * np.arange(1, 4)])
        spline = Akima1DInterpolator(knots, np.concatenate([[y[0]] * 3, y, [0.0] * 3]))
        slope = spline.derivative()
        for image in images:
            d = atoms.positions[None] - atoms.positions[:, None] + image @ atoms.cell.array
            r = np.linalg.norm(d, axis=2)
            wanted = (symbols[:, None] == a) & (symbols[None] == b)
            wanted |= (symbols[:, None] == b) & (symbols[None] == a)
            i, j = np.nonzero(wanted & (r > 0) & (r < x[-1]))
            energy += 0.5 * spline(r[i, j]).sum()
            np.add.at(forces, i, (slope(r[i, j]) / r[i, j])[:, None] * d[i, j])
    return float(energy), forces
