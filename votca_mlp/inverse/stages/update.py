"""From g(r) of a step to the potentials of the next: update, post_update, sum, post_add."""

from collections.abc import Sequence

import numpy as np

from votca_mlp.inverse.context import Context
from votca_mlp.inverse.options import PairOptions, cycle
from votca_mlp.inverse.stages.finish import PostAdd
from votca_mlp.inverse.stages.prepare import target_on_grid
from votca_mlp.inverse.states import PURE, shared_updates, term_names
from votca_mlp.inverse.tables import operations as ops
from votca_mlp.inverse.tables.printing import PERL_DIGITS, as_printed
from votca_mlp.inverse.updates import update_table
from votca_mlp.settings import Interaction
from votca_mlp.settings.inputs import check_inputs
from votca_mlp.tables import Table, grid_points, make_table, read_table, write_table


def update_potentials(
    context: Context, number: int, measured: Sequence[tuple[Context, dict[str, Table]]]
) -> list[dict[str, Table]]:
    """Write NAME.pot.new of every interaction, and what VOTCA leaves on the way; return the targets.

    Files: dist.tgt (in each state's folder), dpot.pure_ibi, dpot.1 ..., dpot.new, pot.1 ..., pot.new.

    Parameters
    ----------
    context
        Of the run.
    measured
        Contexts of its states, or that of the run itself, with g(r) by name; dist.new holds the same.

    Returns
    -------
    Targets on the grid by name, in the order of ``measured``.

    Raises
    ------
    UserError
        Tables on other grids, a g(r) that is zero everywhere, a task that cannot work.
    """
    # they may have been cut short or replaced during the simulation
    check_inputs(context.settings)
    directory = context.step_directory(number)
    targets = [_targets(state, number) for state, _ in measured]
    updates: dict[str, Table] = {}
    for pair in context.settings.interactions:
        for term, table in enumerate(_update(context, number, pair)):
            stem = term_names(context.settings, pair.name)[term]
            updates[stem] = _post_update(context, number, pair, stem, table)
    context.messages.say("Adding up potential")
    new = {}
    for stem, update in updates.items():
        new[stem] = ops.add(read_table(directory / f"{stem}.pot.cur"), update)
        write_table(directory / f"{stem}.pot.new", new[stem])
    context.messages.say("Post add")
    distributions = [(g, target) for (_, g), target in zip(measured, targets, strict=True)]
    for stem, table in PostAdd(context, number, distributions, new).run().items():
        write_table(directory / f"{stem}.pot.new", table)
    return targets


def _targets(context: Context, number: int) -> dict[str, Table]:
    targets = {pair.name: target_on_grid(context, pair) for pair in context.settings.interactions}
    for name, table in targets.items():
        write_table(context.step_directory(number) / f"{name}.dist.tgt", table)
    return targets


def _pure_updates(context: Context, number: int, pair: Interaction) -> tuple[Table, ...]:
    """Return the updates of an interaction's terms: one, but for several with several states."""
    directory = context.step_directory(number)
    if context.states:
        tables = shared_updates(context.settings, context.states, pair.name, directory)
    else:
        table = update_table(
            pair,
            target=directory / f"{pair.name}.dist.tgt",
            rdf=directory / f"{pair.name}.dist.new",
            potential=directory / f"{pair.name}.pot.cur",
            kbt=context.settings.kBT,
            main_directory=context.main,
        )
        tables = (table.with_y(as_printed(table.y, PERL_DIGITS)),)
    for stem, table in zip(term_names(context.settings, pair.name), tables, strict=True):
        write_table(directory / f"{stem}.{PURE}", table)
    return tables


def _update(context: Context, number: int, pair: Interaction) -> tuple[Table, ...]:
    if cycle(pair.do_potential, number):
        context.messages.note(f"Update potential {pair.name} : yes")
        return tuple(map(ops.shift, _pure_updates(context, number, pair)))
    context.messages.note(f"Update potential {pair.name} : no")
    grid = grid_points(pair.min, pair.max, pair.step)
    return (make_table(grid, np.zeros(len(grid))),) * len(term_names(context.settings, pair.name))


def _post_update(context: Context, number: int, pair: Interaction, stem: str, table: Table) -> Table:
    directory, options = context.step_directory(number), context.options.pairs[pair.name]
    if pair.post_update:
        context.messages.say(f"Postupd tasks for {stem}: {' '.join(pair.post_update)}")
    for count, task in enumerate((*pair.post_update, "shift"), start=1):
        write_table(directory / f"{stem}.dpot.{count}", table)
        if task == "ibi":
            if cycle(options.ibi_do, number):
                term = term_names(context.settings, pair.name).index(stem)
                table = ops.shift(_pure_updates(context, number, pair)[term])
        else:
            table = post_update_task(task, table, options)
    write_table(directory / f"{stem}.dpot.new", table)
    return table


def post_update_task(task: str, table: Table, options: PairOptions) -> Table:
    """Return the update after one of VOTCA's post_update tasks that need nothing but the table.

    Raises
    ------
    UserError
        A table that the task cannot work on.
    """
    if task == "scale":
        return ops.scale(table, options.scale)
    if task == "smooth":
        return ops.smooth(table, options.smooth_iterations)
    if task == "splinesmooth":
        return ops.splinesmooth(table, options.splinesmooth_step)
    if task == "extrapolate":
        return ops.extrapolate(table, left="exponential", points=options.extrapolate_points)
    if task == "shift":
        return ops.shift(table)
    if task in ("dummy", "tag"):
        return table
    raise ValueError(f"unknown task {task}")
