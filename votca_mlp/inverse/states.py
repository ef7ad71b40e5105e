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

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.inverse.potentials import TERMS, check_grid
from votca_mlp.inverse.tables.printing import PERL_DIGITS, as_printed
from votca_mlp.inverse.updates import update_table
from votca_mlp.tables import Table, grid_points, read_table, write_table
from votca_mlp.update.states import TemperatureBasis, shared_update, temperature_basis

if TYPE_CHECKING:
    from votca_mlp.settings import Settings
    from votca_mlp.settings.states import State

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


def described_basis(settings: "Settings", states: Sequence["State"]) -> str:
    """Return in words what the states share."""
    terms = settings.multistate.temperature_terms
    if terms == 1:
        return "one u(r)"
    basis = basis_of(settings, states)
    words = f"u(r; T), {terms} terms in (T - {basis.reference:.6g} K)/{basis.scale:.6g} K"
    fitted = sum(state.weight > 0 for state in states)
    return words if terms < fitted else f"{words}: as many as states, so that nothing is shared"


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


def write_state_potentials(
    settings: "Settings", states: Sequence["State"], state: "State", step_directory: Path
) -> None:
    """Write NAME.pot.cur of every interaction into a state's folder and, with terms in T, how they add up.

    Raises
    ------
    UserError
        As :func:`state_potential`, or no space left.
    """
    directory, tables = step_directory / state.name, {}
    for pair in state.settings.interactions:
        table = state_potential(settings, states, state, pair.name, step_directory)
        write_table(directory / f"{pair.name}.pot.cur", table)
        tables[pair.name] = [f"{term}.pot.cur" for term in term_names(settings, pair.name)]
    if settings.multistate.temperature_terms > 1:
        told = asdict(basis_of(settings, states)) | {"temperature": state.temperature, "tables": tables}
        with atomic_write(directory / TERMS) as file:
            json.dump(told, file, indent=1)


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


def _on_grid(settings: "Settings", name: str, path: Path) -> Table:
    pair = next(pair for pair in settings.interactions if pair.name == name)
    table = read_table(path)
    check_grid(table, grid_points(pair.min, pair.max, pair.step), where=path)
    return table
