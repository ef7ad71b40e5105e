"""How far the states of a run agree on the update of an interaction, from the tables of a step."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.inverse.states import basis_of
from votca_mlp.inverse.updates import interaction_weight
from votca_mlp.tables import read_table
from votca_mlp.update.conflict import Misfit, split_misfit
from votca_mlp.update.wibi import ZERO_RDF

if TYPE_CHECKING:
    from votca_mlp.settings import Settings
    from votca_mlp.settings.states import State

Array = NDArray[np.float64]


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
