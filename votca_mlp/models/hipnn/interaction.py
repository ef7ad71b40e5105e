"""One interaction layer of HIP-NN and the atom layers behind it as padded arrays for compiled loops.

M. Chigaev, J. S. Smith et al., J. Chem. Phys. 158, 184108 (2023), for the vector and quadrupole terms. With
sensitivities s_v, features z and unit vectors u, an atom's environment is E[t, f, v] = sum over neighbours of
Y_t(u) s_v(r) z_f, with Y = 1 (order 0), then x, y, z (order 1), then xx - 1/3, xy, xz, yy - 1/3, yz (2).
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.kernels.products import filled
from votca_mlp.models.hipnn.table import sensitivity_table

Floats = NDArray[np.float32]

COMPONENTS = {"InteractLayer": 1, "InteractLayerVec": 4, "InteractLayerQuad": 9}
"""Components t of the environment by hippynn's class."""


class Interaction(NamedTuple):
    """Numbers of one block of hippynn: z' = back softplus(v) + skip z + shift, then atom layers.

    v = sum over (f, v) of weights E[0] + vector x |weights E[1:4]| + quad x |weights E[4:9]| + own z + bias;
    an atom layer is z' = outer softplus(inner z + bias) + shift + keep z, and the energy ``head`` z'. All
    matrices are flat, [rows, columns], columns filled up to multiples of WIDTH; ``*_back`` are transposed.

    Attributes
    ----------
    table, begin, scale
        Of :func:`votca_mlp.models.hipnn.table.sensitivity_table`, flat, and its grid.
    width, components, inputs, middle, outputs
        Columns of a row of the table; components; features, counted; columns of v and of z'.
    weights, turned
        [inputs filled up to ROWS x width, middle]; transposed, [middle, width x features].
    """

    table: Floats
    begin: np.float32
    scale: np.float32
    width: int
    components: int
    inputs: int
    middle: int
    outputs: int
    weights: Floats
    weights_back: Floats
    turned: Floats
    own: Floats
    own_back: Floats
    bias: Floats
    norms: Floats
    cusp: np.float32
    back: Floats
    back_back: Floats
    skip: Floats
    skip_back: Floats
    shift: Floats
    atom_layers: int
    inner: Floats
    inner_back: Floats
    inner_bias: Floats
    outer: Floats
    outer_back: Floats
    outer_shift: Floats
    keep: np.float32
    head: Floats


def interaction_of(block: Any, head: Any, cutoff: float, rows: int) -> Interaction:
    """Return a block of a float64 network and its energy layer; ``rows``: what its inputs are filled up to.

    Raises
    ------
    ValueError
        Sensitivities that are too narrow to be tabulated.
    """
    entrance, *atom_layers = block
    residual = hasattr(entrance, "base_layer")
    layer = entrance.base_layer if residual else entrance
    table, (begin, scale) = sensitivity_table(layer.sensitivity, cutoff)
    width, features, v = table.shape[2], layer.nf_in, layer.nf_out
    z, middle = filled(features), filled(v)
    # int_weights is [sensitivities, out, in]
    weights = np.zeros((filled(features, rows), width, middle))
    weights[:features, : layer.n_dist, :v] = _numbers(layer.int_weights).transpose(2, 0, 1)
    turned = np.zeros((middle, width, z))
    turned[:v, : layer.n_dist, :features] = _numbers(layer.int_weights).transpose(1, 0, 2)
    norms = np.zeros((2, middle))
    for row, name in zip(norms, ("vecscales", "quadscales"), strict=True):
        if hasattr(layer, name):
            row[:v] = _numbers(getattr(layer, name))
    out = entrance.res_layer.out_features if residual else v
    outputs, one = filled(out), np.eye(v)
    if residual:
        back, shift = _numbers(entrance.res_layer.weight).T, _numbers(entrance.res_layer.bias)
        skip = _numbers(entrance.adjust_layer.weight).T if entrance.needs_size_adjust else np.eye(features)
    else:
        back, shift, skip = one, np.zeros(v), np.zeros((features, out))
    linears = [each.base_layer if residual else each for each in atom_layers]
    inner = [_padded(_numbers(each.weight).T, outputs, middle) for each in linears]
    exits = [each.res_layer for each in atom_layers] if residual else []
    outer = [_padded(_numbers(each.weight).T, middle, outputs) for each in exits] or [
        _padded(one, middle, outputs) for _ in linears
    ]
    shifts = [_row(_numbers(each.bias), outputs) for each in exits] or [np.zeros(outputs) for _ in linears]
    own, back, skip = (
        _padded(_numbers(layer.selfint.weight).T, z, middle),
        _padded(back, middle, outputs),
        _padded(skip, z, outputs),
    )
    return Interaction(
        table=table.reshape(-1),
        begin=begin,
        scale=scale,
        width=width,
        components=COMPONENTS[type(layer).__name__],
        inputs=features,
        middle=middle,
        outputs=outputs,
        weights=_flat(weights),
        weights_back=_flat(weights.reshape(-1, middle).T),
        turned=_flat(turned),
        own=_flat(own),
        own_back=_flat(own.T),
        bias=_flat(_row(_numbers(layer.selfint.bias), middle)),
        norms=_flat(norms),
        cusp=np.float32(getattr(layer, "cusp_reg", 0.0)),
        back=_flat(back),
        back_back=_flat(back.T),
        skip=_flat(skip),
        skip_back=_flat(skip.T),
        shift=_flat(_row(shift, outputs)),
        atom_layers=len(linears),
        inner=_stack(inner),
        inner_back=_stack([each.T for each in inner]),
        inner_bias=_stack([_row(_numbers(each.bias), middle) for each in linears]),
        outer=_stack(outer),
        outer_back=_stack([each.T for each in outer]),
        outer_shift=_stack(shifts),
        keep=np.float32(residual),
        head=_flat(_row(_numbers(head.weight)[0], outputs)),
    )


def _numbers(tensor: Tensor) -> NDArray[np.float64]:
    found: NDArray[np.float64] = tensor.detach().to(torch.float64).numpy()
    return found


def _padded(matrix: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    found = np.zeros((rows, columns))
    found[: matrix.shape[0], : matrix.shape[1]] = matrix
    return found


def _row(numbers: NDArray[np.float64], columns: int) -> NDArray[np.float64]:
    return np.pad(numbers, (0, columns - len(numbers)))


def _flat(matrix: NDArray[np.float64]) -> Floats:
    return np.ascontiguousarray(matrix, np.float32).reshape(-1)


def _stack(matrices: list[NDArray[np.float64]]) -> Floats:
    return _flat(np.stack(matrices)) if matrices else np.zeros(0, np.float32)
