"""Which local and ghost atoms form clusters: sorted by position, SIZE at a time."""

import numba
import numpy as np

from votca_mlp.kernels.simd import WIDTH

SIZE = WIDTH
"""Atoms of a cluster."""
TOGETHER = 4
"""Clusters that are worked on at a time, so that none waits for another's numbers."""

_LAYERS = 8  # bins along z by those along x and y


@numba.njit(cache=True, nogil=True, error_model="numpy")
def arrange(coordinates, kinds, atoms, n_kinds):  # type: ignore[no-untyped-def]
    """Sort local, then ghost atoms, each by kind and position; return order and the parts' ends in clusters.

    coordinates [3, n] (of :func:`votca_mlp.neighbours.ghost_atoms.images_within`) and kinds [n] are those of
    the ``atoms`` local atoms first, then of the ghost atoms.
    ``order`` [n_slots] holds the atom in each slot of the clusters, -1 for padding: every part is filled up
    to full clusters, and at the end is a cluster of padding. Within a part the atoms follow columns along z,
    up one and down the next, so that those of a cluster are near each other and no column leaves a gap.
    """
    n, parts = coordinates.shape[1], 2 * n_kinds
    spread = np.zeros(3)
    if n:
        for k in range(3):
            spread[k] = coordinates[k].max()
    edge = np.cbrt(SIZE * (spread[0] + 1.0) * (spread[1] + 1.0) * (spread[2] + 1.0) / max(n, 1))
    nx, ny = int(spread[0] / edge) + 1, int(spread[1] / edge) + 1
    nz = int(_LAYERS * spread[2] / edge) + 1
    keys = np.empty(n, np.int64)
    for e in range(n):
        cx, cy = int(coordinates[0, e] / edge), int(coordinates[1, e] / edge)
        cz = int(_LAYERS * coordinates[2, e] / edge)
        cy = ny - 1 - cy if cx % 2 else cy
        column = cx * ny + cy
        cz = nz - 1 - cz if column % 2 else cz
        part = kinds[e] + (0 if e < atoms else n_kinds)
        keys[e] = (part * nx * ny + column) * nz + cz
    starts = np.zeros(parts * nx * ny * nz + 1, np.int64)
    for key in keys:
        starts[key + 1] += 1
    ends, slot = np.empty(parts, np.int64), 0
    for part in range(parts):
        for key in range(part * nx * ny * nz, (part + 1) * nx * ny * nz):
            count = starts[key + 1]
            starts[key] = slot
            slot += count
            # the next key's count stays where it is until it is looked at
        slot = (slot + SIZE - 1) // SIZE * SIZE
        ends[part] = slot // SIZE
    order = np.full(slot + SIZE, -1)
    for e in range(n):
        order[starts[keys[e]]] = e
        starts[keys[e]] += 1
    return order, ends
