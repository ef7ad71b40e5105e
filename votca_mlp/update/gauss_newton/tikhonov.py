"""The update of VOTCA's own inverse Monte Carlo: bins of the grid, uniform weights, Tikhonov's term.

With the covariances C of the pair histograms S of a group of interactions, and the numbers of pairs S* that
their targets ask for at the mean volume, csg_stat --do-imc and csg_imc_solve solve

    du / kB T = (C^T C + reg 1)^-1 C^T (<S> - S*).

An interaction's group, and its ``reg``, mean the same here. Volume, density and errors have no part in it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.update.gauss_newton.response import rdf_factor
from votca_mlp.update.rule import StateData, StepData

Array = NDArray[np.float64]

SINGULAR = 1e-12
"""An eigenvalue of C^T C with reg below this counts as none (csg_imc_solve.cc)."""


def tikhonov_update(
    step: StepData, state: StateData, names: Sequence[str], regularisation: float
) -> Mapping[str, Array]:
    """Return the change of u(r) of a group of interactions (kJ/mol) on their grids.

    Parameters
    ----------
    names
        The group.
    regularisation
        VOTCA's ``cg.inverse.imc.GROUP.reg``, in squared numbers of pairs to the power of two.

    Raises
    ------
    UserError
        A step without values by frame; covariances that are all zero.
    """
    frames = state.by_frame()
    counts, wanted = [], []
    for name in names:
        species = step.pairs[name].species
        counted = frames.histogram(species)
        row = counted.row(species)
        factor = rdf_factor(counted, row) * counted.volumes.mean()
        counts.append(counted.counts[:, row].astype(np.float64))
        target = np.nan_to_num(state.targets[name].values)
        wanted.append(np.divide(target, factor, out=np.zeros(len(target)), where=factor > 0))
    found = np.concatenate(counts, axis=1)
    excess = found.mean(axis=0) - np.concatenate(wanted)
    deviations = found - found.mean(axis=0)
    covariance = deviations.T @ deviations / len(found)
    if not covariance.any():
        raise UserError(
            "the pair histograms of all frames are alike",
            where=state.directory,
            accepted="more than one frame, at different times",
        )
    change = state.kBT * tikhonov(covariance, excess, regularisation)
    ends = np.cumsum([item.shape[1] for item in counts])
    return dict(zip(names, np.split(change, ends[:-1]), strict=True))


def tikhonov(covariance: Array, excess: Array, regularisation: float) -> Array:
    """Return du / kB T, shape [n], for the covariance C, shape [n, n], and <S> - S*, shape [n]."""
    values, vectors = np.linalg.eigh(covariance.T @ covariance)
    kept = np.abs(values + regularisation) >= SINGULAR
    inverse = np.where(kept, 1.0 / np.where(kept, values + regularisation, 1.0), 0.0)
    return np.asarray(vectors @ (inverse * (vectors.T @ (covariance.T @ excess))))
