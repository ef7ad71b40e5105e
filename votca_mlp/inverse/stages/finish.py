"""VOTCA's post_add tasks: what follows the update, interaction by interaction."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.pair_plan import PairPlan, cycle
from votca_mlp.inverse.tables import operations as ops
from votca_mlp.runs.copying import copy_file
from votca_mlp.tables import Table, read_table, write_table
from votca_mlp.versions import VERSION

_EVERY_TERM = ("shift", "smooth_at_cut_off", "tag")
"""Tasks that change tables; the others concern an interaction as a whole."""


class PostAdd:
    """The tasks of one step.

    Parameters
    ----------
    context, number
        Run and step.
    measured
        g(r) and target by name, once for each state.
    potentials
        New potentials by name, those of further terms of u(r; T) among them (nm, kJ/mol).
    """

    def __init__(
        self,
        context: Context,
        number: int,
        measured: Sequence[tuple[dict[str, Table], dict[str, Table]]],
        potentials: dict[str, Table],
    ) -> None:
        self.context, self.number = context, number
        self.directory = context.step_directory(number)
        self.measured, self.potentials = measured, dict(potentials)
        self.overwritten: set[str] = set()

    def run(self) -> dict[str, Table]:
        """Do all tasks that concern tables and return the potentials of the next step by name.

        Raises
        ------
        UserError
            A task that cannot work.
        """
        for pair in self.context.plan.pairs:
            if pair.name in self.overwritten:
                continue
            if pair.post_add:
                self.context.messages.say(f"Postadd tasks for {pair.name}: {' '.join(pair.post_add)}")
            for stem in self.context.plan.tables(pair.name):
                for count, task in enumerate((*pair.post_add, "shift", "tag"), start=1):
                    write_table(self.directory / f"{stem}.pot.{count}", self.potentials[stem])
                    if stem == pair.name or task in _EVERY_TERM:
                        self.potentials[stem] = self._task(task, pair, self.potentials[stem])
        return self.potentials

    def _task(self, task: str, pair: PairPlan, table: Table) -> Table:
        if task == "shift":
            return ops.shift(table)
        if task == "smooth_at_cut_off":
            return ops.smooth_at_cut_off(table)
        if task == "tag":
            line = f"votca-mlp {VERSION}, inverse loop, step {self.number}"
            return replace(table, comments=(line, *table.comments))
        if task == "convergence":
            self._convergence(pair, table)
        elif task == "acc_convergence":
            self._accumulate(pair, table)
        elif task == "average":
            self._average(pair)
        elif task == "overwrite":
            self._overwrite(pair, table)
        # copyback and compress wait until the step is complete: see finish_files
        return table

    def _convergence(self, pair: PairPlan, table: Table) -> float:
        """Write NAME.WHAT.conv and NAME.conv, the weighted sum of differences."""
        total = 0.0
        for what, _, weight, norm in pair.tasks.convergence:
            if what == "dist":
                grid = pair.grid.points
                both = [
                    (ops.resample(g[pair.name], grid), target[pair.name])
                    for g, target in self.measured
                    if pair.name in g
                ]
            else:
                both = [(table, read_table(self.directory / f"{pair.name}.pot.cur"))]
            # of several states the one that is furthest off counts
            largest = max(ops.summed_difference(new, base, norm) for new, base in both)
            difference = float(f"{largest:.15g}")
            self._write(f"{pair.name}.{what}.conv", f"{difference:.15g}\n")
            # csg_calc prints six digits
            part = float(f"{weight * difference:.6g}")
            self.context.messages.note(
                f"Convergence of {what} for {pair.name} was {difference:.15g} and has weight {weight:g}, "
                f"so difference is {part:g}"
            )
            total = float(f"{total + part:.6g}")
        self._write(f"{pair.name}.conv", f"{total:.6g}\n")
        return total

    def _accumulate(self, pair: PairPlan, table: Table) -> None:
        last = self.context.step_directory(self.number - 1) / f"{pair.name}.aconv"
        before = last.read_text() if last.is_file() else ""
        value = self._convergence(pair, table)
        self._write(f"{pair.name}.aconv", f"{before}{self.number} {value:.6g}\n")

    def _average(self, pair: PairPlan) -> None:
        name = f"{pair.name}.pot.cur"
        steps = range(self.number, max(self.number - self.context.plan.average_steps, -1), -1)
        files = [path for n in steps if (path := self.context.step_directory(n) / name).is_file()]
        target = self.directory / f"{pair.name}.pot.avg"
        if len(files) > 1:
            write_table(target, ops.average([read_table(path) for path in files]))
        else:
            copy_file(files[0], target)

    def _overwrite(self, pair: PairPlan, table: Table) -> None:
        if not cycle(pair.tasks.overwrite_do, self.number):
            return
        for other in self.context.plan.pairs:
            if other.name != pair.name:
                self.context.messages.note(f"Overwriting {other.name}.pot.new with that of {pair.name}")
                self.potentials[other.name] = table
                self.overwritten.add(other.name)

    def _write(self, name: str, text: str) -> None:
        with atomic_write(self.directory / name) as file:
            file.write(text)


def finish_files(context: Context, number: int) -> None:
    """Do what concerns files when all tables of a step are in place: copyback, compress, cleanlist.

    It can be repeated after an interruption.

    Raises
    ------
    UserError
        A file that is missing, a program that fails.
    """
    directory = context.step_directory(number)
    for pair in context.plan.pairs:
        options = pair.tasks
        if "copyback" in pair.post_add:
            for name in options.copyback:
                copy_file(directory / name, context.plan.directory / name)
        if "compress" in pair.post_add:
            for name in options.compress:
                _compress(context, number, name, [options.compress_program, *options.compress_options])
    clean_up(context, number)


def clean_up(context: Context, number: int) -> None:
    """Remove what ``cleanlist`` names from the step directory."""
    directory = context.step_directory(number)
    patterns = context.plan.cleanlist
    if patterns and context.run is None:
        context.messages.say(f"Clean up files: {' '.join(patterns)}")
    for pattern in patterns:
        for path in directory.glob(pattern):
            if path.is_file():
                path.unlink(missing_ok=True)


def _compress(context: Context, number: int, name: str, command: list[str]) -> None:
    path = context.step_directory(number) / name
    if not path.is_file():
        if any(path.parent.glob(f"{name}.*")):
            # done before an interruption
            return
        raise UserError("there is no such file to compress", where=path, accepted="a file of the step")
    if shutil.which(command[0]) is None:
        raise UserError(f"the program {command[0]} is not installed", accepted="gzip, or another packer")
    # half a result of an interrupted packer is replaced
    force = ["-f"] if command[0] in ("gzip", "bzip2", "xz") else []
    done = subprocess.run([*command, *force, name], cwd=path.parent, capture_output=True, text=True)
    if done.returncode != 0:
        what = f"{' '.join(command)} failed: {done.stderr.strip()}"
        raise UserError(what, where=path, accepted="a packer that replaces the file")
