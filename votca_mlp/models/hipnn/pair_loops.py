"""HIP-NN's interaction layers over pairs: environments forward, slopes of features and pairs backward.

An atom's environment is the product of its neighbours' features and sensitivities, a product of small
matrices for each atom; so are both its slopes. Atoms are worked on in blocks, whose environments stay in the
cache until the weights are applied: nothing of the size of pairs times features leaves the loops. What goes
to other atoms is summed up in parts whose number the number of atoms decides.
"""

import numba
import numpy as np

from votca_mlp.kernels.products import ROWS, add_to, dot, product
from votca_mlp.kernels.simd import WIDTH
from votca_mlp.models.hipnn import atom_rows
from votca_mlp.models.hipnn.near_pairs import fill_features, fill_sensitivities

BLOCK = 16
"""Atoms whose environments are held at a time; a multiple of ROWS."""
_F = np.float32
_TWO = _F(2.0)


@numba.njit(inline="always")
def _filled(count):  # type: ignore[no-untyped-def]
    return -(-count // ROWS) * ROWS


@numba.njit(parallel=True, cache=True, nogil=True)
def forward(near, layer, features, columns, tensors, slopes, out, energies):  # type: ignore[no-untyped-def]
    """Fill outputs, tensors and slopes of all atoms and add to energies: of ``atom_rows.forward``.

    All but the energies have rows for a multiple of BLOCK atoms; features of the rows beyond are zero.
    """
    atoms, width, components = len(energies), layer.width, layer.components
    rows = _filled(layer.inputs)
    each, size = rows * width, components * width
    for block in numba.prange(-(-atoms // BLOCK)):
        low, high = block * BLOCK, min((block + 1) * BLOCK, atoms)
        most = near.counts[low:high].max()
        environment = np.zeros(BLOCK * components * each, np.float32)
        values, others = np.empty(most * size, np.float32), np.empty(most * columns, np.float32)
        nothing = np.empty(0, np.float32)
        for i in range(low, high):
            count = fill_sensitivities(near, i, layer, values, nothing, False)
            fill_features(near, i, features, columns, others)
            for c in range(components):
                at = ((i - low) * components + c) * each
                product(rows, width, count, others, 0, 1, columns,
                        values, c * width, size, environment, at, width, False)  # fmt: skip
        product(BLOCK * components, layer.middle, each, environment, 0, each, 1, layer.weights, 0,
                layer.middle, tensors, low * components * layer.middle, layer.middle, False)  # fmt: skip
        atom_rows.forward(low, BLOCK, layer, features, columns, tensors, slopes, out, energies)


@numba.njit(parallel=True, cache=True, nogil=True)
def backward(edges, near, layer, features, columns, tensors, slopes, incoming, outgoing, gradient):  # type: ignore[no-untyped-def]
    """Add dE/d(vector) of the pairs to ``gradient`` [n_pairs, 3], and fill ``outgoing``.

    edges: ends of parts of the blocks of atoms; features to slopes as :func:`forward` had and left them, the
    tensors are overwritten. incoming [n, n_atoms x outputs] and outgoing [n_parts + 1, n_atoms x columns] are
    terms of the slopes in this layer's outputs and features; no outgoing (0 terms) for the first layer.
    """
    atoms, width, components, middle = len(near.counts), layer.width, layer.components, layer.middle
    rows, more, outputs = _filled(layer.inputs), len(outgoing) > 0, layer.outputs
    each, size = rows * width, components * width
    for part in numba.prange(len(edges) - 1):
        if more:
            outgoing[part] = _F(0.0)
        for block in range(edges[part], edges[part + 1]):
            low, high = block * BLOCK, min((block + 1) * BLOCK, atoms)
            slope = np.empty(BLOCK * outputs, np.float32)
            for i in range(BLOCK):
                slope[i * outputs : (i + 1) * outputs] = layer.head
            for term in range(len(incoming)):
                slope += incoming[term, low * outputs : (low + BLOCK) * outputs]
            own = outgoing[len(edges) - 1] if more else np.empty(0, np.float32)
            atom_rows.backward(low, BLOCK, layer, tensors, slopes, slope, own, columns)
            asked = np.empty(BLOCK * components * each, np.float32)
            first = low * components * middle
            product(BLOCK * components, each, middle, tensors, first, middle, 1,
                    layer.weights_back, 0, each, asked, 0, each, False)  # fmt: skip
            turned = np.empty(BLOCK * size * columns if more else 0, np.float32)
            if more:
                product(BLOCK * components, width * columns, middle, tensors, first, middle, 1, layer.turned,
                        0, width * columns, turned, 0, width * columns, False)  # fmt: skip
            most = _filled(near.counts[low:high].max())
            values, by_value = np.zeros(most * size, np.float32), np.empty(most * size, np.float32)
            others, by_other = np.zeros(most * columns, np.float32), np.empty(most * columns, np.float32)
            steep = np.empty(most * width, np.float32)
            for i in range(low, high):
                count = fill_sensitivities(near, i, layer, values, steep, True)
                fill_features(near, i, features, columns, others)
                for c in range(components):
                    at = ((i - low) * components + c) * each
                    product(_filled(count), width, layer.inputs, others, 0, columns, 1,
                            asked, at, width, by_value, c * width, size, False)  # fmt: skip
                if more:
                    product(_filled(count), columns, size, values, 0, size, 1,
                            turned, (i - low) * size * columns, columns,
                            by_other, 0, columns, False)  # fmt: skip
                    for n in range(count):
                        to = near.seconds[near.starts[i] + n] * columns
                        for v in range(0, columns, WIDTH):
                            add_to(by_other, n * columns + v, outgoing[part], to + v)
                _add_gradients(near, i, layer, values, steep, by_value, gradient)


@numba.njit(cache=True, nogil=True)
def _add_gradients(near, i, layer, values, steep, by_value, gradient):  # type: ignore[no-untyped-def]
    """Add dE/d(vector) of one atom's pairs; by_value is dE/d(Y_t s_v), as ``values`` are of the last."""
    width, size = layer.width, layer.components * layer.width
    for n in range(near.counts[i]):
        p = near.starts[i] + n
        x, y, z, inverse = near.units[p, 0], near.units[p, 1], near.units[p, 2], near.units[p, 3]
        at = n * size
        # dE/dr without the direction's change
        slope = dot(by_value, at, steep, n * width, width)
        gx = gy = gz = _F(0.0)
        if layer.components >= 4:
            slope += x * dot(by_value, at + width, steep, n * width, width)
            slope += y * dot(by_value, at + 2 * width, steep, n * width, width)
            slope += z * dot(by_value, at + 3 * width, steep, n * width, width)
            gx = dot(by_value, at + width, values, at, width)
            gy = dot(by_value, at + 2 * width, values, at, width)
            gz = dot(by_value, at + 3 * width, values, at, width)
        if layer.components == 9:
            third = _F(1.0 / 3.0)
            slope += (x * x - third) * dot(by_value, at + 4 * width, steep, n * width, width)
            slope += x * y * dot(by_value, at + 5 * width, steep, n * width, width)
            slope += x * z * dot(by_value, at + 6 * width, steep, n * width, width)
            slope += (y * y - third) * dot(by_value, at + 7 * width, steep, n * width, width)
            slope += y * z * dot(by_value, at + 8 * width, steep, n * width, width)
            xx = dot(by_value, at + 4 * width, values, at, width)
            xy = dot(by_value, at + 5 * width, values, at, width)
            xz = dot(by_value, at + 6 * width, values, at, width)
            yy = dot(by_value, at + 7 * width, values, at, width)
            yz = dot(by_value, at + 8 * width, values, at, width)
            gx += _TWO * xx * x + xy * y + xz * z
            gy += xy * x + _TWO * yy * y + yz * z
            gz += xz * x + yz * y
        along = -slope * layer.scale * inverse * inverse - (gx * x + gy * y + gz * z) * inverse
        pair = near.pairs[p]
        gradient[pair, 0] += along * x + gx * inverse
        gradient[pair, 1] += along * y + gy * inverse
        gradient[pair, 2] += along * z + gz * inverse
