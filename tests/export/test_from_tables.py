"""Exports of a correction that Python holds, without a run in a directory."""

from pathlib import Path

import numpy as np
import pytest

from tests.export.runs import HIPNN, aluminium, make_run
from votca_mlp.errors import UserError
from votca_mlp.export import load_corrected
from votca_mlp.export.content_file import read_content
from votca_mlp.export.export import export, write_export
from votca_mlp.export.from_tables import potential_of_tables
from votca_mlp.export.potential import CorrectedPotential
from votca_mlp.models.options import MLPSettings
from votca_mlp.tables import read_table

MLP = MLPSettings(kind="hippynn", model="builtin:al-hipnn", dtype="float64", device="cpu")


def in_memory(run: Path, step: int = 2) -> CorrectedPotential:
    table = read_table(run / f"step_{step:03d}" / "Al-Al.pot.cur")
    tables, atoms = {("Al", "Al"): table}, aluminium()
    return potential_of_tables(MLP, run, tables, atoms, temperature=1023.0, pressure=1.0, step=step)


def test_the_same_as_from_the_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", HIPNN.format(model="builtin:al-hipnn", dtype="float64"), aluminium())
    export(run, "ase", tmp_path / "run_out")
    done = write_export(in_memory(run), "ase", tmp_path / "out")
    assert set(done.files) == {"export.json", "Al-Al.table", "calculator.py"}
    first, second = (
        np.loadtxt(tmp_path / name / "Al-Al.table", usecols=(0, 1)) for name in ("run_out", "out")
    )
    assert np.array_equal(first, second)
    text = (tmp_path / "out" / "Al-Al.table").read_text()
    assert "from simulation 2 of a run in Python" in text
    assert "holds only near 1023 K and 1 bar" in text
    energies = []
    for name in ("run_out", "out"):
        atoms = aluminium()
        atoms.calc = load_corrected(tmp_path / name, device="cpu")
        energies.append(atoms.get_potential_energy())
    assert energies[0] == energies[1]
    assert read_content(tmp_path / "out")[0].settings is None


def test_other_formats(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", HIPNN.format(model="builtin:al-hipnn", dtype="float64"), aluminium())
    for form in ("table", "lammps", "mliap"):
        assert write_export(in_memory(run), form, tmp_path / form).comparisons
    with pytest.raises(UserError, match="exists already"):
        write_export(in_memory(run), "table", tmp_path / "table")
    with pytest.raises(UserError, match=r"u\(r\) is zero"):
        in_memory(run, step=1)
