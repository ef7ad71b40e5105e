"""``votca-mlp check``: everything that can be known before the first simulation, in under a second."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.settings import Settings

_Argument = Annotated[Path | None, typer.Argument(help="The settings file; settings.xml when none is named.")]
_Options = Annotated[Path | None, typer.Option("--options", help="The same, as csg_inverse names it.")]
_Deep = Annotated[bool, typer.Option("--deep", help="Also load the model and the start configuration.")]


def check(settings: _Argument = None, options: _Options = None, deep: _Deep = False) -> None:
    """Check settings.xml and the files it names, and say what would be done."""
    if settings is not None and options is not None and settings != options:
        accepted = "votca-mlp check settings.xml"
        raise UserError("two settings files are named", where="--options", accepted=accepted)
    found = checked_settings(settings or options or Path("settings.xml"))
    for line in summary(found):
        typer.echo(line)
    if deep:
        from votca_mlp.csg.check import check_start_and_model

        main = found.main_directory
        typer.echo(f"start        {check_start_and_model(found, main, main / 'step_001')}")
    if shutil.which("csg_inverse") is None:
        typer.echo(
            "note         no csg_inverse on the PATH (VOTCA 2022.1 to 2025.1 have it): "
            "use votca-mlp inverse --options"
        )


def checked_settings(path: Path) -> "Settings":
    """Return the settings when neither they nor the files they name have a problem.

    Raises
    ------
    UserError
        With every problem, one line each.
    """
    from votca_mlp.settings.inputs import input_problems
    from votca_mlp.settings.problems import SettingsError
    from votca_mlp.settings.reader import read_settings

    settings, problems = read_settings(path)
    if settings is not None:
        problems = [*problems, *input_problems(settings)]
    if problems or settings is None:
        raise SettingsError(path, problems)
    return settings


def summary(settings: "Settings") -> list[str]:
    """Return what would be done, a few lines."""
    mlp, ase = settings.mlp, settings.ase
    what = mlp.calculator if mlp.kind == "ase" else mlp.model
    members = "" if mlp.members is None else f", members {' '.join(map(str, mlp.members))}"
    # an ASE calculator chooses for itself
    runs = "" if mlp.kind == "ase" else f" on {mlp.device}, {mlp.dtype}"
    held = f"{ase.temperature:g} K" + (f", {ase.pressure:g} bar" if ase.ensemble == "npt" else "")
    lines = [
        f"settings     {settings.path}: no problem found",
        f"model        {mlp.kind} {what}{members}{runs}",
        f"engine       {settings.program}, {ase.ensemble} at {held}, timestep {ase.timestep:g} fs",
    ]
    states = settings.multistate
    if states.enabled:
        each = zip(states.state_names, states.state_weights, states.state_kBTs, strict=True)
        lines.append("states       " + ", ".join(f"{n} (weight {w:g}, kBT {t:g} kJ/mol)" for n, w, t in each))
    else:
        lines.append(f"states       one, kBT {settings.kBT:g} kJ/mol")
    for pair in settings.interactions:
        wibi = pair.wibi
        weight = {"power": f"target^{wibi.power:g}", "table": f"table {wibi.weight_file}"}.get(wibi.weight)
        lines.append(
            f"interaction  {pair.name}: {pair.min:g} to {pair.max:g} nm by {pair.step:g} nm, "
            f"target {pair.target}, alpha {wibi.alpha:g}, weight {weight or wibi.weight}"
        )
    return [*lines, *_lengths(settings)]


def _lengths(settings: "Settings") -> list[str]:
    ase = settings.ase

    def steps(time: float) -> int:
        return round(time / ase.timestep)

    melt = f"{steps(ase.crystal.melt_time)} steps of melting, " if ase.crystal is not None else ""
    frames = int(ase.production / ase.sample_every * (1 + 1e-9))
    first = (ase.crystal.melt_time if ase.crystal is not None else 0.0) + ase.first_equilibration
    later = (settings.iterations_max - 1) * ase.equilibration
    total = steps(first + later + settings.iterations_max * ase.production)
    return [
        f"step_001     {melt}{steps(ase.first_equilibration)} steps of equilibration",
        f"later steps  {steps(ase.equilibration)} steps of equilibration, "
        f"from {'the step before' if settings.initial_configuration == 'laststep' else 'the first start'}",
        f"each step    {steps(ase.production)} steps of production, {frames} frames",
        f"iterations   {settings.iterations_max}, {total} steps together",
    ]
