"""Labelled frames written and read again: the same numbers, in every format."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.sources.labels import Source, read_source
from votca_mlp.training.sources.writing import write_frames


def mixed() -> LabelledFrames:
    random = np.random.default_rng(1)
    atoms = [
        Atoms("CH4", random.normal(size=(5, 3))),
        Atoms("OH2", random.normal(size=(3, 3)), cell=[5, 6, 7], pbc=True),
        Atoms("OH2", random.normal(size=(3, 3)), cell=[5, 6, 7.5], pbc=True),
    ]
    stress = random.normal(size=(3, 3))
    low = {
        "energies": [-40.0, -76.0, None],
        "forces": [random.normal(size=(5, 3)), None, random.normal(size=(3, 3))],
        "stress": [None, stress + stress.T, None],
    }
    return labelled_frames(atoms, {"low": low, "high": {"energies": [None, -77.5, -77.0]}}, list("abb"))


@pytest.mark.parametrize("name", ["a.xyz", "a.db", "a.npz", "a.h5"])
def test_frames_survive_their_file(tmp_path: Path, name: str) -> None:
    frames = mixed()
    write_frames(tmp_path / name, frames)
    units = {"energy": "eV", "forces": "eV/Angstrom", "stress": "eV/Angstrom^3"}
    levels = {
        level: {kind: {"key": f"{level}_{kind}", "unit": units[kind], "missing": "nan"} for kind in kinds}
        for level, kinds in (("low", units), ("high", ["energy"]))
    }
    (again,) = read_source(Source.model_validate({"file": name, "levels": levels}), tmp_path)
    assert again.numbers.tolist() == frames.numbers.tolist()
    assert again.positions == pytest.approx(frames.positions, abs=1e-7)
    assert again.cells == pytest.approx(frames.cells, abs=1e-7)
    assert again.pbc.tolist() == frames.pbc.tolist()
    assert [group[-1] for group in again.groups.tolist()] == ["a", "b", "b"]
    for level in ("low", "high"):
        for kind in ("energies", "forces", "stress"):
            found, known = getattr(again.levels[level], kind), getattr(frames.levels[level], kind)
            assert found == pytest.approx(known, abs=1e-7, nan_ok=True), (level, kind)


def test_another_name_is_answered_with_the_formats(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"accepted: NAME\.xyz, NAME\.db, NAME\.npz, NAME\.h5"):
        write_frames(tmp_path / "a.csv", mixed())
