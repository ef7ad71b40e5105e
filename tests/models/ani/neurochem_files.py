"""Writes small random models in the NeuroChem format, and builds torchani's model from what was read."""

import bz2
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.models.ani.neurochem import NeuroChemModel

LAYER = """layer [
nodes={nodes};
activation={activation};
type=0;
blocksize={inputs};
maxnorm=nan;
btchnorm=0;
weights=FILE:{name}-l{k}.wparam[{count}];
biases=FILE:{name}-l{k}.bparam[{nodes}];
]
"""


def pack(text: str, length: int | None = None) -> bytes:
    """Return the bytes of an .nnf file."""
    data = text.encode("ascii")
    return f"{len(data) if length is None else length}=\n".encode() + bz2.compress(data)


def write_network(folder: Path, symbol: str, sizes: tuple[int, ...], rng: np.random.Generator) -> None:
    name = f"ANN-{symbol}.nnf"
    text = f"inputsize={sizes[0]};\natom_net {symbol} $\n"
    for k in range(1, len(sizes)):
        inputs, nodes = sizes[k - 1], sizes[k]
        activation = 6 if k == len(sizes) - 1 else 9
        text += LAYER.format(
            nodes=nodes, activation=activation, inputs=inputs, name=name, k=k, count=inputs * nodes
        )
        # energies of some tenths of a Hartree, as real models have
        scale = 0.1 if nodes == 1 else 1.0
        weights = scale * rng.normal(size=(nodes, inputs)) / np.sqrt(inputs)
        (folder / f"{name}-l{k}.wparam").write_bytes(weights.astype("<f4").tobytes())
        (folder / f"{name}-l{k}.bparam").write_bytes((scale * rng.normal(size=nodes)).astype("<f4").tobytes())
    (folder / name).write_bytes(pack(text + "\n $\0"))


def write_model(
    folder: Path, symbols: tuple[str, ...] = ("Al",), members: int = 2, sections: int = 3
) -> Path:
    """Write a random model; not a multiple of four sections, so that the compiled path has to pad."""
    radial, angular = np.linspace(1.3, 5.1, 12), np.linspace(1.2, 3.4, 5)
    angles = (np.arange(sections) + 0.5) * np.pi / sections
    numbers = {"Rcr": 5.4, "Rca": 3.9, "EtaR": 19.7, "Zeta": 14.1, "EtaA": 8.0}
    return _write(folder, symbols, members, numbers, radial, angular, angles)


def write_published(folder: Path, name: str) -> Path:
    """Write a small random model with the constants of ANI-1x or ANI-2x, ``name``."""
    symbols: tuple[str, ...] = ("H", "C", "N", "O")
    numbers, shifts, sections = {"Rcr": 5.2, "Rca": 3.5, "EtaR": 16.0, "Zeta": 32.0, "EtaA": 8.0}, 4, 8
    if name == "ANI-2x":
        symbols = (*symbols, "S", "F", "Cl")
        numbers, shifts, sections = {"Rcr": 5.1, "Rca": 3.5, "EtaR": 19.7, "Zeta": 14.1, "EtaA": 12.5}, 8, 4
    start = 0.9 if name == "ANI-1x" else 0.8
    radial, angular = (
        np.linspace(start, numbers[cutoff], count, endpoint=False)
        for cutoff, count in (("Rcr", 16), ("Rca", shifts))
    )
    angles = (np.arange(sections) + 0.5) * np.pi / sections
    return _write(folder, symbols, 2, numbers, radial, angular, angles)


def _write(
    folder: Path,
    symbols: tuple[str, ...],
    members: int,
    numbers: dict[str, float],
    radial: np.ndarray,
    angular: np.ndarray,
    angles: np.ndarray,
) -> Path:
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = [{value:.4e}]\n" for key, value in numbers.items()]
    for key, values in (("ShfR", radial), ("ShfZ", angles), ("ShfA", angular)):
        lines.append(f"{key} = [{','.join(f'{value:.7e}' for value in values)}]\n")
    (folder / "constants.params").write_text("TM = 1\n" + "".join(lines) + f"Atyp = [{','.join(symbols)}]\n")
    lines = [f"{symbol},{k}={-1.25 - k}\n" for k, symbol in enumerate(symbols)]
    (folder / "sae_linfit.dat").write_text("".join(lines))
    species = len(symbols)
    size = species * len(radial) + species * (species + 1) // 2 * len(angular) * len(angles)
    for member in range(members):
        networks = folder / f"train{member}" / "networks"
        networks.mkdir(parents=True)
        for k, symbol in enumerate(symbols):
            write_network(networks, symbol, (size, 16, 8 + k, 1), rng)
    return folder


def torchani_energy_forces(source: NeuroChemModel, atoms: Any) -> tuple[float, np.ndarray]:
    """Return energy without self energies (Hartree) and forces (Hartree/Angstrom) by torchani's classes."""
    import torch
    from torchani.aev import AEVComputer
    from torchani.nn import ANINetworks, AtomicNetwork, Ensemble, TightCELU

    constants = source.constants
    computer = AEVComputer.from_constants(
        constants.radial_cutoff,
        constants.angular_cutoff,
        constants.radial_eta,
        constants.radial_shifts,
        constants.angular_eta,
        constants.zeta,
        constants.angular_shifts,
        constants.sections,
        len(constants.symbols),
    ).double()
    # torchani rounds the constants to float32 when it is built
    for term, name, value in (
        (computer.radial, "eta", [constants.radial_eta]),
        (computer.radial, "shifts", constants.radial_shifts),
        (computer.angular, "eta", [constants.angular_eta]),
        (computer.angular, "zeta", [constants.zeta]),
        (computer.angular, "shifts", constants.angular_shifts),
        (computer.angular, "sections", constants.sections),
    ):
        getattr(term, name).data = torch.tensor(value, dtype=torch.float64)
    members = []
    for member in source.members:
        networks = {}
        for symbol, network in member.items():
            built = AtomicNetwork(network.sizes, activation=TightCELU(), bias=True)
            layers = [*built.layers, built.final_layer]
            for layer, weight, bias in zip(layers, network.weights, network.biases, strict=True):
                layer.weight.data, layer.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
            networks[symbol] = built
        members.append(ANINetworks(networks))
    ensemble = Ensemble(members).double()
    symbols = [constants.symbols.index(symbol) for symbol in atoms.get_chemical_symbols()]
    species = torch.tensor([symbols])
    positions = torch.tensor(atoms.positions[None], dtype=torch.float64, requires_grad=True)
    cell = torch.tensor(atoms.cell.array, dtype=torch.float64)
    vectors = computer(species, positions, cell, torch.tensor([True] * 3))
    energy = ensemble(species, vectors).sum()
    (gradient,) = torch.autograd.grad(energy, positions)
    return float(energy.detach()), -gradient[0].numpy()
