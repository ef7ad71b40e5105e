"""Fusion: a model trained to experiments by reweighted trajectories, and held to its labels at once."""

import dataclasses
import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.checkpoint import Progress, digest_of, load_progress, save_progress
from votca_mlp.training.fusion.closing import afresh, candidates
from votca_mlp.training.fusion.copies import HELD, Copies, identity_of
from votca_mlp.training.fusion.experiments import Experiment, RestExperiment, check_experiments
from votca_mlp.training.fusion.labels import Labels, LabelTerm
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.options import FusionOptions, Iteration
from votca_mlp.training.fusion.pool import StatePool, Trajectory, energies_of
from votca_mlp.training.fusion.response import Response, respond, respond_at_rest
from votca_mlp.training.fusion.simulate import FRAMES, load_frames, simulate
from votca_mlp.training.fusion.states import StatePoint, check_names
from votca_mlp.training.fusion.step import Pinning, Step, solve

if TYPE_CHECKING:
    from ase import Atoms

LINE = (1.0, 0.5, 0.25)
"""Shares of the full step that are tried."""
HARDER, EASIER = 4.0, 0.3
"""Of the damping, after a step that was refused and after one that was taken in full."""
HEAVIER = 3.0
"""Of the labels' weight, after a step that was refused since even a quarter of it harms the labels."""
TRIES = 6
"""Times that a step is made anew."""
LEAST_DAMPING = 1e-6
MOST_FAILURES = 3
_log = logging.getLogger(__name__)


class Simulator(Protocol):
    """What makes a trajectory; :func:`.simulate.simulate` is one."""

    def __call__(
        self, state: StatePoint, copies: Copies, folder: Path, number: int, start: "Atoms", seed: int
    ) -> StoredFrames:
        """Return the frames."""


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
        self.copies = Copies(model, fixed)
        self.folder, self.report, self.simulator = folder, report, simulator
        used = {each.state for each in experiments}
        self.states = [state for state in states if state.name in used]
        self.experiments = {
            state.name: [each for each in experiments if each.state == state.name] for state in self.states
        }
        self.rest = tuple(rest)
        ordered = [*(each for state in self.states for each in self.experiments[state.name]), *self.rest]
        self.targets = torch.cat([each.values[each.used] for each in ordered]).double()
        self.errors = torch.cat([each.errors[each.used] for each in ordered]).double()
        self.names = [
            f"{each.state if isinstance(each, Experiment) else each.title} {label}"
            for each in ordered
            for label in each.labels
        ]
        self.labels, self.held = labels, held
        folder.mkdir(parents=True, exist_ok=True)
        self.pools = {state.name: StatePool(state, self.options.keep) for state in self.states}
        self.progress = self._begin()
        self.term = None if labels is None else LabelTerm(labels, self.progress.scales, self._counts(labels))
        self._label_rows: tuple[str, Tensor] | None = None

    def _counts(self, labels: Labels) -> dict[str, int]:
        return labels.counts(self.copies.single)

    def _begin(self) -> Progress:
        """Return what the folder holds, or the beginning."""
        inputs = digest_of(
            [
                self.copies.identity,
                dataclasses.asdict(dataclasses.replace(self.options, iterations=1, patience=1, limits={})),
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
                    for s in self.states
                ],
                [(s.start.positions.tolist(), s.start.cell.array.tolist()) for s in self.states],
                self.names,
                self.targets.tolist(),
                self.errors.tolist(),
                0 if self.labels is None else [self.labels.independent, len(self.labels.batches)],
                *(each.key for each in self.rest),
            ]
        )
        progress = load_progress(self.folder, inputs)
        if progress is None:
            single, start = self.copies.single, self.copies.vector
            scales = {} if self.labels is None else self.labels.errors(single)
            held = {} if self.held is None else self.held.errors(single)
            return Progress(
                inputs,
                start,
                start.clone(),
                self.options.damping,
                self.options.label_weight,
                self.options.variance,
                scales,
                held,
            )
        for state in self.states:
            pool = self.pools[state.name]
            for number, vector in progress.trajectories.get(state.name, []):
                frames = load_frames(self._place(state, number) / FRAMES, identity_of(vector))
                pool.add(Trajectory(number, frames, vector), self.copies)
        self.copies.put(progress.vector)
        return progress

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
                new = self._renew()
            except UserError as error:
                self._step_back(error)
                continue
            found = self._measured(new, began)
            self._note_best(found)
            self._stop_or_step(found, began)
            save_progress(self.folder, progress)
        if progress.closing is None:
            self._close()
            save_progress(self.folder, progress)
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
            self.report(f"closing simulation of iteration {number}: " + self._said(closing))
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
        began = time.monotonic()
        responses = afresh(
            [self.pools[state.name] for state in self.states],
            [self.experiments[state.name] for state in self.states],
            self.copies,
            lambda state: self.folder / state.name / f"closing_{number:03d}",
            self.simulator,
            [self.progress.made[state.name] + 1 for state in self.states],
            self.options.seed,
        )
        if self.rest:
            responses.append(respond_at_rest(self.rest, self.copies))
        return self._iteration(number, responses, [state.name for state in self.states], began)

    # trajectories

    def _place(self, state: StatePoint, number: int) -> Path:
        return self.folder / state.name / f"trajectory_{number:03d}"

    def _renew(self) -> list[str]:
        """Run a new trajectory where the stored frames no longer serve; return the states' names."""
        new = []
        for state in self.states:
            pool = self.pools[state.name]
            if pool.trajectories:
                worth = pool.effective(energies_of(self.copies.double, pool.frames))
                if worth >= self.options.effective:
                    continue
            self._simulate(state, pool)
            new.append(state.name)
        return new

    def _simulate(self, state: StatePoint, pool: StatePool) -> None:
        number = self.progress.made.get(state.name, 0) + 1
        place = self._place(state, number)
        frames = self.simulator(state, self.copies, place, number, pool.last(), self.options.seed)
        pool.add(Trajectory(number, frames, self.copies.vector), self.copies)
        used = [(each.number, each.vector) for each in pool.trajectories]
        self.progress.trajectories[state.name] = used
        self.progress.made[state.name] = number
        save_progress(self.folder, self.progress)

    def _step_back(self, error: UserError) -> None:
        """Go back to the best model with a smaller trust region after a simulation that went wrong."""
        progress = self.progress
        if progress.best_number < 0:
            raise error
        progress.failures += 1
        if progress.sure is not None and progress.sure_number < progress.best_number:
            # what reweighting says of the best is not to be trusted
            progress.best, progress.best_number = progress.sure.clone(), progress.sure_number
            progress.best_experiments = progress.sure_experiments
        self.report(f"a simulation went wrong, back to iteration {progress.best_number}: {error.what}")
        progress.vector = progress.best.clone()
        progress.variance *= 0.25
        if progress.failures >= MOST_FAILURES:
            progress.ended = f"the simulations go wrong: {error.what}"
        for state in self.states:
            number = progress.made.get(state.name, 0) + 1
            shutil.rmtree(self._place(state, number), ignore_errors=True)
        save_progress(self.folder, progress)

    # an iteration

    def _measured(self, new: list[str], began: float) -> "_Measured":
        responses = [
            respond(
                self.pools[state.name],
                self.experiments[state.name],
                self.copies,
                probes=self.options.probes,
                seed=self.options.seed + 1000 * self.progress.iteration,
            )
            for state in self.states
        ]
        if self.rest:
            responses.append(respond_at_rest(self.rest, self.copies, rows=True))
        return _Measured(self._iteration(self.progress.iteration, responses, new, began), responses)

    def _iteration(
        self, number: int, responses: Sequence[Response], new: list[str], began: float
    ) -> Iteration:
        """Return what the present parameters give."""
        single = self.copies.single
        return Iteration(
            number,
            self._chi2(responses) / len(self.targets),
            torch.cat([each.values for each in responses]).tolist(),
            torch.cat([each.errors for each in responses]).tolist(),
            {state.name: each.effective for state, each in zip(self.states, responses, strict=False)},
            new,
            {} if self.labels is None else self.labels.errors(single),
            {} if self.held is None else self.held.errors(single),
            seconds=time.monotonic() - began,
        )

    def _scale(self, responses: Sequence[Response]) -> Tensor:
        """Return the joint errors of measurement and simulation."""
        statistical = torch.nan_to_num(torch.cat([each.errors for each in responses]), nan=0.0)
        return (self.errors.square() + statistical.square()).sqrt()

    def _chi2(self, responses: Sequence[Response], scale: Tensor | None = None) -> float:
        values = torch.cat([each.values for each in responses])
        return float(
            ((values - self.targets) / (self._scale(responses) if scale is None else scale)).square().sum()
        )

    def _note_best(self, found: "_Measured") -> None:
        progress, value, number = self.progress, found.iteration.experiments, found.iteration.number
        if value < progress.best_experiments and self._harmless(found.iteration):
            progress.best, progress.best_number = self.copies.vector, number
            progress.best_experiments = value
            if found.iteration.new:
                progress.failures = 0
                progress.sure, progress.sure_number, progress.sure_experiments = progress.best, number, value

    def _harmless(self, found: Iteration) -> bool:
        """Whether an iteration keeps both sets of labels within the limits."""
        return self._within(found.held, self.progress.held) and self._within(
            found.labels, self.progress.scales
        )

    def _within(self, errors: Mapping[str, float], before: Mapping[str, float]) -> bool:
        limits = self.options.limits
        return all(errors[kind] <= limits[kind] * before[kind] for kind in errors if kind in limits)

    def _stop_or_step(self, found: "_Measured", began: float) -> None:
        progress, options, iteration = self.progress, self.options, found.iteration
        if not np.isfinite(iteration.experiments):
            progress.ended = "the training has left the range of numbers"
        elif iteration.experiments <= 1.0 and self._harmless(iteration):
            progress.ended = "the experiments are met within errors"
        elif iteration.number >= options.iterations:
            progress.ended = f"{options.iterations} iterations"
        elif iteration.number - max(progress.best_number, 0) >= options.patience:
            progress.ended = f"no better model in {options.patience} iterations"
        else:
            taken = self._step(found)
            iteration.step, iteration.damping = taken, progress.damping
            if taken == 0.0:
                progress.ended = "no step that keeps the labels makes the experiments better"
        iteration.seconds = time.monotonic() - began
        progress.history.append(iteration.plain())
        progress.iteration += 1
        progress.vector = self.copies.vector
        self.report(self._line(iteration) + (f"; ends: {progress.ended}" if progress.ended else ""))

    def _step(self, found: "_Measured") -> float:
        """Take the largest share of Gauss-Newton's step that reweighting can follow and the labels allow."""
        progress, scale = self.progress, self._scale(found.responses)
        here, before = self.copies.vector, self._chi2(found.responses, scale)
        for _ in range(TRIES):
            step, harmed = self._solved(found, scale), False
            objective = before + self._label_value(found.iteration.labels)
            for share in LINE:
                self.copies.put(here + share * step.change)
                harmed = not self._unharmed()
                if not harmed and self._serves(found, scale, objective):
                    if share == 1.0:
                        progress.damping = max(LEAST_DAMPING, EASIER * progress.damping)
                    return share
            self.copies.put(here)
            progress.damping *= HARDER
            if harmed:
                progress.label_weight *= HEAVIER
        return 0.0

    def _unharmed(self) -> bool:
        """Whether the present parameters keep both sets of labels within the limits."""
        single = self.copies.single
        learnt = {} if self.labels is None else self.labels.errors(single)
        return self._within(learnt, self.progress.scales) and (
            self.held is None or self._within(self.held.errors(single), self.progress.held)
        )

    def _label_value(self, errors: dict[str, float]) -> float:
        return 0.0 if self.term is None else self.progress.label_weight * self.term.value(errors)

    def _serves(self, found: "_Measured", scale: Tensor, objective: float) -> bool:
        for state in self.states:
            pool = self.pools[state.name]
            energies = energies_of(self.copies.double, pool.frames)
            worth = pool.effective(energies)
            if not worth >= self.options.least_effective:
                return False
        after = [respond(self.pools[s.name], self.experiments[s.name], self.copies) for s in self.states]
        if self.rest:
            try:
                after.append(respond_at_rest(self.rest, self.copies))
            except UserError:
                return False
        labels = {} if self.labels is None else self.labels.errors(self.copies.single)
        return self._chi2(after, scale) + (self._label_value(labels) if labels else 0.0) < objective

    def _solved(self, found: "_Measured", scale: Tensor) -> Step:
        rows = torch.cat([each.rows for each in found.responses if each.rows is not None])
        values = torch.cat([each.values for each in found.responses])
        spreads = [each.spread for each in found.responses if each.spread is not None]
        weight, rows = self.progress.label_weight, rows / scale.unsqueeze(1)
        gradient = torch.zeros(rows.shape[1], dtype=torch.float64)
        if self.term is not None:
            # single has the parameters of this iteration
            gradient = weight * self.term.gradient(self.copies.single, self.copies.singles)
            pinning = self._pinned(self.term)
        else:
            # nothing is pinned: all directions alike
            pinning, weight = Pinning(rows, self.progress.damping, labels=False), 1.0
        residuals = (values - self.targets) / scale
        return solve(residuals, rows, gradient, pinning, weight, spreads, self.progress.variance)

    def _pinned(self, term: LabelTerm) -> Pinning:
        """Return Gauss-Newton's matrix of the labels at the present parameters.

        That of the model before fusion will not do: after one step it no longer keeps the energies.
        """
        here = self.copies.identity
        if self._label_rows is None or self._label_rows[0] != here:
            rows = term.rows(self.copies.single, self.copies.singles, self.options.seed)
            self._label_rows = here, rows
        return Pinning(self._label_rows[1], self.progress.damping)

    def _line(self, iteration: Iteration) -> str:
        worth = " ".join(f"{name} {value:.2f}" for name, value in iteration.effective.items())
        return (
            f"iteration {iteration.number}: {self._said(iteration)}, n_eff {worth}, new "
            f"{len(iteration.new)}, step {iteration.step:g}, {iteration.seconds:.0f} s"
        )

    def _said(self, iteration: Iteration) -> str:
        held = " ".join(
            f"{kind} {value / self.progress.held[kind]:.3f}" for kind, value in iteration.held.items()
        )
        return (
            f"chi^2 of experiments {iteration.experiments:.3g}, held-out errors relative to before "
            f"{held or '-'}"
        )


@dataclass(frozen=True)
class _Measured:
    iteration: Iteration
    responses: list[Response]
