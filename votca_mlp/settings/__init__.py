"""Reading settings.xml. What is named here is imported when it is first used: small commands read none."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from votca_mlp.settings.models import AseSettings as AseSettings
    from votca_mlp.settings.models import ConvergenceCheck as ConvergenceCheck
    from votca_mlp.settings.models import Crystal as Crystal
    from votca_mlp.settings.models import Interaction as Interaction
    from votca_mlp.settings.models import Limits as Limits
    from votca_mlp.settings.models import MLPSettings as MLPSettings
    from votca_mlp.settings.models import MultistateSettings as MultistateSettings
    from votca_mlp.settings.models import RdfSettings as RdfSettings
    from votca_mlp.settings.models import Settings as Settings
    from votca_mlp.settings.problems import Problem as Problem
    from votca_mlp.settings.problems import SettingsError as SettingsError
    from votca_mlp.settings.reader import load_settings as load_settings
    from votca_mlp.settings.topology import Topology as Topology
    from votca_mlp.settings.topology import read_topology as read_topology

_HOMES = {
    "AseSettings": "models",
    "ConvergenceCheck": "models",
    "Crystal": "models",
    "Interaction": "models",
    "Limits": "models",
    "MLPSettings": "models",
    "MultistateSettings": "models",
    "Problem": "problems",
    "RdfSettings": "models",
    "Settings": "models",
    "SettingsError": "problems",
    "Topology": "topology",
    "load_settings": "reader",
    "read_topology": "topology",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import what is asked for by name."""
    if name not in _HOMES:
        raise AttributeError(f"module 'votca_mlp.settings' has no attribute '{name}'")
    found = getattr(importlib.import_module(f"votca_mlp.settings.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
