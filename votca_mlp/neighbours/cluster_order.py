"""Which atoms and images form clusters: sorted by place, eight at a time."""

import numba
import numpy as np

from votca_mlp.kernels.simd import WIDTH

SIZE = WIDTH
"""Atoms of a cluster."""

_LAYERS = 8  # bins along z by those along x and y


@numba.njit(cache=True, nogil=True, error_model="numpy")
def arrange(where, kinds, atoms, n_kinds):  # type: ignore[no-untyped-def]
    """Sort atoms, then images, each by kind and place; return order and the ends of these parts in clusters.

    where [3, n] (of :func:`votca_mlp.neighbours.ghost_atoms.images_within`) and kinds [n] are those of the
    atoms first, then of the images.
    ``order`` [n_places] says who is at each place, -1 for nobody: every part is filled up to whole clusters,
    and at the end is a cluster of nobody. Within a part the atoms follow columns along z, up one and down the
    next, so that eight in a row are near each other and no column leaves a gap.
    """
    n, parts = where.shape[1], 2 * n_kinds
    spread = np.zeros(3)
    if n:
        for k in range(3):
            spread[k] = where[k].max()
    edge = np.cbrt(SIZE * (spread[0] + 1.0) * (spread[1] + 1.0) * (spread[2] + 1.0) / max(n, 1))
    nx, ny = int(spread[0] / edge) + 1, int(spread[1] / edge) + 1
    nz = int(_LAYERS * spread[2] / edge) + 1
    keys = np.empty(n, np.int64)
    for e in range(n):
        cx, cy, cz = int(where[0, e] / edge), int(where[1, e] / edge), int(_LAYERS * where[2, e] / edge)
        cy = ny - 1 - cy if cx % 2 else cy
        column = cx * ny + cy
        cz = nz - 1 - cz if column % 2 else cz
        part = kinds[e] + (0 if e < atoms else n_kinds)
        keys[e] = (part * nx * ny + column) * nz + cz
    starts = np.zeros(parts * nx * ny * nz + 1, np.int64)
    for key in keys:
        starts[key + 1] += 1
    ends, place = np.empty(parts, np.int64), 0
    for part in range(parts):
        for key in range(part * nx * ny * nz, (part + 1) * nx * ny * nz):
            count = starts[key + 1]
            starts[key] = place
            place += count
            # the next key's count stays where it is until it is looked at
        place = (place + SIZE - 1) // SIZE * SIZE
        ends[part] = place // SIZE
    order = np.full(place + SIZE, -1)
    for e in range(n):
        order[starts[keys[e]]] = e
        starts[keys[e]] += 1
    return order, ends
