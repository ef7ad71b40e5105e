"""One step of the inverse loop with GROMACS: mdrun moves the atoms, model and correction come from us.

Who starts mdrun: under csg_inverse VOTCA's own ``run_gromacs.sh`` (its checkpoint, wall time, commands), in
our loop this module. Either way it is started, watched and stopped by
:func:`votca_mlp.engines.gromacs.serve.serve`.
"""

import contextlib
import hashlib
import json
import os
import shlex
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.engines.ase.start import check_start, largest_maximum, load_start
from votca_mlp.engines.gromacs.binary import with_gmxrc
from votca_mlp.engines.gromacs.energy import EDR, production_means
from votca_mlp.engines.gromacs.first_step import check_first_step
from votca_mlp.engines.gromacs.kernel import kernel_library
from votca_mlp.engines.gromacs.partner import LOG, Partner, watch_of
from votca_mlp.engines.gromacs.plan import NNPOT_MODULE, Plan, make_plan, mdrun_options
from votca_mlp.engines.gromacs.serve import SLOT_FILE, Ended, error_in, serve, why
from votca_mlp.engines.progress import Progress
from votca_mlp.engines.result import SUMMARY, StepResult
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.evaluate import Evaluator
from votca_mlp.settings import Settings, read_topology
from votca_mlp.structure.density import density
from votca_mlp.versions import versions

if TYPE_CHECKING:
    from ase import Atoms

VOTCA_SCRIPT = "VOTCA_MLP_RUN_GROMACS"
"""Environment variable: VOTCA's script that runs grompp and mdrun."""
OUTPUT = "gromacs.log"
"""Output of grompp and mdrun in our loop; under csg_inverse it is in its log."""
_INPUTS = "mlp_inputs.json"
_NOTE_EVERY = 10
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
    run = _Run(settings, plan, evaluator, atoms, step_directory, r_max, total)
    finished = _already_finished(run, inputs)
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
    _raise_for(ended, run, settings)
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


@dataclass
class _Run:
    """A step under way."""

    settings: Settings
    plan: Plan
    evaluator: Evaluator
    atoms: "Atoms"
    directory: Path
    r_max: float
    total: int

    def __post_init__(self) -> None:
        assert self.settings.gromacs is not None
        self.gromacs = self.settings.gromacs
        self.checkpoint = self.directory / self.gromacs.mdrun.checkpoint
        self.start = self.atoms.copy()
        self.step_0: dict[str, float] = {}

    def whole(self) -> bool:
        """Whether mdrun has come to its end (it writes the last configuration only then)."""
        return all((self.directory / name).is_file() for name in (self.gromacs.traj, self.gromacs.conf_out))

    def partner(self, *, log: bool) -> Partner:
        """Return what answers mdrun."""
        atoms = self.start.copy()
        return Partner(
            self.evaluator,
            atoms,
            watch_of(self.settings, atoms, self.r_max),
            self.plan.timestep,
            self.plan.log_every if log else 0,
            self.directory,
            self.directory / self.gromacs.rdf.topol,
        )

    def begin(self, inputs: dict[str, Any], main_directory: Path) -> bool:
        """Check a checkpoint's inputs, or make step 0 and compare; return whether there is a checkpoint.

        Raises
        ------
        UserError
            A checkpoint of other inputs, or step 0 with other forces than ours.
        """
        record = self.directory / _INPUTS
        if self.plan.way == "nnpot":
            from votca_mlp.export.gromacs import write_module

            write_module(self.settings, self.directory, main_directory, self.directory / NNPOT_MODULE)
        if self.checkpoint.is_file():
            self.step_0 = _recorded(record, inputs, self.checkpoint)
            return True
        for name in (self.gromacs.traj, self.gromacs.conf_out, LOG):
            # of other inputs, or of a run without a checkpoint
            (self.directory / name).unlink(missing_ok=True)
        self.step_0 = check_first_step(
            self.settings,
            self.evaluator,
            self.start,
            directory=self.directory,
            virial=self.plan.way == "plumed",
            run=self._step_0,
        )
        with atomic_write(record) as file:
            json.dump({"inputs": inputs, "step_0_differs_by": self.step_0}, file, indent=1)
        return False

    def simulate(
        self, partner: Partner | None, progress: Progress, deadline: float | None, max_steps: int | None
    ) -> Ended:
        """Run grompp and mdrun, or VOTCA's script that does."""
        script = os.environ.get(VOTCA_SCRIPT)

        def after(step: int) -> None:
            if step % _NOTE_EVERY == 0:
                progress.update(step)

        if script:
            resume = not os.environ.get("CSGENDING")
            options = mdrun_options(self.plan, self.settings, resume=resume, slot=SLOT_FILE)
            given = os.environ.get("CSG_MDRUN_OPTS", "")
            variables = self._variables() | {"CSG_MDRUN_OPTS": f"{given} {shlex.join(options)}".strip()}
            return serve(
                ["bash", script], partner, folder=self.directory, variables=variables, after_step=after
            )
        options = mdrun_options(self.plan, self.settings, resume=True, slot=SLOT_FILE)
        if max_steps is not None:
            options += ["-nsteps", str(self.total)]
        if deadline is not None:
            options += ["-maxh", f"{max(deadline - time.time(), 1.0) / 3600:.6f}"]
        g = self.gromacs
        log = self.directory / OUTPUT
        grompp = self._grompp(self.directory / g.mdp, g.topol)
        ended = serve(grompp, None, folder=self.directory, variables=self._variables(), log=log)
        if ended.status != 0 or ended.interrupted is not None:
            return ended
        stem = Path(g.traj).stem
        files = ["-s", g.topol, "-c", g.conf_out, "-o", f"{stem}.trr", "-x", f"{stem}.xtc"]
        mdrun = self._mdrun([*files, *g.mdrun.opts, *options])
        return serve(
            mdrun, partner, folder=self.directory, variables=self._variables(), log=log, after_step=after
        )

    def finish(self, inputs: dict[str, Any], **facts: Any) -> dict[str, Any]:
        """Write and return the summary."""
        mass = float(self.start.get_masses().sum())
        volume = float(self.start.get_volume())
        means = {}
        if self.plan.log_every > 0 and (self.directory / EDR).is_file():
            means = production_means(
                self.settings,
                self.directory,
                constant_volume=self.plan.constant_volume,
                density=density(mass, volume),
                volume=volume,
            )
        summary = {
            **facts,
            "atoms": len(self.start),
            "md_steps": self.total,
            "timestep_fs": self.plan.timestep,
            "frames": self.plan.frames,
            "way": self.plan.way,
            "step_0_differs_by": self.step_0,
            "inputs": inputs,
            "production": means,
            "versions": versions() | {"gromacs": self.plan.binary.version},
        }
        with atomic_write(self.directory / SUMMARY) as file:
            json.dump(summary, file, indent=1)
            file.write("\n")
        self.checkpoint.unlink(missing_ok=True)
        return summary

    def _step_0(self, mdp: Path, name: str) -> float | None:
        log = self.directory / f"{name}.out"
        grompp = self._grompp(mdp, f"{name}.tpr")
        ended = serve(grompp, None, folder=self.directory, variables=self._variables(), log=log)
        _raise_for(ended, self, self.settings, "grompp")
        options = mdrun_options(self.plan, self.settings, resume=False, slot=SLOT_FILE)
        # the user's own options too, so that what is wrong with them shows here
        mdrun = self._mdrun(["-deffnm", name, *self.gromacs.mdrun.opts, *options])
        partner = self.partner(log=False) if self.plan.way == "plumed" else None
        ended = serve(mdrun, partner, folder=self.directory, variables=self._variables(), log=log)
        _raise_for(ended, self, self.settings)
        return partner.evaluation.energy if partner is not None and partner.evaluation is not None else None

    def _grompp(self, mdp: Path, tpr: str) -> list[str]:
        g = self.gromacs
        words = [*shlex.split(g.grompp.bin), "-f", mdp.name, "-p", g.topol_in, "-c", g.conf, "-o", tpr]
        words += ["-po", f"{Path(tpr).stem}.mdout.mdp"]
        if (self.directory / g.index).is_file():
            words += ["-n", g.index]
        return with_gmxrc(self.settings, [*words, *g.grompp.opts])

    def _mdrun(self, options: list[str]) -> list[str]:
        return with_gmxrc(self.settings, [*shlex.split(self.gromacs.mdrun.command), *options])

    def _variables(self) -> dict[str, str]:
        variables = {"GMX_MAXBACKUP": os.environ.get("GMX_MAXBACKUP", "-1")}
        if self.plan.way == "plumed":
            variables["PLUMED_KERNEL"] = str(kernel_library())
        return variables


def _raise_for(ended: Ended, run: _Run, settings: Settings, what: str = "GROMACS") -> None:
    # mdrun that was asked to end says so by its status too
    asked = ended.interrupted is not None and (
        error_in(ended.words) is None or any("the TERM signal" in line for line in ended.words)
    )
    if ended.status != 0 and not asked:
        kept = f"; {run.checkpoint.name} stays: run again to go on" if run.checkpoint.is_file() else ""
        raise UserError(
            f"{what} ended with status {ended.status}: {why(ended.words)}",
            where=run.directory,
            accepted="inputs that GROMACS takes, a smaller dt, or a smaller <alpha>; its output is in "
            f"{'the log of csg_inverse' if os.environ.get(VOTCA_SCRIPT) else OUTPUT} and md.log{kept}",
        )
    if ended.interrupted == signal.SIGINT:
        raise KeyboardInterrupt
    if ended.interrupted is not None:
        raise SystemExit(128 + ended.interrupted)
    if not run.whole() and not run.checkpoint.is_file() and what != "grompp" and not _is_step_0(run):
        missing = [n for n in (run.gromacs.traj, run.gromacs.conf_out) if not (run.directory / n).is_file()]
        raise UserError(
            f"mdrun ended without {' and '.join(missing)}",
            where=run.directory,
            accepted="its reason in md.log",
        )


def _is_step_0(run: _Run) -> bool:
    return (run.directory / "first_step.mdp").is_file()


def _inputs(
    settings: Settings, directory: Path, identity: str, max_steps: int | None, plan: Plan
) -> dict[str, Any]:
    """Return what must not change while a step is continued."""
    g = settings.gromacs
    assert g is not None
    inputs: dict[str, Any] = {"model": identity, "max_steps": max_steps, "way": plan.way}
    names = [f"{pair.name}.pot.cur" for pair in settings.interactions]
    for name in [g.mdp, g.topol_in, g.conf, g.index, g.rdf.topol, *names]:
        path = directory / name
        if path.is_file():
            inputs[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return inputs


def _recorded(record: Path, inputs: dict[str, Any], checkpoint: Path) -> dict[str, float]:
    """Return the differences at step 0 of a run that is resumed; refuse other inputs than it had."""
    old: dict[str, Any] = {}
    step_0: dict[str, float] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(record.read_text())
        old, step_0 = dict(known["inputs"]), dict(known["step_0_differs_by"])
    changed = [
        f"{key} was {old.get(key)}, is {inputs.get(key)}"
        for key in sorted(old.keys() | inputs.keys())
        if old.get(key) != inputs.get(key)
    ]
    if changed:
        raise UserError(
            "the checkpoint belongs to other inputs: " + "; ".join(changed),
            where=checkpoint,
            accepted=f"the inputs it was made from, or remove {checkpoint} to start this step again",
        )
    return step_0


def _already_finished(run: _Run, inputs: dict[str, Any]) -> StepResult | None:
    """Return the result of a run that was killed after its end, or None."""
    if not run.whole():
        return None
    try:
        summary = json.loads((run.directory / SUMMARY).read_text())
        same = summary["inputs"] == inputs
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return StepResult("finished", run.total, run.total, 0.0, summary) if same else None
