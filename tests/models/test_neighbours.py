"""The skin list against ASE's neighbour list."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

from votca_mlp.errors import UserError
from votca_mlp.models.model_pairs import DevicePairs, HostPairs
from votca_mlp.models.neighbours import SkinList, check_box
from votca_mlp.models.rows import LANES, find_rows


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


@pytest.mark.parametrize("pbc", [True, (True, True, False), False], ids=["bulk", "slab", "cluster"])
def test_rows_hold_the_pairs_of_their_kinds(pbc) -> None:
    """Skewed small boxes seen through several images, atoms far outside the cell, two kinds of reach."""
    atoms = bulk("Al", "fcc", a=4.05, cubic=True).repeat(2)
    atoms.rattle(0.3, seed=2)
    random = np.random.default_rng(1)
    if pbc is True:
        atoms.set_cell(
            atoms.cell.array @ (np.eye(3) + 0.1 * random.standard_normal((3, 3))), scale_atoms=True
        )
    atoms.positions += 30.0 * random.standard_normal(3)
    atoms.pbc = pbc
    if pbc is False:
        atoms.cell[:] = 0.0
    kinds = random.integers(0, 3, len(atoms))
    reach = np.array([[9.7, 5.0, 0.0], [5.0, 0.0, 3.3], [0.0, 3.3, 6.1]])
    rows = find_rows(atoms.get_positions(), atoms.cell.array, atoms.pbc, kinds, reach)
    where = atoms.get_positions()[rows.source] + rows.images @ atoms.cell.array
    found = []
    for i, begins, counts in zip(rows.centres, rows.begins, rows.counts, strict=True):
        for kind, (begin, count) in enumerate(zip(begins, counts, strict=True)):
            near = rows.neighbours[begin : begin + count]
            assert (kinds[rows.source[near]] == kind).all()
            filling = rows.neighbours[begin + count : begin - (-count // LANES) * LANES]
            assert (filling == len(rows.source)).all()
            distances = np.linalg.norm(where[near] - where[i], axis=1).round(8)
            found += [(rows.source[i], j, d) for j, d in zip(rows.source[near], distances, strict=True)]
    first, second, distances = neighbor_list("ijd", atoms, 9.7)
    kept = distances <= reach[kinds[first], kinds[second]]
    columns = (first[kept], second[kept], distances[kept].round(8))
    expected = sorted(zip(*columns, strict=True))
    assert len(expected) > 100
    assert np.array(sorted(found)) == pytest.approx(np.array(expected), abs=1e-7)


def test_rows_of_broken_configurations() -> None:
    atoms = bulk("Al", "fcc", a=4.05, cubic=True).repeat(2)
    positions, kinds, reach = atoms.get_positions(), np.zeros(len(atoms), np.int64), np.array([[5.0]])
    positions[3], positions[4, 1] = np.nan, np.inf
    rows = find_rows(positions, atoms.cell.array, atoms.pbc, kinds, reach)
    assert set(rows.source.tolist()) == set(range(len(atoms)))
    for cell in (np.zeros((3, 3)), np.diag([8.0, 8.0, 0.0]), np.full((3, 3), 2.0), np.full((3, 3), np.nan)):
        with pytest.raises(UserError, match="no volume"):
            find_rows(atoms.get_positions(), cell, atoms.pbc, kinds, reach)


def test_rows_of_a_dense_corner_in_empty_space() -> None:
    """The first guess of the room that the rows need is too small here."""
    random = np.random.default_rng(0)
    positions = np.concatenate([random.uniform(0, 3, (150, 3)), [[200.0, 0, 0], [0, 300.0, 0]]])
    kinds, none = np.zeros(152, np.int64), np.zeros(3, bool)
    rows = find_rows(positions, np.zeros((3, 3)), none, kinds, np.array([[6.0]]))
    counts = dict(zip(rows.source[rows.centres].tolist(), rows.counts[:, 0].tolist(), strict=True))
    assert counts == {**dict.fromkeys(range(150), 149), 150: 0, 151: 0}


@pytest.mark.parametrize("pbc", [True, (True, True, False), False], ids=["bulk", "slab", "cluster"])
def test_pairs_for_devices_equal_the_compiled_ones(pbc) -> None:
    """The code for devices run in the CPU's memory: closest pair, forces and virial of a gradient."""
    atoms = bulk("Al", "fcc", a=4.05, cubic=True).repeat(3)
    atoms.pbc = pbc
    atoms.numbers[::3] = 28
    random = np.random.default_rng(4)
    host = HostPairs(5.0, 0.5, torch.float64)
    device = DevicePairs(5.0, 0.5, torch.float64, torch.device("cpu"))
    for _ in range(5):
        atoms.positions += 0.06 * random.standard_normal(atoms.positions.shape)
        arguments = (atoms.get_positions(), atoms.cell.array, atoms.pbc, atoms.numbers.astype(np.int64))
        closest, expected = host.update(*arguments), device.update(*arguments)
        assert sorted(closest[:2]) == sorted(expected[:2])
        assert closest[2] == pytest.approx(expected[2], abs=1e-12)
        forces, virial = host.sums(gradient_of(host))
        d_forces, d_virial = device.sums(gradient_of(device))
        assert forces == pytest.approx(d_forces, abs=1e-11)
        assert virial == pytest.approx(d_virial, abs=1e-9)
        assert np.abs(forces).max() > 0.1
        assert (host.numbers.numpy() == atoms.numbers[host.order]).all()
    assert 1 < host.list.builds == device.list.builds < 5


def gradient_of(pairs: HostPairs | DevicePairs) -> torch.Tensor:
    """Central forces that depend on the kinds of both atoms; nothing beyond 5 Angstrom."""
    r = pairs.vectors.norm(dim=1, keepdim=True)
    strength = (pairs.numbers[pairs.first] + 2 * pairs.numbers[pairs.second]).unsqueeze(1) / 30.0
    return strength * (5.0 - r).clamp(min=0.0) ** 2 * pairs.vectors


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
