"""Reading a finished hippynn training run, which is a pickle and therefore needs the user's word."""

from pathlib import Path
from typing import Any

import torch

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.layout import (
    EXPORT,
    NO_UNIT,
    STRUCTURE,
    UNITS,
    WEIGHTS,
    ExperimentFiles,
    experiment_files,
)
from votca_mlp.models.hipnn.model import HipnnModel, import_hippynn
from votca_mlp.units import EV_PER_ENERGY_UNIT


def load_experiment(path: Path, *, trust_pickle: bool, energy_unit: str | None) -> HipnnModel:
    """Return the energy model of a hippynn experiment, trained in ``energy_unit``, made to give eV.

    Parameters
    ----------
    path
        Its folder or one of its files, see :func:`votca_mlp.models.hipnn.layout.experiment_files`.
    energy_unit
        A key of ``EV_PER_ENERGY_UNIT``: an experiment's files do not say it.

    Raises
    ------
    UserError
        Without ``trust_pickle`` or ``energy_unit``; missing or damaged files; a graph without one
        HIP-NN energy.
    """
    files = experiment_files(path)
    if not trust_pickle:
        raise UserError(
            "a hippynn experiment is a pickle: reading it can run any code that is in it",
            where=path,
            accepted="<trust_pickle>yes</trust_pickle> in cg.inverse.mlp when you trust its origin",
        )
    if energy_unit is None:
        raise UserError(f"energy_unit {NO_UNIT}", where=path, accepted=UNITS)
    import_hippynn()
    try:
        graph = _graph_of(files)
    except Exception as error:
        what = f"the experiment cannot be read: {' '.join(str(error).split())}"
        raise UserError(what, where=files.weights.parent, accepted=_accepted(files)) from None
    return model_of_graph(graph, where=path, energy_unit=energy_unit)


def _graph_of(files: ExperimentFiles) -> Any:
    """Return the graph of an experiment with its weights; raises what unpickling leads to."""

    def read(path: Path) -> Any:
        return torch.load(path, map_location="cpu", weights_only=False)

    if files.from_lightning:
        # the module's own state has losses beside the model, under other names
        graph, state, own = read(files.structure)["model"], read(files.weights)["state_dict"], "model."
        graph.load_state_dict({name.removeprefix(own): state[name] for name in state if name.startswith(own)})
        return graph
    if files.weights.name == WEIGHTS[0]:
        graph = read(files.structure)["training_modules"].model
        graph.load_state_dict(read(files.weights))
        return graph
    from hippynn.experiment.serialization import load_checkpoint

    found = load_checkpoint(str(files.structure), str(files.weights), model_device="cpu")
    return found["training_modules"].model


def _accepted(files: ExperimentFiles) -> str:
    if files.from_lightning:
        return f"{STRUCTURE} and checkpoint of hippynn's Lightning module; or, {EXPORT}"
    return f"{STRUCTURE} and {files.weights.name} of hippynn"


def _to_ev(model: HipnnModel, factor: float) -> None:
    """Scale the layers that energies come from: they are linear, so compiled loops and exports follow."""
    if factor == 1.0:
        return
    layers: Any = model.energy.layers
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.mul_(factor)


def model_of_graph(graph: Any, *, where: str | Path, energy_unit: str = "eV") -> HipnnModel:
    """Return the energy model in a hippynn graph (``GraphModule`` or ``TrainingModules.model``), in eV.

    The graph's own layers are scaled where ``energy_unit`` is another.

    Raises
    ------
    UserError
        When there is not exactly one HIP-NN with one energy on it.
    """
    from hippynn.layers.targets import HEnergy
    from hippynn.networks.hipnn import Hipnn

    networks = [module for module in graph.modules() if isinstance(module, Hipnn)]
    energies = [module for module in graph.modules() if isinstance(module, HEnergy)]
    if len(networks) != 1 or len(energies) != 1:
        raise UserError(
            f"the graph has {len(networks)} HIP-NN and {len(energies)} energies",
            where=where,
            accepted="a graph with one of each",
        )
    network, energy = networks[0], energies[0]
    species = tuple(int(z) for z in network.species_set if int(z) != 0)
    model = HipnnModel(network, energy, species, torch.zeros(len(species)))
    _to_ev(model, EV_PER_ENERGY_UNIT[energy_unit])
    return model
