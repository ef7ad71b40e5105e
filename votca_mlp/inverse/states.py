"""Tables of several states in a step directory, for both loops.

``step_NNN/`` holds what is shared: ``NAME.pot.cur`` (u_0, of which ``NAME.dpot.new`` and ``NAME.pot.new``
follow as with one state) and, with ``temperature_terms`` above 1, the same of ``NAME.term1``, ``NAME.term2``.
``step_NNN/STATE/`` holds what belongs to one state: trajectory, ``NAME.dist.tgt``, ``NAME.dist.new``, the
``NAME.pot.cur`` that it ran with and ``NAME.dpot.pure_ibi``, the update that it asks for.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.csg.potentials import check_grid
from votca_mlp.csg.update import interaction_weight, update_table
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.inverse.printing import PERL_DIGITS, as_printed
from votca_mlp.tables import Table, grid_points, read_table, write_table
from votca_mlp.update.conflict import Misfit, split_misfit
from votca_mlp.update.ibi import ZERO_RDF
from votca_mlp.update.states import TemperatureBasis, shared_update, temperature_basis

if TYPE_CHECKING:
    from votca_mlp.settings import Settings
    from votca_mlp.settings.states import State

Array = NDArray[np.float64]
PURE = "dpot.pure_ibi"
BASIS = "temperature_terms.json"
"""In step_000, with several terms: their number, T_ref and T_scale (K)."""


def term_names(settings: "Settings", name: str) -> tuple[str, ...]:
    """Return the names of an interaction's shared tables: NAME for u_0, NAME.term1 for u_1 and so on."""
    count = settings.multistate.temperature_terms if settings.multistate.enabled else 1
    return (name, *(f"{name}.term{k}" for k in range(1, count)))


def basis_of(settings: "Settings", states: Sequence["State"]) -> TemperatureBasis:
    """Return the c_k(T) of a run."""
    return temperature_basis(
        settings.multistate.temperature_terms,
        [state.temperature for state in states],
        [state.weight for state in states],
    )


def check_basis(settings: "Settings", states: Sequence["State"]) -> None:
    """Note the c_k(T) of a run in ``step_000``, and refuse others later: the u_k would mean something else.

    Raises
    ------
    UserError
        Other temperatures, weights or another number of terms than at the start of the run.
    """
    path = settings.run_directory / "step_000" / BASIS
    if settings.multistate.temperature_terms == 1 and not path.is_file():
        return
    now = asdict(basis_of(settings, states))
    if not path.is_file():
        with atomic_write(path) as file:
            json.dump(now, file)
        return
    try:
        before = json.loads(path.read_text())
        same = all(np.isclose(before[name], value, rtol=1e-9) for name, value in now.items())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot be read: {error}", where=path, accepted="the file as it was") from None
    if not same:
        words = "{terms} terms in (T - {reference:.6g} K)/{scale:.6g} K"
        raise UserError(
            f"the run began with {words.format(**before)}, the settings now give {words.format(**now)}",
            where=settings.where("cg.inverse.multistate"),
            accepted="the number of terms, temperatures and weights of the beginning, or a new run",
        )


def state_potential(
    settings: "Settings", states: Sequence["State"], state: "State", name: str, step_directory: Path
) -> Table:
    """Return the u(r) of an interaction in one state (nm, kJ/mol): sum_k c_k(T_s) u_k of NAME.pot.cur.

    Raises
    ------
    UserError
        A table that is missing, damaged or on another grid.
    """
    tables = [
        _on_grid(settings, name, step_directory / f"{term}.pot.cur") for term in term_names(settings, name)
    ]
    if len(tables) == 1:
        return tables[0]
    factors = basis_of(settings, states).values(state.temperature)
    y = as_printed(factors @ np.stack([table.y for table in tables]), PERL_DIGITS)
    comment = f"u(r; {state.temperature:g} K), sum of {len(tables)} terms"
    return Table(tables[0].x, y, tables[0].flags, comments=(comment,))


def state_update(state: "State", name: str, step_directory: Path) -> Table:
    """Return the update that one state asks for, Delta_s (kJ/mol), and write it as NAME.dpot.pure_ibi.

    Read from ``step_NNN/STATE``: NAME.dist.tgt, NAME.dist.new, NAME.pot.cur. Flags: ``i`` where g and target
    determine it, ``o`` where it is only held.

    Raises
    ------
    UserError
        Tables on other grids, a zero or non-finite RDF.
    """
    pair, directory = state.interaction(name), step_directory / state.name
    assert pair is not None
    table = update_table(
        pair,
        target=directory / f"{name}.dist.tgt",
        rdf=directory / f"{name}.dist.new",
        potential=directory / f"{name}.pot.cur",
        kbt=state.kBT,
        main_directory=state.directory,
    )
    table = table.with_y(as_printed(table.y, PERL_DIGITS))
    write_table(directory / f"{name}.{PURE}", table)
    return table


def shared_updates(
    settings: "Settings", states: Sequence["State"], name: str, step_directory: Path
) -> tuple[Table, ...]:
    """Return the updates of an interaction's u_k (nm, kJ/mol), one table a term; nothing is written but
    each state's NAME.dpot.pure_ibi.

    Raises
    ------
    UserError
        As :func:`state_update`.
    """
    from votca_mlp.settings.states import states_with

    having = states_with(states, name)
    updates = [state_update(state, name, step_directory) for state in having]
    weights = np.array([state.weight for state in having])
    basis = basis_of(settings, states)
    factors = np.stack([basis.values(state.temperature) for state in having])
    rdfs = [read_table(step_directory / state.name / f"{name}.dist.new").y for state in having]
    found = shared_update(
        np.stack([table.y for table in updates]),
        np.stack([table.valid for table in updates]),
        weights,
        factors,
        start=int(np.argmax(weights @ np.nan_to_num(np.stack(rdfs)))),
    )
    comment = f"update shared by {', '.join(state.name for state in having if state.weight > 0)}"
    return tuple(
        Table(updates[0].x, as_printed(y, PERL_DIGITS), found.flags, comments=(comment,)) for y in found.terms
    )


def misfit_of(
    settings: "Settings", states: Sequence["State"], name: str, step_directory: Path
) -> Misfit | None:
    """Return how far the states agree on the update of an interaction; None when g(r) is not there yet.

    Points count where every g and target is above three times its error. Where no g(r) and no target has
    errors, they are taken to be those of counting pairs in bins, sigma(ln g) ~ 1/(r sqrt(g*)), of which only
    the dependence on r is known.

    Raises
    ------
    UserError
        A damaged table.
    """
    from votca_mlp.settings.states import states_with

    having = [state for state in states_with(states, name) if state.weight > 0]
    folders = [step_directory / state.name for state in having]
    if len(having) < 2 or not all((folder / f"{name}.dist.new").is_file() for folder in folders):
        return None
    pairs = list(zip(having, folders, strict=True))
    known = any(_errors(folder, name).any() for folder in folders)
    found = [_update_with_error(state, name, folder, known) for state, folder in pairs]
    basis = basis_of(settings, states)
    return split_misfit(
        np.stack([update for update, _ in found]),
        np.stack([error for _, error in found]),
        np.array([state.weight for state in having]),
        np.stack([basis.values(state.temperature) for state in having]),
        known=known,
    )


def _errors(folder: Path, name: str) -> Array:
    """Return the errors of g(r) and of the target, shape [2, n]; zero (as csg_stat writes) is not known."""
    both = [read_table(folder / f"{name}.dist.{end}") for end in ("new", "tgt")]
    return np.stack([np.zeros(len(t.x)) if t.yerr is None else np.nan_to_num(t.yerr) for t in both])


def _update_with_error(state: "State", name: str, folder: Path, known: bool) -> tuple[Array, Array]:
    """Return Delta_s(r) and its standard error (kJ/mol), nan where g or target is not above its noise."""
    pair = state.interaction(name)
    assert pair is not None
    g, target = read_table(folder / f"{name}.dist.new"), read_table(folder / f"{name}.dist.tgt")
    weight = interaction_weight(pair.wibi, target.x, target.y, state.directory)
    factor = pair.wibi.alpha * state.kBT * weight
    errors = _errors(folder, name)
    good = (g.y > ZERO_RDF) & (target.y > ZERO_RDF) & g.valid & target.valid
    for table, error in zip((g, target), errors, strict=True):
        good &= table.y > 3.0 * error
    with np.errstate(divide="ignore", invalid="ignore"):
        update = np.where(good, factor * np.log(g.y / target.y), np.nan)
        relative = np.hypot(errors[0] / g.y, errors[1] / target.y)
        if not known:
            relative = 1.0 / (g.x * np.sqrt(target.y))
        error = np.where(good, factor * relative, np.nan)
    return update, error


def _on_grid(settings: "Settings", name: str, path: Path) -> Table:
    pair = next(pair for pair in settings.interactions if pair.name == name)
    table = read_table(path)
    check_grid(table, grid_points(pair.min, pair.max, pair.step), where=path)
    return table
