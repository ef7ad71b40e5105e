"""Correct machine-learning potentials to experiment with small pair potentials, from Python or VOTCA-CSG.

>>> import votca_mlp as vm
>>> model = vm.load_model("builtin:al-hipnn")
>>> target = vm.read_target("Al-Al.dist.tgt", ("Al", "Al"))  # doctest: +SKIP
>>> correction = vm.correct(model, target, "conf.extxyz", vm.MDPlan(temperature=1023))  # doctest: +SKIP

docs/python.md has the whole story. What is named here is imported when it is first used, so that small
commands stay quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

from votca_mlp.versions import VERSION as __version__

if TYPE_CHECKING:
    from votca_mlp.api.correct import correct as correct
    from votca_mlp.api.correction import Correction as Correction
    from votca_mlp.api.model import Model as Model
    from votca_mlp.api.model import load_model as load_model
    from votca_mlp.api.rules import gauss_newton as gauss_newton
    from votca_mlp.api.rules import rule as rule
    from votca_mlp.api.rules import wibi as wibi
    from votca_mlp.api.runs import predict as predict
    from votca_mlp.api.runs import read_run as read_run
    from votca_mlp.api.scattering import Scattering as Scattering
    from votca_mlp.api.scattering import structure_factor as structure_factor
    from votca_mlp.api.simulate import Rdf as Rdf
    from votca_mlp.api.simulate import Simulation as Simulation
    from votca_mlp.api.simulate import rdf as rdf
    from votca_mlp.api.simulate import simulate as simulate
    from votca_mlp.api.targets import read_target as read_target
    from votca_mlp.engines.options import Crystal as Crystal
    from votca_mlp.engines.options import Limits as Limits
    from votca_mlp.engines.plan import MDPlan as MDPlan
    from votca_mlp.errors import UserError as UserError
    from votca_mlp.scattering.source import ScatteringSource as ScatteringSource
    from votca_mlp.targets.target import Target as Target
    from votca_mlp.targets.target import no_target as no_target
    from votca_mlp.targets.target import rdf_target as rdf_target
    from votca_mlp.targets.window import RdfWindow as RdfWindow


_HOMES = {
    "Correction": "api.correction",
    "Crystal": "engines.options",
    "Limits": "engines.options",
    "MDPlan": "engines.plan",
    "Model": "api.model",
    "Rdf": "api.simulate",
    "RdfWindow": "targets.window",
    "Scattering": "api.scattering",
    "ScatteringSource": "scattering.source",
    "Simulation": "api.simulate",
    "Target": "targets.target",
    "UserError": "errors",
    "correct": "api.correct",
    "gauss_newton": "api.rules",
    "load_model": "api.model",
    "no_target": "targets.target",
    "rdf": "api.simulate",
    "rdf_target": "targets.target",
    "predict": "api.runs",
    "read_run": "api.runs",
    "read_target": "api.targets",
    "rule": "api.rules",
    "simulate": "api.simulate",
    "structure_factor": "api.scattering",
    "wibi": "api.rules",
}
__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    """Import what is asked for by name."""
    if name not in _HOMES:
        raise AttributeError(f"module 'votca_mlp' has no attribute '{name}'")
    found = getattr(importlib.import_module(f"votca_mlp.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
