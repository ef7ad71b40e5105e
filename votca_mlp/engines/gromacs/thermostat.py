"""Does the mdp file hold the temperature of kBT while g(r) is sampled?"""

from bisect import bisect_right

import numpy as np

from votca_mlp.engines.gromacs.mdp import Mdp
from votca_mlp.engines.plan import KBT_TOLERANCE, MDPlan
from votca_mlp.errors import UserError
from votca_mlp.units import kbt_kjmol

_MOLECULAR_DYNAMICS = ("md", "md-vv", "md-vv-avek", "sd", "bd")
_THEIR_OWN = ("sd", "bd")
"""Integrators that are thermostats themselves, at ref-t."""
_OR = "or <temp_check>no</temp_check>"


def check_thermostat(md: MDPlan, mdp: Mdp) -> None:
    """Refuse another temperature than that of kBT, as for LAMMPS, in any group while frames count.

    Raises
    ------
    UserError
        With file and line: no dynamics, no thermostat, ``ref-t`` or annealing at another temperature.
    """
    integrator = mdp.get("integrator", "md").lower()
    if integrator not in _MOLECULAR_DYNAMICS:
        raise UserError(
            f"integrator is {integrator}, which is no molecular dynamics at a temperature",
            where=mdp.place("integrator"),
            accepted=" | ".join(_MOLECULAR_DYNAMICS),
        )
    if mdp.get("tcoupl", "no").lower() == "no" and integrator not in _THEIR_OWN:
        raise UserError(
            f"tcoupl is no: without a thermostat nothing holds kBT, {md.temperature:.5g} K",
            where=mdp.place("tcoupl"),
            accepted=f"a thermostat such as v-rescale with ref-t {md.temperature:.5g}, {_OR}",
        )
    if mdp.is_on("simulated-tempering"):
        raise UserError(
            "simulated-tempering changes the temperature",
            where=mdp.place("simulated-tempering"),
            accepted=f"one temperature, {md.temperature:.5g} K, {_OR}",
        )
    # -1 stands for a group that is not coupled
    for group, tau in zip(mdp.get("tc-grps", "").split(), mdp.numbers("tau-t"), strict=False):
        if tau < 0.0:
            raise UserError(
                f"tau-t is {tau:g} for {group}, which then has no thermostat",
                where=mdp.place("tau-t"),
                accepted=f"times above 0, {_OR}",
            )
    annealed = _annealed(md, mdp)
    for number, temperature in enumerate(mdp.numbers("ref-t")):
        if number not in annealed:
            _same(md, temperature, "ref-t is", mdp.place("ref-t"))


def _annealed(md: MDPlan, mdp: Mdp) -> set[int]:
    """Check the groups whose temperature follows a table, and return their numbers, from 0."""
    kinds = [word.lower() for word in mdp.get("annealing", "").split()]
    counts = [int(number) for number in mdp.numbers("annealing-npoints")]
    times, temperatures = mdp.numbers("annealing-time"), mdp.numbers("annealing-temp")
    # without numbers grompp says what is missing
    found, at = set(), 0
    for group, kind in enumerate(kinds):
        count = counts[group] if group < len(counts) else 0
        points = list(zip(times[at : at + count], temperatures[at : at + count], strict=False))
        at += count
        if kind == "no":
            continue
        found.add(group)
        where = mdp.place("annealing-temp" if points else "annealing")
        if not points:
            raise UserError(
                f"annealing is {kind}, without temperatures", where=where, accepted="annealing = no"
            )
        for temperature in _while_sampled(points, md.equi_time, periodic=kind == "periodic"):
            _same(md, temperature, f"annealing ({kind}) brings the production to", where)
    return found


def _while_sampled(points: list[tuple[float, float]], begin: float, *, periodic: bool) -> list[float]:
    """Return the temperatures (K) of a table that count from ``begin`` (ps) on."""
    times, temperatures = (list(column) for column in zip(*points, strict=True))
    if periodic:
        return temperatures
    first = float(np.interp(begin, times, temperatures))
    return [first, *temperatures[bisect_right(times, begin) :]]


def _same(md: MDPlan, temperature: float, what: str, where: str) -> None:
    expected = kbt_kjmol(temperature)
    if abs(expected - md.kBT) > KBT_TOLERANCE * md.kBT:
        raise UserError(
            f"{what} {temperature:g} K ({expected:.6g} kJ/mol), but kBT is {md.kBT:g} kJ/mol",
            where=where,
            accepted=f"{md.temperature:.5g} K in both, {_OR}",
        )
