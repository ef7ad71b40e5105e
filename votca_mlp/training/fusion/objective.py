"""What a fusion is to meet: experiments in states and at rest, and labels within limits."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment, RestExperiment
from votca_mlp.training.fusion.labels import Labels
from votca_mlp.training.fusion.options import Iteration
from votca_mlp.training.fusion.pool import StatePool
from votca_mlp.training.fusion.response import Response, respond, respond_at_rest
from votca_mlp.training.fusion.states import StatePoint


@dataclass(frozen=True)
class Measured:
    """An iteration, and the responses it was made of, with rows."""

    iteration: Iteration
    responses: list[Response]


@dataclass(frozen=True)
class Limits:
    """How wrong labels may become: factors of the errors before, by kind; others may become anything.

    Attributes
    ----------
    factors
        By kind of label.
    learnt, held
        Errors before fusion, on labels learnt from and held out.
    held_alone
        Whether only held-out labels are limited: what a model has learnt by heart may be lost.
    """

    factors: Mapping[str, float]
    learnt: Mapping[str, float]
    held: Mapping[str, float]
    held_alone: bool = False

    def keep(self, found: Iteration) -> bool:
        """Whether an iteration keeps both sets of labels within the limits."""
        return self._within(found.held, self.held) and self._learnt_within(found.labels)

    def kept(self, model: PairModel, labels: Labels | None, held: Labels | None) -> dict[str, float] | None:
        """Return a model's errors on the labels learnt from; None where it is beyond a limit.

        Held-out labels come first: they are fewer.
        """
        errors, beyond = self.judged(model, labels, held)
        return None if beyond else errors

    def judged(
        self, model: PairModel, labels: Labels | None, held: Labels | None
    ) -> tuple[dict[str, float], list[str]]:
        """Return a model's errors on the labels learnt from, and the kinds that are beyond a limit.

        Held-out labels come first: they are fewer, and where they are beyond the others are not looked at.
        """
        beyond = [] if held is None else self._beyond(held.errors(model), self.held)
        if beyond:
            return {}, beyond
        learnt = {} if labels is None else labels.errors(model)
        return learnt, [] if self.held_alone else self._beyond(learnt, self.learnt)

    def strained(self, kind: str, learnt: Mapping[str, float]) -> bool:
        """Whether more than half of what labels learnt from may become worse is used up."""
        if kind not in self.factors or kind not in learnt:
            return False
        return learnt[kind] / self.learnt[kind] > 1.0 + 0.5 * (self.factors[kind] - 1.0)

    def _learnt_within(self, errors: Mapping[str, float]) -> bool:
        return self.held_alone or self._within(errors, self.learnt)

    def _within(self, errors: Mapping[str, float], before: Mapping[str, float]) -> bool:
        return not self._beyond(errors, before)

    def _beyond(self, errors: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
        # an error that is no number is beyond, too
        return [k for k in errors if k in self.factors and not errors[k] <= self.factors[k] * before[k]]


class Objective:
    """The experiments as one vector of values, and the labels beside them.

    Parameters
    ----------
    states, experiments
        States without an experiment are left out.
    rest
        Experiments of fixed configurations.
    labels, held
        Learnt from, and only watched; None where there are none.
    """

    def __init__(
        self,
        states: Sequence[StatePoint],
        experiments: Sequence[Experiment],
        rest: Sequence[RestExperiment],
        labels: Labels | None,
        held: Labels | None,
    ) -> None:
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
        self.units = [each.observable.unit for each in ordered for _ in each.labels]
        self.labels, self.held = labels, held

    def scale(self, responses: Sequence[Response]) -> Tensor:
        """Return the joint errors of measurement and simulation."""
        statistical = torch.nan_to_num(torch.cat([each.errors for each in responses]), nan=0.0)
        return (self.errors.square() + statistical.square()).sqrt()

    def chi2(self, responses: Sequence[Response], scale: Tensor | None = None) -> float:
        """Return chi^2 of the experiments, over given errors or the joint ones."""
        values = torch.cat([each.values for each in responses])
        return float(
            ((values - self.targets) / (self.scale(responses) if scale is None else scale)).square().sum()
        )

    def responses(
        self, pools: Mapping[str, StatePool], copies: Copies, *, probes: int | None = None, seed: int = 0
    ) -> list[Response]:
        """Return all experiments with the present parameters, with rows where ``probes`` is a number.

        Raises
        ------
        UserError
            A configuration that an observable at rest is not defined for with this model.
        """
        found = [
            respond(pools[state.name], self.experiments[state.name], copies, probes=probes, seed=seed)
            for state in self.states
        ]
        if self.rest:
            found.append(respond_at_rest(self.rest, copies, rows=probes is not None))
        return found

    def iteration(
        self, number: int, responses: Sequence[Response], copies: Copies, new: list[str], began: float
    ) -> Iteration:
        """Return what the present parameters give; ``began`` by time.monotonic."""
        single = copies.single
        return Iteration(
            number,
            self.chi2(responses) / len(self.targets),
            torch.cat([each.values for each in responses]).tolist(),
            torch.cat([each.errors for each in responses]).tolist(),
            {state.name: each.effective for state, each in zip(self.states, responses, strict=False)},
            new,
            {} if self.labels is None else self.labels.errors(single),
            {} if self.held is None else self.held.errors(single),
            seconds=time.monotonic() - began,
        )
