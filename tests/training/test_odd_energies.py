"""Energies in another unit than those of their level's other frames: known by robust self energies."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.sources.labels import Source, read_source
from votca_mlp.training.sources.odd_energies import refuse_odd_energies

ALONE = {1: -13.6, 6: -1030.0, 8: -2043.0}
FACTORS = {
    "eV instead of Hartree": 27.211386,
    "Hartree instead of eV": 1 / 27.211386,
    "kcal/mol instead of eV": 23.060548,
    "eV instead of kcal/mol": 1 / 23.060548,
    "kJ/mol instead of eV": 96.485332,
    "energy per atom": None,
}


def frames(count: int = 40, spread: float = 0.05, scale: float = 1.0) -> tuple[list[Atoms], np.ndarray]:
    """Return molecules of several compositions and energies: of their atoms, and something random."""
    random = np.random.default_rng(1)
    atoms = [Atoms(name) for name in random.choice(["CH4", "CO2", "H2O", "C2H6", "CH4O"], count)]
    energies = [
        scale * sum(ALONE[z] for z in one.numbers) + len(one) * spread * random.normal() for one in atoms
    ]
    return atoms, np.array(energies)


def labelled(atoms: list[Atoms], energies: np.ndarray) -> LabelledFrames:
    return labelled_frames(atoms, {"a": {"energies": energies.tolist()}})


@pytest.mark.parametrize("name", FACTORS)
def test_each_unit_is_named_and_more_than_one_frame(name: str) -> None:
    atoms, energies = frames()
    assert refuse_odd_energies(labelled(atoms, energies)) == []
    for k in (7, 20, 21):
        energies[k] *= FACTORS[name] or 1 / len(atoms[k])
    with pytest.raises(UserError, match=rf"\(3 such frames\)(.|\n)*this factor is {name}$") as found:
        refuse_odd_energies(labelled(atoms, energies))
    assert str(found.value).startswith("7: ")


def test_a_third_of_the_frames_does_not_shift_the_others() -> None:
    atoms, energies = frames()
    energies[::3] *= 27.211386
    with pytest.raises(UserError, match=r"\(14 such frames\)"):
        refuse_odd_energies(labelled(atoms, energies))


def test_what_no_unit_explains_is_said() -> None:
    atoms, energies = frames()
    energies[5] += 6.5 * len(atoms[5])
    (line,) = refuse_odd_energies(labelled(atoms, energies))
    assert line.startswith("energies of 'a': 1 frame more than")
    assert ", 5 by 6." in line


def test_a_crystal_of_few_eV_an_atom_whose_energies_scatter() -> None:
    random = np.random.default_rng(2)
    atoms = [Atoms("Cu8")] * 60
    energies = 8 * (-3.0 + 0.05 * random.normal(size=60))
    for factor, name in ((27.211386, "eV instead of Hartree"), (1 / 27.211386, "Hartree instead of eV")):
        spoiled = energies.copy()
        spoiled[9] = -24.0 * factor
        with pytest.raises(UserError, match=name):
            refuse_odd_energies(labelled(atoms, spoiled))
    # atoms torn apart have such factors by chance
    torn = energies.copy()
    torn[:9] = 8 * np.linspace(-0.5, 0.5, 9)
    torn[9] = -24.0 / 27.211386
    assert len(refuse_odd_energies(labelled(atoms, torn))) == 1
    # few frames, and frames that are all the same
    assert refuse_odd_energies(labelled(atoms[:7], energies[:7])) == []
    assert refuse_odd_energies(labelled(atoms, np.full(60, -24.0))) == []


def test_energies_without_an_origin_say_nothing_of_units() -> None:
    random = np.random.default_rng(3)
    energies = 0.5 * np.abs(random.normal(size=60))
    energies[9] = 27.2114 * np.median(energies)
    assert refuse_odd_energies(labelled([Atoms("CH4")] * 60, energies)) == []


def test_published_data_pass_and_one_of_their_frames_in_another_unit_does_not(data_dir: Path) -> None:
    files = {
        "alkane_c2h6/C2H6_CAS_NMS.h5": (None, {"key": "energies", "unit": "Hartree"}, 27.211386),
        "maml_Nb/Nb_Elastic.json": ("maml_json", {"key": "energy", "unit": "eV"}, 1 / 27.211386),
    }
    for file, (kind, energy, factor) in files.items():
        source = Source.model_validate({"file": file, "format": kind, "levels": {"a": {"energy": energy}}})
        (found,) = read_source(source, data_dir)
        assert len(refuse_odd_energies(found)) <= 1
        found.levels["a"].energies[17] *= factor
        with pytest.raises(UserError, match="instead of") as error:
            refuse_odd_energies(found)
        assert str(error.value).startswith(f"{found.origins[17]}: ")
