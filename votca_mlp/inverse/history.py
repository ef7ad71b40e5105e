"""Agreement of every iteration so far, and whether to stop: for both loops' directories."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.inverse.misfit import misfit_of
from votca_mlp.inverse.tables.operations import resample_target
from votca_mlp.settings import Settings
from votca_mlp.settings.states import states_of
from votca_mlp.tables import Table, grid_points, read_table
from votca_mlp.targets.agreement import Agreement, compare_tables
from votca_mlp.units import ANGSTROM_PER_NM
from votca_mlp.update.conflict import LIMIT, Misfit
from votca_mlp.update.convergence import Verdict, judge

R_MIN = 2.0
"""Angstrom; g(r) is compared from here on, or from where the target begins when that is before."""


def agreement_with(target: Table, distribution: Table) -> Agreement:
    """Return the agreement of g(r) with a target on the same grid (nm).

    Raises
    ------
    UserError
        Other grids.
    """
    known = target.x[target.y > 0.0]
    begin = float(known[0]) * ANGSTROM_PER_NM if len(known) else R_MIN
    return compare_tables(
        distribution, target, r_min=min(R_MIN, begin), r_max=float(target.x[-1]) * ANGSTROM_PER_NM
    )


def agreements(settings: Settings, main_directory: Path, last: int) -> dict[str, list[Agreement]]:
    """Return the agreement of steps 1 to ``last`` with the present target, by interaction.

    Of several states, by ``STATE/NAME``; those of weight 0 are not judged. A step whose g(r) is not there
    (cleaned away) is left out.

    Raises
    ------
    UserError
        A damaged table, or g(r) on another grid than the target.
    """
    if not settings.multistate.enabled:
        return _of_one(settings, main_directory, last, "")
    found: dict[str, list[Agreement]] = {}
    for state in states_of(settings):
        if state.weight > 0:
            one = _of_one(state.settings, main_directory, last, state.name)
            found |= {f"{state.name}/{name}": history for name, history in one.items()}
    return found


def _of_one(settings: Settings, run: Path, last: int, folder: str) -> dict[str, list[Agreement]]:
    found: dict[str, list[Agreement]] = {}
    for pair in settings.interactions:
        grid = grid_points(pair.min, pair.max, pair.step)
        target = resample_target(read_table(settings.main_directory / pair.target), grid)
        found[pair.name] = []
        for number in range(1, last + 1):
            path = run / f"step_{number:03d}" / folder / f"{pair.name}.dist.new"
            if path.is_file():
                found[pair.name].append(agreement_with(target, read_table(path)))
    return found


def verdict(settings: Settings, main_directory: Path, number: int) -> Verdict:
    """Return whether the iterations are to stop after step ``number``, by cg.inverse.convergence_check.

    Raises
    ------
    UserError
        Tables or measures that are missing or damaged.
    """
    check = settings.convergence_check
    if check.type == "none":
        return Verdict(False, "no convergence check")
    if check.type == "default":
        return _default(settings, main_directory / f"step_{number:03d}")
    history = agreements(settings, main_directory, number)
    if not all(history.values()):
        raise UserError(
            "there is no g(r) to judge",
            where=main_directory / f"step_{number:03d}",
            accepted="NAME.dist.new kept in the steps: not in cleanlist, not compressed",
        )
    found = judge(check.type, history, limit=check.limit, iterations=check.iterations)
    if check.type == "plateau" and found.stop and settings.multistate.enabled:
        against = contradiction(settings, main_directory, number, history)
        if against is not None:
            return Verdict(True, f"{found.reason}, but {against}", met=False)
    return found


def contradiction(
    settings: Settings,
    main_directory: Path,
    number: int,
    history: Mapping[str, Sequence[Agreement]] | None = None,
) -> str | None:
    """Return why no correction of this kind fits all states, None where nothing says so.

    Either the states' updates cancel (see :mod:`votca_mlp.update.conflict`), or, at a plateau, whose
    ``history`` is given, chi^2 of a state is still beyond noise.

    Raises
    ------
    UserError
        A damaged table.
    """
    if not settings.multistate.enabled:
        return None
    terms = settings.multistate.temperature_terms
    what = "no single u(r) fits all states" if terms == 1 else f"no u(r; T) of {terms} terms fits all states"
    for name, misfit in misfits(settings, main_directory, number).items():
        if misfit.conflict:
            return f"{what}: their updates of {name} cancel, {misfit}"
    last = {name: items[-1].chi2 or 0.0 for name, items in (history or {}).items()}
    worst = max(last, key=lambda name: last[name], default=None)
    if worst is not None and last[worst] > LIMIT:
        return f"{what}: chi2 of {worst} is {last[worst]:.3g}"
    return None


def misfits(settings: Settings, main_directory: Path, number: int) -> dict[str, Misfit]:
    """Return how far the states agree in a step, by interaction; fewer states than terms always do.

    Raises
    ------
    UserError
        A damaged table.
    """
    states, step = states_of(settings), main_directory / f"step_{number:03d}"
    found = {pair.name: misfit_of(settings, states, pair.name, step) for pair in settings.interactions}
    return {name: misfit for name, misfit in found.items() if misfit is not None}


def _default(settings: Settings, directory: Path) -> Verdict:
    """VOTCA's own check: the sum of all NAME.conv against the limit (convergence_check_default.sh)."""
    paths = [directory / f"{pair.name}.conv" for pair in settings.interactions]
    total = 0.0
    for path in filter(Path.is_file, paths):
        text = path.read_text().strip()
        try:
            total = float(f"{total + float(text):.6g}")
        except ValueError:
            raise UserError(f"'{text}' is not a number", where=path, accepted="a number") from None
    limit = settings.convergence_check.limit
    stop = not total > limit
    side = "not above" if stop else "above"
    return Verdict(stop, f"the convergence sum is {total:.6g}, {side} the limit {limit:g}")
