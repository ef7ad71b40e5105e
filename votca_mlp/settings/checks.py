"""Values of one settings.xml that contradict each other; no other file is opened."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from votca_mlp.elements import SYMBOLS
from votca_mlp.engines.engine import engine_named
from votca_mlp.engines.options import EngineSettings
from votca_mlp.engines.plan import KBT_TOLERANCE
from votca_mlp.fields import PLAIN_NAME, Section
from votca_mlp.models.kind import model_problems
from votca_mlp.settings.document import Node
from votca_mlp.settings.models import (
    ConvergenceCheck,
    Interaction,
    MLPSettings,
    MultistateSettings,
    TargetDensity,
    TargetPressure,
)
from votca_mlp.settings.pressure import pressure_problems
from votca_mlp.settings.problems import Problem
from votca_mlp.settings.tasks import number_problems
from votca_mlp.settings.without_target import target_problems
from votca_mlp.units import ANGSTROM_PER_NM, EV_PER_KJMOL, kbt_kjmol
from votca_mlp.update.registry import OF_METHOD, rules

MAX_NM = 3.0
"""A cutoff above this many nm was probably meant in Angstrom."""
KJMOL_PER_KCALMOL = 4.184
_FEWEST_POINTS = 10
LEAST_DENSITY = 30.0
"""A density of a liquid or solid below this many kg/m^3 was probably meant in g/cm^3."""
_WANTED = ("target_density", "target_pressure")
_LIMITED = ("chi2", "rms", "largest", "fit")


@dataclass(frozen=True)
class Parts:
    """What could be read of a settings file; None stands for a part with problems of its own.

    ``interactions`` pairs each interaction with its element; ``kBT`` is in kJ/mol.
    """

    root: Node
    interactions: Sequence[tuple[Node, Interaction]]
    kBT: float | None
    mlp: MLPSettings | None
    program: str
    engine: EngineSettings | None
    multistate: MultistateSettings | None
    convergence_check: ConvergenceCheck | None
    target_density: TargetDensity | None = None
    target_pressure: TargetPressure | None = None
    rule_options: Mapping[str, Section] = field(default_factory=dict)

    def problem(self, tag: str, what: str, accepted: str, inside: Node | None = None) -> Problem:
        """Return a problem at a dotted path from ``cg``, or from the interaction ``inside``."""
        start = inside or self.root
        return Problem(start.deepest(tag).line, f"{start.path}.{tag}", what, accepted)


def cross_checks(parts: Parts) -> list[Problem]:
    """Return every contradiction."""
    found: list[Problem] = []
    for node, interaction in parts.interactions:
        found += _grid(parts, node, interaction)
        found += _interaction(parts, node, interaction)
    found += _pairs(parts)
    found += number_problems(parts.root, parts.interactions)
    found += _pressure_corrections(parts)
    if parts.mlp is not None:
        found += _model(parts, parts.mlp)
    if parts.engine is not None:
        found += _engine(parts, parts.engine)
    if parts.multistate is not None:
        found += _states(parts, parts.multistate)
    if parts.convergence_check is not None:
        found += _convergence(parts, parts.convergence_check)
    found += _rule(parts)
    if parts.target_density is not None:
        found += _density(parts, parts.target_density)
    found += _coarse_graining(parts)
    found += target_problems(
        parts.root,
        parts.interactions,
        several=parts.multistate is not None and parts.multistate.enabled,
        convergence="" if parts.convergence_check is None else parts.convergence_check.type,
    )
    if parts.target_pressure is not None:
        found += _pressure(parts)
    return found


def _coarse_graining(parts: Parts) -> Iterator[Problem]:
    """Refuse mappings and bonded interactions: the model acts on atoms, and has their bonds."""
    for node in parts.root.all("bonded"):
        what = "is not corrected: the machine-learning potential has the bonds"
        yield Problem(node.line, node.path, what, "only <non-bonded> interactions")
    inverse = parts.root.first("inverse")
    # csg_stat would count beads
    for tag in ("map", f"{parts.program}.rdf.map"):
        found = inverse.at(tag) if inverse is not None else None
        if found is not None and found.text:
            what = f"is '{found.text}', but u(r) acts on atoms: the atoms are the beads"
            yield Problem(found.line, found.path, what, "no such tag")


def _grid(parts: Parts, node: Node, pair: Interaction) -> Iterator[Problem]:
    if pair.max <= pair.min:
        yield parts.problem("max", f"is {pair.max:g} nm, min is {pair.min:g} nm", "max above min", node)
        return
    if pair.max > MAX_NM:
        hint = f"nm; {pair.max:g} Angstrom is {pair.max / ANGSTROM_PER_NM:g} nm"
        yield parts.problem("max", f"is {pair.max:g} nm, which looks like Angstrom", hint, node)
    intervals = (pair.max - pair.min) / pair.step
    if intervals < _FEWEST_POINTS:
        what = f"is {pair.step:g} nm, only {int(intervals) + 1} points from {pair.min:g} to {pair.max:g} nm"
        hint = f"at most {(pair.max - pair.min) / _FEWEST_POINTS:g} nm; 0.005 is usual"
        yield parts.problem("step", what, hint, node)
    elif abs(intervals - round(intervals)) > 1e-6 * intervals:
        what = f"is {pair.step:g} nm, and max - min = {pair.max - pair.min:g} nm is not a multiple of it"
        better = (pair.max - pair.min) / round(intervals)
        yield parts.problem("step", what, f"for example {better:.6g} nm", node)


def _interaction(parts: Parts, node: Node, pair: Interaction) -> Iterator[Problem]:
    for tag, symbol in (("type1", pair.type1), ("type2", pair.type2)):
        if symbol not in SYMBOLS:
            yield parts.problem(
                tag, f"is '{symbol}'", "a chemical symbol such as Al: bead types name the atoms", node
            )
    for rule, entry in rules().items():
        for wrong in entry.check(pair.options(rule)):
            yield parts.problem(f"inverse.{rule}.{wrong.tag}", wrong.what, wrong.accepted, node)


def _pressure_corrections(parts: Parts) -> Iterator[Problem]:
    for node, pair in parts.interactions:
        inverse = node.first("inverse")
        if inverse is not None and "pressure" in pair.post_update:
            several = parts.multistate is not None and parts.multistate.enabled
            measured = parts.target_density is not None
            # a bad one has problems of its own
            there = any(parts.root.deepest(f"inverse.{tag}").tag == tag for tag in _WANTED)
            npt = getattr(parts.engine, "ensemble", "nvt") == "npt"
            barostat = npt and not measured and not several
            yield from pressure_problems(inverse, wanted=there or several, barostat=barostat)


def _rule(parts: Parts) -> Iterator[Problem]:
    for rule, entry in rules().items():
        options = parts.rule_options.get(rule)
        if options is not None:
            for wrong in entry.check_run(options):
                yield parts.problem(f"inverse.{rule}.{wrong.tag}", wrong.what, wrong.accepted)
    inverse = parts.root.deepest("inverse")
    method, rule = (node.text if (node := inverse.first(tag)) else "" for tag in ("method", "rule"))
    if rule in rules() and method in OF_METHOD and method != rules()[rule].method:
        yield parts.problem(
            "inverse.method", f"is '{method}', and the rule {rule}", f"{rules()[rule].method} for this rule"
        )


def _pairs(parts: Parts) -> Iterator[Problem]:
    names: dict[str, int] = {}
    pairs: dict[frozenset[str], int] = {}
    for node, item in parts.interactions:
        first = names.setdefault(item.name, node.line)
        if first != node.line:
            what = f"is '{item.name}' again, first in the section of line {first}"
            yield parts.problem("name", what, "a name of its own for each interaction", node)
        first = pairs.setdefault(frozenset((item.type1, item.type2)), node.line)
        if first != node.line:
            what = f"pairs {item.type1} and {item.type2} again, first in the section of line {first}"
            yield parts.problem("type1", what, "one interaction a pair of types", node)


def _model(parts: Parts, mlp: MLPSettings) -> Iterator[Problem]:
    for tag, what, accepted in model_problems(mlp):
        yield parts.problem(f"inverse.mlp.{tag}", what, accepted)


def _engine(parts: Parts, section: EngineSettings) -> Iterator[Problem]:
    cutoff = max((pair.max for _, pair in parts.interactions), default=0.0)
    # above MAX_NM the cutoff itself is the mistake
    r_max = cutoff * ANGSTROM_PER_NM if cutoff <= MAX_NM else 0.0
    engine = engine_named(parts.program)
    if not engine.has_times and section.equi_time > 0.0:
        what = f"is {section.equi_time:g}, but the trajectory stores no time: csg_stat would find no frame"
        instead = "0, and first_frame or a longer equilibration instead"
        yield parts.problem(f"inverse.{parts.program}.equi_time", what, instead)
    for tag, what, accepted in engine.problems(section, r_max):
        yield parts.problem(".".join(filter(None, ("inverse", parts.program, tag))), what, accepted)
    temperature = getattr(section, "temperature", None)
    if parts.kBT is not None and temperature is not None:
        yield from _temperature(parts, parts.kBT, temperature)


def _temperature(parts: Parts, kBT: float, temperature: float) -> Iterator[Problem]:
    expected = kbt_kjmol(temperature)
    if abs(kBT - expected) <= KBT_TOLERANCE * expected:
        return
    what = (
        f"is {kBT:g} kJ/mol ({kBT / kbt_kjmol(1.0):.5g} K), "
        f"but <cg.inverse.{parts.program}.temperature> is {temperature:g} K ({expected:.6g} kJ/mol)"
    )
    for unit, factor in (("eV", 1 / EV_PER_KJMOL), ("kcal/mol", KJMOL_PER_KCALMOL)):
        if abs(kBT * factor - expected) <= KBT_TOLERANCE * expected:
            what += f"; it looks like {unit}"
    yield parts.problem("inverse.kBT", what, f"{expected:.6g}, or the temperature that belongs to kBT")


def _states(parts: Parts, states: MultistateSettings) -> Iterator[Problem]:
    if not states.enabled:
        if states.state_names and "enabled" not in states.model_fields_set:
            what = f"names {' '.join(states.state_names)[:80]}, but nothing says that there are states"
            accepted = "<enabled>yes</enabled> with it, or <enabled>no</enabled> for one state"
            yield parts.problem("inverse.multistate.state_names", what, accepted)
        return
    names = states.state_names
    if len(set(names)) < 2 or len(set(names)) < len(names):
        what = f"has {len(set(names))} different names among {len(names)}"
        yield parts.problem("inverse.multistate.state_names", what, "two names or more, all different")
    for name in names:
        plain = PurePath(name).parts == (name,) and re.fullmatch(PLAIN_NAME, name)
        if not plain or re.fullmatch(r"step_\d+", name):
            hint = "names of folders beside settings.xml, none of them step_NNN"
            yield parts.problem("inverse.multistate.state_names", f"names '{name}'", hint)
    for tag, values in (("state_weights", states.state_weights), ("state_kBTs", states.state_kBTs)):
        if values and len(values) != len(names):
            what = f"has {len(values)} numbers for {len(names)} states"
            yield parts.problem(f"inverse.multistate.{tag}", what, "one number a state, or no such tag")
    if states.state_weights and sum(states.state_weights) == 0:
        yield parts.problem("inverse.multistate.state_weights", "are all 0", "at least one above 0")


def _convergence(parts: Parts, check: ConvergenceCheck) -> Iterator[Problem]:
    if check.type in (*_LIMITED, "default") and check.limit <= 0:
        hint = "a number > 0, or convergence_check type none"
        yield parts.problem("inverse.convergence_check.limit", "is 0: it would never stop", hint)
    if check.type == "fit" and check.limit >= 1:
        what = f"is {check.limit:g}: f_fit is 1 only for equal functions"
        yield parts.problem("inverse.convergence_check.limit", what, "a number below 1, such as 0.99")
    if check.type == "plateau" and check.limit > 0:
        what = f"is {check.limit:g}, but a plateau has no limit"
        yield parts.problem("inverse.convergence_check.limit", what, "<iterations>, without <limit>")
    if check.type != "plateau" and "iterations" in check.model_fields_set:
        what = f"is given, but the type is '{check.type}'"
        yield parts.problem("inverse.convergence_check.iterations", what, "type plateau with it")
    if check.type != "default":
        return
    for node, pair in parts.interactions:
        if "convergence" not in pair.post_add:
            what = "does not name 'convergence', which convergence_check 'default' reads"
            yield parts.problem("inverse.post_add", what, "<post_add>convergence</post_add>", node)


def _density(parts: Parts, density: TargetDensity) -> Iterator[Problem]:
    if density.value < LEAST_DENSITY:
        what = f"is {density.value:g} kg/m3, which looks like g/cm3"
        hint = f"kg/m3; {density.value:g} g/cm3 is {1000 * density.value:g}"
        yield parts.problem("inverse.target_density.value", what, hint)
    if density.sigma is not None and density.sigma >= density.value:
        what = f"is {density.sigma:g} kg/m3, and the density {density.value:g}"
        yield parts.problem("inverse.target_density.sigma", what, "a standard error below the density")
    yield from _of_one_state(parts, "density")


def _pressure(parts: Parts) -> Iterator[Problem]:
    if getattr(parts.engine, "ensemble", "nvt") == "npt":
        what = "is given, but the barostat holds the pressure of an npt run"
        yield parts.problem("inverse.target_pressure", what, "<target_density>, or the ensemble nvt")
    yield from _of_one_state(parts, "pressure")


def _of_one_state(parts: Parts, what: str) -> Iterator[Problem]:
    """Refuse one measured number for several states."""
    if parts.multistate is not None and parts.multistate.enabled:
        yield parts.problem(
            f"inverse.target_{what}",
            f"is one {what} for several states",
            f"<target_{what}> in the settings.xml of each state's folder",
        )
