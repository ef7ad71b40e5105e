"""One step of the inverse loop with LAMMPS, and what can be checked before the first.

The user's script runs in the step directory: ``log.lammps``, ``lammps.out``, the trajectory and
``thermo.dat`` grow; the last configuration gets its name when all is complete, and the checkpoint goes.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from votca_mlp.engines.lammps import checkpoint as checkpoints
from votca_mlp.engines.lammps.plan import Plan, plan_script
from votca_mlp.engines.lammps.run import Run
from votca_mlp.engines.lammps.script import Command, read_script
from votca_mlp.engines.plan import KBT_TOLERANCE
from votca_mlp.engines.shared.result import StepResult
from votca_mlp.engines.shared.resume import finished_result
from votca_mlp.engines.shared.start import largest_maximum
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import Evaluator
from votca_mlp.models.kind import model_kind, pair_kinds
from votca_mlp.progress import Progress
from votca_mlp.units import kelvin


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
    """Run or continue the LAMMPS script of one step; arguments as those of the engine ``ase``.

    A run interrupted anywhere goes on from its last checkpoint. After SIGKILL the rest is what it would have
    been, bit for bit, where LAMMPS's own restart is exact (Nose-Hoover thermostats and barostats are,
    Langevin's random numbers are not) and the evaluator is deterministic. A deadline stops it at once, with a
    checkpoint there; the trajectory then goes on with other rounding.

    Raises
    ------
    UserError
        Input that does not fit, LAMMPS missing or failing, a simulation that has gone wrong, a damaged
        checkpoint, no space left.
    """
    directory = Path(step_directory)
    plan, symbols, files = prepare(settings, directory, max_steps)
    inputs = checkpoints.describe_inputs(
        settings, files, step_directory=directory, identity=identity, max_steps=max_steps
    )
    finished = finished_result(directory, settings.lammps, inputs, plan.total)
    if finished is not None:
        (directory / checkpoints.NAME).unlink(missing_ok=True)
        return finished
    saved = checkpoints.load(directory, inputs)
    run = Run(
        settings,
        evaluator,
        plan,
        symbols,
        directory,
        inputs=inputs,
        r_max=largest_maximum(settings),
        saved=saved,
    )
    progress.start(f"step {step_number}", plan.total, run.done)
    note = "failed"
    try:
        in_time = run.advance(progress, deadline)
        note = "" if in_time else "stopped at a checkpoint before the deadline"
        rate = progress.rate(run.done)
        if not in_time:
            return StepResult("checkpointed", run.saved_at, plan.total, rate)
        summary = run.finish(step_number=step_number, steps_per_second=rate)
        return StepResult("finished", plan.total, plan.total, rate, summary)
    finally:
        progress.close(run.done, note)
        run.lammps.kill()


def prepare(
    settings: Any, directory: Path, max_steps: int | None = None
) -> tuple[Plan, list[str], list[Path]]:
    """Return the plan of the script, the elements of the atoms, and the files that the run is made from.

    Raises
    ------
    UserError
        A script or topology that is missing or cannot be used, a thermostat at another temperature than kBT.
    """
    from votca_mlp.settings import read_topology

    lammps = settings.lammps
    if settings.text("cg.inverse.lammps.opts"):
        raise UserError(
            "is not used: the script is handed over command by command",
            where=settings.where("cg.inverse.lammps.opts"),
            accepted="no such tag; options of LAMMPS after its name in <command>",
        )
    script = directory / lammps.script
    if lammps.command is not None:
        _check_for_program(settings, read_script(script), script)
    plan = plan_script(read_script(script), path=script, traj=lammps.traj, max_steps=max_steps)
    expected = kelvin(settings.kBT)
    for command, temperature in plan.temperatures:
        if abs(temperature - expected) > KBT_TOLERANCE * expected:
            raise UserError(
                f"the thermostat is set to {temperature:g} K while {lammps.traj} is written, but "
                f"cg.inverse.kBT is {settings.kBT:g} kJ/mol ({expected:.5g} K)",
                where=command.where,
                accepted=f"{expected:.5g} K, or the kBT that belongs to the thermostat",
            )
    topology = directory / lammps.topol
    if not topology.is_file():
        topology = settings.input_path(lammps.topol)
    symbols = list(read_topology(topology).types)
    names = dict.fromkeys((*settings.filelist, lammps.conf))
    return plan, symbols, [script, *(directory / name for name in names if directory / name != script)]


def _check_for_program(settings: Any, commands: list[Command], script: Path) -> None:
    """Refuse what does not go with ``<command>``."""
    without_pairs = model_kind(settings.mlp.kind).without_pairs
    if without_pairs:
        raise UserError(
            f"kind {settings.mlp.kind} {without_pairs}, which cannot be asked by LAMMPS's pairs",
            where=settings.where("cg.inverse.mlp.kind"),
            accepted=f"kind {pair_kinds()}; or no <command>, and LAMMPS as a library takes every kind",
        )
    if settings.lammps.python is not None:
        raise UserError(
            "names a library and <command> a program",
            where=settings.where("cg.inverse.lammps.python"),
            accepted="one of <python> and <command>",
        )
    if settings.lammps.limits.spread_max is not None:
        raise UserError(
            "is not watched by a LAMMPS program, which evaluates by itself",
            where=settings.where("cg.inverse.lammps.limits.spread_max"),
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


def check_start(settings: Any, evaluator: Evaluator) -> str:
    """Carry out the script up to its first run and compare step 0; return a line about the system.

    Everything happens in a temporary folder.

    Raises
    ------
    UserError
        Whatever would stop the first step.
    """
    with tempfile.TemporaryDirectory(prefix="votca-mlp-lammps-") as folder:
        directory = Path(folder)
        for name in dict.fromkeys((*settings.filelist, settings.lammps.conf)):
            if settings.input_path(name).is_file():
                shutil.copy(settings.input_path(name), directory / Path(name).name)
        plan, symbols, _ = prepare(settings, directory)
        run = Run(settings, evaluator, plan, symbols, directory, inputs={}, r_max=largest_maximum(settings))
        try:
            run.advance()
        finally:
            run.lammps.kill()
        assert run.agreement is not None
        energy, force, pressure = run.agreement
        atoms = run.answers.atoms
        edges = " x ".join(f"{edge:.2f}" for edge in atoms.cell.lengths())
        return (
            f"{atoms.get_chemical_formula()} in {edges} Angstrom, {run.energy / len(symbols):.4f} eV an atom "
            f"at the start; LAMMPS {run.lammps.version} agrees to {energy:.1e} eV/atom, {force:.1e} eV/A, "
            f"{pressure:.1e} bar; {run.lammps.way}"
        )
