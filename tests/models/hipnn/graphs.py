"""hippynn graphs and experiments with untrained networks, as users of hippynn have them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from votca_mlp.models.hipnn.model import import_hippynn

SMALL = {
    "n_features": 5,
    "n_sensitivities": 6,
    "dist_soft_min": 1.5,
    "dist_soft_max": 4.5,
    "dist_hard_max": 5.0,
    "n_atom_layers": 1,
}


def energy_graph(species: tuple[int, ...], layers: int = 1, kind: str = "Hipnn", **more: Any) -> Any:
    """Return the energy node of a graph; dist_hard_max is 5 Angstrom."""
    import_hippynn()
    from hippynn.graphs import inputs, networks, targets

    torch.manual_seed(5)
    numbers, positions = inputs.SpeciesNode(db_name="Z"), inputs.PositionsNode(db_name="R")
    network = getattr(networks, kind)(
        "network",
        (numbers, positions, inputs.CellNode(db_name="C")),
        periodic=True,
        module_kwargs={"possible_species": [0, *species], "n_interaction_layers": layers, **SMALL, **more},
    )
    return targets.HEnergyNode("energy", network, db_name="E")


def calculator(energy: Any) -> Any:
    """Return hippynn's own ASE calculator in eV and float64."""
    from ase import units
    from hippynn.interfaces.ase_interface import HippynnCalculator

    result = HippynnCalculator(energy, en_unit=units.eV)
    result.to(torch.float64)
    return result


def write_experiment(directory: Path, energy: Any, species: tuple[int, ...] = (13,)) -> None:
    """Train for one epoch on four frames of these atoms, in ``directory``, which is the working directory."""
    from hippynn.databases import Database
    from hippynn.experiment import SetupParams, setup_and_train
    from hippynn.experiment.assembly import assemble_for_training
    from hippynn.graphs import loss

    random = np.random.default_rng(0)
    error = loss.MSELoss.of_node(energy)
    modules, info = assemble_for_training(error, {"error": error})
    frames = {
        "Z": np.resize(species, (6, 8)),
        "R": random.uniform(0, 12, (6, 8, 3)).astype(np.float32),
        "C": np.repeat(12 * np.eye(3, dtype=np.float32)[None], 6, 0),
        "E": random.normal(size=(6, 1)).astype(np.float32),
    }
    options = {
        "seed": 1,
        "valid_size": 1,
        "test_size": 1,
        "num_workers": 0,
        "pin_memory": False,
        "quiet": True,
    }
    database = Database(arr_dict=frames, **info, **options)
    setup = SetupParams(
        stopping_key="error",
        batch_size=2,
        learning_rate=1e-3,
        max_epochs=1,
        device="cpu",
        fraction_train_eval=1.0,
    )
    setup_and_train(modules, database, setup)
    assert (directory / "experiment_structure.pt").is_file()
