"""From g(r) of a step to the potentials of the next: update, post_update, sum, post_add."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from votca_mlp.inverse.agreement import compared_files
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.pair_plan import PairPlan, PairTasks, cycle
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.stages.finish import PostAdd
from votca_mlp.inverse.stages.prepare import targets_on_grid
from votca_mlp.inverse.stages.pressure import with_pressure
from votca_mlp.inverse.step_data import step_data
from votca_mlp.inverse.tables import operations as ops
from votca_mlp.tables import Table, make_table, read_table, write_table
from votca_mlp.update.registry import rules

PURE = "dpot.pure_ibi"


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
        Contexts of its states with g(r) by name; dist.new holds the same.

    Returns
    -------
    Targets on the grid by name, in the order of ``measured``.

    Raises
    ------
    UserError
        Tables on other grids, a g(r) that is zero everywhere, a task that cannot work.
    """
    plan = context.plan
    # they may have been cut short or replaced during the simulation
    plan.check()
    directory = context.step_directory(number)
    targets = [_write_targets(state, number) for state, _ in measured]
    updates: dict[str, Table] = {}
    asked = [pair.name for pair in plan.pairs if cycle(pair.do_potential, number)]
    pure = write_updates(plan, number, asked)
    for line in rules()[plan.rule].rule().said(directory) if pure else ():
        context.messages.say(line)
    for pair in plan.pairs:
        if pair.name in pure:
            context.messages.note(f"Update potential {pair.name} : yes")
            tables = tuple(map(ops.shift, pure[pair.name]))
        else:
            context.messages.note(f"Update potential {pair.name} : no")
            tables = (_zero(pair),) * plan.terms
        for stem, table in zip(plan.tables(pair.name), tables, strict=True):
            updates[stem] = _post_update(context, number, pair, stem, table)
    context.messages.say("Adding up potential")
    new = {}
    for stem, update in updates.items():
        new[stem] = ops.add(read_table(directory / f"{stem}.pot.cur"), update)
        write_table(directory / f"{stem}.pot.new", new[stem])
    context.messages.say("Post add")
    distributions = [(g, target) for (_, g), target in zip(measured, targets, strict=True)]
    for stem, table in PostAdd(context, number, distributions, new).run().items():
        write_table(directory / f"{stem}.pot.new", with_band(table, directory, stem))
    return targets


def with_band(table: Table, directory: Path, stem: str) -> Table:
    """Return u(r) with the errors that the step's update has for it, as they are where it has none.

    Parameters
    ----------
    directory
        The step's.
    stem
        Of the update's file, ``STEM.dpot.pure_ibi``.

    Raises
    ------
    UserError
        A damaged table.
    """
    path = directory / f"{stem}.{PURE}"
    errors = read_table(path).yerr if path.is_file() else None
    return table if errors is None else replace(table, yerr=errors)


def write_all_updates(plan: InversePlan, number: int, directory: Path) -> list[str]:
    """Write the targets and the updates of a step for csg_inverse's method imc; return lines for the user.

    Files: NAME.dist.tgt of each state with its errors, which VOTCA's scripts would drop, and as
    :func:`write_updates`.

    Raises
    ------
    UserError
        As :func:`write_updates`; a missing or bad target.
    """
    plan.check()
    lines = []
    for state in plan.states:
        for pair in state.pairs:
            folder = directory / state.name
            target = pair.target_on_grid()
            write_table(folder / f"{pair.name}.dist.tgt", target)
            before = f"{state.name}, " if state.name else ""
            rdf = folder / f"{pair.name}.dist.new"
            said = compared_files(pair.name, rdf, folder / f"{pair.name}.dist.tgt")
            lines += [before + said] if said else []
    asked = [pair.name for pair in plan.pairs if cycle(pair.do_potential, number)]
    if write_updates(plan, number, asked, directory):
        lines += rules()[plan.rule].rule().said(directory)
    return lines


def add_bands(plan: InversePlan, directory: Path) -> None:
    """Put the errors of the step's updates into NAME.pot.new, from which VOTCA's scripts leave them out.

    Raises
    ------
    UserError
        A missing or damaged table.
    """
    for pair in plan.pairs:
        for stem in plan.tables(pair.name):
            path = directory / f"{stem}.pot.new"
            write_table(path, with_band(read_table(path), directory, stem))


def write_updates(
    plan: InversePlan, number: int, names: Sequence[str], directory: Path | None = None
) -> dict[str, tuple[Table, ...]]:
    """Ask the rule for the updates of interactions; write and return them, a table a term (nm, kJ/mol).

    Files: NAME.dpot.pure_ibi and those of the terms in the step, NAME.dpot.pure_ibi of what a state asks for
    by itself in its folder.

    Parameters
    ----------
    directory
        The step's, where it is not that of the plan.

    Raises
    ------
    UserError
        Tables on other grids, a zero or non-finite g(r).
    """
    step = step_data(plan, number, directory)
    found = rules()[plan.rule].rule().update(step, names) if names else {}
    for name in names:
        for state, table in found[name].of_states.items():
            write_table(step.directory / state / f"{name}.{PURE}", table)
        for stem, table in zip(plan.tables(name), found[name].terms, strict=True):
            write_table(step.directory / f"{stem}.{PURE}", table)
    return {name: found[name].terms for name in names}


def update_of_files(
    plan: InversePlan, number: int, name: str, files: Mapping[str, Path], *, kbt: float, directory: Path
) -> Table:
    """Return the update of an interaction of a run with one state (nm, kJ/mol).

    Parameters
    ----------
    files
        Its ``dist.tgt``, ``dist.new`` and ``pot.cur``, whatever their names.
    kbt
        kJ/mol.
    directory
        The step's.

    Raises
    ------
    UserError
        As :func:`write_updates`.
    """
    pair = plan.pair(name)
    paths = {f"{name}.{end}": path for end, path in files.items()}
    step = step_data(plan, number, directory, paths=paths, kbt=kbt)
    return rules()[plan.rule].rule().update(step, [pair.name])[name].terms[0]


def _write_targets(context: Context, number: int) -> dict[str, Table]:
    targets = targets_on_grid(context)
    for name, table in targets.items():
        write_table(context.step_directory(number) / f"{name}.dist.tgt", table)
    return targets


def _zero(pair: PairPlan) -> Table:
    grid = pair.grid.points
    return make_table(grid, np.zeros(len(grid)))


def _post_update(context: Context, number: int, pair: PairPlan, stem: str, table: Table) -> Table:
    directory = context.step_directory(number)
    if pair.post_update:
        context.messages.say(f"Postupd tasks for {stem}: {' '.join(pair.post_update)}")
    for count, task in enumerate((*pair.post_update, "shift"), start=1):
        write_table(directory / f"{stem}.dpot.{count}", table)
        if task == "ibi":
            if cycle(pair.tasks.ibi_do, number):
                term = context.plan.tables(pair.name).index(stem)
                table = ops.shift(write_updates(context.plan, number, [pair.name])[pair.name][term])
        elif task == "pressure":
            table, lines = with_pressure(context.plan, number, stem, table, directory)
            for line in lines:
                context.messages.say(line)
        else:
            table = post_update_task(task, table, pair.tasks)
    write_table(directory / f"{stem}.dpot.new", table)
    return table


def post_update_task(task: str, table: Table, options: PairTasks) -> Table:
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
