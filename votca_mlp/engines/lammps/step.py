"""One step of the inverse loop with LAMMPS, and what can be checked before the first.

The user's script runs in the step directory: ``log.lammps``, ``lammps.out``, the trajectory and
``thermo.dat`` grow; the last configuration gets its name when all is complete, and the checkpoint goes.
"""

import shutil
import tempfile
from pathlib import Path

from votca_mlp.engines.lammps import checkpoint as checkpoints
from votca_mlp.engines.lammps.options import LammpsSettings, options_of
from votca_mlp.engines.lammps.plan import Plan, check_frames, plan_script
from votca_mlp.engines.lammps.run import Run
from votca_mlp.engines.lammps.script import Command, read_script
from votca_mlp.engines.plan import KBT_TOLERANCE, MDPlan
from votca_mlp.engines.shared.deadline import on_steady_clock
from votca_mlp.engines.shared.result import StepResult
from votca_mlp.engines.shared.resume import finished_result
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.interrupts import held_back
from votca_mlp.models.kind import model_kind, pair_kinds
from votca_mlp.progress import Progress


def run_step(
    plan: MDPlan,
    evaluator: Evaluator,
    *,
    step_directory: str | Path,
    step_number: int,
    progress: Progress,
    deadline: float | None = None,
    max_steps: int | None = None,
    identity: str = "",
) -> StepResult:
    """Run or continue the LAMMPS script of one step; arguments as those of the engine ``ase``.

    A run interrupted anywhere goes on from its last checkpoint. After SIGKILL the rest is what it would have
    been, bit for bit, where LAMMPS's own restart is exact (Nose-Hoover thermostats and barostats are,
    Langevin's random numbers are not) and the evaluator is deterministic. A deadline, Ctrl-C and SIGTERM stop
    it at once, with a checkpoint there (with ``<command>`` the latter two end it: it goes on from the last
    one); the trajectory then goes on with other rounding.

    Raises
    ------
    UserError
        Input that does not fit, LAMMPS missing or failing, a simulation that has gone wrong, a damaged
        checkpoint, no space left.
    KeyboardInterrupt
        Ctrl-C or SIGTERM.
    """
    directory, ending = Path(step_directory), on_steady_clock(deadline)
    script, files = prepare(plan, directory, max_steps)
    inputs = checkpoints.describe_inputs(
        plan, files, step_directory=directory, identity=identity, max_steps=max_steps
    )
    finished = finished_result(directory, plan, inputs, script.total)
    if finished is not None:
        (directory / checkpoints.NAME).unlink(missing_ok=True)
        return finished
    saved = checkpoints.load(directory, inputs)
    run = Run(plan, evaluator, script, directory, inputs=inputs, saved=saved)
    progress.start(f"step {step_number}", script.total, run.done)
    note = "failed"
    try:
        with held_back() as run.answers.interruption:
            in_time = run.advance(progress, ending)
        note = "" if in_time else "stopped at a checkpoint before the deadline"
        rate = progress.rate(run.done)
        if not in_time:
            return StepResult("checkpointed", run.saved_at, script.total, rate)
        summary = run.finish(step_number=step_number, steps_per_second=rate)
        return StepResult("finished", script.total, script.total, rate, summary)
    except KeyboardInterrupt:
        note = f"interrupted, saved at {run.saved_at}"
        raise
    finally:
        progress.close(run.done, note)
        run.lammps.kill()


def prepare(plan: MDPlan, directory: Path, max_steps: int | None = None) -> tuple[Plan, list[Path]]:
    """Return what the script will do, and the files that the run is made from.

    Raises
    ------
    UserError
        A script that is missing or cannot be used, a thermostat at another temperature than the plan's.
    """
    options = options_of(plan)
    path = directory / options.script
    if options.command is not None:
        _check_for_program(plan, options, read_script(path), path)
    script = plan_script(read_script(path), path=path, traj=plan.traj, max_steps=max_steps)
    if max_steps is None:
        check_frames(script, first_frame=plan.first_frame, needed=plan.frames_needed)
    expected = plan.temperature
    for command, temperature in script.temperatures:
        if abs(temperature - expected) > KBT_TOLERANCE * expected:
            raise UserError(
                f"the thermostat is set to {temperature:g} K while {plan.traj} is written, but "
                f"cg.inverse.kBT is {plan.kBT:g} kJ/mol ({expected:.5g} K)",
                where=command.where,
                accepted=f"{expected:.5g} K, or the kBT that belongs to the thermostat",
            )
    return script, [path, *(directory / name for name in plan.files if directory / name != path)]


def _check_for_program(plan: MDPlan, options: LammpsSettings, commands: list[Command], script: Path) -> None:
    """Refuse what does not go with ``<command>``."""
    if plan.model is None:
        what, accepted = "a LAMMPS program loads the model itself", "the model's options"
        raise UserError(what, where=plan.where("mlp"), accepted=accepted)
    without_pairs = model_kind(plan.model.kind).without_pairs
    if without_pairs:
        raise UserError(
            f"kind {plan.model.kind} {without_pairs}, which cannot be asked by LAMMPS's pairs",
            where=plan.where("mlp.kind"),
            accepted=f"kind {pair_kinds()}; or no <command>, and LAMMPS as a library takes every kind",
        )
    if options.python is not None:
        raise UserError(
            "names a library and <command> a program",
            where=plan.place("python"),
            accepted="one of <python> and <command>",
        )
    if plan.limits.spread_max is not None:
        raise UserError(
            "is not watched by a LAMMPS program, which evaluates by itself",
            where=plan.place("limits.spread_max"),
            accepted="no such tag, or no <command>",
        )
    for command in commands:
        external = command.name == "fix" and command.words[3:4] == ("external",)
        if command.name == "pair_style" or external:
            raise UserError(
                f"'{' '.join(command.words)}' would replace the model or act beside it",
                where=command.where,
                accepted="no pair style and no fix external: with <command> both are added",
            )
    if not any(command.words[:2] == ("units", "metal") for command in commands):
        accepted = "units metal at the beginning of the script"
        raise UserError("the script does not set its units", where=script, accepted=accepted)


def check_script(plan: MDPlan, evaluator: Evaluator) -> str:
    """Carry out the script up to its first run and compare step 0; return a line about the system.

    Everything happens in a temporary folder.

    Raises
    ------
    UserError
        Whatever would stop the first step.
    """
    with tempfile.TemporaryDirectory(prefix="votca-mlp-lammps-") as folder:
        directory = Path(folder)
        for name, path in plan.files.items():
            if path.is_file():
                shutil.copy(path, directory / Path(name).name)
        try:
            run = _as_far_as_step_0(plan, evaluator, directory)
        except UserError as error:
            raise _of_the_users_files(error, plan, directory) from None
        assert run.agreement is not None
        energy, force, pressure = run.agreement
        atoms = run.answers.atoms
        edges = " x ".join(f"{edge:.2f}" for edge in atoms.cell.lengths())
        return (
            f"{atoms.get_chemical_formula()} in {edges} Angstrom, {run.energy / len(atoms):.4f} eV an atom "
            f"at the start; LAMMPS {run.lammps.version} agrees to {energy:.1e} eV/atom, {force:.1e} eV/A, "
            f"{pressure:.1e} bar; {run.lammps.way}"
        )


def _as_far_as_step_0(plan: MDPlan, evaluator: Evaluator, directory: Path) -> Run:
    script, _ = prepare(plan, directory)
    run = Run(plan, evaluator, script, directory, inputs={})
    try:
        run.advance()
    finally:
        run.lammps.kill()
    return run


def _of_the_users_files(error: UserError, plan: MDPlan, directory: Path) -> UserError:
    """Return an error that names the user's files where it names their copies in a temporary folder."""
    where = str(error.where or "")
    for name, path in plan.files.items():
        where = where.replace(str(directory / Path(name).name), str(path))
    return UserError(error.what, where=where, accepted=error.accepted)
