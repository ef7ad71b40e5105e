"""One step of the inverse loop with the engine ``ase``: from a start to trajectory and last configuration.

Files in the step directory: ``thermo.dat`` grows; the trajectory grows under ``NAME.part``; at the end the
last configuration, ``ase_step.json`` and then the trajectory get their names, and the checkpoint goes.
"""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.engines.ase import checkpoint as checkpoints
from votca_mlp.engines.ase.integrate import Integrator
from votca_mlp.engines.ase.output import COLUMNS, GrowingFile, thermo_row, write_configuration
from votca_mlp.engines.ase.stages import Stage, plan_stages, steps_of
from votca_mlp.engines.ase.start import check_start, draw_velocities, largest_maximum, load_start
from votca_mlp.engines.ase.summary import make_summary
from votca_mlp.engines.ase.trajectory import frame_writer
from votca_mlp.engines.ase.watch import Watch, make_watch
from votca_mlp.engines.progress import Progress
from votca_mlp.engines.result import StepResult
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.evaluate import Evaluator

if TYPE_CHECKING:
    from ase import Atoms

THERMO = "thermo.dat"
SUMMARY = "ase_step.json"
FINISHING_TIME = 5.0
"""Seconds kept before the deadline."""
_NOTE_EVERY = 10


def run_step(
    settings: Any,
    evaluator: Evaluator,
    *,
    step_directory: str | Path,
    main_directory: str | Path,
    step_number: int,
    progress: Progress,
    deadline: float | None = None,
    max_steps: int | None = None,
    identity: str = "",
) -> StepResult:
    """Run or continue the MD of one step.

    A run interrupted anywhere goes on from its last checkpoint and gives the same files bit for bit (where
    the evaluator is deterministic, as on a CPU with a fixed number of threads).

    Parameters
    ----------
    settings
        :class:`votca_mlp.settings.Settings`.
    evaluator
        Model plus the correction of this step.
    step_directory, main_directory
        ``step_NNN`` and the directory of settings.xml.
    step_number
        1 for the first step of MD.
    progress
        Where to report.
    deadline
        Seconds since the epoch at which to be done (csg_inverse's ``CSGENDING``).
    max_steps
        Upper bound of the steps of each stage (csg_inverse's ``CSG_MDRUN_STEPS``).
    identity
        Names model and correction, such as a digest; a checkpoint of another one is refused.

    Raises
    ------
    UserError
        Input that does not fit, a simulation that has gone wrong, a damaged checkpoint, no space left.
    """
    from votca_mlp.settings import read_topology

    step_directory, main_directory = Path(step_directory), Path(main_directory)
    atoms, source, from_crystal = load_start(
        settings, step_directory=step_directory, main_directory=main_directory, step_number=step_number
    )
    topology = step_directory / settings.ase.topol
    if not topology.is_file():
        topology = main_directory / settings.ase.topol
    r_max = largest_maximum(settings)
    check_start(atoms, read_topology(topology).types, r_max=r_max, where=source, topology=topology)
    stages = plan_stages(
        settings.ase, step_number=step_number, from_crystal=from_crystal, max_steps=max_steps
    )
    inputs = checkpoints.describe_inputs(
        settings, step_directory=step_directory, identity=identity, max_steps=max_steps, start=_digest(atoms)
    )
    finished = _already_finished(step_directory, settings.ase, inputs, stages[-1].end)
    if finished is not None:
        return finished
    run = _Run(settings.ase, evaluator, atoms, stages, inputs, step_directory, step_number, r_max)
    progress.start(f"step {step_number}", run.total, run.done)
    try:
        in_time = run.advance(progress, deadline)
        note = "" if in_time else "stopped at a checkpoint before the deadline"
    except BaseException:
        note = "failed"
        raise
    finally:
        rate = progress.rate(run.done)
        progress.close(run.done, note)
        run.close()
    if not in_time:
        return StepResult("checkpointed", run.saved, run.total, rate)
    summary = run.finish(step_number=step_number, source=source, steps_per_second=rate)
    return StepResult("finished", run.total, run.total, rate, summary)


class _Run:
    """A step under way: stages, integrator, growing files."""

    def __init__(
        self,
        ase: Any,
        evaluator: Evaluator,
        atoms: "Atoms",
        stages: tuple[Stage, ...],
        inputs: dict[str, Any],
        directory: Path,
        step_number: int,
        r_max: float,
    ) -> None:
        self.ase, self.evaluator, self.atoms, self.stages, self.inputs = ase, evaluator, atoms, stages, inputs
        self.directory, self.step_number = directory, step_number
        self.total = stages[-1].end
        self.sample_steps = steps_of(ase.sample_every, ase.timestep)
        self.checkpoint_steps = steps_of(ase.checkpoint_every, ase.timestep)
        self.symbols: list[str] = atoms.get_chemical_symbols()
        self.first_positions = atoms.get_positions()
        self.checkpoint_file = directory / checkpoints.NAME
        self.traj_file = directory / ase.traj
        self.frame = frame_writer(ase.traj)
        self.done = 0
        self.saved = 0
        saved: checkpoints.Checkpoint | None = None
        if self.checkpoint_file.exists():
            saved = checkpoints.load(self.checkpoint_file, inputs=inputs, n_atoms=len(atoms))
        volume = atoms.get_volume() if saved is None else saved.volume
        self.watch: Watch = make_watch(ase.limits, r_max=r_max, volume=volume)
        lengths = {} if saved is None else saved.lengths
        part = self.traj_file.with_name(self.traj_file.name + ".part")
        if saved is None:
            # a finished trajectory of other inputs must not pass for this run's
            self.traj_file.unlink(missing_ok=True)
        self.traj = GrowingFile(part, lengths.get("traj"))
        self.thermo = GrowingFile(directory / THERMO, lengths.get("thermo"))
        if saved is None:
            self.thermo.write("# " + " ".join(COLUMNS) + "\n")
            self.md = self._begin(stages[0])
            self.save()
        else:
            self._resume(saved)

    def _begin(self, stage: Stage) -> Integrator:
        """Start a stage from the present positions with velocities drawn afresh."""
        seed = (self.ase.seed, self.step_number, self.stages.index(stage))
        velocities = draw_velocities(self.atoms.get_masses(), stage.temperature, seed)
        return self._integrator(stage, velocities)

    def _integrator(self, stage: Stage, velocities: Any) -> Integrator:
        return Integrator(
            self.atoms,
            self.evaluator,
            velocities,
            timestep=self.ase.timestep,
            temperature=stage.temperature,
            pressure=None if stage.constant_volume else self.ase.pressure,
            thermostat_time=self.ase.thermostat_time,
            barostat_time=self.ase.barostat_time,
        )

    def _resume(self, saved: checkpoints.Checkpoint) -> None:
        self.done = self.saved = saved.step
        self.atoms.positions[:] = saved.state["positions"]
        self.atoms.cell[:] = saved.state["cell"]
        self.evaluator.forget()
        # the state belongs to the stage of the last step made; the next one may begin afresh after it
        stage = self._stage(max(self.done - 1, 0))
        self.md = self._integrator(stage, np.zeros((len(self.atoms), 3)))
        self.md.restore(saved.state)

    def _stage(self, step: int) -> Stage:
        return next(stage for stage in self.stages if step < stage.end)

    def save(self) -> None:
        """Write a checkpoint; then go on exactly as a resumed run would."""
        lengths = {"traj": self.traj.sync(), "thermo": self.thermo.sync()}
        saved = checkpoints.Checkpoint(self.done, self.watch.volume, lengths, self.inputs, self.md.state())
        checkpoints.save(self.checkpoint_file, saved)
        self.saved = self.done
        if self.done < self.total:
            self.evaluator.forget()
            self.md.recompute()

    def advance(self, progress: Progress, deadline: float | None) -> bool:
        """Run to the end; return False when the deadline comes first."""
        interval_start = time.time()
        while self.done < self.total:
            stage = self._stage(self.done)
            if self.done == stage.start and stage.draw and self.done > 0:
                self.md = self._begin(stage)
            self.md.step()
            self.done += 1
            self.watch.check(self.md, stage, self.done)
            self._sample(stage)
            if stage.name == "melt" and self.done == stage.end:
                self._check_melted(stage)
            if self.done % _NOTE_EVERY == 0:
                progress.update(self.done, f"{stage.name}, {self.md.temperature:.0f} K")
                if (
                    deadline is not None
                    and self.done < self.total
                    and time.time() > deadline - FINISHING_TIME
                ):
                    return False
            if self.done == self.total or self.done % self.checkpoint_steps == 0:
                self.save()
                now = time.time()
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
        self.thermo.write(thermo_row(self.done, stage.name, self.md))
        if stage.name == "production":
            md, time_fs = self.md, self.done * self.ase.timestep
            self.traj.write(self.frame(self.done, time_fs, self.symbols, md.positions, np.diag(md.cell)))

    def _check_melted(self, stage: Stage) -> None:
        moved = self.md.positions - self.first_positions
        rms = float(np.sqrt((moved**2).sum(1).mean()))
        spacing = float(np.cbrt(self.md.volume / len(self.symbols)))
        shortened = stage.steps < round(self.ase.crystal.melt_time / self.ase.timestep)
        if rms < 0.5 * spacing and not shortened:
            raise UserError(
                f"the crystal has not molten: after {stage.steps * self.ase.timestep:g} fs at "
                f"{stage.temperature:g} K atoms are {rms:.2f} Angstrom from their sites (root mean square)",
                where="cg.inverse.ase.crystal",
                accepted="a higher <melt_temperature>, a longer <melt_time>, or a larger <lattice_constant>",
            )

    def close(self) -> None:
        """Close the growing files."""
        self.traj.close()
        self.thermo.close()

    def finish(self, *, step_number: int, source: str, steps_per_second: float) -> dict[str, Any]:
        """Give the results their names, the trajectory last, and return the summary."""
        write_configuration(self.directory / self.ase.conf_out, self.symbols, self.md)
        summary = make_summary(
            self.directory / THERMO,
            step=step_number,
            start=source,
            seed=self.ase.seed,
            atoms=len(self.symbols),
            md_steps=self.total,
            timestep_fs=self.ase.timestep,
            steps_per_second=round(steps_per_second, 3),
            inputs=self.inputs,
        )
        with atomic_write(self.directory / SUMMARY) as file:
            json.dump(summary, file, indent=1)
            file.write("\n")
        os.replace(self.traj.path, self.traj_file)
        self.checkpoint_file.unlink(missing_ok=True)
        return summary


def _digest(atoms: "Atoms") -> str:
    """Return a short digest of the start: numbers, positions, cell and masses."""
    arrays = (atoms.numbers, atoms.get_positions(), atoms.cell.array, atoms.get_masses())
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[
        :16
    ]


def _already_finished(directory: Path, ase: Any, inputs: dict[str, Any], total: int) -> StepResult | None:
    """Return the result of a run that was killed after its last rename, or None."""
    if not all((directory / name).is_file() for name in (ase.traj, ase.conf_out, SUMMARY)):
        return None
    try:
        summary = json.loads((directory / SUMMARY).read_text())
        same = summary["inputs"] == json.loads(json.dumps(inputs))
    except (ValueError, KeyError, TypeError):
        return None
    if not same:
        return None
    (directory / checkpoints.NAME).unlink(missing_ok=True)
    return StepResult("finished", total, total, 0.0, summary)
