"""What the benchmarks run: liquid-like aluminium in this package's MD and in a user's other choice."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import benchmark_ani
import numpy as np

os.environ.setdefault("TORCHANI_NO_WARN_EXTENSIONS", "1")
TEMPERATURE, TIMESTEP = 1023.0, 1.0  # K, fs
CELLS = {108: (3, 3, 3), 256: (4, 4, 4), 500: (5, 5, 5), 2048: (8, 8, 8), 8192: (16, 16, 8)}
NAMES = {"hipnn": ("hippynn", "builtin:al-hipnn"), "ani": ("ani", "$ANI_AL")}
NETWORKS = {
    # species, interaction layers, kind
    "2x1": (2, 1, "Hipnn"),
    "1x2": (1, 2, "Hipnn"),
    "2x2": (2, 2, "Hipnn"),
    "1x1-vec": (1, 1, "HipnnVec"),
    "1x1-quad": (1, 1, "HipnnQuad"),
    "2x2-vec": (2, 2, "HipnnVec"),
    "2x2-quad": (2, 2, "HipnnQuad"),
}
"""Other HIP-NN, of the shipped one's sizes and with its liquid."""
SPECIES = (13, 22)


def species_of(model: str) -> tuple[int, ...]:
    """Return the atomic numbers of the species of a model's liquid."""
    if model in benchmark_ani.SYSTEMS:
        return tuple(sorted({int(n) for n in benchmark_ani.liquid_of(model, 648).numbers}))
    return SPECIES[: NETWORKS[model][0] if model in NETWORKS else 1]


def atoms_of(count: int, model: str = "hipnn") -> Any:
    """Return rattled fcc aluminium at the melt's density; of two species, as many of each; ANI's liquids."""
    from ase.build import bulk

    if model in benchmark_ani.SYSTEMS:
        return benchmark_ani.liquid_of(model, count)
    atoms = bulk("Al", "fcc", a=4.25, cubic=True).repeat(CELLS[count])
    atoms.rattle(0.2, seed=1)
    numbers = np.resize(species_of(model), len(atoms))
    masses = atoms.get_masses()
    atoms.numbers = np.random.default_rng(1).permutation(numbers)
    # the same motion for any number of species
    atoms.set_masses(masses)
    return atoms


def network_of(model: str) -> Any:
    """Return a HIP-NN whose energy is that of the shipped one but for a part in a thousand.

    Its species are alike, its further layers and its tensors count little: it does all the work of a network
    of its size, and its liquid is that of aluminium.
    """
    import torch

    from votca_mlp.models.hipnn.files import load_hipnn
    from votca_mlp.models.hipnn.model import build_hipnn, hyperparameters_of
    from votca_mlp.models.load import model_path

    shipped = load_hipnn(model_path("builtin:al-hipnn", Path.cwd()))
    if model == "hipnn":
        return shipped
    count, layers, kind = NETWORKS[model]
    torch.manual_seed(1)
    sizes = {**hyperparameters_of(shipped), "n_interaction_layers": layers, "kind": kind}
    found = build_hipnn(sizes, SPECIES[:count])
    own = shipped.state_dict()
    with torch.no_grad():
        for name, value in found.state_dict().items():
            if name in own and (name.startswith("network") or name.startswith("energy")):
                # the shipped one's first features are those of one species
                value.copy_(own[name].expand_as(value))
            elif name.endswith("scales") or name.startswith("energy"):
                value *= 1e-3
        found.self_energies.copy_(shipped.self_energies.expand(count))
    return found


def correction(species: tuple[int, ...] = SPECIES[:1]) -> Any:
    """Return a correction of the size and reach of the paper's: some 10 meV, out to 10 Angstrom."""
    from itertools import combinations_with_replacement

    from votca_mlp.potentials.akima import akima_from_points
    from votca_mlp.potentials.correction import PairCorrection

    r = np.linspace(0.0, 10.0, 201)
    u = 0.01 * np.cos(2.3 * r) * np.exp(-0.3 * r) * (r > 2.0)
    splines = {pair: akima_from_points(r, u) for pair in combinations_with_replacement(species, 2)}
    return PairCorrection(splines)


def evaluator(model: str, *, corrected: bool, threads: int, device: str = "cpu") -> Any:
    """Return this package's evaluator."""
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.kernels.threads import set_threads
    from votca_mlp.models.load import load_model
    from votca_mlp.settings import MLPSettings

    kind, name = NAMES.get(model, ("hippynn", "builtin:al-hipnn"))
    mlp = MLPSettings(kind=kind, model=name, threads=threads, device=device)
    set_threads(threads)
    if model in benchmark_ani.SYSTEMS:
        from votca_mlp.models.ani.model import AniModel

        loaded: Any = AniModel(benchmark_ani.source_of(model))
    else:
        loaded = network_of(model) if model in NETWORKS else load_model(mlp, Path.cwd())
    # half the box of 256 atoms is below 10 Angstrom, which only g(r) minds
    return evaluator_of(loaded, mlp, correction(species_of(model)) if corrected else None, 0.5)


def ours(evaluator: Any, atoms: Any, ensemble: str, velocities: Any = None) -> Any:
    """Return the integrator of the engine ase; velocities in Angstrom/fs, else drawn."""
    from votca_mlp.engines.ase.integrate import Integrator
    from votca_mlp.engines.ase.on_device import DeviceIntegrator
    from votca_mlp.engines.shared.start import draw_velocities

    if velocities is None:
        velocities = draw_velocities(atoms.get_masses(), TEMPERATURE, (1, 1, 1))
    options = {
        "timestep": TIMESTEP,
        "temperature": TEMPERATURE,
        "pressure": 1.0 if ensemble == "npt" else None,
        "thermostat_time": None if ensemble == "nve" else 100.0,
        "barostat_time": 1000.0,
    }
    forces = evaluator.on_device()
    if forces is not None:
        return DeviceIntegrator(atoms, forces, velocities, **options)
    return Integrator(atoms, evaluator, velocities, **options)


def reference(model: str, atoms: Any, ensemble: str, device: str = "cpu", velocities: Any = None) -> Any:
    """Return ASE's integrator with the model's own calculator; velocities in Angstrom/fs, else drawn."""
    from ase import units
    from ase.md.nose_hoover_chain import IsotropicMTKNPT, NoseHooverChainNVT
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
    from ase.md.verlet import VelocityVerlet

    if model == "ani" or model in benchmark_ani.SYSTEMS:
        atoms.calc = torchani_calculator(device, model)
    else:
        atoms.calc = hippynn_calculator(device, model)
    if velocities is None:
        MaxwellBoltzmannDistribution(atoms, temperature_K=TEMPERATURE, rng=np.random.default_rng(1))
    else:
        atoms.set_velocities(velocities / units.fs)
    common: dict[str, Any] = {"timestep": TIMESTEP * units.fs, "temperature_K": TEMPERATURE}
    if ensemble == "nve":
        return VelocityVerlet(atoms, timestep=common["timestep"])
    if ensemble == "nvt":
        return NoseHooverChainNVT(atoms, tdamp=100 * units.fs, **common)
    times: dict[str, Any] = {"tdamp": 100 * units.fs, "pdamp": 1000 * units.fs}
    return IsotropicMTKNPT(atoms, pressure_au=1e5 * units.Pascal, **times, **common)


def step_of(kind: str, model: str, count: int, ensemble: str, threads: int, device: str) -> Callable[[], Any]:
    """Return one MD step of ``ours`` (with the correction) or of the ``reference`` (without)."""
    if kind == "ours":
        found = evaluator(model, corrected=True, threads=threads, device=device)
        return ours(found, atoms_of(count, model), ensemble).step  # type: ignore[no-any-return]
    dynamics = reference(model, atoms_of(count, model), ensemble, device)
    return lambda: dynamics.run(1)


def hippynn_calculator(device: str = "cpu", model: str = "hipnn") -> Any:
    """Return hippynn's own ASE calculator with a network's weights, float32, plain kernels."""
    import torch
    from ase import units

    from votca_mlp.models.hipnn.model import hyperparameters_of, import_hippynn

    import_hippynn()
    from hippynn.graphs import inputs, networks, targets
    from hippynn.interfaces.ase_interface import HippynnCalculator

    shipped = network_of(model)
    numbers, positions = inputs.SpeciesNode(db_name="Z"), inputs.PositionsNode(db_name="R")
    known = {
        key: value
        for key, value in hyperparameters_of(shipped).items()
        if key not in ("kind", "first_is_interacting")
    }
    settings = {"possible_species": [0, *shipped.numbers], **known}
    parents = (numbers, positions, inputs.CellNode(db_name="C"))
    kind = getattr(networks, type(shipped.network).__name__)
    network = kind("network", parents, periodic=True, module_kwargs=settings)
    energy = targets.HEnergyNode("energy", network, db_name="E")
    network.torch_module.load_state_dict(shipped.network.state_dict())
    energy.torch_module.load_state_dict(shipped.energy.state_dict())
    calculator = HippynnCalculator(energy, en_unit=units.eV)
    calculator.to(torch.float32)
    if device != "cpu":
        calculator.to(torch.device(device))
    return calculator


def torchani_calculator(device: str = "cpu", model: str = "ani", *, double: bool = False) -> Any:
    """Return torchani's own ASE calculator of the eight networks, float32 or float64."""
    import torch
    from torchani.aev import AEVComputer
    from torchani.arch import ANI
    from torchani.neighbors import CellList
    from torchani.nn import ANINetworks, AtomicNetwork, Ensemble, TightCELU
    from torchani.sae import SelfEnergy

    from votca_mlp.models.ani.neurochem import read_neurochem

    if benchmark_ani.is_published(model):
        from torchani.neurochem import NeurochemInfo, modules_from_info

        # torchani's own reader as well; its reader of .info files knows one folder only
        place = Path(os.environ[benchmark_ani.PUBLISHED])
        constants, energies, prefix, count = place.read_text().split()[:4]
        info = NeurochemInfo(
            sae=place.parent / energies,
            const=place.parent / constants,
            ensemble_prefix=place.parent / prefix,
            ensemble_size=int(count),
        )
        computer, networks, _, symbols = modules_from_info(info)
        computer.neighborlist = CellList()
        shifts = SelfEnergy(symbols, [0.0 for _ in symbols])
        found = ANI(symbols, computer, networks, shifts)
        return (found.double() if double else found.float()).to(device).requires_grad_(False).ase()
    source = read_neurochem(os.environ["ANI_AL"]) if model == "ani" else benchmark_ani.source_of(model)
    c = source.constants
    angular = (c.angular_eta, c.zeta, c.angular_shifts, c.sections)
    computer = AEVComputer.from_constants(
        c.radial_cutoff, c.angular_cutoff, c.radial_eta, c.radial_shifts, *angular, len(c.symbols)
    )
    computer.neighborlist = CellList()
    members = []
    for member in source.members:
        networks = {}
        for symbol, network in member.items():
            built = AtomicNetwork(network.sizes, activation=TightCELU(), bias=True)
            layers = [*built.layers, built.final_layer]
            for layer, weight, bias in zip(layers, network.weights, network.biases, strict=True):
                layer.weight.data = torch.from_numpy(weight).float()
                layer.bias.data = torch.from_numpy(bias).float()
            networks[symbol] = built
        members.append(ANINetworks(networks))
    shifts = SelfEnergy(c.symbols, [0.0 for _ in c.symbols])
    found = ANI(c.symbols, computer, Ensemble(members), shifts)
    found = (found.double() if double else found.float()).to(device)
    # as torchani's own models are: nothing is spent on slopes in the weights
    return found.requires_grad_(False).ase()
