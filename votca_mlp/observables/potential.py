"""Potential energy, model and correction together, as the engine recorded it at the frame's time step."""

from collections.abc import Mapping

from votca_mlp.observables.protocol import Observable
from votca_mlp.trajectories.frames import Frame


def _potential(frame: Frame, recorded: Mapping[str, float]) -> float | None:
    return recorded.get("potential[eV]")


OBSERVABLE = Observable(
    unit="eV", meaning="Potential energy of all atoms, model and correction together.", per_frame=_potential
)
