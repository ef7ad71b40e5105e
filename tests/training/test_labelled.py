"""Labelled frames: absent labels, parts and joined parts; self energies of each level on its own."""

import numpy as np
import pytest
from ase import Atoms

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import LabelledFrames, concatenate, labelled_frames
from votca_mlp.training.self_energies import determined, self_energies

CH4, WATER, H2 = (
    Atoms(formula, np.random.default_rng(3).normal(size=(n, 3)))
    for formula, n in (("CH4", 5), ("OH2", 3), ("H2", 2))
)


def mixed() -> LabelledFrames:
    cell = Atoms("O", [[0.0, 0.0, 0.0]], cell=[3, 4, 5], pbc=(True, True, False))
    low = {"energies": [-40.0, -76.0, None, -75.0], "forces": [np.ones((5, 3)), None, np.zeros((2, 3)), None]}
    high = {"energies": [None, -77.0, -1.5, None], "stress": [None, None, None, np.eye(3)]}
    return labelled_frames([CH4, WATER, H2, cell], {"low": low, "high": high}, list("aabb"), list("wxyz"))


def test_absent_labels_are_known_by_frame() -> None:
    frames = mixed()
    assert frames.has("low", "energies").tolist() == [True, True, False, True]
    assert frames.has("low", "forces").tolist() == [True, False, True, False]
    assert frames.has("high", "energies").tolist() == [False, True, True, False]
    assert frames.has("high", "stress").tolist() == [False, False, False, True]
    assert frames.atom_counts.tolist() == [5, 3, 2, 1]
    assert frames.species == (1, 6, 8)


def test_parts_in_another_order_keep_atoms_and_labels_together() -> None:
    frames = mixed()
    part = frames.take([3, 0])
    assert part.atoms(0).get_chemical_formula() == "O"
    assert part.atoms(0).pbc.tolist() == [True, True, False]
    assert np.array_equal(part.atoms(1).positions, CH4.positions)
    assert part.has("low", "forces").tolist() == [False, True]
    assert part.levels["low"].forces[1:].tolist() == np.ones((5, 3)).tolist()
    assert part.origins.tolist() == ["z", "w"]
    assert len(frames.take([])) == 0
    assert len(frames.take(np.array([True, False, False, True]))) == 2


def test_joined_parts_lack_the_levels_that_they_lacked() -> None:
    frames = mixed()
    other = labelled_frames([H2], {"third": {"energies": [-1.0]}})
    joined = concatenate([frames, other, frames.take([])])
    assert list(joined.levels) == ["low", "high", "third"]
    assert joined.has("third", "energies").tolist() == [False] * 4 + [True]
    assert joined.has("low", "energies").tolist() == [True, True, False, True, False]
    assert np.array_equal(joined.atoms(4).positions, H2.positions)


def test_self_energies_of_each_level_are_its_own() -> None:
    atoms = [Atoms(f"C{c}H{h}", np.zeros((c + h, 3))) for c, h in ((1, 4), (2, 6), (2, 4), (3, 8))]
    low = [-38.0 * c - 0.5 * h for c, h in ((1, 4), (2, 6), (2, 4), (3, 8))]
    frames = labelled_frames(
        atoms, {"low": {"energies": low}, "high": {"energies": [-50.0, -90.0, None, None]}}
    )
    assert self_energies(frames, "low") == pytest.approx({1: -0.5, 6: -38.0})
    high = self_energies(frames, "high")
    assert high[6] + 4 * high[1] == pytest.approx(-50.0)
    assert determined(frames, "low")
    assert self_energies(frames, "high", {1: -3.0})[1] == -3.0


def test_one_composition_has_the_right_sum() -> None:
    frames = labelled_frames([CH4, CH4], {"one": {"energies": [-40.0, -41.0]}, "forces only": {}})
    found = self_energies(frames, "one")
    assert found[6] + 4 * found[1] == pytest.approx(-40.5)
    assert not determined(frames, "one")
    assert self_energies(frames, "forces only") == {1: 0.0, 6: 0.0}


def test_a_species_without_energies_is_refused_with_its_frame() -> None:
    labels = {"one": {"energies": [-40.0, None], "forces": [None, np.zeros((3, 3))]}}
    frames = labelled_frames([CH4, WATER], labels, origins=["a.xyz, frame 1", "a.xyz, frame 2"])
    with pytest.raises(UserError, match=r"a.xyz, frame 2: O has no self energy at level 'one'"):
        self_energies(frames, "one")
    assert self_energies(frames, "one", {8: -400.0})[8] == -400.0
