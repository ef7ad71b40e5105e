"""The tables of a step as an update rule sees them; each is read when the rule asks for it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.potentials import check_grid
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.observables.store import NAME
from votca_mlp.tables import Table, read_table
from votca_mlp.targets.target import Target, target_of_table
from votca_mlp.update.rule import Measured, PairGrid, StateData, StepData

_T = TypeVar("_T")


class _Read(Mapping[str, _T]):
    """Something of each table, read once when it is asked for; tables that are not there may be left out."""

    def __init__(
        self, paths: Mapping[str, Path], read: Callable[[str, Path], _T], only_present: bool
    ) -> None:
        self._paths, self._read, self._only_present = paths, read, only_present
        self._found: dict[str, _T] = {}

    def __contains__(self, name: object) -> bool:
        path = self._paths.get(str(name))
        return path is not None and (not self._only_present or path.is_file())

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._paths if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> _T:
        if name not in self._found:
            self._found[name] = self._read(name, self._paths[name])
        return self._found[name]


def step_data(
    plan: InversePlan,
    number: int,
    directory: Path | None = None,
    *,
    paths: Mapping[str, Path] | None = None,
    kbt: float | None = None,
) -> StepData:
    """Return a step for the plan's rule.

    Parameters
    ----------
    directory
        The step's, where it is not that of the plan.
    paths
        Files in the place of ``NAME.dist.tgt``, ``NAME.dist.new`` and ``NAME.pot.cur``, by those names.
    kbt
        In the place of the (only) state's kBT, kJ/mol.
    """
    step = plan.step_directory(number) if directory is None else directory
    states = tuple(_state_data(state, step, paths or {}, kbt) for state in plan.states)
    grids = {pair.name: pair.grid for pair in plan.pairs}

    def terms(name: str, path: Path) -> tuple[Table, ...]:
        # the first may stand under another name
        others = (step / f"{table}.pot.cur" for table in plan.tables(name)[1:])
        return tuple(_on_grid(grids[name], file) for file in (path, *others))

    def earlier() -> tuple[StepData, ...]:
        before = (n for n in range(1, number) if _has_values(plan, plan.step_directory(n)))
        return tuple(step_data(plan, n) for n in before)

    shared = {name: (paths or {}).get(f"{name}.pot.cur", step / f"{name}.pot.cur") for name in grids}
    return StepData(
        number,
        grids,
        states,
        plan.basis,
        _Read(shared, terms, False),
        step,
        plan.rule_options,
        plan.groups,
        earlier,
    )


def _has_values(plan: InversePlan, step: Path) -> bool:
    """Return whether a step still has what its update was made from."""
    names = [f"{stem}.pot.cur" for pair in plan.pairs for stem in plan.tables(pair.name)]
    files = [step / name for name in names] + [step / state.name / NAME for state in plan.states]
    return all(path.is_file() for path in files)


def _state_data(state: StatePlan, step: Path, paths: Mapping[str, Path], kbt: float | None) -> StateData:
    folder = step / state.name
    grids = {pair.name: pair.grid for pair in state.pairs}

    def files(end: str) -> dict[str, Path]:
        return {name: paths.get(f"{name}.{end}", folder / f"{name}.{end}") for name in grids}

    def target(name: str, path: Path) -> Target:
        return target_of_table(_on_grid(grids[name], path), grids[name].species, source=path)

    return StateData(
        name=state.name,
        weight=state.weight,
        kBT=state.kBT if kbt is None else kbt,
        temperature=state.temperature,
        options={pair.name: pair.options for pair in state.pairs},
        targets=_Read(files("dist.tgt"), target, False),
        measured=_Read(
            files("dist.new"), lambda name, path: Measured(_on_grid(grids[name], path), str(path)), True
        ),
        potentials=_Read(files("pot.cur"), lambda name, path: _on_grid(grids[name], path), False),
        inputs=state.inputs,
        directory=folder,
        density=state.density,
        pressure=state.pressure,
        scattering=state.scattering,
        windows={pair.name: pair.window for pair in state.pairs if pair.window is not None},
    )


def _on_grid(pair: PairGrid, path: Path) -> Table:
    table = read_table(path)
    check_grid(table, pair.points, where=path)
    return table
