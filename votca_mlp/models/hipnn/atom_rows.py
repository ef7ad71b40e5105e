"""What HIP-NN does with an atom's environment, forward and backward, for a block of atoms in float32.

Rows are atoms; the names are those of :class:`votca_mlp.models.hipnn.interaction.Interaction`.
"""

import numba
import numpy as np

from votca_mlp.kernels.products import product
from votca_mlp.models.hipnn.layers import softplus

_F = np.float32
# no "nnan"/"ninf": a broken configuration must give nan, not something plausible
_FAST = {"reassoc", "contract", "nsz", "arcp"}
_ZERO, _ONE, _TWO = _F(0.0), _F(1.0), _F(2.0)


@numba.njit(inline="always")
def _part(tensors, row, middle, m, component):  # type: ignore[no-untyped-def]
    return tensors[row + component * middle + m]


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def add_invariants(atoms, layer, tensors, out):  # type: ignore[no-untyped-def]
    """out [atoms, middle] += the invariants of tensors [atoms, components, middle]."""
    middle, size = layer.middle, layer.components * layer.middle
    for i in range(atoms):
        for m in range(middle):
            out[i * middle + m] += tensors[i * size + m]
        if layer.components >= 4:
            for m in range(middle):
                total = layer.cusp
                for c in range(1, 4):
                    each = _part(tensors, i * size, middle, m, c)
                    total += each * each
                out[i * middle + m] += layer.norms[m] * np.sqrt(total)
        if layer.components == 9:
            for m in range(middle):
                total = _part(tensors, i * size, middle, m, 4) * _part(tensors, i * size, middle, m, 7)
                for c in range(4, 9):
                    each = _part(tensors, i * size, middle, m, c)
                    total += each * each
                # the square of the whole traceless matrix, of which five numbers are kept
                out[i * middle + m] += layer.norms[middle + m] * np.sqrt(_TWO * total + layer.cusp)


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def invariants_back(atoms, layer, slope, tensors):  # type: ignore[no-untyped-def]
    """Replace tensors by the slopes of an energy with slope [atoms, middle] in their invariants."""
    middle, size = layer.middle, layer.components * layer.middle
    for i in range(atoms):
        row = i * size
        for m in range(middle):
            tensors[row + m] = slope[i * middle + m]
        if layer.components >= 4:
            for m in range(middle):
                total = layer.cusp
                for c in range(1, 4):
                    each = _part(tensors, row, middle, m, c)
                    total += each * each
                factor = slope[i * middle + m] * layer.norms[m] * _inverse_root(total)
                for c in range(1, 4):
                    tensors[row + c * middle + m] *= factor
        if layer.components == 9:
            for m in range(middle):
                xx, yy = _part(tensors, row, middle, m, 4), _part(tensors, row, middle, m, 7)
                total = xx * yy
                for c in range(4, 9):
                    each = _part(tensors, row, middle, m, c)
                    total += each * each
                factor = slope[i * middle + m] * layer.norms[middle + m]
                factor *= _inverse_root(_TWO * total + layer.cusp)
                for c in range(4, 9):
                    tensors[row + c * middle + m] *= _TWO * factor
                tensors[row + 4 * middle + m] += factor * yy
                tensors[row + 7 * middle + m] += factor * xx


@numba.njit(inline="always")
def _inverse_root(x):  # type: ignore[no-untyped-def]
    # where everything is zero so is the slope
    return _ONE / np.sqrt(x) if x != _ZERO else _ZERO


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def forward(low, atoms, layer, features, columns, tensors, slopes, out, energies):  # type: ignore[no-untyped-def]
    """Fill ``out`` and ``slopes`` of the atoms from low on, and add to their ``energies`` (float64).

    features [n_atoms, columns], out [n_atoms, outputs]; tensors [n_atoms, components, middle]; slopes
    [1 + atom layers, n_atoms, middle] become those of softplus. ``atoms`` is a multiple of ROWS, as are the
    arrays' rows.
    """
    middle, outputs = layer.middle, layer.outputs
    hidden, kept = np.empty(atoms * middle, np.float32), np.empty(atoms * outputs, np.float32)
    first, size = low * outputs, middle * outputs
    product(atoms, middle, layer.inputs, features, low * columns, columns, 1,
            layer.own, 0, middle, hidden, 0, middle, False)  # fmt: skip
    for i in range(atoms):
        for m in range(middle):
            hidden[i * middle + m] += layer.bias[m]
    add_invariants(atoms, layer, tensors[low * layer.components * middle :], hidden)
    softplus(hidden, slopes[0, low * middle : (low + atoms) * middle])
    product(atoms, outputs, middle, hidden, 0, middle, 1,
            layer.back, 0, outputs, out, first, outputs, False)  # fmt: skip
    product(atoms, outputs, layer.inputs, features, low * columns, columns, 1,
            layer.skip, 0, outputs, out, first, outputs, True)  # fmt: skip
    for i in range(atoms):
        for m in range(outputs):
            out[first + i * outputs + m] += layer.shift[m]
    for number in range(layer.atom_layers):
        product(atoms, middle, outputs, out, first, outputs, 1,
                layer.inner, number * size, middle, hidden, 0, middle, False)  # fmt: skip
        for i in range(atoms):
            for m in range(middle):
                hidden[i * middle + m] += layer.inner_bias[number * middle + m]
        softplus(hidden, slopes[1 + number, low * middle : (low + atoms) * middle])
        product(atoms, outputs, middle, hidden, 0, middle, 1,
                layer.outer, number * size, outputs, kept, 0, outputs, False)  # fmt: skip
        for i in range(atoms):
            for m in range(outputs):
                at = i * outputs + m
                shift = layer.outer_shift[number * outputs + m]
                out[first + at] = kept[at] + shift + layer.keep * out[first + at]
    for i in range(min(atoms, len(energies) - low)):
        total = _ZERO
        for m in range(outputs):
            total += layer.head[m] * out[first + i * outputs + m]
        energies[low + i] += total


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def backward(low, atoms, layer, tensors, slopes, slope, own, columns):  # type: ignore[no-untyped-def]
    """Go from slope [atoms, outputs] in the outputs to those in the tensors, which are replaced by them.

    ``own`` [n_atoms, columns] becomes the slope in the atoms' own features unless it is empty.
    """
    middle, outputs = layer.middle, layer.outputs
    hidden, kept, size = np.empty(atoms * middle, np.float32), np.empty_like(slope), middle * outputs
    for number in range(layer.atom_layers - 1, -1, -1):
        product(atoms, middle, outputs, slope, 0, outputs, 1,
                layer.outer_back, number * size, middle, hidden, 0, middle, False)  # fmt: skip
        row = slopes[1 + number, low * middle : (low + atoms) * middle]
        for m in range(len(hidden)):
            hidden[m] *= row[m]
        product(atoms, outputs, middle, hidden, 0, middle, 1,
                layer.inner_back, number * size, outputs, kept, 0, outputs, False)  # fmt: skip
        for m in range(len(slope)):
            slope[m] = kept[m] + layer.keep * slope[m]
    product(atoms, middle, outputs, slope, 0, outputs, 1,
            layer.back_back, 0, middle, hidden, 0, middle, False)  # fmt: skip
    row = slopes[0, low * middle : (low + atoms) * middle]
    for m in range(len(hidden)):
        hidden[m] *= row[m]
    if len(own):
        product(atoms, columns, outputs, slope, 0, outputs, 1,
                layer.skip_back, 0, columns, own, low * columns, columns, False)  # fmt: skip
        product(atoms, columns, middle, hidden, 0, middle, 1,
                layer.own_back, 0, columns, own, low * columns, columns, True)  # fmt: skip
    invariants_back(atoms, layer, hidden, tensors[low * layer.components * middle :])
