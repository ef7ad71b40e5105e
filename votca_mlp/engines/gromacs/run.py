"""The GROMACS commands of one step: step 0, grompp and mdrun, and what their end means."""

import contextlib
import json
import os
import shlex
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.deploy.nnpot_mdp import MODULE as NNPOT_MODULE
from votca_mlp.engines.gromacs.commands import (
    VOTCA_SCRIPT,
    grompp_command,
    mdrun_command,
    variables_for,
)
from votca_mlp.engines.gromacs.energy import EDR, production_means
from votca_mlp.engines.gromacs.first_step import check_first_step
from votca_mlp.engines.gromacs.listener import SLOT_FILE
from votca_mlp.engines.gromacs.options import options_of
from votca_mlp.engines.gromacs.output import error_in, why
from votca_mlp.engines.gromacs.plan import Plan, mdrun_options
from votca_mlp.engines.gromacs.responder import LOG, Responder
from votca_mlp.engines.gromacs.serve import Ended, serve
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.result import write_summary
from votca_mlp.engines.shared.resume import is_finished, refuse_other_inputs
from votca_mlp.engines.shared.temperature import check_temperature
from votca_mlp.engines.shared.watch import make_watch
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.files import atomic_write
from votca_mlp.observables.density import density
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.progress import Progress
from votca_mlp.versions import versions

if TYPE_CHECKING:
    from ase import Atoms

OUTPUT = "gromacs.log"
"""Output of grompp and mdrun in our loop; under csg_inverse it is in its log."""
_INPUTS = "mlp_inputs.json"
_NOTE_EVERY = 10


@dataclass
class Run:
    """A step under way."""

    md: MDPlan
    plan: Plan
    evaluator: Evaluator
    atoms: "Atoms"
    directory: Path
    total: int

    def __post_init__(self) -> None:
        self.gromacs = options_of(self.md)
        self.checkpoint = self.directory / self.gromacs.mdrun.checkpoint
        self.start = self.atoms.copy()
        self.step_0: dict[str, float] = {}

    def complete(self) -> bool:
        """Whether mdrun has come to its end (it writes the last configuration only then)."""
        return is_finished(self.directory, self.md)

    def responder(self, *, log: bool) -> Responder:
        """Return what answers mdrun."""
        atoms = self.start.copy()
        return Responder(
            self.evaluator,
            atoms,
            make_watch(self.md.limits, r_max=self.md.r_max, volume=atoms.get_volume()),
            self.plan.timestep,
            self.plan.log_every if log else 0,
            self.directory,
            self.md.topology,
            self.md.place("topol_in"),
        )

    def begin(self, inputs: dict[str, Any]) -> bool:
        """Check a checkpoint's inputs, or make step 0 and compare; return whether there is a checkpoint.

        Raises
        ------
        UserError
            A checkpoint of other inputs, or step 0 with other forces than ours.
        """
        record = self.directory / _INPUTS
        if self.plan.way == "nnpot":
            write_module(self.md, self.evaluator, self.directory)
        if self.checkpoint.is_file():
            self.step_0 = _recorded(record, inputs, self.checkpoint)
            return True
        for name in (self.md.traj, self.md.conf_out, LOG):
            # of other inputs, or of a run without a checkpoint
            (self.directory / name).unlink(missing_ok=True)
        self.step_0 = check_first_step(
            self.md,
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
        self, responder: Responder | None, progress: Progress, deadline: float | None, max_steps: int | None
    ) -> Ended:
        """Run grompp and mdrun, or VOTCA's script that does."""
        script, variables = os.environ.get(VOTCA_SCRIPT), variables_for(self.plan)

        def after(step: int) -> None:
            if step % _NOTE_EVERY == 0:
                progress.update(step)

        if script:
            resume = not os.environ.get("CSGENDING")
            options = mdrun_options(self.plan, self.md, resume=resume, slot=SLOT_FILE)
            given = os.environ.get("CSG_MDRUN_OPTS", "")
            variables["CSG_MDRUN_OPTS"] = f"{given} {shlex.join(options)}".strip()
            return serve(
                ["bash", script], responder, folder=self.directory, variables=variables, after_step=after
            )
        options = mdrun_options(self.plan, self.md, resume=True, slot=SLOT_FILE)
        if max_steps is not None:
            options += ["-nsteps", str(self.total)]
        if deadline is not None:
            options += ["-maxh", f"{max(deadline - time.monotonic(), 1.0) / 3600:.6f}"]
        g, folder, log = self.gromacs, self.directory, self.directory / OUTPUT
        ended = grompp(self.md, self.plan, folder)
        if ended.status != 0 or ended.interrupted is not None:
            return ended
        stem = Path(self.md.traj).stem
        files = ["-s", g.topol, "-c", self.md.conf_out, "-o", f"{stem}.trr", "-x", f"{stem}.xtc"]
        mdrun = mdrun_command(self.md, [*files, *g.mdrun.opts, *options])
        return serve(mdrun, responder, folder=folder, variables=variables, log=log, after_step=after)

    def finish(self, inputs: dict[str, Any], **facts: Any) -> dict[str, Any]:
        """Write and return the summary."""
        mass = float(self.start.get_masses().sum())
        volume = float(self.start.get_volume())
        means = {}
        if self.plan.log_every > 0 and (self.directory / EDR).is_file():
            means = production_means(
                self.md,
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
        if self.gromacs.temp_check:
            check_temperature(means, self.md.temperature, where=self.directory / self.gromacs.mdp)
        write_summary(self.directory, summary)
        self.checkpoint.unlink(missing_ok=True)
        return summary

    def _step_0(self, mdp: Path, name: str) -> float | None:
        log = self.directory / f"{name}.out"
        command = grompp_command(self.md, self.directory, mdp, f"{name}.tpr")
        ended = serve(command, None, folder=self.directory, variables=variables_for(self.plan), log=log)
        raise_for(ended, self, "grompp")
        options = mdrun_options(self.plan, self.md, resume=False, slot=SLOT_FILE)
        # the user's own options too, so that what is wrong with them shows here
        mdrun = mdrun_command(self.md, ["-deffnm", name, *self.gromacs.mdrun.opts, *options])
        responder = self.responder(log=False) if self.plan.way == "plumed" else None
        ended = serve(mdrun, responder, folder=self.directory, variables=variables_for(self.plan), log=log)
        raise_for(ended, self)
        return (
            responder.evaluation.energy
            if responder is not None and responder.evaluation is not None
            else None
        )


def grompp(md: MDPlan, plan: Plan, directory: Path) -> Ended:
    """Let grompp make the run input of a folder with the inputs of a step; return how it ended."""
    g = options_of(md)
    command = grompp_command(md, directory, directory / g.mdp, g.topol)
    return serve(command, None, folder=directory, variables=variables_for(plan), log=directory / OUTPUT)


def write_module(md: MDPlan, evaluator: Evaluator, directory: Path) -> None:
    """Write what mdrun loads through NNPot, and grompp looks at.

    Raises
    ------
    UserError
        A plan without a model's options, a model that cannot be exported.
    """
    from votca_mlp.deploy.nnpot import load_pair_model
    from votca_mlp.deploy.nnpot import write_module as write
    from votca_mlp.evaluation.load import pick_dtype

    mlp = md.model
    if mlp is None:
        where = md.where("mlp")
        raise UserError("NNPot loads the model itself", where=where, accepted="the model's options")
    model = load_pair_model(mlp, md.model_directory)
    assert isinstance(evaluator, PairListEvaluator)
    correction = evaluator.correction or PairCorrection({})
    write(directory / NNPOT_MODULE, model, correction, pick_dtype(mlp.dtype))


def raise_for(ended: Ended, run: Run, what: str = "GROMACS") -> None:
    """Raise what a command's end means: nothing when it did what it was to do.

    Raises
    ------
    UserError, KeyboardInterrupt, SystemExit
        It failed; it was asked to end.
    """
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
    raise_interruption(ended)
    # step 0 leaves its own files
    others = what == "grompp" or (run.directory / "first_step.mdp").is_file()
    if not run.complete() and not run.checkpoint.is_file() and not others:
        missing = [n for n in (run.md.traj, run.md.conf_out) if not (run.directory / n).is_file()]
        raise UserError(
            f"mdrun ended without {' and '.join(missing)}",
            where=run.directory,
            accepted="its reason in md.log",
        )


def raise_interruption(ended: Ended) -> None:
    """Raise KeyboardInterrupt or SystemExit when this process was asked to end meanwhile."""
    if ended.interrupted == signal.SIGINT:
        raise KeyboardInterrupt
    if ended.interrupted is not None:
        raise SystemExit(128 + ended.interrupted)


def _recorded(record: Path, inputs: dict[str, Any], checkpoint: Path) -> dict[str, float]:
    """Return the differences at step 0 of a run that is resumed; refuse other inputs than it had."""
    old: dict[str, Any] = {}
    step_0: dict[str, float] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(record.read_text())
        old, step_0 = dict(known["inputs"]), dict(known["step_0_differs_by"])
    refuse_other_inputs(old, inputs, checkpoint)
    return step_0
