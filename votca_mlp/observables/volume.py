"""Volume of the box."""

from collections.abc import Mapping

from votca_mlp.observables.protocol import Observable
from votca_mlp.trajectories.frames import Frame


def _volume(frame: Frame, recorded: Mapping[str, float]) -> float:
    return frame.volume


OBSERVABLE = Observable(unit="A3", meaning="Volume of the box.", per_frame=_volume)
