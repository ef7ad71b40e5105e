"""Reading a finished hippynn training run, which is a pickle and therefore needs the user's word."""

from pathlib import Path
from typing import Any

import torch

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.model import HipnnModel, import_hippynn
from votca_mlp.units import EV_PER_ENERGY_UNIT

STRUCTURE, *WEIGHTS = FILES = ("experiment_structure.pt", "best_model.pt", "best_checkpoint.pt")


def load_experiment(directory: Path, *, trust_pickle: bool, energy_unit: str = "eV") -> HipnnModel:
    """Return the energy model of a hippynn experiment directory, trained in ``energy_unit``, made to give eV.

    Raises
    ------
    UserError
        Without ``trust_pickle``; missing or damaged files; a graph without one HIP-NN energy.
    """
    structure, accepted = directory / STRUCTURE, f"{STRUCTURE} and one of {', '.join(WEIGHTS)} of hippynn"
    weights = next((directory / name for name in WEIGHTS if (directory / name).is_file()), None)
    if not structure.is_file() or weights is None:
        raise UserError("not a hippynn experiment", where=directory, accepted=accepted)
    if not trust_pickle:
        raise UserError(
            "a hippynn experiment is a pickle: reading it can run any code that is in it",
            where=directory,
            accepted="<trust_pickle>yes</trust_pickle> in cg.inverse.mlp when you trust its origin",
        )
    import_hippynn()
    from hippynn.experiment.serialization import load_checkpoint

    try:
        if weights.name == WEIGHTS[0]:
            loaded = torch.load(structure, map_location="cpu", weights_only=False)
            loaded["training_modules"].model.load_state_dict(
                torch.load(weights, map_location="cpu", weights_only=False)
            )
        else:
            loaded = load_checkpoint(str(structure), str(weights), model_device="cpu")
        graph = loaded["training_modules"].model
    except Exception as error:
        raise UserError(
            f"the experiment cannot be read: {error}", where=directory, accepted=accepted
        ) from None
    model = model_of_graph(graph, where=directory)
    _to_ev(model, EV_PER_ENERGY_UNIT[energy_unit])
    return model


def _to_ev(model: HipnnModel, factor: float) -> None:
    """Scale the layers that energies come from: they are linear, so compiled loops and exports follow."""
    if factor == 1.0:
        return
    layers: Any = model.energy.layers
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.mul_(factor)


def model_of_graph(graph: Any, *, where: str | Path) -> HipnnModel:
    """Return the energy model in a hippynn graph (``GraphModule`` or ``TrainingModules.model``).

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
    return HipnnModel(network, energy, species, torch.zeros(len(species)))
