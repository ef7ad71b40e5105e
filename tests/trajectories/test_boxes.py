"""Rectangular boxes in every form that can hold a tilt: none, rounding, and too much, with one message."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from tests.engines.ase.case import argon, make_case, run_case
from votca_mlp.engines.gromacs.options import GromacsSettings
from votca_mlp.engines.gromacs.trajectory import TrrFrame, read_gromacs_frames
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.start import check_start
from votca_mlp.errors import UserError
from votca_mlp.trajectories.dump import read_dump
from votca_mlp.trajectories.frames import frame_from_atoms
from votca_mlp.trajectories.gro import read_gro

EDGES = (20.0, 21.0, 22.0)


def dump(tilt: float, folder: Path) -> np.ndarray:
    bounds = [f"0 {edge} {t}" for edge, t in zip(EDGES, (tilt, 0, 0), strict=True)]
    lines = [
        "ITEM: TIMESTEP",
        "0",
        "ITEM: NUMBER OF ATOMS",
        "1",
        "ITEM: BOX BOUNDS xy xz yz pp pp pp",
        *bounds,
    ]
    (folder / "t.dump").write_text("\n".join([*lines, "ITEM: ATOMS id type x y z", "1 Ar 1 2 3", ""]))
    return next(read_dump(folder / "t.dump")).box


def gro(tilt: float, folder: Path) -> np.ndarray:
    box = " ".join(f"{edge / 10:.9f}" for edge in (*EDGES, 0, 0, tilt, 0, 0, 0))
    (folder / "t.gro").write_text(f"t\n    1\n    1Ar      Ar    1   0.100   0.200   0.300\n{box}\n")
    return next(read_gro(folder / "t.gro")).box


def trr(tilt: float, folder: Path) -> np.ndarray:
    frame = TrrFrame(0, 0.0, cell(tilt) / 10.0, np.zeros((1, 3)), None)
    plan = MDPlan.of("gromacs", GromacsSettings(traj="t.trr"), temperature=100.0, symbols=("Ar",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("votca_mlp.engines.gromacs.trajectory._frames", lambda md, directory: [frame])
        return next(read_gromacs_frames(plan, folder)).box


def ase(tilt: float, folder: Path) -> np.ndarray:
    return frame_from_atoms(Atoms("Ar", cell=cell(tilt), pbc=True)).box


def start(tilt: float, folder: Path) -> np.ndarray:
    atoms = Atoms("Ar", cell=cell(tilt), pbc=True)
    check_start(atoms, ["Ar"], r_max=5.0, where="conf.extxyz", topology="topol.xml")
    # what moves is as rectangular as what is written
    assert np.count_nonzero(atoms.cell.array) == 3
    return atoms.cell.lengths()


def cell(tilt: float) -> np.ndarray:
    found = np.diag(EDGES)
    found[1, 0] = tilt
    return found


Reader = Callable[[float, Path], np.ndarray]
READERS: list[Reader] = [dump, gro, trr, ase, start]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("tilt", [0.0, 1e-7, -1e-6])
def test_next_to_no_tilt(read: Reader, tilt: float, tmp_path: Path) -> None:
    assert read(tilt, tmp_path) == pytest.approx(EDGES, abs=1e-6)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("tilt", [1e-3, -2.5])
def test_a_tilt_has_one_message(read: Reader, tilt: float, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(tilt, tmp_path)
    assert caught.value.what == f"the box is tilted by {abs(tilt):.3g} Angstrom"
    assert caught.value.accepted == (
        "a rectangular box with its edges along x, y and z: csg_stat and the package take no other"
    )
    assert caught.value.where


def test_a_run_from_a_start_with_a_tilt_of_rounding(tmp_path: Path) -> None:
    atoms = argon()
    atoms.cell[0, 1] = 1e-7
    assert run_case(make_case(tmp_path, atoms), max_steps=1).status == "finished"
