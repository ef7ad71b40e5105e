"""Taking a corrected potential out of a run.

::

    a run's step           -> run_step, from_run      -> CorrectedPotential
    tables in memory       -> from_tables             -> CorrectedPotential
    a file u(r; T)         -> from_temperature_file   -> CorrectedPotential
    CorrectedPotential     -> export, formats/NAME    -> a folder with export.json
    a folder               -> load                    -> an ASE calculator
    runs, folders, tables  -> join_sources, join      -> a file u(r; T)

``content`` is what ``export.json`` says, typed; ``content_file`` reads and writes it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from votca_mlp.evaluation.annealing import TemperatureCalculator
    from votca_mlp.evaluation.calculator import MLPCalculator


def load_corrected(
    path: str | Path,
    *,
    temperature: float | None = None,
    model: str | Path | None = None,
    device: str | None = None,
    trust: bool = False,
) -> "MLPCalculator":
    """Return the ASE calculator of model + correction of an exported folder; see :mod:`.load`."""
    from votca_mlp.export.load import load_corrected as load

    return load(path, temperature=temperature, model=model, device=device, trust=trust)


def follow_temperature(
    dynamics: Any,
    calculator: "TemperatureCalculator",
    temperature: "Callable[[], float] | None" = None,
    *,
    interval: int = 1,
) -> None:
    """Let the correction follow a thermostat; see :mod:`votca_mlp.evaluation.annealing`."""
    from votca_mlp.evaluation.annealing import follow_temperature as follow

    follow(dynamics, calculator, temperature, interval=interval)
