"""Units of labels in wrong proportion to others: of energies far apart, of two levels without energies."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from tests.training.trainer.small import emt_frames, metal
from votca_mlp.errors import UserError
from votca_mlp.training.labelled import labelled_frames
from votca_mlp.training.same_frames import frame_keys
from votca_mlp.training.sources.common_frames import refuse_other_unit
from votca_mlp.training.sources.finite_differences import forces_agree, refuse_wrong_units


@pytest.mark.parametrize("factor", [23.06, 1 / 23.06, 27.21])
def test_crystals_too_far_apart_for_a_slope_of_one_are_not_so_for_a_gross_factor(factor: float) -> None:
    """Strongly rattled, the slope is 0.88; 20 was said to be unclear: no ratio of units within a tenth."""
    atoms = []
    for k in range(24):
        frame = bulk("Cu", "fcc", 3.6 + 0.02 * (k % 5 - 2), cubic=True)
        frame.rattle(0.08, seed=k)
        frame.calc = EMT()
        atoms.append(frame)
    labels = {"energies": [frame.get_potential_energy() for frame in atoms]}
    forces = [frame.get_forces() for frame in atoms]
    right = labelled_frames(atoms, {"a": {**labels, "forces": forces}})
    assert 0.8 < forces_agree(right, "a").slope < 0.9
    wrong = labelled_frames(atoms, {"a": {**labels, "forces": [factor * force for force in forces]}})
    with pytest.raises(UserError, match=r"energies of level 'a' change by .* times what its forces") as error:
        refuse_wrong_units(wrong, "a", "a.xyz")
    units = ("Hartree/Angstrom", "eV/Angstrom", "kcal/mol/Angstrom")
    one, other = (units[1], units[0]) if factor > 25 else (units[2], units[1])
    named = f"{other} instead of {one}" if factor < 1 else f"{one} instead of {other}"
    assert named in str(error.value)


def test_forces_of_two_levels_on_the_same_frames() -> None:
    """A level with forces alone has no energies that they would have to agree with."""
    atoms = [metal(seed) for seed in range(10)]
    low = emt_frames(atoms).levels["low"].forces.reshape(10, -1, 3)
    for factor, refused in ((1.1, False), (23.06 * 1.1, True), (1.1 / 51.4, True)):
        levels = {"low": {"forces": list(low)}, "high": {"forces": list(factor * low)}}
        frames = labelled_frames(atoms, levels)
        if refused:
            with pytest.raises(UserError, match=r"on 10 common frames forces of level 'high' change by"):
                refuse_other_unit(frames, frame_keys(frames))
        else:
            (line,) = refuse_other_unit(frames, frame_keys(frames))
            assert line == "forces of 'high' and 'low' on 10 common frames: slope 1.100"


def test_how_far_two_levels_are_apart_is_said_beside_their_spread() -> None:
    """By atom, about one constant of each composition: frames of 4 and of 8 atoms, other origins."""
    atoms = []
    for k in range(20):
        frame = bulk("Cu", "fcc", 3.6, cubic=True).repeat((1 + k // 10, 1, 1))
        frame.rattle(0.08, seed=k)
        frame.calc = EMT()
        atoms.append(frame)
    energies = np.array([frame.get_potential_energy() for frame in atoms])
    counts = np.array([len(frame) for frame in atoms])
    added = 0.02 * np.random.default_rng(1).normal(size=20) * counts
    levels = {
        "low": {"energies": list(energies)},
        "high": {"energies": list(energies + added - 40.0 * counts + 7.0)},
    }
    frames = labelled_frames(atoms, levels)
    (line,) = (line for line in refuse_other_unit(frames, frame_keys(frames)) if "common" in line)
    both = [np.concatenate([v[:10] - v[:10].mean(), v[10:] - v[10:].mean()]) for v in (added, energies)]
    apart, spread = (1e3 * np.std(values / counts) for values in both)
    assert f"; {apart:.3g} meV/atom apart, where 'low' spreads by {spread:.3g} and 'high' by" in line
    assert 10 < apart < 30
