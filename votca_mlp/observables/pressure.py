"""Pressure, kinetic part included, as the engine recorded it at the frame's time step."""

from collections.abc import Mapping

from votca_mlp.observables.protocol import Observable
from votca_mlp.trajectories.frames import Frame


def _pressure(frame: Frame, recorded: Mapping[str, float]) -> float | None:
    return recorded.get("pressure[bar]")


OBSERVABLE = Observable(unit="bar", meaning="Pressure, the kinetic part included.", per_frame=_pressure)
