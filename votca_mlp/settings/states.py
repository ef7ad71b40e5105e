"""The states of a run (cg.inverse.multistate): one view of the settings a state.

A state has a folder ``<main>/<state>/`` with its inputs and, where it differs from the others, a
``settings.xml`` of its own, partial or whole, whose tags replace those of the run's file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.settings.document import Node, read_document
from votca_mlp.settings.merge import write_tree
from votca_mlp.settings.models import Interaction, Settings
from votca_mlp.settings.problems import Problem, SettingsError
from votca_mlp.settings.reader import settings_of
from votca_mlp.settings.state_tree import state_problem, state_tree
from votca_mlp.settings.topology import read_topology


@dataclass(frozen=True)
class State:
    """One state of a run.

    Attributes
    ----------
    name
        Of the state and its folder.
    weight
        Normalised: the weights of all states sum to 1.
    kBT
        kJ/mol.
    settings
        As if the state ran alone in ``<main>/<state>/``: ``main_directory`` is that folder, and only the
        interactions whose types the state's topology has are there. A model is looked for in
        ``settings.run_directory``, other inputs as :meth:`votca_mlp.settings.Settings.input_path` does.
    """

    name: str
    weight: float
    kBT: float
    settings: Settings
    root: Node = field(repr=False)

    @property
    def temperature(self) -> float:
        """The engine's temperature, K."""
        return self.settings.temperature

    @property
    def directory(self) -> Path:
        """The folder with the state's inputs."""
        return self.settings.main_directory

    def interaction(self, name: str) -> Interaction | None:
        """Return the state's view of an interaction, None when the state does not contain its types."""
        return next((pair for pair in self.settings.interactions if pair.name == name), None)


def states_of(settings: Settings) -> tuple[State, ...]:
    """Return the states of a run, in the order of ``state_names``.

    Raises
    ------
    SettingsError
        Every problem of the states' folders and settings; see :func:`read_states`.
    """
    states, problems = read_states(settings)
    if problems:
        raise SettingsError(settings.path, problems)
    return states


def state_named(settings: Settings, name: str) -> State:
    """Return one state of a run.

    Raises
    ------
    UserError
        There is none of that name; also as :func:`states_of`.
    """
    states = states_of(settings)
    for state in states:
        if state.name == name:
            return state
    known = ", ".join(state.name for state in states)
    raise UserError(f"no state is named '{name}'", where=settings.path, accepted=known or "one state only")


def states_with(states: Sequence[State], name: str) -> tuple[State, ...]:
    """Return the states that contain the types of an interaction."""
    return tuple(state for state in states if state.interaction(name) is not None)


def read_states(settings: Settings) -> tuple[tuple[State, ...], list[Problem]]:
    """Return the states that could be read and what is wrong with them.

    Problems: a folder that is missing; a settings.xml that cannot be read, has unknown tags or bad values,
    or changes what holds for all states (grids among them); a kBT of ``state_kBTs`` that the state's own
    contradicts; a topology that cannot be read; an interaction in no state of weight above 0; more
    ``temperature_terms`` than temperatures. Targets and other inputs are checked by
    :func:`votca_mlp.settings.inputs.input_problems` of each state's settings.
    """
    chosen = settings.multistate
    weights = chosen.state_weights or (1.0,) * len(chosen.state_names)
    kBTs = chosen.state_kBTs or (None,) * len(chosen.state_names)
    if not len(weights) == len(kBTs) == len(chosen.state_names) or sum(weights) == 0:
        # reported with the file that has them
        return (), []
    found: list[State] = []
    problems: list[Problem] = []
    for name, weight, listed in zip(chosen.state_names, weights, kBTs, strict=True):
        state = _read(settings, name, weight / sum(weights), listed, problems)
        found += [state] if state is not None else []
    if not problems:
        problems += _together(settings, found)
    return tuple(found), problems


def write_state_settings(state: State, path: Path) -> None:
    """Write a state's complete settings as one settings.xml, for programs that read such a file.

    File names in it are relative to the state's folder, the model's to the run's.

    Raises
    ------
    UserError
        It cannot be written.
    """
    write_tree(state.root, path)


def read_state_settings(path: Path, run_directory: Path, name: str) -> Settings:
    """Return a state's settings from the file that :func:`write_state_settings` wrote.

    They are those of the time at which it was written, whatever has become of the run's files since.

    Raises
    ------
    UserError
        It cannot be read, or is damaged.
    """
    view, problems = settings_of(read_document(path, "cg"), run_directory / name / "settings.xml")
    if problems or view is None:
        raise SettingsError(path, problems)
    view._run_directory = run_directory
    return view


def _read(
    settings: Settings, name: str, weight: float, listed: float | None, problems: list[Problem]
) -> State | None:
    before = len(problems)
    root = state_tree(settings, name, listed, problems)
    if root is None:
        return None
    main = settings.main_directory
    view, wrong = settings_of(root, main / name / "settings.xml")
    problems += wrong
    if view is None or len(problems) > before:
        return None
    view._run_directory = main
    return _of_its_types(settings, State(name, weight, view.kBT, view, root), problems)


def _of_its_types(settings: Settings, state: State, problems: list[Problem]) -> State | None:
    """Return the state without the interactions whose types its topology does not have."""
    view = state.settings
    # csg_stat's, of whichever engine
    path = view.input_path(view.topology[0])
    try:
        types = set(read_topology(path).counts)
    except UserError as error:
        where = f"{error.where}: " if error.where else ""
        what = f"names {state.name}, whose topology is bad: {where}{error.what}"
        problems.append(state_problem(settings, "state_names", what, error.accepted or ""))
        return None
    kept = tuple(pair for pair in view.interactions if {pair.type1, pair.type2} <= types)
    if not kept:
        what = f"names {state.name}, whose topology {path} has no pair of types of any interaction"
        problems.append(state_problem(settings, "state_names", what, "types of the interactions"))
        return None
    names = {pair.name for pair in kept}
    children = tuple(
        node for node in state.root.children if node.tag != "non-bonded" or node.deepest("name").text in names
    )
    return replace(
        state,
        settings=view.model_copy(update={"interactions": kept}),
        root=replace(state.root, children=children),
    )


def _together(settings: Settings, states: Sequence[State]) -> list[Problem]:
    problems = []
    for pair in settings.interactions:
        if not any(state.weight > 0 for state in states_with(states, pair.name)):
            where = f"cg.non-bonded[{pair.name}].name"
            what = f"is '{pair.name}', whose types no state of weight above 0 has"
            problems.append(Problem(settings.line_of(where), "cg.non-bonded.name", what, "one that has them"))
    temperatures = {round(state.temperature, 3) for state in states if state.weight > 0}
    if settings.multistate.temperature_terms > len(temperatures):
        what = f"is {settings.multistate.temperature_terms}, but the fitted states have"
        what += f" {len(temperatures)} different temperatures"
        problems.append(state_problem(settings, "temperature_terms", what, f"at most {len(temperatures)}"))
    return problems
