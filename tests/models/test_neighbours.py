"""The skin list against ASE's neighbour list."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

from votca_mlp.errors import UserError
from votca_mlp.models.neighbours import SkinList, check_box


def sorted_distances(listed: SkinList, atoms: Atoms, cutoff: float) -> np.ndarray:
    vectors = listed.vectors(atoms.get_positions(), atoms.cell.array)
    distances = np.linalg.norm(vectors, axis=1)
    near = distances < cutoff
    order = np.lexsort((distances[near].round(9), listed.second[near], listed.first[near]))
    return np.column_stack([listed.first[near], listed.second[near], distances[near]])[order]


@pytest.mark.parametrize("pbc", [True, (True, True, False), False], ids=["bulk", "slab", "cluster"])
def test_complete_while_atoms_and_cell_move(pbc) -> None:
    atoms = bulk("Al", "fcc", a=4.05, cubic=True).repeat(2)
    atoms.pbc = pbc
    if pbc is False:
        atoms.cell[:] = 0.0
    listed = SkinList(5.0, 0.6)
    random = np.random.default_rng(1)
    rebuilt = 0
    for _ in range(40):
        atoms.positions += 0.03 * random.standard_normal(atoms.positions.shape)
        if pbc is True:
            strain = np.eye(3) + 0.004 * random.standard_normal((3, 3))
            atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        rebuilt += listed.update(atoms.get_positions(), atoms.cell.array, atoms.pbc)
        first, second, distances = neighbor_list("ijd", atoms, 5.0)
        order = np.lexsort((distances.round(9), second, first))
        expected = np.column_stack([first, second, distances])[order]
        assert sorted_distances(listed, atoms, 5.0) == pytest.approx(expected, abs=1e-8)
    assert 1 < rebuilt < 40
    assert (np.diff(listed.first) >= 0).all()


def test_forget_rebuilds() -> None:
    atoms = bulk("Al", cubic=True).repeat(2)
    listed = SkinList(4.0, 1.0)
    arguments = (atoms.get_positions(), atoms.cell.array, atoms.pbc)
    assert listed.update(*arguments)
    assert not listed.update(*arguments)
    listed.forget()
    assert listed.update(*arguments)


def test_check_box() -> None:
    check_box(np.eye(3) * 20.2, 10.0, "conf")
    with pytest.raises(UserError, match=r"half the box is 10\.00 Angstrom, not more than .* 10\.00"):
        check_box(np.eye(3) * 20.0, 10.0, "conf")
    with pytest.raises(UserError, match="no periodic box"):
        check_box(np.zeros((3, 3)), 10.0, "conf")
    sheared = np.array([[20.0, 0, 0], [10.0, 17.0, 0], [0, 0, 20.0]])
    with pytest.raises(UserError, match=r"half the box is 8\.50"):
        check_box(sheared, 10.0, "conf")
