"""The script of one step under way: commands one by one, runs in pieces with checkpoints between them."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.ase.stages import Stage
from votca_mlp.engines.ase.watch import Watch, make_watch
from votca_mlp.engines.lammps import checkpoint as checkpoints
from votca_mlp.engines.lammps.agree import VIRIAL_ORDER, Found, check_atoms, check_step_0
from votca_mlp.engines.lammps.child import FIX
from votca_mlp.engines.lammps.output import (
    THERMO,
    check_temperature,
    length_without,
    production_means,
    thermo_command,
)
from votca_mlp.engines.lammps.process import Answer, Lammps
from votca_mlp.engines.lammps.script import CHANGES_ATOMS, MAKES_BOX, Command, Plan
from votca_mlp.engines.progress import Progress
from votca_mlp.engines.result import SUMMARY
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.evaluate import Evaluator
from votca_mlp.models.neighbours import check_box
from votca_mlp.versions import versions

Array = NDArray[np.float64]
FINISHING_TIME = 5.0
"""Seconds kept before the deadline."""
FS_PER_PS = 1000.0
CONF_PART = "confout.part"
_NOTE_EVERY = 10
_ADVICE = (
    "a smaller timestep or a gentler start in the script, or a smaller <alpha> of the interaction; look at "
    "u(r) below the first peak of g(r). The last checkpoint stays"
)


class Run:
    """A script under way.

    Parameters
    ----------
    settings, evaluator, plan
        What to run.
    symbols
        Element of each atom, in the order of the IDs.
    directory
        Where LAMMPS runs, the step directory.
    inputs
        Of :func:`votca_mlp.engines.lammps.checkpoint.describe_inputs`.
    r_max
        Largest maximum of the interactions' grids, Angstrom.
    saved
        Checkpoint to go on from.

    Raises
    ------
    UserError
        LAMMPS cannot be started; files that are not as the checkpoint recorded.
    """

    def __init__(
        self,
        settings: Any,
        evaluator: Evaluator,
        plan: Plan,
        symbols: list[str],
        directory: Path,
        *,
        inputs: dict[str, Any],
        r_max: float,
        saved: checkpoints.Checkpoint | None = None,
    ) -> None:
        from ase import Atoms

        self.settings, self.evaluator, self.plan, self.symbols = settings, evaluator, plan, symbols
        self.directory, self.inputs, self.r_max, self.saved = directory, inputs, r_max, saved
        self.script = directory / settings.lammps.script
        self.traj, self.conf_out = directory / settings.lammps.traj, directory / settings.lammps.conf_out
        self.atoms = Atoms(symbols, positions=np.zeros((len(symbols), 3)), cell=np.eye(3), pbc=True)
        self.done = self.saved_at = 0 if saved is None else saved.done
        self.agreement: tuple[float, float, float] | None = None
        self.watch: Watch | None = None
        self.timestep = 0.0
        self._progress: Progress | None = None
        self._deadline: float | None = None
        self._counting = self._stopping = False
        self._calls, self._began = 0, 0.0
        if saved is None:
            # results of other inputs must not pass for this run's
            for path in (self.conf_out, self.traj, directory / SUMMARY, directory / THERMO):
                path.unlink(missing_ok=True)
        else:
            for name, length in saved.lengths.items():
                checkpoints.cut(directory / name, length)
        self.lammps = Lammps(
            directory, self._evaluate, python=settings.lammps.python, append=saved is not None
        )

    def advance(self, progress: Progress | None = None, deadline: float | None = None) -> bool:
        """Carry out the script; return False when the deadline comes first.

        Without ``progress`` only up to the first run and the check of step 0.
        """
        self._progress, self._deadline = progress, deadline
        saved, box, again = self.saved, False, self.saved is not None
        for index, command in enumerate(self.plan.commands):
            if again and saved is not None and index == saved.run:
                again = False
            if index == self.plan.insert and self.plan.external is None:
                self._add_fix()
            if again and command.name in CHANGES_ATOMS:
                if command.name in MAKES_BOX and not box:
                    self.lammps.command(f"read_restart {checkpoints.RESTART}", where=command.where)
                    box = True
                continue
            if command.name == "run":
                if self.agreement is None:
                    self._check_step_0()
                if progress is None:
                    return True
                if not self._run(index, command):
                    return False
                continue
            self._command(command)
        return True

    def _command(self, command: Command) -> None:
        self.lammps.command(command.text, where=command.where)
        if (
            command.name == "fix"
            and self.plan.external is not None
            and command.words[1] == self.plan.external
        ):
            self.lammps.ask("callback", fix=self.plan.external)
        if command.name != "dump":
            return
        if self.saved is not None:
            self.lammps.command(f"dump_modify {command.words[1]} append yes", where=command.where)
        if command is self.plan.dump.command:
            names = " ".join(self._elements(self.lammps.ask("facts")[0]))
            self.lammps.command(f"dump_modify {self.plan.dump.name} element {names}", where=command.where)
            self.lammps.command(thermo_command(self.plan.dump.every))

    def _add_fix(self) -> None:
        if not any(command.name == "pair_style" for command in self.plan.commands):
            # without a pair style LAMMPS warns at every run that it has no ghost atoms
            self.lammps.command("comm_modify cutoff 2.0")
        self.lammps.command(f"fix {FIX} all external pf/callback 1 1")
        self.lammps.command(f"fix_modify {FIX} energy yes virial yes")
        self.lammps.ask("callback", fix=FIX)

    def _elements(self, facts: dict[str, Any]) -> list[str]:
        """Return the element of each LAMMPS type, X for one without atoms."""
        check_atoms(self.symbols, facts["types"], facts["masses"], where=str(self.script))
        names = dict(zip(facts["types"], self.symbols, strict=True))
        return [names.get(kind, "X") for kind in range(1, len(facts["masses"]) + 1)]

    def _check_step_0(self) -> None:
        """Compare LAMMPS's energy, forces and virial with the package's own, and look at box and units."""
        facts, _ = self.lammps.ask("facts")
        if facts["units"] != "metal":
            accepted = "units metal at the beginning of the script"
            raise UserError(f"units {facts['units']}", where=self.script, accepted=accepted)
        self._elements(facts)
        cell = np.array(facts["cell"])
        if facts["triclinic"] or not all(facts["periodic"]):
            what = "the box is not a rectangular one that is periodic along x, y and z"
            raise UserError(what, where=self.script, accepted="boundary p p p and a box without tilt")
        check_box(cell, self.r_max, str(self.script))
        self.timestep = facts["timestep"] * FS_PER_PS
        volume = float(np.linalg.det(cell)) if self.saved is None else self.saved.volume
        self.watch = make_watch(self.settings.engine.limits, r_max=self.r_max, volume=volume)
        answer, data = self.lammps.ask("evaluated")
        positions, forces = np.frombuffer(data).reshape(2, -1, 3)
        found = Found(answer["energy"], np.array(answer["pressure"]), forces)
        self.evaluator.forget()
        self._place(positions, np.array(answer["cell"]))
        own = self.evaluator.evaluate(self.atoms)
        self.agreement = check_step_0(
            found, own, where=str(self.script), random_forces=self.plan.random_forces
        )
        self.energy = own.energy
        self.evaluator.forget()

    def _run(self, index: int, command: Command) -> bool:
        steps, saved = self.plan.runs[index], self.saved
        if saved is not None and saved.run == index:
            begin, made, now = saved.begin, saved.made, saved.step
        else:
            begin = now = int(self.lammps.ask("facts")[0]["step"])
            made = 0
        while made < steps:
            piece = min(self.settings.lammps.checkpoint_every, steps - made)
            if piece > 1 and made + piece < steps and (now + piece) % self.plan.dump.every == 0:
                # a resumed run writes the frame that it begins at once more, with atoms wrapped into the box
                piece -= 1
            self._counting, self._calls, self._began = True, -1, time.time()
            line = f"run {piece} start {begin} stop {begin + steps} post no"
            after = self.lammps.command(line, where=command.where)
            self._counting = False
            made, self.done, now = made + after - now, self.done + after - now, after
            if self.done == self.plan.total:
                break
            if made < steps:
                self._save(index, begin, made, now)
                if self._stopping:
                    return False
        return True

    def _save(self, index: int, begin: int, made: int, now: int) -> None:
        """Write a checkpoint; then go on exactly as a resumed run would."""
        self.lammps.command(f"write_restart {checkpoints.RESTART}")
        thermo = self.directory / THERMO
        lengths = {self.traj.name: length_without(self.traj, now)}
        lengths[THERMO] = thermo.stat().st_size if thermo.is_file() else 0
        assert self.watch is not None
        checkpoints.save(
            self.directory,
            checkpoints.Checkpoint(
                index,
                begin,
                made,
                now,
                self.done,
                self.watch.volume,
                {name: length for name, length in lengths.items() if length},
                self.inputs,
            ),
        )
        self.saved_at = self.done
        self.evaluator.forget()

    def _place(self, positions: Array, cell: Array) -> None:
        self.atoms.positions[:] = positions
        self.atoms.cell[:] = cell

    def _evaluate(self, positions: Array, cell: Array) -> Answer:
        """Answer LAMMPS: energy, forces, virial = -stress V, and whether to stop at this step."""
        if len(positions) != len(self.atoms):
            raise UserError(
                f"{len(self.atoms) - len(positions)} atoms have been lost",
                where=self.lammps.where,
                accepted=_ADVICE,
            )
        self._place(positions, cell)
        evaluation = self.evaluator.evaluate(self.atoms)
        volume = float(np.linalg.det(cell))
        virial = -volume * np.array([evaluation.stress[i, j] for i, j in VIRIAL_ORDER])
        if self._counting:
            self._calls += 1
            self._look(evaluation, cell, volume)
        return evaluation.energy, evaluation.forces, virial, self._stopping

    def _look(self, evaluation: Any, cell: Array, volume: float) -> None:
        """Watch the limits, tell the progress, and see whether the time is up."""
        step = self.done + max(self._calls, 0)
        state = SimpleNamespace(
            evaluation=evaluation,
            # not known in the middle of a step; a force that is no number must not pass for a cold start
            temperature=0.0 if np.isfinite(evaluation.forces).all() else np.nan,
            velocities=np.zeros((1, 3)),
            volume=volume,
            cell=cell,
            timestep=self.timestep,
        )
        assert self.watch is not None
        stage = Stage("LAMMPS", 0, self.plan.total, 0.0, False, False)
        try:
            self.watch.check(state, stage, step)
        except UserError as error:
            raise UserError(error.what, where=error.where, accepted=_ADVICE) from None
        if self._progress is not None and step % _NOTE_EVERY == 0:
            self._progress.update(step)
        if self._deadline is not None:
            now = time.time()
            a_step = (now - self._began) / max(self._calls, 1)
            self._stopping = self._stopping or now + 2 * a_step > self._deadline - FINISHING_TIME

    def finish(self, *, step_number: int, steps_per_second: float) -> dict[str, Any]:
        """Give the results their names, the last configuration last, and return the summary."""
        part = self.directory / CONF_PART
        self.lammps.command(f"write_data {CONF_PART} nocoeff")
        self.lammps.close()
        production = production_means(self.directory, self.settings.lammps.traj)
        if not production:
            accepted = f"a dump that writes {self.traj.name} during the last run"
            raise UserError("the trajectory has no frames", where=self.traj, accepted=accepted)
        check_temperature(production, self.settings.kBT, where=self.script)
        assert self.agreement is not None
        summary = {
            "step": step_number,
            "start": str(self.script),
            "atoms": len(self.symbols),
            "md_steps": self.plan.total,
            "timestep_fs": self.timestep,
            "steps_per_second": round(steps_per_second, 3),
            "step_0_differs_by": dict(
                zip(("energy[eV/atom]", "forces[eV/A]", "pressure[bar]"), self.agreement, strict=True)
            ),
            "inputs": self.inputs,
            "production": production,
            "versions": {**versions(), "lammps": str(self.lammps.version)},
        }
        with atomic_write(self.directory / SUMMARY) as file:
            json.dump(summary, file, indent=1)
            file.write("\n")
        for path in (self.traj, part):
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        os.replace(part, self.conf_out)
        for name in (checkpoints.NAME, checkpoints.RESTART):
            (self.directory / name).unlink(missing_ok=True)
        return summary
