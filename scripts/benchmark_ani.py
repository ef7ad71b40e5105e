"""ANI of several species for the benchmarks: architecture of ANI-1x and ANI-2x, random weights, liquids.

Published weights of ANI-1x are in old packages of torchani (``pip download --no-deps torchani==1.2``; it is a
zip file): ANI_1X is then the path of its ``torchani/resources/ani-1x_8x.info``.
"""

import itertools
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

MEMBERS = 8
HEAVIER = 100.0
"""Times of an atom's mass: random weights hold no molecule together, and a heavy liquid stays as it is."""
_WATER = (("O", "H", "H"), [[0.0, 0.0, 0.0], [0.957, 0.0, 0.0], [-0.24, 0.927, 0.0]], 29.9)
_FORMAMIDE = (
    ("C", "O", "N", "H", "H", "H"),
    [[0, 0, 0], [1.02, 0.65, 0], [-1.16, 0.72, 0], [-2.05, 0.25, 0], [-1.15, 1.73, 0], [0.07, -1.1, 0]],
    66.0,
)
LIQUIDS = {"water": _WATER, "formamide": _FORMAMIDE}
"""Symbols, positions (Angstrom) and volume (Angstrom^3) of a molecule."""
GRIDS = {108: (6, 6, 3), 343: (7, 7, 7), 216: (6, 6, 6), 686: (7, 7, 14)}
"""Molecules of a box along its edges."""
SYSTEMS = {
    # architecture, liquid
    "ani1x": ("ANI-1x", "water"),
    "ani1x-4": ("ANI-1x", "formamide"),
    "ani2x": ("ANI-2x", "water"),
    "ani2x-4": ("ANI-2x", "formamide"),
    "ani1x-published": ("ANI-1x", "water"),
    "ani1x-published-4": ("ANI-1x", "formamide"),
}
PUBLISHED = "ANI_1X"
"""Variable with the .info file of what is called published."""


@dataclass(frozen=True)
class Architecture:
    """Numbers of a published model, those of torchani's ``AEVComputer.like_1x``, ``ANINetworks.like_1x``."""

    start: float
    cutoffs: tuple[float, float]
    etas: tuple[float, float]
    zeta: float
    angular: tuple[int, int]
    hidden: dict[str, tuple[int, ...]]


_SMALL = (160, 128, 96)
_ARCHITECTURES = {
    "ANI-1x": Architecture(
        0.9,
        (5.2, 3.5),
        (16.0, 8.0),
        32.0,
        (4, 8),
        {"H": _SMALL, "C": (144, 112, 96), "N": (128, 112, 96), "O": (128, 112, 96)},
    ),
    "ANI-2x": Architecture(
        0.8,
        (5.1, 3.5),
        (19.7, 12.5),
        14.1,
        (8, 4),
        {
            "H": (256, 192, 160),
            "C": (224, 192, 160),
            "N": (192, 160, 128),
            "O": (192, 160, 128),
            **dict.fromkeys(("S", "F", "Cl"), _SMALL),
        },
    ),
}


def is_published(model: str) -> bool:
    """Return whether a model has weights that were trained, and not random ones."""
    return "published" in model


def source_of(model: str) -> Any:
    """Return a model of :data:`SYSTEMS` as :func:`votca_mlp.models.ani.neurochem.read_neurochem` would."""
    from votca_mlp.models.ani.neurochem import AevConstants, NeuroChemModel, read_neurochem
    from votca_mlp.models.ani.nnf import AtomicNetwork

    if is_published(model):
        return read_neurochem(os.environ[PUBLISHED])

    a = _ARCHITECTURES[SYSTEMS[model][0]]
    shifts, sections = a.angular
    radial, angular = (
        tuple(np.linspace(a.start, cutoff, count, endpoint=False).tolist())
        for cutoff, count in zip(a.cutoffs, (16, shifts), strict=True)
    )
    constants = AevConstants(
        radial_cutoff=a.cutoffs[0],
        angular_cutoff=a.cutoffs[1],
        radial_eta=a.etas[0],
        radial_shifts=radial,
        angular_eta=a.etas[1],
        angular_shifts=angular,
        zeta=a.zeta,
        sections=tuple(((np.arange(sections) + 0.5) * np.pi / sections).tolist()),
        symbols=tuple(a.hidden),
    )
    rng = np.random.default_rng(1)

    def network(hidden: tuple[int, ...]) -> AtomicNetwork:
        sizes = (constants.size, *hidden, 1)
        weights, biases = [], []
        for k, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
            # forces of some tenths of an eV/Angstrom
            scale = 0.3 if k == len(hidden) else 1.0
            values = scale * rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)
            weights.append(values.astype(np.float32))
            biases.append((scale * rng.normal(size=outputs)).astype(np.float32))
        return AtomicNetwork(tuple(weights), tuple(biases))

    members = tuple({s: network(hidden) for s, hidden in a.hidden.items()} for _ in range(MEMBERS))
    return NeuroChemModel(constants, dict.fromkeys(a.hidden, 0.0), members)


def liquid_of(model: str, count: int) -> Any:
    """Return so many atoms: molecules at the liquid's density on a grid, turned at random and rattled."""
    from ase import Atoms

    symbols, positions, volume = LIQUIDS[SYSTEMS[model][1]]
    grid, edge = GRIDS[count // len(symbols)], volume ** (1.0 / 3.0)
    molecule = Atoms(symbols, positions)
    molecule.positions -= molecule.positions.mean(0)
    atoms, rng = Atoms(cell=edge * np.array(grid), pbc=True), np.random.default_rng(1)
    for corner in np.ndindex(*grid):
        turned = molecule.copy()
        turned.euler_rotate(*rng.uniform(0.0, 360.0, 3))
        turned.positions += edge * np.array(corner)
        atoms += turned
    atoms.rattle(0.05, seed=1)
    atoms.set_masses(HEAVIER * atoms.get_masses())
    return atoms
