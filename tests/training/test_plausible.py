"""Labels that are all in one wrong unit: what is doubted of them, and what is not."""

from dataclasses import replace

import numpy as np
import pytest
from ase.build import molecule

from tests.training.trainer.small import emt_frames, metal
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.sources.label_units import ENERGIES
from votca_mlp.training.sources.plausible import ATOMS, doubtful_units

TOTAL = {"CH4": -40.5, "C2H6": -79.8, "H2O": -76.4, "SiH4": -291.9, "SO2": -548.6}
"""Energies of molecules with all electrons, Hartree (B3LYP, to a tenth)."""


def totals(unit: str) -> LabelledFrames:
    """Return molecules whose energies are Hartree called by another unit."""
    energies = [ENERGIES[unit] * value for value in TOTAL.values()]
    return labelled_frames([molecule(name) for name in TOTAL], {"b3lyp": {"energies": energies}})


def test_energies_of_all_electrons_say_their_unit() -> None:
    assert not doubtful_units(totals("Hartree"))
    for unit in ("eV", "kcal/mol", "kJ/mol"):
        (line,) = doubtful_units(totals(unit))
        assert line.startswith("energies of 'b3lyp': DOUBTFUL")
        assert line.endswith(f": {unit} instead of Hartree")


def test_energies_of_another_origin_are_not_doubted() -> None:
    """Cohesive and valence energies are no part of the atoms' that a unit would be seen by."""
    for energy in (-3.74, -56.9):
        frames = labelled_frames([metal(k) for k in range(3)], {"pbe": {"energies": [energy * 8] * 3}})
        assert not doubtful_units(frames)


def test_heavier_atoms_are_not_in_the_table() -> None:
    frames = totals("eV")
    assert len(ATOMS) == 36
    numbers = np.where(frames.numbers == 14, 41, frames.numbers)
    assert not doubtful_units(replace(frames, numbers=numbers))


@pytest.mark.parametrize(("unit", "factor"), [("kcal/mol", 23.06), ("kJ/mol", 96.5)])
def test_strong_forces(unit: str, factor: float) -> None:
    frames = emt_frames([metal(k) for k in range(8)])
    low = frames.levels["low"]
    low = replace(low, energies=2.0 * low.energies, forces=2.0 * low.forces)
    assert not doubtful_units(replace(frames, levels={"low": low}))
    # some frames with atoms pushed together are no reason
    some = low.forces * np.where(frames.frame_of_atom < 3, 1000.0, 1.0)[:, None]
    assert not doubtful_units(replace(frames, levels={"low": replace(low, forces=some)}))
    wrong = replace(low, energies=factor * low.energies, forces=factor * low.forces)
    (line,) = doubtful_units(replace(frames, levels={"low": wrong}))
    assert line.startswith("forces of 'low': DOUBTFUL")
