"""The files that a settings.xml names: present, readable, in the right unit, long enough.

Only files that are quick to read are opened: the topology and tables. Models and configurations are only
looked for.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.engine import engine_named
from votca_mlp.engines.options import Crystal
from votca_mlp.engines.shared.result import SUMMARY, THERMO
from votca_mlp.errors import UserError
from votca_mlp.files import refuse_special
from votca_mlp.models.arguments import own_files
from votca_mlp.models.kind import model_kind
from votca_mlp.models.load import builtin_models
from votca_mlp.observables import store
from votca_mlp.runs import record
from votca_mlp.settings.groups import imc_groups
from votca_mlp.settings.interaction import TARGET
from votca_mlp.settings.models import Interaction, Settings
from votca_mlp.settings.problems import Problem, SettingsError
from votca_mlp.settings.scattering import scattering_problems
from votca_mlp.settings.states import read_states
from votca_mlp.settings.tasks import written_onto
from votca_mlp.settings.topology import read_topology
from votca_mlp.tables import read_table
from votca_mlp.targets.plausible import ENDS, doubts, end_of, grows, undefined, zero_error
from votca_mlp.units import ANGSTROM_PER_NM
from votca_mlp.update.registry import rules
from votca_mlp.update.rule import Group

Array = NDArray[np.float64]

_OF_THE_LOOP = ("done", "stop", "settings.xml", record.NAME, store.NAME, SUMMARY, THERMO)
PEAK_NM = (0.06, 1.0)
"""The main peak of g(r) of atoms lies between these, in nm; outside, the unit is probably wrong."""


def check_inputs(settings: Settings) -> None:
    """Raise a SettingsError with every problem of the files that the settings name."""
    problems = input_problems(settings)
    if problems:
        raise SettingsError(settings.path, problems)


def input_problems(settings: Settings) -> list[Problem]:
    """Return every problem of the files that the settings name."""
    if settings.multistate.enabled:
        states, problems = read_states(settings)
        for state in states:
            problems += input_problems(state.settings)
        return problems
    problems = [*_topology(settings), *_files(settings), *_outputs(settings), *_model(settings)]
    groups = imc_groups(settings)
    for pair in settings.interactions:
        problems += [*_target(settings, pair), *_window(settings, pair, groups), *_of_rule(settings, pair)]
    if settings.scattering and not problems:
        # it needs topology and targets that can be read
        problems += scattering_problems(settings)
    return problems


def _window(settings: Settings, pair: Interaction, groups: tuple[Group, ...]) -> Iterator[Problem]:
    reg = any(pair.name in group.members and group.regularisation is not None for group in groups)
    if pair.target is None and reg:
        what = "is missing: VOTCA's own inverse Monte Carlo (<reg>) fits the g(r) of all interactions"
        yield _problem(settings, f"cg.non-bonded[{pair.name}].inverse.target", what, TARGET)
        return
    tag = f"cg.non-bonded[{pair.name}].inverse.window"
    if pair.seen_through is None:
        if settings.text(f"{tag}.function") is not None:
            what = "is given without a <q_max>: a window ends where the data do"
            yield _problem(settings, f"{tag}.function", what, "<q_max> in 1/Angstrom beside it")
        return
    if reg:
        what = "is not known to VOTCA's own inverse Monte Carlo"
        yield _problem(settings, tag, what, "rule wibi, or gauss_newton without <reg>")


def _problem(settings: Settings, tag: str, what: str, accepted: str) -> Problem:
    return Problem(settings.line_of(tag), re.sub(r"\[.*?\]", "", tag), what, accepted)


def _bad_file(settings: Settings, tag: str, error: UserError) -> Problem:
    where = f"{error.where}: " if error.where else ""
    return _problem(settings, tag, f"names a bad file: {where}{error.what}", error.accepted or "")


def _topology(settings: Settings) -> Iterator[Problem]:
    topol, tag = settings.topology
    needed = {topol: "the topology", **engine_named(settings.program).inputs(settings.engine)}
    for name, what in needed.items():
        if name not in {Path(listed).name for listed in settings.filelist}:
            what = f"does not list {name}, {what}, so no step directory will have it"
            listed = " ".join((*settings.filelist, name))
            yield _problem(settings, "cg.inverse.filelist", what, f"<filelist>{listed}</filelist>")
    try:
        counts = read_topology(settings.input_path(topol)).counts
    except UserError as error:
        yield _bad_file(settings, tag, error)
        return
    for pair in settings.interactions:
        missing = sorted({pair.type1, pair.type2} - set(counts))
        if missing:
            name = f"cg.non-bonded[{pair.name}].{'type1' if pair.type1 in missing else 'type2'}"
            what = f"is '{missing[0]}', a type that {topol} does not have"
            yield _problem(settings, name, what, " ".join(counts))
    crystal = getattr(settings.engine, "crystal", None)
    if isinstance(crystal, Crystal) and counts != {crystal.element: crystal.n_atoms}:
        has = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        what = f"makes {crystal.n_atoms} {crystal.element} atoms, but {topol} has {has}"
        tag = f"cg.inverse.{settings.program}.crystal.repeat"
        yield _problem(settings, tag, what, "the same numbers in both")


def _files(settings: Settings) -> Iterator[Problem]:
    conf, (topol, _) = settings.engine.conf, settings.topology
    named = [("cg.inverse.filelist", name) for name in settings.filelist if Path(name).name != topol]
    twice = [name for name, count in Counter(Path(f).name for f in settings.filelist).items() if count > 1]
    for name in twice:
        what = f"has two files whose copies in the step would be {name}"
        yield _problem(settings, "cg.inverse.filelist", what, "files with different names")
    for pair in settings.interactions:
        try:
            refuse_special(settings.run_directory / f"{pair.name}.pot.in")
        except UserError as error:
            what = f"is '{pair.name}', and {pair.name}.pot.in {error.what}"
            yield _problem(settings, f"cg.non-bonded[{pair.name}].name", what, "a table, or no such file")
    yield from written_onto(settings._root, input_files(settings), settings.run_directory)
    for tag, name in named + ([(f"cg.inverse.{settings.program}.conf", conf)] if conf else []):
        if not os.path.isfile(settings.input_path(name)):
            what = f"names {name}, which does not exist in {settings.main_directory}"
            yield _problem(settings, tag, what, "a file, relative to the folder of settings.xml")


def input_files(settings: Settings) -> set[Path]:
    """Return the files of the main directory that a run reads: what it must not write over."""
    names = [settings.path.name, *settings.filelist, settings.topology[0]]
    names += [settings.engine.conf] if settings.engine.conf else []
    names += [source.file for source in settings.scattering]
    for pair in settings.interactions:
        options = pair.options(settings.rule)
        names += [] if pair.target is None else [pair.target]
        names += [f"{pair.name}.pot.in", *rules()[settings.rule].named_files(options)]
    found = [settings.main_directory / name for name in names]
    found += own_files(settings.mlp, settings.run_directory)
    return {Path(os.path.normpath(path)) for path in found}


def _outputs(settings: Settings) -> Iterator[Problem]:
    """Refuse names of a simulation's files that are those of its inputs, of the loop, or of one another."""
    engine, section = engine_named(settings.program), settings.engine
    restart = Path(settings.text("cg.inverse.restart_file") or "").name
    taken = dict.fromkeys((*_OF_THE_LOOP, restart), "a file of the loop")
    start = section.conf or "conf.extxyz"
    inputs = (*settings.filelist, *engine.inputs(section), settings.topology[0], start)
    taken |= {Path(name).name: "an input" for name in inputs}
    for tag, name in engine.outputs(section).items():
        of_table = any(name.startswith(f"{pair.name}.") for pair in settings.interactions)
        what = "a table of the loop" if of_table else taken.get(name)
        if what is not None:
            name_of = f"cg.inverse.{settings.program}.{tag}"
            yield _problem(settings, name_of, f"is '{name}', {what}", "a name of its own: it is written")
        taken[name] = f"also <{tag}>"


def _model(settings: Settings) -> Iterator[Problem]:
    model, tag = settings.mlp.model, "cg.inverse.mlp.model"
    if model is None or model.startswith("builtin:"):
        found = builtin_models().get((model or "").removeprefix("builtin:"))
        if found is not None:
            yield from _of_model_file(settings, found)
        return
    expanded = os.path.expanduser(os.path.expandvars(model))
    accepted = "an existing file or folder, or builtin:NAME"
    unset = re.search(r"\$(\w+|\{\w+\})", expanded)
    if unset:
        yield _problem(settings, tag, f"uses {unset[0]}, which is not set", f"export it as {accepted}")
    elif not os.path.exists(settings.run_directory / expanded):
        yield _problem(settings, tag, f"is {model}, which does not exist", accepted)
    try:
        refuse_special(settings.run_directory / expanded)
    except UserError as error:
        yield _problem(settings, tag, f"{error.what}: {model}", accepted)
        return
    if os.path.exists(settings.run_directory / expanded):
        yield from _of_model_file(settings, settings.run_directory / expanded)


def _of_model_file(settings: Settings, path: Path) -> Iterator[Problem]:
    """Yield what the kind of model finds wrong with the settings, given its file."""
    check = model_kind(settings.mlp.kind).check_file
    for tag, what, accepted in check(settings.mlp, path) if check is not None else ():
        yield _problem(settings, f"cg.inverse.mlp.{tag}", what, accepted)


def _target(settings: Settings, pair: Interaction) -> Iterator[Problem]:
    tag = f"cg.non-bonded[{pair.name}].inverse.target"
    if pair.target is None:
        return
    path = settings.main_directory / pair.target
    accepted = f"a VOTCA table r (nm), g(r), from {pair.min:g} to {pair.max:g} nm"
    try:
        table = read_table(path)
    except UserError as error:
        yield _bad_file(settings, tag, error)
        return
    wrong = undefined(table, pair.max)
    if wrong is not None:
        yield _problem(settings, tag, f"names {pair.target}, which {wrong.what}", wrong.accepted)
        return
    used = (table.flags != "u") & np.isfinite(table.y)
    r, g = table.x[used], table.y[used]
    if not len(r) or g.max() <= 0:
        yield _problem(settings, tag, f"names {pair.target}, where g(r) is 0 everywhere", accepted)
        return
    # what goes beyond the grid is of no account, such as zeros beyond half a box
    inside = r <= pair.max + 1e-9
    if inside.sum() < 4:
        inside = np.ones(len(r), dtype=bool)
    if grows(r, g) and grows(r[inside], g[inside]):
        what = f"names {pair.target}, whose far half grows in proportion to r"
        yield _problem(settings, tag, what, accepted + ", not T(r) = 4 pi rho r g")
        return
    peak = float(r[np.argmax(g)])
    if not PEAK_NM[0] <= peak <= PEAK_NM[1]:
        guess = "Angstrom" if peak > PEAK_NM[1] else "nm divided by 10 once too often"
        what = f"names {pair.target}, whose main peak is at {peak:g} nm: its r looks like {guess}"
        yield _problem(settings, tag, what, accepted)
        return
    # below its first point a target counts as 0, which only fits when it begins in the core
    starts_late = r[0] > pair.min + pair.step / 2 and g[0] > 0.01 * g.max()
    if starts_late or r[-1] < pair.max - 1e-6:
        what = f"names {pair.target}, which covers only {r[0]:g} to {r[-1]:g} nm"
        yield _problem(settings, tag, what, accepted)
    if not _ends_at_one(r, g) and not _ends_at_one(r[inside], g[inside]):
        tail, beyond = end_of(r, g)
        what = f"names {pair.target}, whose g(r) ends at {tail:.3g}, beyond {beyond:.3g} nm, instead of 1"
        yield _problem(settings, tag, what, accepted + " that tends to 1")
    sigma = None if table.yerr is None else table.yerr[used][inside]
    found = list(doubts(r[inside] * ANGSTROM_PER_NM, g[inside], sigma))
    if sigma is not None and not found and rules()[settings.rule].weighs_errors:
        found += filter(None, [zero_error(r[inside] * ANGSTROM_PER_NM, g[inside], sigma)])
    for doubt in found:
        yield _problem(settings, tag, f"names {pair.target}, which {doubt.what}", doubt.accepted)
    if not found:
        yield from _smallest_distance(settings, tag, pair, r, g)


def _ends_at_one(r: Array, g: Array) -> bool:
    return ENDS[0] <= end_of(r, g)[0] <= ENDS[1]


def _smallest_distance(
    settings: Settings, tag: str, pair: Interaction, r: Array, g: Array
) -> Iterator[Problem]:
    """Refuse a limit on the distance of atoms that the target itself breaks."""
    peak = int(np.argmax(g))
    below = np.flatnonzero(g[:peak] < 0.05 * g[peak])
    onset = float(r[below[-1]] if len(below) else r[0]) * ANGSTROM_PER_NM
    limit = settings.engine.limits.distance_min
    if onset < limit:
        what = (
            f"names {pair.target}, where g(r) begins at {onset:.3g} Angstrom, "
            f"below <cg.inverse.{settings.program}.limits.distance_min> {limit:g}"
        )
        yield _problem(settings, tag, what, f"distance_min below {onset:.3g} Angstrom")


def _of_rule(settings: Settings, pair: Interaction) -> Iterator[Problem]:
    rule = settings.rule
    for wrong in rules()[rule].check_files(pair.options(rule), settings.main_directory, pair.grid):
        tag = f"cg.non-bonded[{pair.name}].inverse.{rule}.{wrong.tag}"
        yield _problem(settings, tag, wrong.what, wrong.accepted)
