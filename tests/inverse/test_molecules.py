"""Pairs of one molecule: what a run says of them, and that u(r) leaves alone what is below its grid."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from votca_mlp.engines.plan import MDPlan
from votca_mlp.evaluation.correction import CorrectionAdder
from votca_mlp.inverse.molecules import said_of_molecules
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.update.rule import PairGrid

WATER = (
    '<molecule name="SOL" nmols="{}" nbeads="3"><bead name="O" type="O" mass="16" q="0"/>'
    '<bead name="H1" type="H" mass="1" q="0"/><bead name="H2" type="H" mass="1" q="0"/></molecule>'
)
ARGON = '<molecule name="Ar" nmols="{}" nbeads="1"><bead name="Ar" type="Ar" mass="40" q="0"/></molecule>'


@pytest.fixture
def water() -> Atoms:
    """Two molecules, the second across an edge of the box."""
    atoms = Atoms("OH2OH2", cell=[9.0, 9.0, 9.0], pbc=True)
    atoms.positions[:3] = [[4.0, 4.0, 4.0], [4.97, 4.0, 4.0], [3.7, 4.93, 4.0]]
    atoms.positions[3:] = [[8.8, 1.0, 1.0], [0.75, 1.0, 1.0], [8.5, 1.93, 1.0]]
    return atoms


def said(folder: Path, atoms: Atoms, molecules: str, *grids: PairGrid) -> str:
    (folder / "topol.xml").write_text(f"<topology><molecules>{molecules}</molecules></topology>")
    write(folder / "conf.extxyz", atoms)
    md = MDPlan(temperature=300, start=folder / "conf.extxyz", topology=folder / "topol.xml")
    return said_of_molecules(md, grids, folder)


def test_pairs_of_one_molecule_are_named(tmp_path: Path, water: Atoms) -> None:
    grids = [PairGrid("O-O", ("O", "O"), 0.2, 0.4, 0.01), PairGrid("O-H", ("O", "H"), 0.0, 0.4, 0.01)]
    text = said(tmp_path, water, WATER.format(2), *grids, PairGrid("H-H", ("H", "H"), 0.19, 0.4, 0.01))
    assert text.startswith(
        "pairs of one molecule are within the grid and count as any other: O-H at 0.95 to "
    )
    assert "0.98 Angstrom" in text
    assert "H-H" not in text
    assert "O-O" not in text
    assert said(tmp_path, water, WATER.format(2), PairGrid("O-H", ("O", "H"), 0.13, 0.4, 0.01)) == ""


def test_atoms_are_no_molecules(tmp_path: Path) -> None:
    atoms = Atoms("Ar2", [[0, 0, 0], [1, 0, 0]], cell=[9.0, 9.0, 9.0], pbc=True)
    assert said(tmp_path, atoms, ARGON.format(2), PairGrid("Ar-Ar", ("Ar", "Ar"), 0.0, 0.4, 0.01)) == ""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_force_on_a_bond_below_the_grid(water: Atoms, dtype: str) -> None:
    import torch

    r = np.arange(1.3, 4.0, 0.1)
    u = 0.5 * np.exp(-2.0 * (r - 1.3))
    correction = PairCorrection({(1, 8): akima_from_points(r, u)})
    adder = CorrectionAdder(correction, 0.5, torch.device("cpu"), getattr(torch, dtype))
    found = adder.add(water.positions, water.cell.array, water.pbc, water.numbers)
    assert found[0] == pytest.approx(4 * (u[0] - u[-1]), abs=1e-5)
    assert np.abs(found[1]).max() < 1e-6
    assert np.abs(found[2]).max() < 1e-6
