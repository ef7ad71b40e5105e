"""Frames of several simulations as one sample: weights for a potential that none of them may have had.

The multistate Bennett acceptance ratio (M. R. Shirts and J. D. Chodera, J. Chem. Phys. 129, 124105 (2008)),
solved by pymbar. Simulations of one model at one temperature and pressure differ only in u(r): the model's
energy, the kinetic part and pV cancel, and what is left is the pair histograms times u.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Frames of several simulations.

    Attributes
    ----------
    energies
        u_k / kB T of each frame with the potential of each simulation, shape [n_runs, n_frames].
    counts
        Frames of each simulation, in their order, shape [n_runs].
    free_energies
        f_k of each simulation, without unit; the first is 0, shape [n_runs].
    """

    energies: Array
    counts: NDArray[np.int64]
    free_energies: Array

    def weights(self, energies: Array) -> Array:
        """Return the weights of the frames for another potential, which sum to 1, shape [n_frames].

        Parameters
        ----------
        energies
            u / kB T of each frame with it, shape [n_frames].
        """
        exponents = self.free_energies[:, None] - self.energies
        top = exponents.max(axis=0)
        mixture = top + np.log(self.counts @ np.exp(exponents - top))
        logs = -energies - mixture
        found = np.exp(logs - logs.max())
        return np.asarray(found / found.sum())


def pool_of(energies: Array, counts: Sequence[int]) -> Pool:
    """Return the pool of simulations, with their free energies.

    Parameters
    ----------
    energies
        u_k / kB T of each frame with the potential of each simulation, shape [n_runs, n_frames].
    counts
        Frames of each simulation, in the order of the frames.

    Raises
    ------
    UserError
        pymbar is not installed, or finds no solution.
    """
    numbers = np.asarray(counts, np.int64)
    if energies.shape != (len(numbers), int(numbers.sum())):
        raise ValueError("energies are not of these simulations")
    if len(numbers) == 1:
        return Pool(energies, numbers, np.zeros(1))
    # it speaks of an accelerator that is not needed here
    logging.getLogger("pymbar").setLevel(logging.ERROR)
    try:
        from pymbar import MBAR
    except ImportError:
        raise UserError(
            "the package pymbar is not installed", accepted="pip install 'votca-mlp[predict]'"
        ) from None
    try:
        found = MBAR(energies, numbers, solver_protocol="robust").f_k
    except Exception as error:  # pymbar raises what its solvers raise
        raise UserError(
            f"the simulations cannot be put together: {error}", accepted="simulations that overlap"
        ) from None
    return Pool(energies, numbers, np.asarray(found - found[0]))
