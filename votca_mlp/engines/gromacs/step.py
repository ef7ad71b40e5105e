"""One step of the inverse loop with GROMACS: mdrun moves the atoms, model and correction come from us.

Who starts mdrun: under csg_inverse VOTCA's own ``run_gromacs.sh`` (its checkpoint, wall time, commands), in
our loop this module. Either way it is started, watched and stopped by
:func:`votca_mlp.engines.gromacs.serve.serve`.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from votca_mlp.engines.gromacs.kernel import kernel_library
from votca_mlp.engines.gromacs.options import NEEDS_STRESS, options_of
from votca_mlp.engines.gromacs.output import warnings_in, why
from votca_mlp.engines.gromacs.plan import Plan, make_plan
from votca_mlp.engines.gromacs.run import Run, grompp, raise_for, raise_interruption, write_module
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.deadline import on_steady_clock
from votca_mlp.engines.shared.result import StepResult
from votca_mlp.engines.shared.resume import digests, finished_result
from votca_mlp.engines.shared.start import checked_start
from votca_mlp.engines.shared.stress import refuse_wrong_stress, require_stress
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.progress import Progress

_SHORTEST = 3.0
"""Seconds: a shorter run is not begun."""


def run_step(
    md: MDPlan,
    evaluator: Evaluator,
    *,
    step_directory: str | Path,
    step_number: int,
    progress: Progress,
    deadline: float | None = None,
    max_steps: int | None = None,
    identity: str = "",
) -> StepResult:
    """Run or continue the MD of one step; arguments as :func:`votca_mlp.engines.ase.step.run_step`.

    Raises
    ------
    UserError
        Input that does not fit, a GROMACS that cannot do it, a simulation that has gone wrong, a checkpoint
        of other inputs.
    """
    step_directory, ending = Path(step_directory), on_steady_clock(deadline)
    require_stress(md, evaluator, *NEEDS_STRESS)
    plan = make_plan(md, step_directory / options_of(md).mdp, max_steps=max_steps)
    start = checked_start(md, step_directory)
    inputs = _inputs(md, step_directory, identity, max_steps, plan)
    total = min(plan.steps, max_steps or plan.steps)
    run = Run(md, plan, evaluator, start.atoms, step_directory, total)
    finished = finished_result(step_directory, md, inputs, total)
    if finished is not None:
        return finished
    resumed = run.begin(inputs)
    if step_number == 1 and not resumed:
        refuse_wrong_stress(md, evaluator, start.atoms, NEEDS_STRESS[0])
    differs = ", ".join(f"{name} {value:.1e}" for name, value in run.step_0.items())
    found = f"resumed from {run.checkpoint.name}" if resumed else f"step 0 in GROMACS differs by {differs}"
    print(f"{plan}; {found}", file=sys.stderr, flush=True)
    if ending is not None and time.monotonic() > ending - _SHORTEST:
        # -maxh of nothing would mean no limit
        if not resumed:
            what = "the wall time is up before the first MD step"
            raise UserError(what, where=step_directory, accepted="a longer --wall-time")
        # a few steps at least: a chain of jobs that are shorter than a start would never end
        ending = time.monotonic() + _SHORTEST
    progress.start(f"step {step_number}", total, 0)
    begin = time.monotonic()
    responder = run.responder(log=True) if plan.way == "plumed" else None
    note = "failed"
    try:
        ended = run.simulate(responder, progress, ending, max_steps)
        note = "" if run.complete() else "stopped at a checkpoint"
    finally:
        done = total if run.complete() else 0 if responder is None else max(responder.step, 0)
        progress.close(done, note)
    made = total if responder is None else responder.step - responder.first
    rate = max(made, 0) / max(time.monotonic() - begin, 1e-9)
    raise_for(ended, run)
    if not run.complete():
        return StepResult("checkpointed", done, total, rate)
    summary = run.finish(inputs, step=step_number, start=start.source, steps_per_second=round(rate, 3))
    return StepResult("finished", total, total, rate, summary)


def check_engine(md: MDPlan) -> Plan:
    """Check before the first step that this GROMACS can do it; return what it will do.

    Raises
    ------
    UserError
        It cannot.
    """
    name = options_of(md).mdp
    plan = make_plan(md, md.files.get(name, md.directory / name))
    if plan.way == "plumed":
        kernel_library()
    return plan


def check_grompp(md: MDPlan, plan: Plan, evaluator: Evaluator) -> None:
    """Let grompp make a run input of the main directory's files, in a temporary folder.

    Raises
    ------
    UserError
        What grompp says.
    """
    with tempfile.TemporaryDirectory(prefix="votca-mlp-grompp-") as folder:
        directory = Path(folder)
        for name, path in md.files.items():
            if path.is_file():
                shutil.copy(path, directory / name)
        if plan.way == "nnpot":
            write_module(md, evaluator, directory)
        ended = grompp(md, plan, directory)
    raise_interruption(ended)
    if ended.status != 0:
        g = options_of(md)
        raise UserError(
            f"grompp refuses the inputs: {' / '.join([*warnings_in(ended.words), why(ended.words)])}",
            where=plan.mdp.path,
            accepted=f"{g.mdp}, {g.topol_in} and {g.conf} as '{g.grompp.bin}' takes them",
        )


def _inputs(md: MDPlan, directory: Path, identity: str, max_steps: int | None, plan: Plan) -> dict[str, Any]:
    """Return what must not change while a step is continued."""
    g = options_of(md)
    inputs: dict[str, Any] = {"model": identity, "max_steps": max_steps, "way": plan.way}
    return inputs | digests(directory, [g.mdp, g.topol_in, g.conf, g.index, g.rdf.topol, *md.tables])
