"""The script of one step under way: commands one by one, runs in parts with checkpoints between them."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.deploy.mliap import OBJECT
from votca_mlp.engines.lammps import checkpoint as checkpoints
from votca_mlp.engines.lammps.answers import Answers
from votca_mlp.engines.lammps.child import FIX
from votca_mlp.engines.lammps.first_step import check_rectangular, compare_step_0, elements
from votca_mlp.engines.lammps.options import options_of
from votca_mlp.engines.lammps.output import (
    keep_one_header,
    length_without,
    production_means,
    thermo_command,
)
from votca_mlp.engines.lammps.plan import CHANGES_ATOMS, MAKES_BOX, Plan
from votca_mlp.engines.lammps.potential import write_object
from votca_mlp.engines.lammps.process import LOG, Lammps
from votca_mlp.engines.lammps.program import Program
from votca_mlp.engines.lammps.script import Command
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.result import SUMMARY, THERMO, write_summary
from votca_mlp.engines.shared.start import expected_symbols
from votca_mlp.engines.shared.stress import refuse_wrong_stress, require_stress
from votca_mlp.engines.shared.temperature import check_temperature
from votca_mlp.engines.shared.watch import make_watch
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.neighbours.box import TILT, tilt_of
from votca_mlp.progress import Progress
from votca_mlp.versions import versions

CONF_PART = "confout.part"


class Run:
    """A script under way.

    Parameters
    ----------
    plan, evaluator, script
        What to run, with which forces, and what its commands will do.
    directory
        Where LAMMPS runs, the step directory.
    inputs
        Of :func:`votca_mlp.engines.lammps.checkpoint.describe_inputs`.
    saved
        Checkpoint to go on from.

    Raises
    ------
    UserError
        LAMMPS cannot be started; files that are not as the checkpoint recorded.
    """

    def __init__(
        self,
        plan: MDPlan,
        evaluator: Evaluator,
        script: Plan,
        directory: Path,
        *,
        inputs: dict[str, Any],
        saved: checkpoints.Checkpoint | None = None,
    ) -> None:
        require_stress(plan, evaluator, "script", "LAMMPS, which gets the virial in every step,")
        self.plan, self.evaluator, self.script, self.directory = plan, evaluator, script, directory
        self.inputs, self.saved = inputs, saved
        self.options = options = options_of(plan)
        self.symbols = expected_symbols(plan)
        self.path = directory / options.script
        self.traj, self.conf_out = directory / plan.traj, directory / plan.conf_out
        self.done = self.saved_at = 0 if saved is None else saved.done
        self.answers = Answers(
            evaluator,
            self.symbols,
            total=script.total,
            temperature=plan.temperature,
            where=str(directory / LOG),
        )
        self.agreement: tuple[float, float, float] | None = None
        self.energy = 0.0
        if saved is None:
            # results of other inputs must not pass for this run's
            for path in (self.conf_out, self.traj, directory / SUMMARY, directory / THERMO):
                path.unlink(missing_ok=True)
        else:
            for path in (self.traj, directory / THERMO):
                if path.name in saved.lengths:
                    checkpoints.cut(path, saved.lengths[path.name])
                else:
                    # begun after the checkpoint
                    path.unlink(missing_ok=True)
        again = saved is not None
        self.lammps: Lammps | Program
        if options.command is None:
            answer = self.answers.answer
            self.lammps = Lammps(directory, answer, python=options.python, append=again)
        else:
            assert plan.model is not None
            write_object(plan, evaluator, directory)
            threads, command = plan.model.threads or 1, options.command
            self.lammps = Program(directory, command, threads=threads, answers=self.answers, append=again)

    def advance(self, progress: Progress | None = None, deadline: float | None = None) -> bool:
        """Carry out the script; return False when the deadline comes first.

        Without ``progress`` only up to the first run and the check of step 0.
        """
        self.answers.progress, self.answers.deadline = progress, deadline
        saved, box, again = self.saved, False, self.saved is not None
        for index, command in enumerate(self.script.commands):
            if again and saved is not None and index == saved.run:
                again = False
            if index == self.script.insert and self.script.external is None:
                self._add_model()
            if again and command.name in CHANGES_ATOMS:
                if command.name in MAKES_BOX and not box:
                    self.lammps.command(f"read_restart {checkpoints.RESTART}", where=command.where)
                    box = True
                continue
            if command.name == "run":
                if self.agreement is None:
                    self._check_step_0()
                else:
                    check_rectangular(self.lammps, command.where)
                if progress is None:
                    return True
                if not self._run(index, command):
                    return False
                continue
            self._command(command)
        return True

    def _command(self, command: Command) -> None:
        self.lammps.command(command.text, where=command.where)
        if command.name in MAKES_BOX and not any(c.name == "change_box" for c in self.script.commands):
            self._square_up(command.where)
        own = self.script.external
        if command.name == "fix" and own is not None and command.words[1] == own:
            self.lammps.ask("callback", fix=own)
        if command.name != "dump":
            return
        if self.saved is not None:
            self.lammps.command(f"dump_modify {command.words[1]} append yes", where=command.where)
        if command is self.script.dump.command:
            names = " ".join(self._elements())
            self.lammps.command(f"dump_modify {self.script.dump.name} element {names}", where=command.where)
            self.lammps.command(thermo_command(self.script.dump.every))

    def _square_up(self, where: str) -> None:
        """Make a box rectangular that is triclinic by a line of zeros only: csg_stat reads no other."""
        box, _ = self.lammps.ask("box")
        cell = np.array(box["cell"])
        if box["triclinic"] and tilt_of(cell) <= TILT * np.diag(cell).min():
            tilts = " ".join(f"{name} final 0" for name in ("xy", "xz", "yz"))
            self.lammps.command(f"change_box all {tilts} ortho", where=where)

    def _add_model(self) -> None:
        if isinstance(self.lammps, Program):
            self.lammps.add_model(self._elements())
            return
        if not any(command.name == "pair_style" for command in self.script.commands):
            # without a pair style LAMMPS warns at every run that it has no ghost atoms
            self.lammps.command("comm_modify cutoff 2.0")
        self.lammps.command(f"fix {FIX} all external pf/callback 1 1")
        self.lammps.command(f"fix_modify {FIX} energy yes virial yes")
        self.lammps.ask("callback", fix=FIX)

    def _elements(self) -> list[str]:
        """Return the element of each LAMMPS type, X for one without atoms."""
        return elements(self.symbols, self.lammps.ask("facts")[0], where=str(self.path))

    def _check_step_0(self) -> None:
        step_0 = compare_step_0(
            self.lammps,
            self.answers,
            self.symbols,
            r_max=self.plan.r_max,
            distance_min=self.plan.limits.distance_min if self.saved is None else 0.0,
            random_forces=self.script.random_forces,
            where=self.path,
        )
        self.agreement, self.energy = step_0.agreement, step_0.energy
        if self.saved is None:
            refuse_wrong_stress(self.plan, self.evaluator, self.answers.atoms, "script")
        volume = step_0.volume if self.saved is None else self.saved.volume
        self.answers.watch = make_watch(self.plan.limits, r_max=self.plan.r_max, volume=volume)

    def _run(self, index: int, command: Command) -> bool:
        steps, saved = self.script.runs[index], self.saved
        if saved is not None and saved.run == index:
            begin, made, now = saved.begin, saved.made, saved.step
        else:
            begin = now = int(self.lammps.ask("facts")[0]["step"])
            made = 0
        while made < steps:
            part = min(self.options.checkpoint_every, steps - made)
            if part > 1 and made + part < steps and (now + part) % self.script.dump.every == 0:
                # a resumed run writes the frame that it begins at once more, with atoms wrapped into the box
                part -= 1
            self.answers.begin(self.done)
            line = f"run {part} start {begin} stop {begin + steps} post no"
            after = self.lammps.command(line, where=command.where)
            made, self.done, now = made + after - now, self.done + after - now, after
            if self.done == self.script.total:
                break
            if made < steps:
                self._save(index, begin, made, now)
                if self.answers.stopping:
                    return False
        return True

    def _save(self, index: int, begin: int, made: int, now: int) -> None:
        """Write a checkpoint; then go on exactly as a resumed run would."""
        self.lammps.command(f"write_restart {checkpoints.RESTART}")
        thermo = self.directory / THERMO
        lengths = {self.traj.name: length_without(self.traj, now)}
        lengths[THERMO] = thermo.stat().st_size if thermo.is_file() else 0
        assert self.answers.watch is not None
        volume, lengths = self.answers.watch.volume, {name: n for name, n in lengths.items() if n}
        saved = checkpoints.Checkpoint(index, begin, made, now, self.done, volume, lengths, self.inputs)
        checkpoints.save(self.directory, saved)
        self.saved_at = self.done
        self.evaluator.forget()

    def finish(self, *, step_number: int, steps_per_second: float) -> dict[str, Any]:
        """Give the results their names, the last configuration last, and return the summary."""
        part = self.directory / CONF_PART
        self.lammps.command(f"write_data {CONF_PART} nocoeff")
        self.lammps.close()
        keep_one_header(self.directory / THERMO)
        production = production_means(self.directory, self.plan.traj)
        if not production:
            accepted = f"a dump that writes {self.traj.name} during the last run"
            raise UserError("the trajectory has no frames", where=self.traj, accepted=accepted)
        check_temperature(production, self.plan.temperature, where=self.path)
        assert self.agreement is not None
        summary = {
            "step": step_number,
            "start": str(self.path),
            "atoms": len(self.symbols),
            "md_steps": self.script.total,
            "timestep_fs": self.answers.timestep,
            "steps_per_second": round(steps_per_second, 3),
            "step_0_differs_by": dict(
                zip(("energy[eV/atom]", "forces[eV/A]", "pressure[bar]"), self.agreement, strict=True)
            ),
            "inputs": self.inputs,
            "production": production,
            "way": self.lammps.way,
            "versions": {**versions(), "lammps": str(self.lammps.version)},
        }
        write_summary(self.directory, summary)
        for path in (self.traj, part):
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        os.replace(part, self.conf_out)
        for name in (checkpoints.NAME, checkpoints.RESTART, OBJECT):
            (self.directory / name).unlink(missing_ok=True)
        return summary
