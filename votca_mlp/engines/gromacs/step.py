"""One step of the inverse loop with GROMACS: mdrun moves the atoms, model and correction come from us.

Who starts mdrun: under csg_inverse VOTCA's own ``run_gromacs.sh`` (its checkpoint, wall time, commands), in
our loop this module. Either way it is started, watched and stopped by
:func:`votca_mlp.engines.gromacs.serve.serve`.
"""

import sys
import time
from pathlib import Path
from typing import Any

from votca_mlp.engines.gromacs.kernel import kernel_library
from votca_mlp.engines.gromacs.plan import Plan, make_plan
from votca_mlp.engines.gromacs.run import Run, raise_for
from votca_mlp.engines.shared.result import StepResult
from votca_mlp.engines.shared.resume import digests, finished_result
from votca_mlp.engines.shared.start import check_start, largest_maximum, load_start
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import Evaluator
from votca_mlp.progress import Progress
from votca_mlp.settings import Settings, read_topology

_SHORTEST = 3.0
"""Seconds: a shorter run is not begun."""


def run_step(
    settings: Settings,
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
    """Run or continue the MD of one step; arguments as :func:`votca_mlp.engines.ase.step.run_step`.

    Raises
    ------
    UserError
        Input that does not fit, a GROMACS that cannot do it, a simulation that has gone wrong, a checkpoint
        of other inputs.
    """
    step_directory, main_directory = Path(step_directory), Path(main_directory)
    gromacs = settings.gromacs
    assert gromacs is not None
    plan = make_plan(settings, step_directory / gromacs.mdp, max_steps=max_steps)
    atoms, source, _ = load_start(
        settings, step_directory=step_directory, main_directory=main_directory, step_number=step_number
    )
    topology = step_directory / gromacs.rdf.topol
    r_max = largest_maximum(settings)
    check_start(atoms, read_topology(topology).types, r_max=r_max, where=source, topology=topology)
    inputs = _inputs(settings, step_directory, identity, max_steps, plan)
    total = min(plan.steps, max_steps or plan.steps)
    run = Run(settings, plan, evaluator, atoms, step_directory, r_max, total)
    finished = finished_result(step_directory, gromacs, inputs, total)
    if finished is not None:
        return finished
    resumed = run.begin(inputs, main_directory)
    told = ", ".join(f"{name} {value:.1e}" for name, value in run.step_0.items())
    found = f"resumed from {run.checkpoint.name}" if resumed else f"step 0 in GROMACS differs by {told}"
    print(f"{plan}; {found}", file=sys.stderr, flush=True)
    if deadline is not None and time.time() > deadline - _SHORTEST:
        # -maxh of nothing would mean no limit
        if not resumed:
            what = "the wall time is up before the first MD step"
            raise UserError(what, where=step_directory, accepted="a longer --wall-time")
        return StepResult("checkpointed", 0, total)
    progress.start(f"step {step_number}", total, 0)
    begin = time.monotonic()
    partner = run.partner(log=True) if plan.way == "plumed" else None
    note = "failed"
    try:
        ended = run.simulate(partner, progress, deadline, max_steps)
        note = "" if run.whole() else "stopped at a checkpoint"
    finally:
        done = total if run.whole() else 0 if partner is None else max(partner.step, 0)
        progress.close(done, note)
    made = total if partner is None else partner.step - partner.first
    rate = max(made, 0) / max(time.monotonic() - begin, 1e-9)
    raise_for(ended, run)
    if not run.whole():
        return StepResult("checkpointed", done, total, rate)
    summary = run.finish(inputs, step=step_number, start=source, steps_per_second=round(rate, 3))
    return StepResult("finished", total, total, rate, summary)


def check_engine(settings: Settings) -> str:
    """Check before the first step that this GROMACS can do it; return what was found.

    Raises
    ------
    UserError
        It cannot.
    """
    assert settings.gromacs is not None
    plan = make_plan(settings, settings.input_path(settings.gromacs.mdp))
    if plan.way == "plumed":
        kernel_library()
    return str(plan)


def _inputs(
    settings: Settings, directory: Path, identity: str, max_steps: int | None, plan: Plan
) -> dict[str, Any]:
    """Return what must not change while a step is continued."""
    g = settings.gromacs
    assert g is not None
    inputs: dict[str, Any] = {"model": identity, "max_steps": max_steps, "way": plan.way}
    tables = [f"{pair.name}.pot.cur" for pair in settings.interactions]
    return inputs | digests(directory, [g.mdp, g.topol_in, g.conf, g.index, g.rdf.topol, *tables])
