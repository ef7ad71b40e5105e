"""The MD of one step under way: stages, checkpoints, samples, deadline."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.engines.ase import checkpoint as checkpoints
from votca_mlp.engines.ase.along_z import IntegratorAlongZ
from votca_mlp.engines.ase.integrate import Integrator
from votca_mlp.engines.ase.motion import Motion
from votca_mlp.engines.ase.output import HEADER, has_words, thermo_row, write_configuration
from votca_mlp.engines.ase.summary import make_summary
from votca_mlp.engines.ase.trajectory import frame_writer
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.growing import GrowingFile
from votca_mlp.engines.shared.result import THERMO, write_summary
from votca_mlp.engines.shared.stages import Stage, steps_of
from votca_mlp.engines.shared.start import check_melted, draw_velocities
from votca_mlp.engines.shared.watch import Watch, check_first, make_watch, place
from votca_mlp.errors import Exploded
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.interrupts import Interruption, held_back
from votca_mlp.progress import Progress

if TYPE_CHECKING:
    from ase import Atoms

FINISHING_TIME = 5.0
"""Seconds kept before the deadline."""
_NOTE_EVERY = 10


class Run:
    """A step under way: stages, integrator, growing files.

    Parameters
    ----------
    plan
        What to do.
    evaluator, atoms, stages
        With which forces, from where, in which stages.
    inputs
        Of :func:`votca_mlp.engines.ase.checkpoint.describe_inputs`.
    directory
        The step directory.
    step_number
        Part of the seed.

    Raises
    ------
    UserError
        A checkpoint that is damaged or of other inputs; files that cannot be written.
    """

    def __init__(
        self,
        plan: MDPlan,
        evaluator: Evaluator,
        atoms: "Atoms",
        stages: tuple[Stage, ...],
        inputs: dict[str, Any],
        directory: Path,
        step_number: int,
    ) -> None:
        self.plan, self.evaluator, self.inputs = plan, evaluator, inputs
        self.atoms, self.stages = atoms, stages
        self.directory, self.step_number = directory, step_number
        self.total = stages[-1].end
        self.sample_steps = steps_of(plan.sample_every, plan.timestep)
        self.checkpoint_steps = steps_of(plan.checkpoint_every, plan.timestep)
        self.symbols: list[str] = atoms.get_chemical_symbols()
        self.first_positions = atoms.get_positions()
        self.checkpoint_file = directory / checkpoints.NAME
        self.traj_file = directory / plan.traj
        self.frame = frame_writer(plan.traj, plan.place("traj"))
        self.done = self.saved = self.begun = 0
        saved: checkpoints.Checkpoint | None = None
        if self.checkpoint_file.exists():
            saved = checkpoints.load(self.checkpoint_file, inputs=inputs, n_atoms=len(atoms))
        volume = atoms.get_volume() if saved is None else saved.volume
        self.watch: Watch = make_watch(plan.limits, r_max=plan.r_max, volume=volume)
        lengths = {} if saved is None else saved.lengths
        part = self.traj_file.with_name(self.traj_file.name + ".part")
        if saved is None:
            # a finished trajectory of other inputs must not pass for this run's
            self.traj_file.unlink(missing_ok=True)
        self.traj = GrowingFile(part, lengths.get("traj"))
        self.thermo = GrowingFile(directory / THERMO, lengths.get("thermo"))
        self.words = saved is not None and has_words(directory / THERMO)
        if saved is None:
            self.thermo.write(HEADER)
            self.md = self._begin(stages[0])
            self.save()
        else:
            self._resume(saved)

    def _begin(self, stage: Stage) -> Motion:
        """Start a stage from the present positions with velocities drawn afresh."""
        seed = (self.plan.seed or 0, self.step_number, self.stages.index(stage))
        velocities = draw_velocities(self.atoms.get_masses(), stage.temperature, seed)
        md = self._integrator(stage, velocities)
        check_first(md, stage, stage.start)
        return md

    def _integrator(self, stage: Stage, velocities: Any) -> Motion:
        options = {
            "timestep": self.plan.timestep,
            "temperature": stage.temperature,
            "pressure": None if stage.constant_volume else self.plan.pressure,
            "thermostat_time": self.plan.thermostat_time,
            "barostat_time": self.plan.barostat_time,
        }
        if self.plan.barostat_axes == "z":
            return IntegratorAlongZ(self.atoms, self.evaluator, velocities, **options)
        forces = self.evaluator.on_device()
        if forces is None:
            return Integrator(self.atoms, self.evaluator, velocities, **options)
        from votca_mlp.engines.ase.on_device import DeviceIntegrator

        return DeviceIntegrator(self.atoms, forces, velocities, **options)

    def _resume(self, saved: checkpoints.Checkpoint) -> None:
        self.done = self.saved = self.begun = saved.step
        self.atoms.positions[:] = saved.state["positions"]
        self.atoms.cell[:] = saved.state["cell"]
        # the state belongs to the stage of the last step made; the next one may begin afresh after it
        stage = self._stage(max(self.done - 1, 0))
        self.md = self._integrator(stage, np.zeros((len(self.atoms), 3)))
        self.md.restore(saved.state, saved.lists)

    def _stage(self, step: int) -> Stage:
        return next(stage for stage in self.stages if step < stage.end)

    def save(self) -> None:
        """Write a checkpoint; then go on exactly as a resumed run would."""
        self._write(None)
        if self.done < self.total:
            self.md.recompute()

    def save_now(self) -> None:
        """Write a checkpoint between the regular ones, where the run can go on from there bit for bit."""
        lists = self.md.lists()
        if lists is not None and self.saved < self.done:
            self._write(lists)

    def save_forward(self) -> None:
        """Write a checkpoint when the time is up, so that a chain of short jobs comes to its end.

        Bit for bit where :meth:`save_now` can. Elsewhere (a calculator whose lists are its own) only if this
        process has saved nothing yet: it then goes on from there with other rounding.
        """
        self.save_now()
        if self.saved == self.begun < self.done:
            self._write(None)

    def _write(self, lists: dict[str, Any] | None) -> None:
        lengths = {"traj": self.traj.sync(), "thermo": self.thermo.sync()}
        state = self.md.state()
        saved = checkpoints.Checkpoint(self.done, self.watch.volume, lengths, self.inputs, state, lists)
        checkpoints.save(self.checkpoint_file, saved)
        self.saved = self.done

    def advance(self, progress: Progress, deadline: float | None) -> bool:
        """Run to the end; return False when the deadline comes first.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C or SIGTERM, when the step under way is made and, where that can be, saved.
        """
        with held_back() as interruption:
            return self._advance(progress, deadline, interruption)

    def _advance(self, progress: Progress, deadline: float | None, interruption: Interruption) -> bool:
        begin = interval_start = time.monotonic()
        before = self.done
        while self.done < self.total:
            if interruption.came is not None:
                self.save_now()
                raise KeyboardInterrupt
            stage = self._stage(self.done)
            if self.done == stage.start and stage.draw and self.done > 0:
                self.atoms.positions[:], self.atoms.cell[:] = self.md.positions, self.md.cell
                self.md = self._begin(stage)
            try:
                self.md.step()
            except Exploded as error:
                # where an atom shows it, that says more
                self.watch.check(self.md, stage, self.done + 1)
                raise error.at(place(self.plan.timestep, stage, self.done + 1)) from None
            self.done += 1
            self.watch.check(self.md, stage, self.done)
            self._sample(stage)
            if stage.name == "melt" and self.done == stage.end and self._melt_is_whole(stage):
                where = self.plan.place("crystal")
                check_melted(self.first_positions, self.md.positions, self.md.volume, where)
            if self.done % _NOTE_EVERY == 0:
                progress.update(self.done, f"{stage.name}, {self.md.temperature:.0f} K")
            if deadline is not None and self.done < self.total:
                now = time.monotonic()
                if now + (now - begin) / (self.done - before) > deadline - FINISHING_TIME:
                    self.save_forward()
                    return False
            if self.done == self.total or self.done % self.checkpoint_steps == 0:
                self.save()
                now = time.monotonic()
                interval, interval_start = now - interval_start, now
                if deadline is not None and self.done < self.total:
                    steps = min(self.checkpoint_steps, self.total - self.done)
                    needed = interval * steps / self.checkpoint_steps
                    if now + 1.1 * needed + FINISHING_TIME > deadline:
                        return False
        return True

    def _sample(self, stage: Stage) -> None:
        made = self.done - stage.start
        # a run shortened below one interval still gives a frame
        last = self.done == self.total and stage.steps < self.sample_steps
        if made % self.sample_steps and not last:
            return
        self.thermo.write(thermo_row(self.done, stage.name, self.md, words=self.words))
        if stage.name == "production":
            md, time_fs = self.md, self.done * self.plan.timestep
            self.traj.write(self.frame(self.done, time_fs, self.symbols, md.positions, np.diag(md.cell)))

    def _melt_is_whole(self, stage: Stage) -> bool:
        # one shortened by max_steps belongs to a test run, which need not melt
        assert self.plan.crystal is not None
        return stage.steps >= round(self.plan.crystal.melt_time / self.plan.timestep)

    def close(self) -> None:
        """Close the growing files."""
        self.traj.close()
        self.thermo.close()

    def finish(self, *, step_number: int, source: str, steps_per_second: float) -> dict[str, Any]:
        """Give the results their names, the trajectory last, and return the summary."""
        write_configuration(self.directory / self.plan.conf_out, self.symbols, self.md)
        summary = make_summary(
            self.directory / THERMO,
            step=step_number,
            start=source,
            seed=self.plan.seed,
            atoms=len(self.symbols),
            md_steps=self.total,
            timestep_fs=self.plan.timestep,
            steps_per_second=round(steps_per_second, 3),
            inputs=self.inputs,
        )
        write_summary(self.directory, summary)
        os.replace(self.traj.path, self.traj_file)
        self.checkpoint_file.unlink(missing_ok=True)
        return summary
