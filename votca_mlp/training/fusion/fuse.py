"""Fusion: a model trained to experiments by reweighted trajectories, and held to its labels at once."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.checkpoint import Progress, digest_of, load_progress, save_progress
from votca_mlp.training.fusion.closing import afresh, candidates, verdict
from votca_mlp.training.fusion.copies import HELD, Copies
from votca_mlp.training.fusion.experiments import Experiment, RestExperiment, check_experiments
from votca_mlp.training.fusion.labels import Labels, LabelTerm
from votca_mlp.training.fusion.objective import Limits, Measured, Objective
from votca_mlp.training.fusion.options import FusionOptions, Iteration
from votca_mlp.training.fusion.response import respond_at_rest
from votca_mlp.training.fusion.search import Search
from votca_mlp.training.fusion.simulate import simulate
from votca_mlp.training.fusion.states import StatePoint, check_names
from votca_mlp.training.fusion.trajectories import Simulator, Trajectories
from votca_mlp.training.fusion.wall import Wall

MOST_FAILURES = 3
LOW = 0.5
"""Share of the repulsive wall below which the lines say what is left."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fused:
    """The best model, and how it came about.

    ``closing`` is that model by a simulation that nothing was trained to; None where it had none.
    """

    model: PairModel
    history: list[Iteration]
    best: int
    trajectories: dict[str, int]
    ended: str
    closing: Iteration | None = None


class Fusion:
    """A fusion in a folder; everything is taken from there when it is begun again.

    Parameters
    ----------
    model
        Where to begin.
    states, experiments
        Ensembles, and what was measured in them.
    labels, held
        Labelled frames to learn from, and others to watch; None for experiments alone.
    options, folder
        Settings; where its files are.
    rest
        What was measured of, or is known for, fixed configurations.
    fixed
        Parts of names of parameters that are held.
    report
        Called with a line after every iteration.
    simulator
        What makes trajectories.

    Raises
    ------
    UserError
        Experiments and states that do not fit; held-out labels alone that are to count, and none.
    """

    def __init__(
        self,
        model: PairModel,
        states: Sequence[StatePoint],
        experiments: Sequence[Experiment],
        labels: Labels | None,
        held: Labels | None,
        folder: Path,
        options: FusionOptions | None = None,
        *,
        rest: Sequence[RestExperiment] = (),
        fixed: Sequence[str] = HELD,
        report: Callable[[str], None] = _log.info,
        simulator: Simulator = simulate,
    ) -> None:
        check_names(states)
        check_experiments(experiments, states, rest)
        self.options = options or FusionOptions()
        if self.options.held_alone and held is None:
            raise UserError("there are no held-out labels", where="held_alone", accepted="held-out labels")
        self.copies = Copies(model, fixed)
        self.folder, self.report = folder, report
        self.objective = Objective(states, experiments, rest, labels, held)
        # of the parameters before fusion, which a folder's may replace
        self.wall = Wall(self.objective.states, self.copies, self.options.wall)
        folder.mkdir(parents=True, exist_ok=True)
        self.trajectories = Trajectories(folder, self.objective.states, self.copies, self.options, simulator)
        self.progress = self._begin()
        alone = self.options.held_alone
        self.limits = Limits(self.options.limits, self.progress.scales, self.progress.held, alone)
        term = None
        if labels is not None:
            term = LabelTerm(labels, self.progress.scales, labels.counts(self.copies.single))
        self.search = Search(
            self.objective,
            self.limits,
            self.wall,
            term,
            self.copies,
            self.trajectories.pools,
            self.options,
        )

    def _begin(self) -> Progress:
        """Return what the folder holds, or the beginning."""
        goal = self.objective
        inputs = digest_of(
            [
                self.copies.identity,
                self.options.shaping(),
                dict(self.options.limits),
                [
                    (
                        s.name,
                        s.temperature,
                        s.pressure,
                        s.timestep,
                        s.equilibration,
                        s.production,
                        s.sample_every,
                    )
                    for s in goal.states
                ],
                [(s.start.positions.tolist(), s.start.cell.array.tolist()) for s in goal.states],
                goal.names,
                goal.targets.tolist(),
                goal.errors.tolist(),
                0 if goal.labels is None else [goal.labels.independent, len(goal.labels.batches)],
                *(each.key for each in goal.rest),
            ]
        )
        progress = load_progress(self.folder, inputs)
        if progress is not None:
            self.trajectories.restore(progress)
            return progress
        single, start = self.copies.single, self.copies.vector
        return Progress(
            inputs,
            start,
            start.clone(),
            self.options.damping,
            self.options.label_weight,
            self.options.variance,
            {} if goal.labels is None else goal.labels.errors(single),
            {} if goal.held is None else goal.held.errors(single),
        )

    def _save(self) -> None:
        save_progress(self.folder, self.progress)

    def run(self) -> Fused:
        """Run to the end, from where the folder is.

        Raises
        ------
        UserError
            A first simulation that goes wrong; later ones end the fusion with the best model so far.
        """
        progress = self.progress
        while not progress.ended:
            began = time.monotonic()
            self.copies.put(progress.vector)
            try:
                new = self.trajectories.renew(progress, self._save)
            except UserError as error:
                self._step_back(error)
                continue
            found = self.measured(new, began)
            self._note_best(found)
            self._stop_or_step(found, began)
            self._save()
        if progress.closing is None:
            self._close()
            self._save()
        self.copies.put(progress.best)
        return Fused(
            self.copies.double,
            [Iteration(**each) for each in progress.history],
            progress.best_number,
            dict(progress.made),
            progress.ended,
            Iteration(**progress.closing) if progress.closing else None,
        )

    def _close(self) -> None:
        """Simulate the best model; the best simulated one, too, if that disappoints, and keep the better."""
        progress, found = self.progress, []
        for number, vector in candidates(progress):
            self.copies.put(vector)
            try:
                closing = self._afresh(number)
            except UserError as error:
                self.report(f"closing simulation of iteration {number} went wrong: {error.what}")
                continue
            by_fusion = progress.history[number]["experiments"]
            held = self._held(closing)
            self.report(
                f"closing simulation of iteration {number}: {verdict(by_fusion, closing.experiments)}; {held}"
            )
            found.append((closing, vector))
            if closing.experiments <= progress.sure_experiments:
                break
        progress.closing = {}
        if found:
            closing, progress.best = min(found, key=lambda each: each[0].experiments)
            progress.best_number, progress.closing = closing.number, closing.plain()
            progress.best_experiments = progress.history[closing.number]["experiments"]

    def _afresh(self, number: int) -> Iteration:
        """Return an iteration's model, whose parameters are in use, by simulations of its own."""
        began, goal = time.monotonic(), self.objective
        responses = afresh(
            [self.trajectories.pools[state.name] for state in goal.states],
            [goal.experiments[state.name] for state in goal.states],
            self.copies,
            lambda state: self.folder / state.name / f"closing_{number:03d}",
            self.trajectories.simulator,
            [self.progress.made[state.name] + 1 for state in goal.states],
            self.options.seed,
        )
        if goal.rest:
            responses.append(respond_at_rest(goal.rest, self.copies))
        return goal.iteration(number, responses, self.copies, [state.name for state in goal.states], began)

    def _step_back(self, error: UserError) -> None:
        """Go back to the best model with a smaller trust region after a simulation that went wrong."""
        progress = self.progress
        if progress.best_number < 0:
            raise error
        progress.failures += 1
        progress.confirm = False
        # what reweighting says of the best is not to be trusted
        self._trust_simulated()
        self.report(f"a simulation went wrong, back to iteration {progress.best_number}: {error.what}")
        progress.vector = progress.best.clone()
        progress.variance *= 0.25
        if progress.failures >= MOST_FAILURES:
            progress.ended = f"the simulations go wrong: {error.what}"
        self.trajectories.drop_unfinished(progress)
        self._save()

    def _trust_simulated(self) -> None:
        """Take the best model that a simulation has run with for the best."""
        progress = self.progress
        if progress.sure is not None and progress.sure_number < progress.best_number:
            progress.best, progress.best_number = progress.sure.clone(), progress.sure_number
            progress.best_experiments = progress.sure_experiments

    def measured(self, new: list[str], began: float) -> Measured:
        """Return what the present parameters give, with rows for a step.

        ``new`` are states with a new trajectory, ``began`` when the iteration began, s.
        """
        number, options = self.progress.iteration, self.options
        responses = self.objective.responses(
            self.trajectories.pools, self.copies, probes=options.probes, seed=options.seed + 1000 * number
        )
        iteration = self.objective.iteration(number, responses, self.copies, new, began)
        iteration.wall = self.wall.least()
        return Measured(iteration, responses)

    def _note_best(self, found: Measured) -> None:
        progress, value, number = self.progress, found.iteration.experiments, found.iteration.number
        if progress.confirm:
            progress.confirm = False
            # what reweighting alone said of these parameters no longer counts
            self._trust_simulated()
        if value < progress.best_experiments and self.limits.keep(found.iteration):
            progress.best, progress.best_number = self.copies.vector, number
            progress.best_experiments = value
            if found.iteration.new:
                progress.failures = 0
                progress.sure, progress.sure_number, progress.sure_experiments = progress.best, number, value

    def _stop_or_step(self, found: Measured, began: float) -> None:
        progress, options, iteration = self.progress, self.options, found.iteration
        met = iteration.experiments <= 1.0 and self.limits.keep(iteration)
        if not np.isfinite(iteration.experiments):
            progress.ended = "the training has left the range of numbers"
        elif met and len(iteration.new) == len(self.objective.states):
            progress.ended = "the experiments are met within errors"
        elif iteration.number >= options.iterations:
            progress.ended = f"{options.iterations} iterations"
        elif met:
            progress.confirm = True
        elif iteration.number - max(progress.best_number, 0) >= options.patience:
            progress.ended = f"no better model in {options.patience} iterations"
        else:
            taken = self.search.take(found, progress)
            iteration.step, iteration.damping = taken, progress.damping
            iteration.label_weight = progress.label_weight
            if taken == 0.0:
                kept = "labels and the repulsive wall" if self.search.walled else "labels"
                progress.ended = f"no step that keeps the {kept} makes the experiments better"
        iteration.seconds = time.monotonic() - began
        progress.history.append(iteration.plain())
        progress.iteration += 1
        progress.vector = self.copies.vector
        more = f"; ends: {progress.ended}" if progress.ended else ""
        if progress.confirm:
            more = "; met by reweighting: to be confirmed by a simulation"
        self.report(self._line(iteration) + more)

    def _line(self, iteration: Iteration) -> str:
        worth = " ".join(f"{name} {value:.2f}" for name, value in iteration.effective.items())
        low = iteration.wall is not None and iteration.wall < LOW
        wall = f", pairs pushed together cost {iteration.wall:.2f} of before" if low else ""
        return (
            f"iteration {iteration.number}: chi^2 of experiments {iteration.experiments:.3g}, "
            f"{self._held(iteration)}, n_eff {worth}, new {len(iteration.new)}, step {iteration.step:g}, "
            f"{iteration.seconds:.0f} s{wall}"
        )

    def _held(self, iteration: Iteration) -> str:
        held = " ".join(
            f"{kind} {value / self.progress.held[kind]:.3f}" for kind, value in iteration.held.items()
        )
        return f"held-out errors relative to before {held or '-'}"
