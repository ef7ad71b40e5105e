"""``votca-mlp validate``: whether a model is a sound potential, before MD believes it."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from votca_mlp.cli.types import SETTINGS, SettingsFile
from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.evaluation.report import Report

UNITS = {
    "force_error": "eV/Angstrom",
    "stress_error": "eV/Angstrom^3",
    "net_force": "eV/Angstrom",
    "force_scale": "eV/Angstrom",
    "energy_rounding": "eV",
    "step": "Angstrom",
    "strain": "",
    "volume": "Angstrom^3",
}


def validate(
    settings: SettingsFile = Path(SETTINGS),
    rattle: Annotated[
        float, typer.Option(help="Random displacement of the start's atoms, Angstrom.", min=0.0)
    ] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.", min=0, max=2**32 - 1)] = 0,
) -> None:
    """Compare the model's forces and stress with finite differences of its energy, and its symmetries.

    The model of settings.xml is evaluated in its dtype (float64 resolves most) on its start configuration.
    Exit status 1 when a deviation is more than the dtype explains.
    """
    from votca_mlp.cli.check import checked_settings
    from votca_mlp.engines.shared.start import load_start
    from votca_mlp.evaluation.load import make_evaluator
    from votca_mlp.evaluation.validate import validate_model
    from votca_mlp.settings.plans import md_plan

    found = checked_settings(settings)
    main = found.main_directory
    plan = md_plan(found)
    start = load_start(plan, main)
    atoms, source = start.atoms, start.source
    # -0.0 passes as at least 0, and is no width
    atoms.rattle(abs(rattle), seed=seed)
    evaluator = make_evaluator(found.mlp, None, main, plan.skin)
    typer.echo(f"{atoms.get_chemical_formula()} from {source}, rattled by {rattle:g} Angstrom")
    report = validate_model(evaluator, atoms, seed=seed)
    for line in report_lines(report):
        typer.echo(line)
    problems = report.problems()
    if problems:
        raise UserError("; ".join(problems), where="the model", accepted=f"what {report.dtype} explains")
    typer.echo(f"sound within what {report.dtype} resolves")
    if report.energy_rounding:
        typer.echo(
            f"the energy is rounded to {report.energy_rounding:.1e} eV: forces are compared to "
            f"{report.force_resolution:.1e} eV/Angstrom at best; fewer atoms or float64 resolve more"
        )


def report_lines(report: "Report") -> list[str]:
    """Return one line a deviation: name, value, unit."""
    lines = []
    for field in fields(report):
        value = getattr(report, field.name)
        if isinstance(value, float):
            kind = field.name.rsplit("_", 1)[-1]
            by_kind = {"energy": "eV/atom", "forces": "eV/Angstrom", "stress": "eV/Angstrom^3"}
            unit = UNITS[field.name] if field.name in UNITS else by_kind[kind]
            lines.append(f"{field.name:20s} {value:10.2e} {unit}".rstrip())
    return lines
