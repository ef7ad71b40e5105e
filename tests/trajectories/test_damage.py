"""Starts, trajectories, topologies with damage anywhere: one message with the file, or what was meant."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.settings.conftest import TOPOLOGY
from tests.trajectories.written import jostled_crystal, write_dump
from votca_mlp.engines.ase.trajectory import gro_frame
from votca_mlp.engines.shared.first_evaluation import check_apart
from votca_mlp.engines.shared.start import FARTHEST, check_start, read_configuration
from votca_mlp.errors import UserError
from votca_mlp.settings import read_topology
from votca_mlp.trajectories.read import read_frames

STARTS = {
    "conf.extxyz": {"format": "extxyz"},
    "conf.gro": {"format": "gromacs"},
    "conf.pdb": {"format": "proteindatabank"},
    "POSCAR": {"format": "vasp"},
    "conf.data": {"format": "lammps-data", "masses": True},
}
FILES = (*STARTS, "traj.dump", "traj.gro", "topol.xml")
NOT_NUMBERS = ("nan", "inf", "1e400", "*****", "1,5", "\0", "\u00e9")

Content = list[Any]


def start(path: Path) -> Content:
    """Return what a step would begin with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        atoms = read_configuration(path)
    check_start(atoms, ["Al"] * 4, r_max=1.5, where=str(path), topology="topol.xml")
    check_apart(atoms, 1.0, str(path))
    return [atoms.get_positions(), atoms.cell.array]


def frames(path: Path) -> Content:
    return [part for frame in read_frames(path) for part in (frame.positions, frame.box)]


def beads(path: Path) -> Content:
    return [np.array([len(read_topology(path).types)])]


def reader(name: str) -> Callable[[Path], Content]:
    return start if name in STARTS else beads if name == "topol.xml" else frames


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file as it should be."""
    folder = tmp_path_factory.mktemp("written")
    atoms = bulk("Al", "fcc", a=4.05, cubic=True)
    atoms.positions += 0.11
    for name, how in STARTS.items():
        ase.io.write(folder / name, atoms, **how)
    write_dump(folder / "traj.dump", jostled_crystal(np.random.default_rng(2), (1, 1, 1), 2))
    edges = np.array([30.0, 31.0, 32.0])
    drawn = np.random.default_rng(3).uniform(0, 30, (2, 3, 3))
    texts = [gro_frame(n, 10.0 * n, ["Ar"] * 3, drawn[n], edges) for n in range(2)]
    (folder / "traj.gro").write_text("".join(texts))
    (folder / "topol.xml").write_text(TOPOLOGY)
    return folder


def found_in(folder: Path, name: str, text: str) -> Content | None:
    """Return what is read of a damaged file; None where it is refused, in one message with its name."""
    path = folder / "damaged" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    refused = None
    try:
        found = reader(name)(path)
    except UserError as error:
        refused = error
    if refused is not None:
        assert name in str(refused.where), str(refused)
        assert len(str(refused)) < 2000
        return None
    # whatever it is, a simulation can begin with it, g(r) be measured of it
    assert all(np.isfinite(part).all() for part in found)
    assert name not in STARTS or all(np.abs(part).max() <= FARTHEST for part in found)
    return found


def alike(a: Content, b: Content) -> bool:
    return len(a) == len(b) and all(
        x.shape == y.shape and np.allclose(x, y) for x, y in zip(a, b, strict=True)
    )


def missing(lines: list[str]) -> Iterator[str]:
    """Yield the text without its end, and without or with twice each line."""
    for number in range(len(lines)):
        yield "".join(lines[:number])
        yield "".join(lines[:number] + lines[number + 1 :])
        yield "".join(lines[: number + 1] + lines[number:])


@pytest.mark.parametrize("name", FILES)
def test_lines_missing_or_too_many(written: Path, name: str) -> None:
    """Never other atoms: the same, whole frames of a trajectory, or a message."""
    text = (written / name).read_text()
    good = reader(name)(written / name)
    for damaged in missing(text.splitlines(keepends=True)):
        found = found_in(written, name, damaged)
        assert found is None or alike(found, good) or (name.startswith("traj.") and alike(found, good[:2]))


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_number(written: Path, name: str) -> None:
    """A number that is none is refused, or was nothing that is read."""
    text = (written / name).read_text()
    good = reader(name)(written / name)
    lines = text.splitlines(keepends=True)
    # one line of each form: the others are read alike
    for number in {*range(min(len(lines), 12)), len(lines) - 1}:
        for word in set(lines[number].split()):
            for bad in NOT_NUMBERS:
                at = lines[number].index(word)
                # columns of fixed width stay where they are
                new = lines[number][:at] + bad.rjust(len(word)) + lines[number][at + len(word) :]
                found = found_in(written, name, "".join([*lines[:number], new, *lines[number + 1 :]]))
                assert found is None or alike(found, good), (number, word, bad)


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("number", ["1e9", "-9e99", "999999999999"])
def test_an_atom_out_of_all_bounds(written: Path, name: str, number: str) -> None:
    """Such an atom would have no neighbours."""
    text = (written / name).read_text()
    words = {"conf.gro": "0.213", "conf.pdb": "2.135", "conf.extxyz": "2.13500000"}
    for old in (words.get(name, "2.1349999999999998"), words.get(name, "2.135")):
        if old in text:
            damaged = text.replace(old, number.rjust(len(old)), 1)
            assert found_in(written, name, damaged) is None
            return
    raise AssertionError(text)


@pytest.mark.parametrize("name", FILES)
@settings(
    derandomize=True,
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(at=st.floats(0, 1), length=st.integers(0, 60), put=st.text(max_size=8))
def test_any_damage(written: Path, name: str, at: float, length: int, put: str) -> None:
    """Anything but a traceback, and nothing that is not a configuration."""
    text = (written / name).read_text()
    start = int(at * len(text))
    found_in(written, name, (text[:start] + put.encode(errors="ignore").decode() + text[start + length :]))
