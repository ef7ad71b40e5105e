"""The rule ``gauss_newton``: all interactions, states and kinds of data in one least-squares problem."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.tables import TABLE_DIGITS, Table, as_printed, make_table
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV
from votca_mlp.update.convergence import Verdict
from votca_mlp.update.gauss_newton.amplitudes import MOST, Groups
from votca_mlp.update.gauss_newton.correlation import beside
from votca_mlp.update.gauss_newton.data import Layout, layout_of, response_of
from votca_mlp.update.gauss_newton.guard import with_before, without_sigma
from votca_mlp.update.gauss_newton.limit import limited_rows
from votca_mlp.update.gauss_newton.options import GaussNewtonPair, GaussNewtonSettings
from votca_mlp.update.gauss_newton.partials import write_partials, write_totals
from votca_mlp.update.gauss_newton.pool import pooled
from votca_mlp.update.gauss_newton.prior import prior_root
from votca_mlp.update.gauss_newton.report import (
    in_words,
    judged,
    read_report,
    report_of,
    rounded,
    write_report,
)
from votca_mlp.update.gauss_newton.response import Response, stacked
from votca_mlp.update.gauss_newton.solve import Step, solve
from votca_mlp.update.gauss_newton.tikhonov import tikhonov_update
from votca_mlp.update.gauss_newton.trust import base_of
from votca_mlp.update.rule import Group, Rule, RuleEntry, StepData, Update

Array = NDArray[np.float64]

AMPLITUDES = (1e-5, 0.1)
"""eV; between these the amplitude is looked for."""


class GaussNewton(Rule):
    """Inverse Monte Carlo with a prior: u moves to what the data ask for by the measured response."""

    def update(self, step: StepData, names: Sequence[str]) -> Mapping[str, Update]:
        """Return the update of each interaction; see :class:`votca_mlp.update.rule.Rule`."""
        groups = step.groups or (Group("all", tuple(step.pairs)),)
        found: dict[str, Update] = {}
        reports = {}
        for number, group in enumerate(groups):
            asked = [name for name in group.members if name in names]
            if asked and group.regularisation is not None:
                found |= _as_votca(step, asked, group.regularisation)
            elif asked:
                # a number such as the density answers to all: one group fits it
                updates, reports[group.name] = _solved(step, asked, numbers=number == 0)
                found |= updates
        if reports:
            if without_sigma(reports):
                with_before(reports, read_report(step.directory.with_name(f"step_{step.number - 1:03d}")))
            write_report(step.directory, reports)
        return found

    def said(self, directory: Path) -> Sequence[str]:
        """Return lines for the user about the update that was made in a step's directory."""
        report = read_report(directory)
        return () if report is None else tuple(in_words(report))

    def verdict(self, directory: Path) -> Verdict | None:
        """Return whether the data are met, or cannot be met any better."""
        report = read_report(directory)
        if report is None:
            return None
        number = int(directory.name.rpartition("_")[2])
        earlier = (read_report(directory.with_name(f"step_{n:03d}")) for n in range(1, number))
        return judged(report, [facts for facts in earlier if facts is not None])


def _as_votca(step: StepData, names: Sequence[str], regularisation: float) -> dict[str, Update]:
    if len(step.states) > 1:
        raise UserError(
            "imc with a reg is for one state",
            where="cg.inverse.imc",
            accepted="no <reg> and no <default_reg> with several states: the prior takes their place",
        )
    changes = tikhonov_update(step, step.states[0], names, regularisation)
    comment = f"inverse Monte Carlo update, reg {regularisation:g}"
    return {
        name: Update(
            (make_table(step.pairs[name].points, as_printed(change, TABLE_DIGITS), comments=(comment,)),)
        )
        for name, change in changes.items()
    }


def _solved(
    step: StepData, names: Sequence[str], *, numbers: bool
) -> tuple[dict[str, Update], dict[str, Any]]:
    """Return the updates of a group of interactions and the facts about them."""
    options = step.options
    assert isinstance(options, GaussNewtonSettings)
    layout = layout_of(step, names, options, numbers=numbers)
    here = _coefficients(step, layout)
    runs, ran_with = [_response(step, layout)], [here]
    for before in step.earlier()[-(options.memory - 1) :] if options.memory > 1 else ():
        runs.insert(0, _response(before, layout))
        ran_with.insert(0, _coefficients(before, layout))
    base = base_of(runs, layout.wanted)
    start = ran_with[base.run]
    largest = None if options.largest_u is None else options.largest_u * KJMOL_PER_EV
    found = solve(
        pooled(runs, ran_with, start),
        replace(layout.wanted, largest=base.trust * layout.wanted.largest),
        start,
        _root(step, layout, options),
        amplitude=None if options.amplitude is None else options.amplitude * KJMOL_PER_EV,
        bounds=(AMPLITUDES[0] * KJMOL_PER_EV, AMPLITUDES[1] * KJMOL_PER_EV),
        groups=_groups(step, layout, options),
        limits=None if largest is None else limited_rows(step, layout.bases, largest),
    )
    facts = report_of(layout, found, runs[-1], sum(run.frames for run in runs))
    if options.largest_u is not None and found.limited is not None:
        facts["limit"] = {"u_eV": options.largest_u, "cost": rounded(found.limited)}
    back = len(runs) - 1 - base.run
    if back:
        facts["taken_back"] = {"to": step.number - back, "trust": base.trust}
    if any(datum.scattering is not None for datum in layout.data):
        write_partials(step, layout, found.covariance, found.inferred.coefficients - here)
        write_totals(step, layout, runs[-1])
    return {name: _update(step, layout, name, found, here) for name in names}, facts


def _response(step: StepData, layout: Layout) -> Response:
    """Return the data of a step by the coefficients of all terms."""
    states = {datum.state for datum in layout.data}
    found = []
    for state in step.states:
        if state.name not in states:
            continue
        response = response_of(step, state, layout)
        factors = step.basis.values(state.temperature)
        blocks = np.concatenate([factor * response.blocks for factor in factors], axis=2)
        found.append(replace(response, blocks=blocks))
    parts = min(len(item.blocks) for item in found)
    for number, item in enumerate(found):
        if len(item.blocks) != parts:
            found[number] = replace(
                item,
                blocks=_merged(item.blocks, parts),
                parts=None if item.parts is None else _merged(item.parts, parts),
            )
    scatters = [item.scatter for item in found if item.scatter is not None]
    fewest = min(item.frames for item in found)
    return replace(stacked(found), scatter=beside(scatters) if scatters else None, frames=fewest)


def _merged(blocks: Array, count: int) -> Array:
    return np.stack([part.mean(axis=0) for part in np.array_split(blocks, count)])


def _coefficients(step: StepData, layout: Layout) -> Array:
    """Return the c that a step ran with: of all interactions for each term."""
    return np.concatenate(
        [
            layout.bases[name].fitted(step.potentials[name][term].y)
            for term in range(step.basis.terms)
            for name in layout.names
        ]
    )


def _root(step: StepData, layout: Layout, options: GaussNewtonSettings) -> Array:
    length = options.length / ANGSTROM_PER_NM
    roots = [
        prior_root(layout.bases[name].centres, length, _peak(step, name)) for name in layout.names
    ] * step.basis.terms
    size = sum(len(root) for root in roots)
    whole = np.zeros((size, size))
    begin = 0
    for root in roots:
        whole[begin : begin + len(root), begin : begin + len(root)] = root
        begin += len(root)
    return whole


def _groups(step: StepData, layout: Layout, options: GaussNewtonSettings) -> Groups | None:
    """Return the interaction of each coefficient where each has an amplitude of its own: with totals."""
    totals = any(datum.scattering is not None for datum in layout.data)
    if not totals or options.amplitude is not None or not 2 <= len(layout.names) <= MOST:
        return None
    sizes = [layout.bases[name].size for name in layout.names]
    return np.tile(np.repeat(np.arange(len(sizes)), sizes), step.basis.terms)


def _peak(step: StepData, name: str) -> float:
    """Return where the main peak of an interaction's targets is, nm."""
    targets = [state.targets[name] for state in step.having(name) if state.weight > 0]
    return float(np.mean([t.x[np.argmax(np.nan_to_num(t.values))] for t in targets])) / ANGSTROM_PER_NM


def _update(step: StepData, layout: Layout, name: str, found: Step, here: Array) -> Update:
    basis, columns = layout.bases[name], layout.columns(name)
    tables = []
    for term in range(step.basis.terms):
        own = slice(term * layout.per_term + columns.start, term * layout.per_term + columns.stop)
        change = basis.values @ (found.coefficients - here)[own]
        error = np.sqrt(np.einsum("ij,jk,ik->i", basis.values, found.covariance[own, own], basis.values))
        flags = np.full(len(change), "i")
        comment = f"Gauss-Newton update, amplitude {found.inferred.amplitude / KJMOL_PER_EV * 1e3:.3g} meV"
        grid = step.pairs[name].points
        tables.append(
            Table(
                grid,
                as_printed(change, TABLE_DIGITS),
                flags,
                as_printed(error, TABLE_DIGITS),
                comments=(comment,),
            )
        )
    return Update(tuple(tables))


def _described(options: GaussNewtonPair) -> str:
    return "errors of the target" if options.error is None else f"error of the target {options.error:g}"


ENTRY = RuleEntry(
    "gauss_newton",
    GaussNewtonPair,
    GaussNewton,
    run_options=GaussNewtonSettings,
    method="imc",
    weighs_errors=True,
    described=_described,
)
