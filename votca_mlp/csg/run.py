"""The simulation of one step for csg_inverse: model and correction in, trajectory or checkpoint out."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.csg.environment import CsgEnvironment
from votca_mlp.csg.orphan import end_with
from votca_mlp.inverse.potentials import check_grid, current_correction, current_tables
from votca_mlp.tables import grid_points, read_table

if TYPE_CHECKING:
    from votca_mlp.settings import MLPSettings, Settings


def run_simulation(settings: "Settings", environment: CsgEnvironment, *, tell: Callable[[str], None]) -> None:
    """Run or resume the MD of a step; returns when it is finished or has stopped at a checkpoint.

    Raises
    ------
    UserError
        Bad input, or a simulation that has gone wrong.
    """
    # before anything slow: csg_inverse may end at any time
    end_with(environment.master)
    from votca_mlp.engines.dispatch import run_step_of
    from votca_mlp.evaluation.load import make_evaluator
    from votca_mlp.progress import open_progress

    mlp = with_threads(settings.mlp, environment.threads)
    tables = current_tables(settings, environment.step_directory)
    for interaction, path in zip(settings.interactions, tables.values(), strict=True):
        # a grid changed in mid-run would otherwise be found after the simulation, by the update
        grid = grid_points(interaction.min, interaction.max, interaction.step)
        check_grid(read_table(path), grid, where=path)
    correction = current_correction(settings, environment.step_directory)
    evaluator = make_evaluator(mlp, correction, settings.run_directory, settings.ase.skin)
    if environment.max_steps is not None:
        tell(f"CSG_MDRUN_STEPS: at most {environment.max_steps} MD steps in each stage")
    result = run_step_of(settings.program)(
        settings,
        evaluator,
        step_directory=environment.step_directory,
        main_directory=settings.main_directory,
        step_number=environment.step_number,
        progress=open_progress(),
        deadline=environment.ending,
        max_steps=environment.max_steps,
        identity=model_identity(settings.mlp, settings.run_directory),
    )
    if result.status == "finished":
        tell(f"Simulation done: {result.steps_total} MD steps, {result.steps_per_second:.1f} a second")
        means = described_means(result.summary)
        if means:
            tell(f"Production means: {means}")
    else:
        tell(
            f"Simulation stopped at MD step {result.steps_done} of {result.steps_total}: the wall time is up"
        )


def described_means(summary: Mapping[str, Any]) -> str:
    """Return temperature, pressure and density of the production, with errors where they are known."""
    words = []
    for name in ("temperature[K]", "pressure[bar]", "density[kg/m3]"):
        found = summary.get("production", {}).get(name)
        if found is None:
            continue
        # at constant volume the density has only rounding errors
        known = found["error"] is not None and found["error"] > 1e-9 * abs(found["mean"])
        error = f" +- {found['error']:.2g}" if known else ""
        quantity, _, unit = name.rstrip("]").partition("[")
        words.append(f"{quantity} {found['mean']:.5g}{error} {unit}")
    return ", ".join(words)


def with_threads(mlp: "MLPSettings", threads: int | None) -> "MLPSettings":
    """Return the settings with VOTCA's CSG_NUM_THREADS in the place of ``auto``."""
    if threads is None or mlp.threads is not None:
        return mlp
    return mlp.model_copy(update={"threads": threads})


def model_identity(mlp: "MLPSettings", main_directory: Path) -> str:
    """Return a digest of the model's settings and files: a checkpoint of another model is refused."""
    from votca_mlp.models.options import FREE
    from votca_mlp.models.origin import model_file

    facts = mlp.model_dump(exclude=set(FREE), mode="json")
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    path = model_file(mlp, main_directory)
    if path is not None:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(file.name.encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
