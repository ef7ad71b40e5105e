"""The neighbour lists against ASE's."""

from collections import Counter

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list

from votca_mlp.errors import Exploded, UserError
from votca_mlp.kernels.simd import WIDTH
from votca_mlp.neighbours.box import check_box
from votca_mlp.neighbours.close_pairs import ClosePairs
from votca_mlp.neighbours.cluster_order import SIZE, TOGETHER
from votca_mlp.neighbours.cluster_search import SHELLS
from votca_mlp.neighbours.clusters import Clusters, find_clusters
from votca_mlp.neighbours.device_pairs import DevicePairs
from votca_mlp.neighbours.full_list import FullList, find_full_list
from votca_mlp.neighbours.half_list import find_half_list
from votca_mlp.neighbours.host_pairs import HostPairs
from votca_mlp.neighbours.verlet_lists import VerletClusterList, VerletHalfList, VerletPairList


def sorted_distances(listed: VerletPairList, atoms: Atoms, cutoff: float) -> np.ndarray:
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
    listed = VerletPairList(5.0, 0.6)
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


def odd_box(pbc: object) -> Atoms:
    """Skewed small boxes seen through several images, atoms far outside the cell."""
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
    return atoms


@pytest.mark.parametrize("pbc", [True, (True, True, False), False], ids=["bulk", "slab", "cluster"])
def test_rows_hold_all_pairs(pbc) -> None:
    atoms = odd_box(pbc)
    rows = find_full_list(atoms.get_positions(), atoms.cell.array, atoms.pbc, 9.7)
    coordinates = atoms.get_positions()[rows.source] + rows.images @ atoms.cell.array
    found = []
    for i, begin, count in zip(rows.centres, rows.begins, rows.counts, strict=True):
        near = rows.neighbours[begin : begin + count]
        distances = np.linalg.norm(coordinates[near] - coordinates[i], axis=1).round(8)
        found += [(rows.source[i], j, d) for j, d in zip(rows.source[near], distances, strict=True)]
    first, second, distances = neighbor_list("ijd", atoms, 9.7)
    expected = sorted(zip(first, second, distances.round(8), strict=True))
    assert len(expected) > 100
    assert np.array(sorted(found)) == pytest.approx(np.array(expected), abs=1e-7)


@pytest.mark.parametrize("pbc", [True, (True, True, False), False], ids=["bulk", "slab", "cluster"])
def test_half_rows_hold_every_pair_once(pbc) -> None:
    atoms = odd_box(pbc)
    rows = find_half_list(atoms.get_positions(), atoms.cell.array, atoms.pbc, 9.7)
    n, padding = len(atoms), len(rows.source) - 1
    assert sorted(rows.source[:n]) == list(range(n))
    assert not rows.images[padding].any()
    assert (rows.source == -1).tolist() == [False] * padding + [True]
    coordinates = atoms.get_positions()[rows.source[:-1]] + rows.images[:-1] @ atoms.cell.array
    found = []
    for i, (begin, count) in enumerate(zip(rows.begins, rows.counts, strict=True)):
        assert begin % WIDTH == 0
        assert count % WIDTH == 0
        near, owners = rows.neighbours[begin : begin + count], rows.owners[begin : begin + count]
        assert (owners[near == padding] == n).all()
        near, owners = near[near != padding], owners[near != padding]
        assert len(near) > count - WIDTH
        assert (rows.source[owners] == rows.source[near]).all()
        distances = np.linalg.norm(coordinates[near] - coordinates[i], axis=1).round(7)
        pairs = [sorted((rows.source[i], j)) for j in rows.source[near]]
        found += [(*pair, d) for pair, d in zip(pairs, distances, strict=True)]
    first, second, distances = neighbor_list("ijd", atoms, 9.7)
    both = Counter(zip(first, second, distances.round(7), strict=True))
    # an atom and its own image come there and back
    expected = Counter({(i, j, d): m // 2 if i == j else m for (i, j, d), m in both.items() if i <= j})
    assert sum(expected.values()) > 100
    assert Counter(found) == expected


CUTOFFS = np.array([[9.1, 4.4, 0.0], [4.4, 0.0, 2.9], [0.0, 2.9, 5.5]])


def cluster_pairs(clusters: Clusters, atoms: Atoms, kinds: np.ndarray, shell: int) -> list[tuple]:
    """Return (i, j, distance) of all pairs in the clusters up to a shell, i <= j."""
    coordinates = np.full((len(clusters.source), 3), np.inf)
    filled = clusters.source >= 0
    coordinates[filled] = (
        atoms.get_positions()[clusters.source[filled]] + clusters.images[filled] @ atoms.cell.array
    )
    assert not filled[-SIZE:].any()
    found = []
    for row, i in enumerate(clusters.centres):
        for kind in range(clusters.begins.shape[1]):
            begin, most = clusters.begins[row, kind], clusters.counts[-1, row, kind]
            filling = clusters.clusters[begin + most : begin - (-most // TOGETHER) * TOGETHER]
            assert (filling == len(coordinates) // SIZE - 1).all()
            for cluster in clusters.clusters[begin : begin + clusters.counts[shell, row, kind]]:
                slots = np.arange(SIZE * cluster, SIZE * cluster + SIZE)
                slots = slots[filled[slots] & ((cluster != i // SIZE) | (slots > i))]
                assert (kinds[clusters.source[slots]] == kind).all()
                for slot in slots:
                    a, b = sorted((clusters.source[i], clusters.source[slot]))
                    found.append((a, b, np.linalg.norm(coordinates[slot] - coordinates[i]).round(7)))
    return found


def near_pairs(atoms: Atoms, kinds: np.ndarray, beyond: float) -> Counter[tuple]:
    """Return ASE's pairs within the cutoffs and ``beyond``, each once."""
    first, second, distances = neighbor_list("ijd", atoms, CUTOFFS.max() + beyond)
    cutoffs = CUTOFFS[kinds[first], kinds[second]]
    kept = (distances < cutoffs + beyond) & (cutoffs > 0) & (first <= second)
    pairs = Counter(zip(first[kept], second[kept], distances[kept].round(7), strict=True))
    # an atom and its own image come there and back
    return Counter({(i, j, d): n // 2 if i == j else n for (i, j, d), n in pairs.items()})


@pytest.mark.parametrize("pbc", [True, (True, True, False), False], ids=["bulk", "slab", "cluster"])
def test_clusters_hold_every_pair_once(pbc) -> None:
    atoms = odd_box(pbc)
    kinds = np.random.default_rng(1).integers(0, 3, len(atoms))
    arguments = (atoms.get_positions(), atoms.cell.array, atoms.pbc, kinds, CUTOFFS, 0.8)
    clusters = find_clusters(*arguments)
    assert sorted(clusters.source[clusters.centres]) == list(range(len(atoms)))
    for shell in (0, 3, SHELLS - 1):
        found = Counter(cluster_pairs(clusters, atoms, kinds, shell))
        expected = near_pairs(atoms, kinds, 0.8 * (shell + 1) / SHELLS - 1e-6)
        assert sum(expected.values()) > 100
        assert expected <= found
    # and none twice, also of those that only their clusters bring along
    found = Counter({pair: n for pair, n in found.items() if pair[2] < 6.0})
    assert found <= near_pairs(atoms, kinds, 6.0)


def test_clusters_stay_complete_while_atoms_and_cell_move() -> None:
    """Every shell that is left out holds no pair within the cutoffs, also when the cell has grown."""
    atoms = odd_box(True)
    random = np.random.default_rng(3)
    kinds = random.integers(0, 3, len(atoms))
    listed = VerletClusterList(CUTOFFS, 1.0)
    shells = []
    for _ in range(30):
        atoms.positions += 0.1 * random.standard_normal(atoms.positions.shape)
        strain = np.eye(3) * 1.002 + 0.001 * random.standard_normal((3, 3))
        atoms.set_cell(atoms.cell.array @ strain, scale_atoms=True)
        listed.update(atoms.get_positions(), atoms.cell.array, atoms.pbc, kinds)
        found = Counter(cluster_pairs(listed.clusters, atoms, kinds, listed.shell))
        assert near_pairs(atoms, kinds, -1e-6) <= found
        shells.append(listed.shell)
    assert 2 < listed.builds < 15
    assert len(set(shells)) >= 4


@pytest.mark.parametrize("skin", [0.0, 1e-9, 0.5])
def test_clusters_of_one_atom(skin: float) -> None:
    """All pairs are with its own images."""
    atoms = Atoms("Al", cell=[3.0, 3.1, 3.3], pbc=True)
    kinds = np.zeros(1, np.int64)
    listed = VerletClusterList(CUTOFFS, skin)
    listed.update(atoms.get_positions(), atoms.cell.array, atoms.pbc, kinds)
    found = Counter(cluster_pairs(listed.clusters, atoms, kinds, listed.shell))
    assert near_pairs(atoms, kinds, -1e-6) <= found <= near_pairs(atoms, kinds, 20.0)


@pytest.mark.parametrize("find", ["rows", "clusters"])
def test_lists_of_broken_configurations(find: str) -> None:
    atoms = bulk("Al", "fcc", a=4.05, cubic=True).repeat(2)
    positions = atoms.get_positions()

    def listed(positions: np.ndarray, cell: np.ndarray) -> FullList | Clusters:
        if find == "rows":
            return find_full_list(positions, cell, atoms.pbc, 5.0)
        kinds = np.zeros(len(positions), np.int64)
        return find_clusters(positions, cell, atoms.pbc, kinds, np.array([[5.0]]), 1.0)

    positions[3], positions[4, 1], positions[5, 2] = np.nan, np.inf, 3e9
    assert set(listed(positions, atoms.cell.array).source.tolist()) - {-1} == set(range(len(atoms)))
    for cell in (np.zeros((3, 3)), np.diag([8.0, 8.0, 0.0]), np.full((3, 3), 2.0), np.full((3, 3), np.nan)):
        with pytest.raises(UserError, match="no volume"):
            listed(atoms.get_positions(), cell)


@pytest.mark.parametrize("of", ["rows", "half", "clusters", "pairs"])
@pytest.mark.parametrize(
    ("edge", "reach", "message"),
    [
        (1e9, 5.0, "an edge of the box is 1e"),
        (1e200, 5.0, "an edge of the box is"),
        (1e-3, 5.0, "neighbours within"),
        (8.1, 1e6, "neighbours within 1e\\+06 Angstrom"),
        (8.1, 1e9, "neighbours within"),
        (8.1, np.inf, "neighbours within"),
        (8.1, np.nan, "neighbours within"),
    ],
)
def test_searches_without_end_are_refused_at_once(of: str, edge: float, reach: float, message: str) -> None:
    positions = np.random.default_rng(0).uniform(0.0, min(edge, 8.1), (32, 3))
    cell, pbc = np.eye(3) * edge, np.ones(3, bool)
    searches = {
        "rows": lambda: find_full_list(positions, cell, pbc, reach),
        "half": lambda: VerletHalfList(reach, 0.0).update(positions, cell, pbc),
        "clusters": lambda: find_clusters(positions, cell, pbc, np.zeros(32, int), np.array([[reach]]), 0.0),
        "pairs": lambda: VerletPairList(reach, 0.0).update(positions, cell, pbc),
    }
    with pytest.raises(Exploded, match=message):
        searches[of]()


def test_lists_of_a_dense_corner_in_empty_space() -> None:
    """The first guess of the room that the rows need is too small here."""
    random = np.random.default_rng(0)
    positions = np.concatenate([random.uniform(0, 3, (400, 3)), [[200.0, 0, 0], [0, 300.0, 0]]])
    none = np.zeros(3, bool)
    rows = find_full_list(positions, np.zeros((3, 3)), none, 6.0)
    counts = dict(zip(rows.source[rows.centres].tolist(), rows.counts.tolist(), strict=True))
    assert counts == {**dict.fromkeys(range(400), 399), 400: 0, 401: 0}
    atoms = Atoms("H402", positions)
    kinds = np.zeros(402, np.int64)
    clusters = find_clusters(positions, np.zeros((3, 3)), none, kinds, np.array([[6.0]]), 0.0)
    found = [pair for pair in cluster_pairs(clusters, atoms, kinds, SHELLS - 1) if pair[2] < 6.0]
    assert len(found) == len(set(found)) == 400 * 399 / 2


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
    listed = VerletPairList(4.0, 1.0)
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


@pytest.mark.parametrize("pbc", [True, (True, True, False), False], ids=["bulk", "slab", "cluster"])
@pytest.mark.parametrize(("repeat", "cubic"), [(1, True), (2, False), (3, True)])
def test_the_closest_pair_while_atoms_move(pbc, repeat: int, cubic: bool) -> None:
    atoms = bulk("Al", "fcc", a=4.05, cubic=cubic).repeat(repeat)
    atoms.pbc = pbc
    random = np.random.default_rng(1)
    pairs = ClosePairs(3.5, 0.5)
    for _ in range(4):
        atoms.positions += random.normal(0.0, 0.15, atoms.positions.shape)
        first, second, distance = pairs.closest(atoms.get_positions(), atoms.cell.array, atoms.pbc)
        i, j, distances = neighbor_list("ijd", atoms, 4.0)
        closest = distances.argmin()
        assert {first, second} == {i[closest], j[closest]}
        assert distance == pytest.approx(distances[closest], abs=1e-9)
    atoms.positions[1:] += 100.0 * np.arange(1, len(atoms))[:, None]
    atoms.pbc = False
    assert pairs.closest(atoms.get_positions(), atoms.cell.array, atoms.pbc) is None
    # a reach as small as that for atoms on one another
    assert ClosePairs(0.01, 0.0).closest(atoms.get_positions(), atoms.cell.array, atoms.pbc) is None
    atoms.positions[0] = atoms.positions[-1] + [0.0, 0.002, 0.0]
    assert ClosePairs(0.01, 0.0).closest(atoms.get_positions(), atoms.cell.array, atoms.pbc) is not None
