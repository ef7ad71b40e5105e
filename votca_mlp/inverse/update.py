"""From g(r) of a step to the potentials of the next: update, post_update, sum, post_add."""

import numpy as np

from votca_mlp.csg.update import update_table
from votca_mlp.inverse import operations as ops
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.options import PairOptions, cycle
from votca_mlp.inverse.post_add import PostAdd
from votca_mlp.inverse.prepare import target_on_grid
from votca_mlp.inverse.printing import PERL_DIGITS, as_printed
from votca_mlp.settings import Interaction
from votca_mlp.settings.inputs import check_inputs
from votca_mlp.tables import Table, grid_points, make_table, read_table, write_table


def update_potentials(context: Context, number: int, distributions: dict[str, Table]) -> dict[str, Table]:
    """Write NAME.pot.new of every interaction, and what VOTCA leaves on the way; return the targets.

    Files: dist.tgt, dpot.pure_ibi, dpot.1 ..., dpot.new, pot.1 ..., pot.new.

    Parameters
    ----------
    distributions
        g(r) of the step by name; dist.new holds the same.

    Raises
    ------
    UserError
        Tables on other grids, a g(r) that is zero everywhere, a task that cannot work.
    """
    # they may have been cut short or replaced during the simulation
    check_inputs(context.settings)
    directory = context.step_directory(number)
    targets: dict[str, Table] = {}
    updates: dict[str, Table] = {}
    for pair in context.settings.interactions:
        targets[pair.name] = target_on_grid(context, pair)
        write_table(directory / f"{pair.name}.dist.tgt", targets[pair.name])
        update = _update(context, number, pair)
        updates[pair.name] = _post_update(context, number, pair, update)
    context.messages.say("Adding up potential")
    new = {}
    for pair in context.settings.interactions:
        current = read_table(directory / f"{pair.name}.pot.cur")
        new[pair.name] = ops.add(current, updates[pair.name])
        write_table(directory / f"{pair.name}.pot.new", new[pair.name])
    context.messages.say("Post add")
    post = PostAdd(context, number, distributions, targets, new)
    for name, table in post.run().items():
        write_table(directory / f"{name}.pot.new", table)
    return targets


def _pure_update(context: Context, number: int, pair: Interaction) -> Table:
    directory = context.step_directory(number)
    table = update_table(
        pair,
        target=directory / f"{pair.name}.dist.tgt",
        rdf=directory / f"{pair.name}.dist.new",
        potential=directory / f"{pair.name}.pot.cur",
        kbt=context.settings.kBT,
        main_directory=context.main,
    )
    table = table.with_y(as_printed(table.y, PERL_DIGITS))
    write_table(directory / f"{pair.name}.dpot.pure_ibi", table)
    return table


def _update(context: Context, number: int, pair: Interaction) -> Table:
    if cycle(pair.do_potential, number):
        context.messages.note(f"Update potential {pair.name} : yes")
        return ops.shift(_pure_update(context, number, pair))
    context.messages.note(f"Update potential {pair.name} : no")
    grid = grid_points(pair.min, pair.max, pair.step)
    return make_table(grid, np.zeros(len(grid)))


def _post_update(context: Context, number: int, pair: Interaction, table: Table) -> Table:
    directory, options = context.step_directory(number), context.options.pairs[pair.name]
    if pair.post_update:
        context.messages.say(f"Postupd tasks for {pair.name}: {' '.join(pair.post_update)}")
    for count, task in enumerate((*pair.post_update, "shift"), start=1):
        write_table(directory / f"{pair.name}.dpot.{count}", table)
        if task == "ibi":
            if cycle(options.ibi_do, number):
                table = ops.shift(_pure_update(context, number, pair))
        else:
            table = post_update_task(task, table, options)
    write_table(directory / f"{pair.name}.dpot.new", table)
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
