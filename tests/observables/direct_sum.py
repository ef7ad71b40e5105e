"""S(Q) by direct summation over the wave vectors of the box: what that of pair counts is held against."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def direct_factors(
    positions: Array, types: NDArray[np.str_], box: Array, q_max: float
) -> tuple[Array, dict[tuple[str, str], Array]]:
    """Return S_ab(Q) - 1 of a configuration at the wave vectors of its box, without an end of the range.

        S_ab(Q) - 1 = N/(N_a N_b) [Re(rho_a(Q) rho_b(-Q)) - delta_ab N_a],   rho_a(Q) = sum_j exp(i Q x_j)

    averaged over the vectors of each length. Costs (q_max L)^3 times the atoms: for small Q.

    Parameters
    ----------
    positions, box
        Angstrom, shape [n_atoms, 3] and [3].
    types
        Shape [n_atoms].
    q_max
        1/Angstrom.

    Returns
    -------
    The lengths of the vectors, 1/Angstrom, shape [n_q], and the values by pair of species.
    """
    unit = 2.0 * np.pi / box
    largest = np.floor(q_max / unit).astype(int)
    index = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in largest), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    # -Q is the same as Q; the first vector that is not zero decides
    index = index[len(index) // 2 + 1 :]
    vectors = index * unit
    lengths = np.linalg.norm(vectors, axis=1)
    inside = lengths <= q_max
    vectors, lengths = vectors[inside], lengths[inside]
    names = list(dict.fromkeys(types.tolist()))
    numbers = {name: int(np.sum(types == name)) for name in names}
    density = {name: np.zeros(len(vectors), complex) for name in names}
    for name in names:
        x = positions[types == name]
        for start in range(0, len(vectors), 512):
            block = slice(start, start + 512)
            density[name][block] = np.exp(1j * (vectors[block] @ x.T)).sum(axis=1)
    shells, inverse = np.unique(np.round(lengths, 6), return_inverse=True)
    count = np.bincount(inverse)
    found = {}
    for i, a in enumerate(names):
        for b in names[i:]:
            product = (density[a] * density[b].conj()).real - (numbers[a] if a == b else 0)
            scaled = len(types) / (numbers[a] * numbers[b]) * product
            found[a, b] = np.bincount(inverse, weights=scaled) / count
    return shells, found
