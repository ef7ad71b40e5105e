"""Reading settings.xml."""

from votca_mlp.settings.models import (
    AseSettings,
    ConvergenceCheck,
    Crystal,
    Interaction,
    Limits,
    MLPSettings,
    MultistateSettings,
    RdfSettings,
    Settings,
)
from votca_mlp.settings.problems import Problem, SettingsError
from votca_mlp.settings.reader import load_settings
from votca_mlp.settings.topology import Topology, read_topology

__all__ = [
    "AseSettings",
    "ConvergenceCheck",
    "Crystal",
    "Interaction",
    "Limits",
    "MLPSettings",
    "MultistateSettings",
    "Problem",
    "RdfSettings",
    "Settings",
    "SettingsError",
    "Topology",
    "load_settings",
    "read_topology",
]
