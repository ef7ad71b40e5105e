"""What a step's simulation says of itself, whichever engine ran it."""

from dataclasses import dataclass
from pathlib import Path

from votca_mlp.engines.engine import engines
from votca_mlp.engines.shared.result import THERMO, production_mean, read_facts
from votca_mlp.ensemble.estimate import Estimate


@dataclass(frozen=True)
class Simulation:
    """A step's simulation. None: not known (yet).

    Attributes
    ----------
    begun
        Whether it has left any trace of itself.
    temperature, pressure, density
        Means over the production, K, bar, kg/m3; error nan when unknown.
    steps_per_second
        MD steps a second.
    time
        Simulated time so far, fs, as long as it runs.
    """

    begun: bool
    temperature: Estimate | None
    pressure: Estimate | None
    density: Estimate | None
    steps_per_second: float | None
    time: float | None


def read_simulation(directory: Path, *, finished: bool) -> Simulation:
    """Return what the files of a step, or of its state, say; files that are missing or damaged say nothing.

    Parameters
    ----------
    finished
        Whether its g(r) is there.
    """
    facts = read_facts(directory)
    speed = facts.get("steps_per_second")
    return Simulation(
        begun=finished or _has_begun(directory),
        temperature=production_mean(facts, "temperature[K]"),
        pressure=production_mean(facts, "pressure[bar]"),
        density=production_mean(facts, "density[kg/m3]"),
        steps_per_second=float(speed) if isinstance(speed, int | float) else None,
        time=None if finished else _time_so_far(directory / THERMO),
    )


def _has_begun(directory: Path) -> bool:
    traces = {trace for engine in engines().values() for trace in engine.traces}
    return any(path for trace in traces for path in directory.glob(trace))


def _time_so_far(path: Path) -> float | None:
    """Return the time in the last full line of a thermo.dat that may still be growing, fs."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 4096))
            lines = file.read().split(b"\n")[:-1]
        return float(lines[-1].split()[1])
    except (OSError, ValueError, IndexError):
        return None
