"""The checks at the end of a run: what g(r) does not say, with the correction and without it.

``checks.json`` in the main directory has the results, ``checks/`` the simulations of diffusion. Nothing of it
is fitted to. Interrupted anywhere, the checks go on; a result that is there for the same step stays.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.engines.shared.result import production_mean, read_facts
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.files import atomic_write, read_json
from votca_mlp.inverse.context import Context, state_contexts
from votca_mlp.inverse.final_diffusion import simulated_diffusion, without_images
from votca_mlp.inverse.final_surroundings import plain, surroundings_of
from votca_mlp.runs.record import digest
from votca_mlp.settings.final_checks import FinalChecks
from votca_mlp.tables import read_table

NAME = "checks.json"
BEFORE, AFTER = "uncorrected", "corrected"


def run_checks(run: Context, last: int) -> bool:
    """Make the checks that a run asks for after its last step; return False when the wall time came first.

    Raises
    ------
    UserError
        A simulation that has gone wrong, a trajectory that cannot be read.
    """
    wanted = run.plan.checks
    if wanted is None or not wanted.observables or last < 1:
        return True
    results = read_checks(run.plan.directory)
    for context in state_contexts(run):
        found = results.setdefault(context.name, {})
        for label, number in ((BEFORE, 1), (AFTER, last)):
            identity = _identity(context, wanted, number)
            if found.get(label, {}).get("identity") == identity:
                continue
            of = f" of {context.name}" if context.name else ""
            run.messages.say(f"Checks{of}: {label}, step {number}")
            facts = _measured(context, wanted, label, number)
            if facts is None:
                return False
            found[label] = {"step": number, "identity": identity, **facts}
            _write(run.plan.directory, results)
            for line in lines_of(facts):
                run.messages.say(f"  {line}")
    return True


def read_checks(directory: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the results by state (empty with one) and ``uncorrected`` or ``corrected``; empty without."""
    try:
        found = read_json(directory / NAME)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def estimate_of(facts: Mapping[str, Any], name: str) -> Estimate | None:
    """Return a result that is one number; None where it is not there."""
    entry = facts.get(name)
    if not isinstance(entry, dict) or not isinstance(entry.get("mean"), int | float):
        return None
    return Estimate(entry["mean"], np.nan if entry.get("error") is None else entry["error"])


def lines_of(facts: Mapping[str, Any]) -> list[str]:
    """Return the results in words."""
    words = {
        "diffusion": "diffusion {:.3g} +- {:.1g} m2/s",
        "diffusion_infinite": "diffusion in an infinite box {:.3g} +- {:.1g} m2/s",
        "density": "density {:.1f} +- {:.1g} kg/m3",
        "coordination": "{:.2f} +- {:.1g} neighbours",
    }
    lines = []
    for name, form in words.items():
        found = estimate_of(facts, name)
        if found is not None:
            lines.append(form.format(found.mean, found.error))
    return [*lines, *facts.get("notes", [])]


def _identity(context: Context, wanted: FinalChecks, number: int) -> str:
    """Return what a result belongs to: the options, the model, the step's tables and last configuration."""
    step, state = context.step_directory(number), context.state
    names = [*(f"{pair.name}.pot.cur" for pair in state.pairs), state.md.conf_out]
    sums = [digest(step / name)[1] for name in names if (step / name).is_file()]
    # options that are not given do not change the results of earlier versions
    options = {k: v for k, v in wanted.model_dump(mode="json").items() if k != "viscosity" or v is not None}
    facts = [options, context.model_identity, sums]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _measured(context: Context, wanted: FinalChecks, label: str, number: int) -> dict[str, Any] | None:
    """Return the results of one of both; None when the wall time came."""
    step = context.step_directory(number)
    notes: list[str] = []
    facts: dict[str, Any] = {"notes": notes}
    # a run that began with a table has no step of the model alone
    simulated = label == AFTER or not any(
        np.any(read_table(step / f"{pair.name}.pot.cur").y) for pair in context.state.pairs
    )
    if not simulated:
        notes.append("step 1 had a correction already: of the model alone only the diffusion is known")
    if "density" in wanted.observables and simulated:
        density = production_mean(read_facts(step), "density[kg/m3]")
        if density is not None:
            facts["density"] = plain(density)
    if {"angles", "coordination"} & set(wanted.observables) and simulated:
        facts |= surroundings_of(context, wanted, step, notes)
    if "diffusion" in wanted.observables:
        # the viscosity does not change the simulation
        alone = _identity(context, wanted.model_copy(update={"viscosity": None}), number)
        corrected = label == AFTER
        diffusion = simulated_diffusion(context, wanted, step, label, alone, corrected=corrected)
        if diffusion is None:
            return None
        facts["diffusion"] = plain(diffusion)
        if wanted.viscosity is not None:
            infinite = without_images(context, wanted, step, diffusion)
            facts |= {} if infinite is None else {"diffusion_infinite": plain(infinite)}
            notes += ["the box is not cubic: no diffusion in an infinite one"] if infinite is None else []
    return facts


def _write(directory: Path, results: Mapping[str, Any]) -> None:
    with atomic_write(directory / NAME) as file:
        json.dump(results, file, indent=1, allow_nan=False)
        file.write("\n")
