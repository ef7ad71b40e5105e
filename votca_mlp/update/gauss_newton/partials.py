"""What a step keeps where totals are fitted: ``NAME.fq``, F(Q) found and measured, and ``NAME.dist.band``.

The latter is g(r) and how far the totals leave it open.

The posterior covariance C of the coefficients makes J C J^T of g(r), with J = dg/dc of the step's own
simulation: wide where no data set, and no combination of them, speaks of a pair.
"""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.files import atomic_write
from votca_mlp.scattering.data import LOW
from votca_mlp.tables import TABLE_DIGITS, as_printed, make_table, write_table
from votca_mlp.units import ANGSTROM_PER_NM
from votca_mlp.update.gauss_newton.data import Layout, pair_response, sums_of
from votca_mlp.update.gauss_newton.response import Response
from votca_mlp.update.rule import StepData

Array = NDArray[np.float64]

HEADING = "Q[1/Angstrom] measured sigma found error"


def write_partials(step: StepData, layout: Layout, covariance: Array, ahead: Array) -> None:
    """Write g(r) of each interaction and state with the standard error that the fit leaves in it.

    Parameters
    ----------
    covariance
        Of the coefficients of all terms, (kJ/mol)^2.
    ahead
        From the coefficients that the step ran with to those that the data ask for, kJ/mol.
    """
    for state in step.states:
        frames = state.by_frame()
        h = sums_of(step, state, frames, layout)
        factors = step.basis.values(state.temperature)
        for name in layout.names:
            if name not in state.targets:
                continue
            response = pair_response(step, state, frames, name, layout, h)
            jacobian = np.concatenate([factor * response.jacobian for factor in factors], axis=1)
            variance = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian) + response.variances
            # g(r) is that of the u(r) that it ran with
            variance += (jacobian @ ahead) ** 2
            counted = frames.histogram(step.pairs[name].species)
            write_table(
                state.directory / f"{name}.dist.band",
                make_table(
                    np.round(counted.r / ANGSTROM_PER_NM, 12),
                    as_printed(response.values, TABLE_DIGITS),
                    yerr=as_printed(np.sqrt(variance), TABLE_DIGITS),
                    comments=("g(r) of the simulation; error: what the data leave open, and its own",),
                ),
            )


def write_totals(step: StepData, layout: Layout, own: Response) -> None:
    """Write each data set beside what the step's own simulation gave: Q, measured, sigma, found, its error.

    Parameters
    ----------
    own
        Of the step, in the order of the layout.
    """
    folders = {state.name: state.directory for state in step.states}
    lines: dict[tuple[str, str], list[str]] = {}
    units = {}
    # the part at the smallest wave vectors first: it is the part at low Q
    for datum in sorted(
        layout.data, key=lambda datum: datum.scattering is None or not datum.scattering.direct
    ):
        data = datum.scattering
        if data is None:
            continue
        key = datum.state, datum.name.removesuffix(LOW) if data.direct else datum.name
        units[key] = data.unit
        sigma = np.full(len(data.q), np.nan) if data.errors is None else data.errors
        rows = zip(
            data.q,
            data.values,
            sigma,
            own.values[datum.rows],
            np.sqrt(own.variances[datum.rows]),
            strict=True,
        )
        lines.setdefault(key, []).extend(" ".join(f"{value:.8g}" for value in row) + "\n" for row in rows)
    for (state, name), text in lines.items():
        with atomic_write(folders[state] / f"{name}.fq") as file:
            file.write(f"# {HEADING}; F in {units[state, name]}\n")
            file.writelines(text)
