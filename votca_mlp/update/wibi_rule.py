"""The rule ``wibi``: weighted iterative Boltzmann inversion, of one state or shared by several."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.tables import TABLE_DIGITS, Table, as_printed, read_table
from votca_mlp.update.conflict import Misfit, split_misfit
from votca_mlp.update.options import WibiSettings
from votca_mlp.update.rule import OptionProblem, PairGrid, Rule, RuleEntry, StateData, StepData, Update
from votca_mlp.update.states import shared_update
from votca_mlp.update.weights import table_weight, target_weight
from votca_mlp.update.wibi import ZERO_RDF, wibi_update

Array = NDArray[np.float64]


class Wibi(Rule):
    """u^{t+1} = u^t + alpha kBT w ln[g^t/g*], fitted to the states by their weights."""

    def update(self, step: StepData, names: Sequence[str]) -> Mapping[str, Update]:
        """Return the update of each interaction; see :class:`votca_mlp.update.rule.Rule`."""
        return {name: _update(step, name) for name in names}

    def misfit(self, step: StepData, name: str) -> Misfit | None:
        """Return how far the states agree on the update of an interaction; None when a g(r) is not there yet.

        Points count where every g and target is above three times its error. Where no g(r) and no target has
        errors, they are taken to be those of counting pairs in bins, sigma(ln g) ~ 1/(r sqrt(g*)), of which
        only the dependence on r is known.
        """
        having = [state for state in step.having(name) if state.weight > 0]
        if len(having) < 2 or not all(name in state.measured for state in having):
            return None
        known = any(_errors(state, name).any() for state in having)
        found = [_update_with_error(state, name, known) for state in having]
        return split_misfit(
            np.stack([update for update, _ in found]),
            np.stack([error for _, error in found]),
            np.array([state.weight for state in having]),
            np.stack([step.basis.values(state.temperature) for state in having]),
            known=known,
        )


def interaction_weight(options: WibiSettings, grid: Array, target: Array, folder: Path) -> Array:
    """Return w(r) of an interaction on its grid (nm), shape [n].

    Raises
    ------
    UserError
        A weight table that is missing, bad or too short.
    """
    if options.weight == "uniform":
        return np.ones(len(grid))
    if options.weight == "table":
        if not options.weight_file:
            raise UserError(
                "weight 'table' needs a file", where="inverse.wibi.weight_file", accepted="a VOTCA table"
            )
        path = folder / options.weight_file
        return table_weight(read_table(path), grid, where=str(path))
    return target_weight(target, options.power if options.weight == "power" else 1.0)


def state_update(state: StateData, pair: PairGrid) -> Table:
    """Return the update that one state asks for (nm, kJ/mol), flagged ``o`` where it is only held.

    Raises
    ------
    UserError
        A zero or non-finite RDF, a bad weight.
    """
    name, grid = pair.name, pair.points
    options, measured, target = state.options[name], state.measured[name], state.targets[name]
    g, current = measured.table, state.potentials[name]
    defined = np.asarray((current.flags != "u") & (target.flags != "u") & (g.flags != "u"))
    weight = interaction_weight(options, grid, np.nan_to_num(target.values), state.inputs)
    try:
        update, flags = wibi_update(
            # an undefined point may hold anything, also nan
            np.where(np.isfinite(g.y), g.y, 0.0),
            np.where(np.isfinite(target.values), target.values, 0.0),
            state.kBT,
            alpha=options.alpha,
            weight=weight,
            defined=defined,
        )
    except UserError as error:
        raise UserError(
            error.what,
            where=f"interaction {name}, {measured.source} against {target.source}",
            accepted=error.accepted,
        ) from None
    comment = f"wIBI update, alpha {options.alpha:g}, weight {options.weight}"
    return Table(grid, as_printed(update, TABLE_DIGITS), flags, comments=(comment,))


def _update(step: StepData, name: str) -> Update:
    having = step.having(name)
    asked = {state.name: state_update(state, step.pairs[name]) for state in having}
    if len(step.states) == 1:
        return Update(tuple(asked.values()))
    tables = list(asked.values())
    weights = np.array([state.weight for state in having])
    rdfs = [state.measured[name].table.y for state in having]
    found = shared_update(
        np.stack([table.y for table in tables]),
        np.stack([table.valid for table in tables]),
        weights,
        np.stack([step.basis.values(state.temperature) for state in having]),
        start=int(np.argmax(weights @ np.nan_to_num(np.stack(rdfs)))),
    )
    comment = f"update shared by {', '.join(state.name for state in having if state.weight > 0)}"
    terms = tuple(
        Table(tables[0].x, as_printed(y, TABLE_DIGITS), found.flags, comments=(comment,)) for y in found.terms
    )
    return Update(terms, asked)


def _errors(state: StateData, name: str) -> Array:
    """Return the errors of g(r) and of the target, shape [2, n]; zero (as csg_stat writes) is not known."""
    target, g = state.targets[name], state.measured[name].table
    both = (g.yerr, target.errors)
    return np.stack([np.zeros(len(g.x)) if error is None else np.nan_to_num(error) for error in both])


def _update_with_error(state: StateData, name: str, known: bool) -> tuple[Array, Array]:
    """Return Delta_s(r) and its standard error (kJ/mol), nan where g or target is not above its noise."""
    options, g, target = state.options[name], state.measured[name].table, state.targets[name]
    factor = options.alpha * state.kBT * interaction_weight(options, g.x, target.values, state.inputs)
    errors = _errors(state, name)
    good = (g.y > ZERO_RDF) & (target.values > ZERO_RDF) & g.valid & (target.flags == "i")
    for values, error in zip((g.y, target.values), errors, strict=True):
        good &= values > 3.0 * error
    with np.errstate(divide="ignore", invalid="ignore"):
        update = np.where(good, factor * np.log(g.y / target.values), np.nan)
        relative = np.hypot(errors[0] / g.y, errors[1] / target.values)
        if not known:
            relative = 1.0 / (g.x * np.sqrt(target.values))
        error = np.where(good, factor * relative, np.nan)
    return update, error


def _described(options: WibiSettings) -> str:
    weight = {"power": f"target^{options.power:g}", "table": f"table {options.weight_file}"}
    return f"alpha {options.alpha:g}, weight {weight.get(options.weight, options.weight)}"


def _check(options: WibiSettings) -> Iterator[OptionProblem]:
    if options.weight == "table" and options.weight_file is None:
        yield OptionProblem("weight", "is 'table', but there is no <weight_file>", "a <weight_file>")
    if options.weight != "table" and options.weight_file is not None:
        what = f"is given, but the weight is '{options.weight}'"
        yield OptionProblem("weight_file", what, "<weight>table</weight> with it")
    if options.weight != "power" and options.power != 1.0:
        what = f"is {options.power:g}, but the weight is '{options.weight}'"
        yield OptionProblem("power", what, "<weight>power</weight> with it")


def _check_files(options: WibiSettings, folder: Path, pair: PairGrid) -> Iterator[OptionProblem]:
    if options.weight != "table" or options.weight_file is None:
        return
    tag, name = "weight_file", options.weight_file
    accepted = f"a VOTCA table r (nm), w >= 0, from {pair.min:g} to {pair.max:g} nm"
    try:
        table = read_table(folder / name)
    except UserError as error:
        where = f"{error.where}: " if error.where else ""
        yield OptionProblem(tag, f"names a bad file: {where}{error.what}", error.accepted or "")
        return
    r, w = table.x[table.flags != "u"], table.y[table.flags != "u"]
    if not len(r) or r[0] > pair.min + 1e-6 or r[-1] < pair.max - 1e-6:
        span = f"covers only {r[0]:g} to {r[-1]:g} nm" if len(r) else "has no defined point"
        yield OptionProblem(tag, f"names {name}, which {span}", accepted)
    elif w.min() < 0:
        yield OptionProblem(tag, f"names {name}, negative at {r[np.argmin(w)]:g} nm", accepted)
    elif w.max() == 0:
        yield OptionProblem(tag, f"names {name}, which is 0 everywhere: no update", accepted)


ENTRY = RuleEntry(
    "wibi",
    WibiSettings,
    Wibi,
    described=_described,
    check=_check,
    check_files=_check_files,
    files=("weight_file",),
    instead={"weight": ("power", "weight_file")},
)
