"""Tables of several states in a step directory, for both loops.

``step_NNN/`` holds what is shared: ``NAME.pot.cur`` (u_0, of which ``NAME.dpot.new`` and ``NAME.pot.new``
follow as with one state) and, with ``temperature_terms`` above 1, the same of ``NAME.term1``, ``NAME.term2``.
``step_NNN/STATE/`` holds what belongs to one state: trajectory, ``NAME.dist.tgt``, ``NAME.dist.new``, the
``NAME.pot.cur`` that it ran with and ``NAME.dpot.pure_ibi``, the update that it asks for.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, read_json
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.potentials import TERMS, check_grid
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.tables import Table, as_printed, read_table, write_table

BASIS = "temperature_terms.json"
"""In step_000, with several terms: their number, T_ref and T_scale (K)."""


def described_basis(plan: InversePlan) -> str:
    """Return in words what the states share."""
    if plan.terms == 1:
        return "one u(r)"
    basis = plan.basis
    words = f"u(r; T), {plan.terms} terms in (T - {basis.reference:.6g} K)/{basis.scale:.6g} K"
    fitted = sum(state.weight > 0 for state in plan.states)
    return words if plan.terms < fitted else f"{words}: as many as states, so that nothing is shared"


def check_basis(plan: InversePlan) -> None:
    """Note the c_k(T) of a run in ``step_000``, and refuse others later: the u_k would mean something else.

    Raises
    ------
    UserError
        Other temperatures, weights or another number of terms than at the start of the run.
    """
    path = plan.step_directory(0) / BASIS
    if plan.terms == 1 and not path.is_file():
        return
    now = asdict(plan.basis)
    if not path.is_file():
        with atomic_write(path) as file:
            json.dump(now, file)
        return
    try:
        before = read_json(path)
        same = all(np.isclose(before[name], value, rtol=1e-9) for name, value in now.items())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot be read: {error}", where=path, accepted="the file as it was") from None
    if not same:
        words = "{terms} terms in (T - {reference:.6g} K)/{scale:.6g} K"
        raise UserError(
            f"the run began with {words.format(**before)}, the settings now give {words.format(**now)}",
            where=plan.where("cg.inverse.multistate"),
            accepted="the number of terms, temperatures and weights of the beginning, or a new run",
        )


def state_potential(plan: InversePlan, state: StatePlan, name: str, step_directory: Path) -> Table:
    """Return the u(r) of an interaction in one state (nm, kJ/mol): sum_k c_k(T_s) u_k of NAME.pot.cur.

    Raises
    ------
    UserError
        A table that is missing, damaged or on another grid.
    """
    tables = []
    for stem in plan.tables(name):
        path = step_directory / f"{stem}.pot.cur"
        tables.append(read_table(path))
        check_grid(tables[-1], plan.pair(name).grid.points, where=path)
    if len(tables) == 1:
        return tables[0]
    y = as_printed(plan.basis.values(state.temperature) @ np.stack([table.y for table in tables]))
    comment = f"u(r; {state.temperature:g} K), sum of {len(tables)} terms"
    return Table(tables[0].x, y, tables[0].flags, comments=(comment,))


def write_state_potentials(plan: InversePlan, state: StatePlan, step_directory: Path) -> None:
    """Write NAME.pot.cur of every interaction into a state's folder and, with terms in T, how they add up.

    Raises
    ------
    UserError
        As :func:`state_potential`, or no space left.
    """
    directory, tables = step_directory / state.name, {}
    for pair in state.pairs:
        table = state_potential(plan, state, pair.name, step_directory)
        write_table(directory / f"{pair.name}.pot.cur", table)
        tables[pair.name] = [f"{stem}.pot.cur" for stem in plan.tables(pair.name)]
    if plan.terms > 1:
        content = asdict(plan.basis) | {"temperature": state.temperature, "tables": tables}
        with atomic_write(directory / TERMS) as file:
            json.dump(content, file, indent=1)
