"""Small trajectories for the structure tests."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from votca_mlp.trajectories.frames import Frame


def jostled_crystal(
    rng: np.random.Generator, cells: tuple[int, int, int], frames: int, types: Sequence[str] = ("Al",)
) -> list[Frame]:
    """Frames of a strongly shaken fcc crystal whose box changes from frame to frame, species in turn."""
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    corners = np.stack(np.meshgrid(*[np.arange(n) for n in cells], indexing="ij"), -1).reshape(-1, 1, 3)
    scaled = (corners + basis).reshape(-1, 3) / np.array(cells)
    names = np.array([types[i % len(types)] for i in range(len(scaled))])
    result = []
    for number in range(frames):
        box = 4.2 * np.array(cells) * (1.0 + 0.02 * rng.standard_normal(3))
        positions = scaled * box + 0.4 * rng.standard_normal(scaled.shape)
        # some atoms leave the box, as in an unwrapped trajectory
        positions[::7] += box * rng.integers(-1, 2, 3)
        result.append(Frame(np.round(positions, 5), np.round(box, 5), names, number * 100))
    return result


def write_dump(path: Path, frames: Sequence[Frame]) -> None:
    """Write frames as a LAMMPS dump (types numbered from 1 in order of appearance)."""
    lines = []
    for frame in frames:
        numbers = {name: k for k, name in enumerate(dict.fromkeys(frame.types.tolist()), start=1)}
        lines += ["ITEM: TIMESTEP", str(frame.step), "ITEM: NUMBER OF ATOMS", str(len(frame.types))]
        lines += ["ITEM: BOX BOUNDS pp pp pp", *(f"0 {edge:.5f}" for edge in frame.box)]
        lines.append("ITEM: ATOMS id type x y z")
        for i, (name, (x, y, z)) in enumerate(zip(frame.types, frame.positions, strict=True), start=1):
            lines.append(f"{i} {numbers[str(name)]} {x:.5f} {y:.5f} {z:.5f}")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
