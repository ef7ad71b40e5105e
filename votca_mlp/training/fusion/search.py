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
        self._label_rows: tuple[str, Tensor, Tensor] | None = None
        self.walled = False
        """Whether the last search refused a step for the repulsive wall."""

    def take(self, found: Measured, progress: Progress) -> float:
        """Change the parameters by the largest share of the step that serves; return the share, 0 if none."""
        objective = self.objective
        self.walled, scale = False, objective.scale(found.responses)
        here, before = self.copies.vector, objective.chi2(found.responses, scale)
        for _ in range(TRIES):
            step, harmed = self._solved(found, scale, progress), False
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

    def _label_value(self, errors: dict[str, float], progress: Progress) -> float:
        return 0.0 if self.term is None else progress.label_weight * self.term.value(errors)

    def _serves(self, errors: dict[str, float], scale: Tensor, most: float, progress: Progress) -> bool:
        """Whether reweighting follows the present parameters and both chi^2 together become smaller."""
        for pool in self.pools.values():
            worth = pool.effective(energies_of(self.copies.double, pool.frames))
            if not worth >= self.options.least_effective:
                return False
        try:
            after = self.objective.responses(self.pools, self.copies)
        except UserError:
            return False
        return self.objective.chi2(after, scale) + self._label_value(errors, progress) < most

    def _solved(self, found: Measured, scale: Tensor, progress: Progress) -> Step:
        rows = torch.cat([each.rows for each in found.responses if each.rows is not None])
        values = torch.cat([each.values for each in found.responses])
        spreads = [each.spread for each in found.responses if each.spread is not None]
        weight, rows = progress.label_weight, rows / scale.unsqueeze(1)
        gradient = torch.zeros(rows.shape[1], dtype=torch.float64)
        if self.term is not None:
            # single has the parameters of this iteration
            gradient = weight * self.term.gradient(self.copies.single, self.copies.singles)
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
        here = self.copies.identity
        if self._label_rows is None or self._label_rows[0] != here:
            rows = term.rows(self.copies.single, self.copies.singles, self.options.seed)
            self._label_rows = here, rows, square_of(rows)
        _, rows, square = self._label_rows
        return Pinning(rows, progress.damping, square=square)
