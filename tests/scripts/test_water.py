"""The water of scripts/water: energy against its formula, forces and stress against differences of it."""

import importlib.util
from itertools import combinations
from math import erfc, exp, pi, sqrt
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from ase import Atoms

ROOT = Path(__file__).resolve().parents[2]
SPRINGS = {"bond": 0.85, "bond_constant": 7.5, "across": 1.765, "across_constant": 2.28}


@pytest.fixture
def water(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as Python: to compile it takes seconds."""
    spec = importlib.util.spec_from_file_location("flexible_water", ROOT / "scripts/water/flexible_water.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("near_pairs", "between", "within"):
        monkeypatch.setattr(module, name, getattr(module, name).py_func)
    return module


def molecules(seed: int = 3) -> Atoms:
    """Five molecules in a small liquid's order, some of them across the faces of the box."""
    random = np.random.default_rng(seed)
    shape = np.array([[0.0, 0.0, 0.0], [0.78, 0.6, 0.0], [-0.78, 0.6, 0.0]])
    centres = np.array(
        [[0.3, 0.2, 0.1], [3.1, 0.4, -0.3], [0.1, 3.0, 18.6], [18.4, 1.0, 2.9], [4.0, 3.6, 2.8]]
    )
    placed = [centre + shape + 0.06 * random.normal(size=(3, 3)) for centre in centres]
    return Atoms("OHH" * 5, positions=np.concatenate(placed), cell=[19.0, 20.0, 18.5], pbc=True)


def formula(atoms: Atoms) -> float:
    """Return the energy of the docstring: SPC/E's damped charges, Lennard-Jones, core, springs."""
    a, end, charge = 0.2, 9.0, {"O": -0.8476, "H": 0.4238}

    def v(r: float) -> float:
        return erfc(a * r) / r

    slope = -v(end) / end - 2 * a / sqrt(pi) * exp(-((a * end) ** 2)) / end

    def lj(r: float) -> float:
        return 4 * 0.650 / 96.48533 * ((3.166 / r) ** 12 - (3.166 / r) ** 6)

    energy = 0.0
    for i, j in combinations(range(len(atoms)), 2):
        r = float(atoms.get_distance(i, j, mic=True))
        one, two = atoms.symbols[i], atoms.symbols[j]
        if i // 3 == j // 3:
            rest, constant = (1.765, 2.28) if one == two else (0.85, 7.5)
            energy += 0.5 * constant * (r - rest) ** 2
        elif r < end:
            energy += 14.3996454 * charge[one] * charge[two] * (v(r) - v(end) - slope * (r - end))
            if one == two == "O":
                energy += lj(r) - lj(end)
            elif one != two:
                energy += 3.0 * (1.2 / r) ** 12
    return energy


def test_energy_forces_and_stress(water: ModuleType) -> None:
    atoms = molecules()
    atoms.calc = water.FlexibleWater(**SPRINGS)
    energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=False)
    # the table of the Coulomb part is linear between 6000 points
    assert energy == pytest.approx(formula(atoms), abs=2e-6)
    assert np.abs(forces).max() > 0.5
    assert forces.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-10)
    step = 1e-4
    for atom, axis in ((0, 0), (1, 1), (5, 2), (9, 0), (13, 1)):
        ends = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            ends.append(formula(moved))
        assert forces[atom, axis] == pytest.approx(-(ends[0] - ends[1]) / (2 * step), abs=2e-5)
    for a, b in ((0, 0), (1, 1), (0, 2)):
        ends = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[a, b] += sign * step
            strained = atoms.copy()
            # the formula takes nearest images of the sheared box, too
            strained.set_cell(atoms.cell.array @ strain.T, scale_atoms=True)
            ends.append(formula(strained))
        wanted = (ends[0] - ends[1]) / (2 * step) / atoms.get_volume()
        assert stress[a, b] == pytest.approx(wanted, abs=2e-8)


def test_what_it_is_not_made_for(water: ModuleType) -> None:
    for wrong, words in (
        (Atoms("HOH", positions=np.eye(3), cell=[20] * 3, pbc=True), "O, H, H of one molecule"),
        (Atoms("OHH", positions=np.eye(3), cell=[15] * 3, pbc=True), "shorter than 18"),
        (
            Atoms("OHHOHH", positions=np.arange(18).reshape(6, 3) * 0.05, cell=[20] * 3, pbc=True),
            "nearer than",
        ),
    ):
        wrong.calc = water.FlexibleWater(**SPRINGS)
        with pytest.raises(ValueError, match=words):
            wrong.get_potential_energy()
