"""CHGNet of two functionals: PBE and r2SCAN, and the frames that they label."""

import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase.units
import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.md.langevin import Langevin
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.files import atomic_write
from votca_mlp.training.labelled import LabelledFrames, labelled_frames

LOW, HIGH = "pbe", "r2scan"
CHECKPOINTS = {LOW: "0.3.0", HIGH: "r2scan"}
"""Of CHGNet (B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023)), in its wheel."""
TEMPERATURES = (300.0, 700.0, 1100.0, 2000.0, 3000.0)  # K
LATTICES = (3.95, 4.05, 4.15, 4.25)  # Angstrom
BETWEEN = (3.9, 4.0, 4.1, 4.2)
"""Of frames that the low level alone labels."""
FRAMES, APART, SETTLE = 20, 20, 200  # of a trajectory; steps of 4 fs
BATCH = 8


def network_of(level: str) -> Any:
    """Return CHGNet trained to a level.

    Raises
    ------
    UserError
        It is not installed.
    """
    try:
        from chgnet.model import CHGNet
    except ImportError:
        raise UserError("chgnet is not installed", accepted="pip install chgnet") from None
    warnings.filterwarnings("ignore", module="chgnet")
    return CHGNet.load(model_name=CHECKPOINTS[level], use_device="cpu", verbose=False)


def teacher(level: str) -> Evaluator:
    """Return a level's CHGNet as an evaluator of energy, forces and stress."""
    network = network_of(level)
    from chgnet.model.dynamics import CHGNetCalculator

    return CalculatorEvaluator(CHGNetCalculator(network, use_device="cpu", on_isolated_atoms="ignore"))


def energies_of(level: str, frames: Sequence[Atoms]) -> NDArray[np.float64]:
    """Return energies (eV) of frames by a level's CHGNet."""
    return predicted(level, frames, forces=False)[0]


def predicted(level: str, frames: Sequence[Atoms], *, forces: bool) -> tuple[NDArray[np.float64], list[Any]]:
    """Return energies (eV) and, where asked for, forces (eV/Angstrom) of frames by a level's CHGNet."""
    network = network_of(level)
    from pymatgen.io.ase import AseAtomsAdaptor

    structures = [AseAtomsAdaptor.get_structure(atoms) for atoms in frames]
    found = network.predict_structure(structures, task="ef" if forces else "e", batch_size=BATCH)
    energies = [len(atoms) * float(one["e"]) for atoms, one in zip(frames, found, strict=True)]
    return np.array(energies), [one["f"] for one in found] if forces else []


def sample(lattices: Sequence[float] = LATTICES) -> tuple[list[Atoms], list[str]]:
    """Return frames of crystals and melts of 32 atoms and their trajectories, by effective medium theory."""
    frames, groups = [], []
    for temperature in TEMPERATURES:
        for lattice in lattices:
            name = f"{temperature:g} K, {lattice} A"
            random = np.random.default_rng(zlib.crc32(name.encode()))
            atoms = bulk("Al", "fcc", lattice, cubic=True).repeat(2)
            atoms.rattle(0.05, rng=random)
            atoms.calc = EMT()
            step, friction = 4.0 * ase.units.fs, 0.05 / ase.units.fs
            md = Langevin(atoms, step, temperature_K=temperature, friction=friction, rng=random)
            md.run(SETTLE)
            for _ in range(FRAMES):
                md.run(APART)
                frames.append(atoms.copy())
                groups.append(name)
    return frames, groups


def data(path: Path) -> LabelledFrames:
    """Return the frames with low-level energies and forces and high-level energies; from the file."""
    return _kept(path, LATTICES, both=True)


def more(path: Path) -> LabelledFrames:
    """Return as many other frames, of lattices in between, that the low level alone has labelled."""
    return _kept(path, BETWEEN, both=False)


def _kept(path: Path, lattices: Sequence[float], *, both: bool) -> LabelledFrames:
    if not path.exists():
        frames, groups = sample(lattices)
        low, forces = predicted(LOW, frames, forces=True)
        high = list(energies_of(HIGH, frames)) if both else []
        everything: dict[str, Any] = {
            "positions": [atoms.positions for atoms in frames],
            "cells": [atoms.cell.array for atoms in frames],
            "groups": groups,
            "low": low,
            "forces": forces,
            "high": high,
        }
        with atomic_write(path, "wb") as file:
            np.savez(file, **everything)
    with np.load(path) as found:
        cells = found["cells"]
        positions = found["positions"].reshape(len(cells), -1, 3)
        atoms = [
            Atoms(f"Al{len(x)}", x, cell=cell, pbc=True) for x, cell in zip(positions, cells, strict=True)
        ]
        labels = {"energies": list(found["low"]), "forces": list(found["forces"].reshape(positions.shape))}
        levels = {LOW: labels}
        if both:
            levels[HIGH] = {"energies": list(found["high"])}
        return labelled_frames(atoms, levels, [str(name) for name in found["groups"]])
