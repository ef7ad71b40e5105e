"""The search for a step: as much of Gauss-Newton's as reweighting can follow and the labels allow."""

from collections.abc import Mapping

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.training.fusion.checkpoint import Progress
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.labels import LabelTerm
from votca_mlp.training.fusion.objective import Limits, Measured, Objective
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.pool import StatePool, energies_of
from votca_mlp.training.fusion.step import Pinning, Step, solve, square_of
from votca_mlp.training.fusion.wall import Wall

LINE = (1.0, 0.5, 0.25)
"""Shares of the full step that are tried."""
HARDER, EASIER = 4.0, 0.3
"""Of the damping, after a step that was refused and after one that was taken in full."""
HEAVIER = 3.0
"""Of the labels' weight, after a step that was refused since even a quarter of it harms the labels.

After a step that was taken in full it goes back by as much, to what it was at first: a weight that only grew
would give up the experiments for labels that are within their limits.
"""
TRIES = 6
"""Times that a step is made anew."""
LEAST_DAMPING = 1e-6


class Search:
    """Takes steps; damping and weight of the labels adapt in the progress.

    Parameters
    ----------
    objective, limits, wall, copies, pools, options
        Of the fusion.
    term
        The labels' chi^2; None without labels.
    """

    def __init__(
        self,
        objective: Objective,
        limits: Limits,
        wall: Wall,
        term: LabelTerm | None,
        copies: Copies,
        pools: Mapping[str, StatePool],
        options: FusionOptions,
    ) -> None:
        self.objective, self.limits, self.wall, self.term = objective, limits, wall, term
        self.copies, self.pools, self.options = copies, pools, options
        self._label_rows: tuple[str, Tensor, list[str]] | None = None
        self._square: tuple[str, dict[str, float], Tensor] | None = None
        self.walled = False
        """Whether the last search refused a step for the repulsive wall."""

    def take(self, found: Measured, progress: Progress) -> float:
        """Change the parameters by the largest share of the step that serves; return the share, 0 if none."""
        if self.options.by_kind:
            return self._take_by_kind(found, progress)
        objective = self.objective
        self.walled, scale = False, objective.scale(found.responses)
        here, before = self.copies.vector, objective.chi2(found.responses, scale)
        for _ in range(TRIES):
            step, harmed = self.solved(found, scale, progress), False
            most = before + self._label_value(found.iteration.labels, progress)
            for share in LINE:
                self.copies.put(here + share * step.change)
                if not self.wall.holds():
                    self.walled = True
                    continue
                errors = self.limits.kept(self.copies.single, objective.labels, objective.held)
                harmed = errors is None
                if errors is not None and self._serves(errors, scale, most, progress):
                    if share == 1.0:
                        progress.damping = max(LEAST_DAMPING, EASIER * progress.damping)
                        lighter = progress.label_weight / HEAVIER
                        progress.label_weight = max(self.options.label_weight, lighter)
                    return share
            self.copies.put(here)
            progress.damping *= HARDER
            if harmed:
                progress.label_weight *= HEAVIER
        return 0.0

    def _take_by_kind(self, found: Measured, progress: Progress) -> float:
        """Take the best of several steps, each with more weight on the labels that the last took too far."""
        objective, best = self.objective, None
        self.walled, scale = False, objective.scale(found.responses)
        here, before = self.copies.vector, objective.chi2(found.responses, scale)
        weights = progress.kind_weights
        for _ in range(TRIES):
            step, beyond, better = self.solved(found, scale, progress), list[str](), False
            most = before + self._label_value(found.iteration.labels, progress)
            for share in LINE:
                self.copies.put(here + share * step.change)
                if not self.wall.holds():
                    self.walled = True
                    continue
                errors, kinds = self.limits.judged(self.copies.single, objective.labels, objective.held)
                if share == 1.0:
                    beyond = kinds
                value = None if kinds else self._served(errors, scale, most, progress)
                if value is not None:
                    better = best is None or value < best[0]
                    if better:
                        best = (value, share, self.copies.vector, errors, dict(weights))
                    break
            self.copies.put(here)
            if best is not None and not (better and beyond):
                break
            for kind in beyond:
                weights[kind] = HEAVIER * weights.get(kind, 1.0)
            if not beyond:
                progress.damping *= HARDER
        if best is None:
            return 0.0
        _, share, vector, errors, kept = best
        self.copies.put(vector)
        if share == 1.0:
            progress.damping = max(LEAST_DAMPING, EASIER * progress.damping)
        progress.kind_weights = {
            kind: weight if self.limits.strained(kind, errors) else max(1.0, weight / HEAVIER)
            for kind, weight in kept.items()
        }
        return share

    def _label_value(self, errors: dict[str, float], progress: Progress) -> float:
        if self.term is None:
            return 0.0
        return progress.label_weight * self.term.weighted(progress.kind_weights).value(errors)

    def _serves(self, errors: dict[str, float], scale: Tensor, most: float, progress: Progress) -> bool:
        """Whether reweighting follows the present parameters and both chi^2 together become smaller."""
        return self._served(errors, scale, most, progress) is not None

    def _served(
        self, errors: dict[str, float], scale: Tensor, most: float, progress: Progress
    ) -> float | None:
        """Return chi^2 of the experiments with the present parameters; None where they do not serve."""
        for pool in self.pools.values():
            worth = pool.effective(energies_of(self.copies.double, pool.frames))
            if not worth >= self.options.least_effective:
                return None
        try:
            after = self.objective.responses(self.pools, self.copies)
        except UserError:
            return None
        value = self.objective.chi2(after, scale)
        return value if value + self._label_value(errors, progress) < most else None

    def solved(self, found: Measured, scale: Tensor, progress: Progress) -> Step:
        """Return Gauss-Newton's step from the present parameters, which ``found`` was measured with.

        scale [n_values] are the joint errors of the experiments.
        """
        rows = torch.cat([each.rows for each in found.responses if each.rows is not None])
        values = torch.cat([each.values for each in found.responses])
        spreads = [each.spread for each in found.responses if each.spread is not None]
        weight, rows = progress.label_weight, rows / scale.unsqueeze(1)
        gradient = torch.zeros(rows.shape[1], dtype=torch.float64)
        if self.term is not None:
            # single has the parameters of this iteration
            term = self.term.weighted(progress.kind_weights)
            gradient = weight * term.gradient(self.copies.single, self.copies.singles)
            pinning = self._pinned(self.term, progress)
        else:
            # nothing is pinned: all directions alike
            pinning, weight = Pinning(rows, progress.damping, labels=False), 1.0
        residuals = (values - self.objective.targets) / scale
        if self.walled:
            # the first step would have taken the wall away: another that leaves it as it is
            fixed = self.wall.rows()
            rows, residuals = (
                torch.cat([rows, fixed]),
                torch.cat([residuals, residuals.new_zeros(len(fixed))]),
            )
        return solve(residuals, rows, gradient, pinning, weight, spreads, progress.variance)

    def _pinned(self, term: LabelTerm, progress: Progress) -> Pinning:
        """Return Gauss-Newton's matrix of the labels at the present parameters.

        That of the model before fusion will not do: after one step it no longer keeps the energies.
        """
        here, weights = self.copies.identity, progress.kind_weights
        if self._label_rows is None or self._label_rows[0] != here:
            made = term.rows_by_kind(self.copies.single, self.copies.singles, self.options.seed)
            self._label_rows, self._square = (here, *made), None
        _, rows, kinds = self._label_rows
        if any(weight != 1.0 for weight in weights.values()):
            factors = torch.tensor([weights.get(kind, 1.0) for kind in kinds], dtype=rows.dtype).sqrt()
            rows = factors.unsqueeze(1) * rows
        if self._square is None or self._square[:2] != (here, weights):
            self._square = here, dict(weights), square_of(rows)
        return Pinning(rows, progress.damping, square=self._square[2])
