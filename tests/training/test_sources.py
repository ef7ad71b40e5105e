"""Labelled frames of files: every format, units, and each kind of bad input by one message."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io import read, write

from tests.training.sources import BOHR, HARTREE, harmonic, molecules, settings, write_settings
from tests.training.trainer.small import metal
from votca_mlp.errors import UserError
from votca_mlp.training.assemble import Prepared, assemble
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.settings.read import load_train_settings
from votca_mlp.training.sources.finite_differences import forces_agree, refuse_wrong_units, stress_agrees
from votca_mlp.training.sources.labels import Source, read_source
from votca_mlp.training.split import split_frames


def prepared(folder: Path, values: dict[str, Any]) -> Prepared:
    return assemble(load_train_settings(write_settings(folder, values)), folder)


def load(folder: Path, file: str, energy: dict[str, str], **more: Any) -> LabelledFrames:
    """Read one file with energies of a level ``a``."""
    labels = {"energy": energy, **more.pop("labels", {})}
    return read_source(Source(file=file, levels={"a": labels}, **more), folder)[0]


def test_two_files_two_levels_two_units(tmp_path: Path) -> None:
    found = prepared(tmp_path, settings())
    frames = found.frames
    assert list(frames.levels) == ["low", "high"]
    assert [int(frames.has(name, "energies").sum()) for name in ("low", "high")] == [24, 12]
    k = int(np.flatnonzero(frames.has("high", "energies"))[3])
    assert frames.atoms(k).positions == pytest.approx(molecules(12, 9)[3].positions)
    assert frames.levels["high"].energies[k] == pytest.approx(
        harmonic(frames.atoms(k).positions, 1.1)[0] - 76
    )
    for part in (found.split.training, found.split.validation, found.split.held_out):
        assert frames.take(part).has("low", "forces").any()
        assert frames.take(part).has("high", "energies").any()
    high = found.self_energies["high"]
    assert high[8] + 2 * high[1] == pytest.approx(-76, abs=0.2)


def test_every_format_has_the_same_frames(tmp_path: Path) -> None:
    frames = molecules(3)
    energies = [harmonic(atoms.positions)[0] for atoms in frames]
    forces = np.array([harmonic(atoms.positions)[1] for atoms in frames])
    positions = np.array([atoms.positions for atoms in frames])
    with connect(tmp_path / "a.db") as base:
        for atoms, energy, force in zip(frames, energies, forces, strict=True):
            base.write(atoms, e=energy, data={"f": force})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("x/y")
        group["species"], group["coordinates"] = [b"O", b"H", b"H"], positions
        group["e"], group["f"] = energies, forces
    padded = np.zeros((3, 5), int)
    padded[:, :3] = frames[0].numbers
    space = np.pad(positions, [(0, 0), (0, 2), (0, 0)])
    np.savez(tmp_path / "a.npz", Z=padded, R=space, e=energies, f=np.pad(forces, [(0, 0), (0, 2), (0, 0)]))
    part = tmp_path / "deepmd" / "water" / "set.000"
    part.mkdir(parents=True)
    (part.parent / "type.raw").write_text("0\n1\n1\n")
    np.save(part / "coord.npy", positions.reshape(3, 9))
    np.save(part / "e.npy", energies)
    np.save(part / "f.npy", forces.reshape(3, 9))
    structure = [
        {
            "structure": {
                "lattice": {"matrix": np.diag([20.0] * 3).tolist()},
                "sites": [{"xyz": x, "species": [{"element": s}]} for x, s in zip(xyz, "OHH", strict=True)],
            },
            "outputs": {"e": energy, "f": force.tolist()},
        }
        for xyz, energy, force in zip(positions.tolist(), energies, forces, strict=True)
    ]
    (tmp_path / "a.json").write_text(json.dumps(structure))
    lines = []
    for atoms, energy, force in zip(frames, energies, forces, strict=True):
        lines += ["3", f"{energy / HARTREE:.12f}"]
        for symbol, x, f in zip(atoms.symbols, atoms.positions, force, strict=True):
            lines.append(" ".join([symbol, *(f"{v:.12f}" for v in (*x, *(-f * BOHR / HARTREE)))]))
    (tmp_path / "qm.xyz").write_text("\n".join(lines))
    ev, force_unit = {"key": "e", "unit": "eV"}, {"forces": {"key": "f", "unit": "eV/Angstrom"}}
    hartree = {"forces": {"key": "gradient", "unit": "Hartree/Bohr", "sign": "-"}}
    for found in (
        load(tmp_path, "a.db", ev, labels=force_unit),
        load(tmp_path, "a.h5", ev, labels=force_unit),
        load(tmp_path, "a.npz", ev, labels=force_unit),
        load(tmp_path, "deepmd", ev, labels=force_unit, elements=["O", "H"]),
        load(tmp_path, "a.json", ev, labels=force_unit),
        load(tmp_path, "qm.xyz", {"key": "energy", "unit": "Hartree"}, labels=hartree, format="energy_xyz"),
    ):
        assert found.atom_counts.tolist() == [3, 3, 3]
        assert found.atoms(1).get_chemical_formula() == "H2O"
        assert found.positions == pytest.approx(positions.reshape(-1, 3), abs=1e-9)
        assert found.levels["a"].energies == pytest.approx(energies, abs=1e-9)
        assert found.levels["a"].forces == pytest.approx(forces.reshape(-1, 3), abs=1e-9)


def test_forces_and_stress_are_known_by_the_energies(tmp_path: Path) -> None:
    """Strained Lennard-Jones crystals: the slope is 1, and -1 where the sign is wrong."""
    frames = []
    for k in range(16):
        atoms = bulk("Ar", "fcc", 5.2, cubic=True)
        strain = 0.01 * np.random.default_rng(k).normal(size=(3, 3))
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.5 * (strain + strain.T)), scale_atoms=True)
        atoms.rattle(0.01, seed=k)
        atoms.calc = LennardJones(sigma=3.4, epsilon=0.01, rc=8.0, smooth=True)
        atoms.get_potential_energy()
        atoms.get_stress()
        frames.append(atoms)
    write(tmp_path / "a.xyz", frames, format="extxyz")
    labels = {
        "forces": {"key": "forces", "unit": "eV/Angstrom"},
        "stress": {"key": "stress", "unit": "eV/Angstrom^3"},
    }
    found = load(tmp_path, "a.xyz", {"key": "energy", "unit": "eV"}, labels=labels)
    stress = stress_agrees(found, "a")
    assert stress.says_something
    assert stress.slope == pytest.approx(1, abs=0.05)
    wrong = {"forces": labels["forces"], "stress": {"key": "stress", "unit": "eV/Angstrom^3", "sign": "-"}}
    other = load(tmp_path, "a.xyz", {"key": "energy", "unit": "eV"}, labels=wrong)
    assert stress_agrees(other, "a").slope == pytest.approx(-1, abs=0.05)


def test_a_stress_far_off_is_doubtful_where_frames_are_too_far_apart_for_its_slope() -> None:
    atoms, energies, forces, stress = [], [], [], []
    for k in range(30):
        frame = bulk("Cu", "fcc", 3.6 + 0.03 * (k % 5 - 2), cubic=True)
        frame.rattle(0.08, seed=k)
        frame.calc = EMT()
        atoms.append(frame)
        energies.append(frame.get_potential_energy())
        forces.append(frame.get_forces())
        stress.append(frame.get_stress(voigt=False))
    for factor, words in ((1.0, "no frames near enough to check"), (-1.0, "DOUBTFUL"), (160.2, "DOUBTFUL")):
        labels = {"energies": energies, "forces": forces, "stress": [factor * s for s in stress]}
        found = refuse_wrong_units(labelled_frames(atoms, {"a": labels}), "a", "a.xyz")
        assert f"stress of 'a' in a.xyz: {words}" in found[1]


def test_forces_in_another_unit_have_their_factor(tmp_path: Path) -> None:
    write_settings(tmp_path, settings())
    for unit, factor in (("eV/Angstrom", 1.0), ("eV/Bohr", BOHR)):
        labels = {"forces": {"key": "forces", "unit": unit}}
        found = forces_agree(load(tmp_path, "low.xyz", {"key": "energy", "unit": "eV"}, labels=labels), "a")
        assert found.says_something
        assert found.slope == pytest.approx(factor, rel=0.05)


@pytest.mark.parametrize(("unit", "message"), [(1.0, ""), (BOHR, "eV/Angstrom instead of eV/Bohr")])
def test_atoms_pushed_together_are_no_wrong_unit(unit: float, message: str) -> None:
    """Springs and a wall r^-12 that a third of the frames reaches: no unit explains that slope."""
    random = np.random.default_rng(3)
    atoms, energies, forces = [], [], []
    for k in range(36):
        r = 1.0 + 0.1 * random.normal() if k % 3 else 0.3 + 0.04 * (k // 3)
        atoms.append(Atoms("OH", [[0, 0, 0], [r, 0, 0]]))
        energies.append(50 * (r - 1) ** 2 + (0.5 / r) ** 12)
        slope = 100 * (r - 1) - 12 * (0.5 / r) ** 12 / r
        forces.append(np.array([[slope, 0, 0], [-slope, 0, 0]]))
    for part, clear in ((np.flatnonzero(np.arange(36) % 3), True), (np.arange(36), False)):
        found = labelled_frames(
            [atoms[k] for k in part],
            {"a": {"energies": [energies[k] for k in part], "forces": [forces[k] / unit for k in part]}},
        )
        if message and clear:
            with pytest.raises(UserError, match=message):
                refuse_wrong_units(found, "a", "a.xyz")
        else:
            (line,) = refuse_wrong_units(found, "a", "a.xyz")
            assert ("fit the energies (" in line) == clear
            assert ("unclear whether they fit" in line) != clear


def _slab(folder: Path) -> None:
    atoms = metal(1)
    atoms.pbc = [True, True, False]
    atoms.calc = EMT()
    energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces, stress=stress)
    write(folder / "low.xyz", [atoms])


def _some_groups(folder: Path) -> None:
    frames = read(folder / "low.xyz", ":")
    for frame in frames[::2]:
        frame.info["run"] = "first"
    write(folder / "low.xyz", frames)


def _cut(folder: Path) -> None:
    lines = (folder / "low.xyz").read_text().splitlines()
    (folder / "low.xyz").write_text("\n".join(lines[:-1]) + "\n")


def _lose_atom(folder: Path) -> None:
    frames = read(folder / "low.xyz", ":")
    calc = frames[7].calc.results
    del frames[7][2]
    frames[7].info["energy"], frames[7].arrays["forces"] = calc["energy"], calc["forces"][:2]
    frames[7].calc = None
    write(folder / "low.xyz", frames, format="extxyz")


def _nan(folder: Path) -> None:
    arrays = dict(np.load(folder / "high.npz"))
    arrays["e"][4] = np.nan
    np.savez(folder / "high.npz", **arrays)


def _half_nan(folder: Path) -> None:
    frames = read(folder / "low.xyz", ":")
    frames[2].calc.results["forces"][1, 2] = np.inf
    write(folder / "low.xyz", frames, format="extxyz")


def _other_species(folder: Path) -> None:
    frames = read(folder / "low.xyz", ":")
    frames[5].numbers[0] = 16
    frames[5].calc.results.pop("energy")
    write(folder / "low.xyz", frames, format="extxyz")


def _overlap(folder: Path) -> None:
    frames = read(folder / "low.xyz", ":")
    frames[3].positions[1] = frames[3].positions[2]
    write(folder / "low.xyz", frames, format="extxyz")


def _same_frames(folder: Path) -> None:
    write(folder / "more.xyz", read(folder / "low.xyz", "3:6"), format="extxyz")


def _short(folder: Path) -> None:
    arrays = dict(np.load(folder / "high.npz"))
    np.savez(folder / "high.npz", **{**arrays, "e": arrays["e"][:-1]})


def _no_cell(folder: Path) -> None:
    frames = read(folder / "low.xyz", ":")
    frames[5].set_pbc(True)
    write(folder / "low.xyz", frames, format="extxyz")


def _one_in_hartree(folder: Path) -> None:
    frames = read(folder / "low.xyz", ":")
    frames[4].calc.results["energy"] /= HARTREE
    write(folder / "low.xyz", frames, format="extxyz")


def _two_per_atom(folder: Path) -> None:
    arrays = dict(np.load(folder / "high.npz"))
    arrays["e"][[2, 7]] /= 3
    np.savez(folder / "high.npz", **arrays)


LOW = settings()["data"][0]["levels"]
BOTH = {"file": "low.xyz", "levels": {**LOW, "high": {"energy": {"key": "energy", "unit": "Hartree"}}}}
HIGH = settings()["data"][1]
STRESSED = {"low": {**LOW["low"], "stress": {"key": "stress", "unit": "eV/Angstrom^3"}}}


@pytest.mark.parametrize(
    ("change", "spoil", "message"),
    [
        ({}, _cut, r"low.xyz, frame 24: cannot be read"),
        ({}, _lose_atom, r"low.xyz, frame 8: lacks H that the other 23 frames"),
        ({}, _nan, r"high.npz, frame 5: 'e' of level 'high' is nan"),
        ({}, _half_nan, r"low.xyz, frame 3: 'forces' of level 'low' is inf"),
        ({}, _other_species, r"low.xyz, frame 6: (S has no self energy at level 'low'|has S)"),
        ({}, _overlap, r"low.xyz, frame 4: atoms 2 and 3 are 0 Angstrom apart"),
        (
            {
                "data": [
                    {"file": "low.xyz", "use": "training", "levels": LOW},
                    {"file": "more.xyz", "use": "held_out", "levels": LOW},
                    HIGH,
                ]
            },
            _same_frames,
            r"more.xyz, frame 1 \(held out\): is the same frame as .*low.xyz, frame 4, .*\(3 such frames\)",
        ),
        ({"levels": ["low", "hihg"]}, None, r"settings.yaml:\d+, .*no level 'high' \(is it 'hihg'\?\)"),
        ({"levels": ["low", "high", "third"]}, None, r"level 'third': has no labels"),
        (
            {"data": [{"file": "low.xyz", "length": "nm", "levels": LOW}, HIGH]},
            None,
            r"low.xyz: energies of level 'low' change by 0.0953 times what its forces say",
        ),
        (
            {"data": [{"file": "low.xyz", "use": "held_out", "levels": LOW}, HIGH]},
            None,
            r"level 'low': none of its 24 labelled frames is for training",
        ),
        ({"data": [{"file": "none.xyz", "levels": LOW}, HIGH]}, None, r"none.xyz: no such file"),
        ({}, _short, r"high.npz, frame 1: 'e' of level 'high' is 'an array of 11 rows for 12 frames'"),
        ({}, _no_cell, r"low.xyz, frame 6: is periodic in 3 directions, but its cell does not span them"),
        (
            {"data": [BOTH, HIGH]},
            None,
            r"on 24 common frames energies of level 'high' change by 27.2 .*\n.*Hartree instead of eV",
        ),
        (
            {},
            _one_in_hartree,
            r"low.xyz, frame 5: the energy of level 'low' is -0.85.* eV/atom, where .* say -23.*\n"
            r".*this factor is Hartree instead of eV",
        ),
        ({}, _two_per_atom, r"high.npz, frame 3: .*\(2 such frames\)\n.*this factor is energy per atom"),
        (
            {"levels": {"low": None, "high": {"energy": 0}}},
            None,
            r"level 'high': has energies of weight 0 alone: its head would stay",
        ),
        (
            {"data": [{"file": "low.xyz", "group": "file", "levels": LOW}, HIGH]},
            None,
            r"low.xyz, frame 1: level 'low' has 1 group of frames",
        ),
        (
            {"data": [{"file": "low.xyz", "levels": STRESSED}, HIGH]},
            _slab,
            r"low.xyz, frame 1: 'stress' of level 'low' is a stress, but .* periodic in 2 directions\n"
            r".*three directions; or no stress",
        ),
        (
            {"data": [{"file": "low.xyz", "group": "run", "levels": LOW}, HIGH]},
            _some_groups,
            r"low.xyz, frame 2: has no 'run', by which frames are grouped",
        ),
        (
            {"levels": {"low": {"self_energies": {"Fe": -3}}, "high": None}},
            None,
            r"Fe is in no training frame",
        ),
    ],
)
def test_bad_data_is_one_message_before_training(
    tmp_path: Path, change: dict[str, Any], spoil: Callable[[Path], None] | None, message: str
) -> None:
    path = write_settings(tmp_path, settings(**change))
    if spoil is not None:
        spoil(tmp_path)
    with pytest.raises(UserError, match=message) as error:
        assemble(load_train_settings(path), tmp_path)
    assert "accepted:" in str(error.value)


def test_nan_may_mean_no_label(tmp_path: Path) -> None:
    write_settings(tmp_path, settings())
    _nan(tmp_path)
    found = load(tmp_path, "high.npz", {"key": "e", "unit": "Hartree", "missing": "nan"}, length="Bohr")
    assert found.has("a", "energies").sum() == 11


def test_cells_and_periodic_directions_of_arrays(tmp_path: Path) -> None:
    ev = {"key": "e", "unit": "eV"}
    arrays = {"Z": [29], "R": np.zeros((4, 1, 3)), "e": np.arange(4.0), "cell": 3 * np.eye(3)}
    for given, expected in (
        (True, [[True] * 3] * 4),
        ([True, True, False], [[True, True, False]] * 4),
        ([True, False, True, True], [[True] * 3, [False] * 3, [True] * 3, [True] * 3]),
    ):
        np.savez(tmp_path / "a.npz", **arrays, pbc=given)
        assert load(tmp_path, "a.npz", ev).pbc.tolist() == expected
    np.savez(tmp_path / "a.npz", **arrays, pbc=[True, True])
    with pytest.raises(UserError, match=r"a.npz: 'pbc' has shape \[2\] for 4 frames"):
        load(tmp_path, "a.npz", ev)
    np.savez(tmp_path / "a.npz", **{**arrays, "cell": np.ones((4, 9))})
    with pytest.raises(UserError, match=r"a.npz: 'cell' has shape \[4, 9\]"):
        load(tmp_path, "a.npz", ev)


def test_names_that_a_file_lacks_are_answered_with_those_it_has(tmp_path: Path) -> None:
    write_settings(tmp_path, settings())
    with pytest.raises(UserError, match=r"low.xyz: no frame has 'energi'\n  accepted: energy, forces"):
        load(tmp_path, "low.xyz", {"key": "energi", "unit": "eV"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("output: [\n", r"settings.yaml:2: no YAML"),
        ("data: &a\n  b: *a\n", r"settings.yaml: is nested without end"),
        ("output: a\noutput: b\n", r"settings.yaml:2: <output> is there twice \(first in line 1\)"),
        ("- a\n", r"is no mapping"),
        ("output: a\nlevels: [low, b, low]\n", r"settings.yaml:2: <levels> has 'low' twice"),
        (
            "output: a\nnetwork: {dist_soft_max: 7}\n",
            r"settings.yaml:2: <network> dist_soft_min, .* 1, 7, 5.5: they have to ascend",
        ),
        ("output: a\nlevels: [low]\ndata: []\n", r"settings.yaml:3: <data> is empty"),
        (
            "output: a\ntraining:\n  epochs: many\n",
            r"settings.yaml:3: <training.epochs> is 'many'; accepted: a w",
        ),
        (
            "output: a\nnetwork: {knd: x}\n",
            r"settings.yaml:2: <network.knd> is no setting; accepted: kind, n_fea",
        ),
    ],
)
def test_bad_settings_are_named_by_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(UserError, match=message):
        load_train_settings(tmp_path / "settings.yaml")


def test_a_bad_unit_is_answered_with_the_units(tmp_path: Path) -> None:
    values = settings()
    values["data"][1]["levels"]["high"]["energy"]["unit"] = "Ha"
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    with pytest.raises(
        UserError, match=r"settings.yaml:\d+: <data\[2\].levels.high.energy.unit> is 'Ha'.*Hartree"
    ):
        load_train_settings(path)


def test_groups_and_equal_frames_are_never_split(tmp_path: Path) -> None:
    write_settings(tmp_path, settings())
    energy = {"key": "energy", "unit": "eV"}
    frames = load(tmp_path, "low.xyz", energy, group="4")
    twice = frames.take([*range(24), 0, 23])
    twice.groups[-2:] = ["copies", "copies"]
    split = split_frames(twice, held_out=0.3, validation=0.2, seed=1)
    use = np.empty(26, "<U10")
    for name in ("training", "validation", "held_out"):
        use[getattr(split, name)] = name
    for group in set(twice.groups.tolist()):
        assert len(set(use[twice.groups == group])) == 1
    assert use[0] == use[-2] == use[-1] == use[23]
    assert set(use) == {"training", "validation", "held_out"}
