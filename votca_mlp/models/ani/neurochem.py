"""Reading an ANI potential in the NeuroChem format: constants, self energies and networks.

A model is a folder with one ``.params`` file, ``sae_linfit.dat`` and ``train0``, ``train1``, ... each with
``networks/ANN-<symbol>.nnf``; or an ``.info`` file with four lines: the constants' file, the self energies'
file, the prefix of the ``train`` folders and their number, as paths from the info file's own folder.
Everything is parsed as data: no pickle, no evaluation of text.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.models.ani.nnf import AtomicNetwork, read_bytes, read_nnf

_KIND = "a folder with one .params file, sae_linfit.dat and train0/networks, ..., or a NeuroChem .info file"
_TEXT_LIMIT = 1 << 20


@dataclass(frozen=True)
class AevConstants:
    """Constants of the atomic environment vector (AEV).

    J. S. Smith, O. Isayev, A. E. Roitberg, Chem. Sci. 8, 3192 (2017), equations 3 and 4. Cutoffs and shifts
    in Angstrom, etas in 1/Angstrom^2, sections in radians.
    """

    radial_cutoff: float
    angular_cutoff: float
    radial_eta: float
    radial_shifts: tuple[float, ...]
    angular_eta: float
    angular_shifts: tuple[float, ...]
    zeta: float
    sections: tuple[float, ...]
    symbols: tuple[str, ...]

    @property
    def size(self) -> int:
        """Length of the AEV."""
        species = len(self.symbols)
        angular = len(self.angular_shifts) * len(self.sections)
        return species * len(self.radial_shifts) + species * (species + 1) // 2 * angular


@dataclass(frozen=True)
class NeuroChemModel:
    """A committee of networks on one AEV.

    Attributes
    ----------
    constants
        Of the AEV; the order of its symbols is that of the species in the AEV.
    self_energies
        By symbol, Hartree.
    members
        One mapping from symbol to network for each member.
    """

    constants: AevConstants
    self_energies: Mapping[str, float]
    members: tuple[Mapping[str, AtomicNetwork], ...]


def read_neurochem(path: str | Path, members: tuple[int, ...] | None = None) -> NeuroChemModel:
    """Read a model; ``members`` are the numbers of the ``train`` folders, all of them when None.

    Raises
    ------
    UserError
        Naming the file that is missing, malformed, truncated or of another kind, and what is expected; a
        member that does not exist; members with different layers.
    """
    path = Path(path)
    params, energies, prefix, numbers = _from_info(path) if path.is_file() else _from_folder(path)
    constants = read_constants(params)
    self_energies = read_self_energies(energies, constants.symbols)
    chosen = numbers if members is None else members
    missing = sorted(set(chosen) - set(numbers))
    if missing or not chosen or len(set(chosen)) != len(chosen):
        what = f"no member {', '.join(map(str, missing))}" if missing else "members empty or given twice"
        raise UserError(what, where=path, accepted="all, or of " + " ".join(map(str, numbers)))
    networks: list[dict[str, AtomicNetwork]] = []
    for number in chosen:
        folder = prefix.parent / f"{prefix.name}{number}" / "networks"
        member = {symbol: read_nnf(folder / f"ANN-{symbol}.nnf") for symbol in constants.symbols}
        for symbol, network in member.items():
            where = folder / f"ANN-{symbol}.nnf"
            if network.sizes[0] != constants.size:
                what = f"has {network.sizes[0]} inputs where the AEV of {params.name} has {constants.size}"
                raise UserError(what, where=where, accepted="the network trained with these constants")
            if networks and network.sizes != networks[0][symbol].sizes:
                what = f"has layers {network.sizes}, the first member {networks[0][symbol].sizes}"
                raise UserError(what, where=where, accepted="members with the same layers")
        networks.append(member)
    return NeuroChemModel(constants, self_energies, tuple(networks))


def read_constants(path: Path) -> AevConstants:
    """Read a ``.params`` file.

    Raises
    ------
    UserError
        Naming file and line.
    """
    found: dict[str, list[str]] = {}
    where: dict[str, str] = {}
    for number, line in enumerate(_lines(path, "NeuroChem AEV constants (.params)"), start=1):
        if not line.strip():
            continue
        name, separator, value = (part.strip() for part in line.partition("="))
        if not separator or not name or name in found:
            what = "neither empty nor a new 'name = value'"
            raise UserError(what, where=f"{path}:{number}", accepted="a line such as Rcr = 7.0")
        found[name], where[name] = value.strip("[]").split(","), f"{path}:{number}"

    def numbers(name: str, *, single: bool = False, positive: bool = False) -> tuple[float, ...]:
        accepted = f"{'one number' if single else 'numbers'}, finite{', above zero' if positive else ''}"
        if name not in found:
            raise UserError(f"'{name}' is missing", where=path, accepted=accepted)
        values = tuple(_number(text, f"'{name}'", where[name], accepted) for text in found[name])
        if (single and len(values) != 1) or (positive and min(values) <= 0.0):
            raise UserError(f"'{name}' is {', '.join(found[name])}", where=where[name], accepted=accepted)
        return values

    symbols = tuple(symbol.strip() for symbol in found.get("Atyp", ()))
    if not symbols or len(set(symbols)) != len(symbols) or not all(_is_symbol(s) for s in symbols):
        what = f"'Atyp' is {', '.join(symbols) or 'missing'}"
        raise UserError(what, where=where.get("Atyp", path), accepted="chemical symbols, such as [Al]")
    radial, angular = (numbers(name, single=True, positive=True)[0] for name in ("Rcr", "Rca"))
    if angular > radial:
        raise UserError("Rca is beyond Rcr", where=where["Rca"], accepted="Rca not above Rcr")
    return AevConstants(
        radial_cutoff=radial,
        angular_cutoff=angular,
        radial_eta=numbers("EtaR", single=True, positive=True)[0],
        radial_shifts=numbers("ShfR"),
        angular_eta=numbers("EtaA", single=True, positive=True)[0],
        angular_shifts=numbers("ShfA"),
        zeta=numbers("Zeta", single=True, positive=True)[0],
        sections=numbers("ShfZ"),
        symbols=symbols,
    )


def read_self_energies(path: Path, symbols: tuple[str, ...]) -> dict[str, float]:
    """Read ``sae_linfit.dat`` (lines ``Al,0=-2.7``); return the energies in Hartree by symbol.

    Raises
    ------
    UserError
        Naming file and line: a malformed line, a symbol given twice or missing.
    """
    energies: dict[str, float] = {}
    for number, line in enumerate(_lines(path, "NeuroChem self energies"), start=1):
        if not line.strip():
            continue
        match = re.fullmatch(r"\s*([A-Z][a-z]?)\s*,\s*\d+\s*=\s*(\S+)\s*", line)
        if match is None or match.group(1) in energies:
            what = "not a new self energy"
            raise UserError(what, where=f"{path}:{number}", accepted="symbol,number=energy in Hartree")
        energies[match.group(1)] = _number(match.group(2), "the energy", f"{path}:{number}", "Hartree")
    missing = [symbol for symbol in symbols if symbol not in energies]
    if missing:
        raise UserError("no self energy of " + ", ".join(missing), where=path, accepted="one line a species")
    return {symbol: energies[symbol] for symbol in symbols}


def _from_folder(path: Path) -> tuple[Path, Path, Path, tuple[int, ...]]:
    if not path.is_dir():
        raise UserError("no such model", where=path, accepted=_KIND)
    params = sorted(path.glob("*.params"))
    if len(params) != 1:
        raise UserError(f"{len(params)} .params files in this folder", where=path, accepted=_KIND)
    names = (re.fullmatch(r"train(\d+)", entry.name) for entry in path.iterdir() if entry.is_dir())
    numbers = tuple(sorted(int(name.group(1)) for name in names if name))
    if not numbers:
        raise UserError("no train0, train1, ... in this folder", where=path, accepted=_KIND)
    return params[0], path / "sae_linfit.dat", path / "train", numbers


def _from_info(path: Path) -> tuple[Path, Path, Path, tuple[int, ...]]:
    lines = [line.strip() for line in _lines(path, _KIND)]
    if len(lines) < 4 or not all(lines[:4]) or not re.fullmatch(r"[1-9]\d{0,3}", lines[3]):
        accepted = "four lines: constants' file, self energies' file, prefix of the members, their number"
        raise UserError("not a NeuroChem .info file", where=path, accepted=accepted)
    params, energies, prefix = (path.parent / line for line in lines[:3])
    return params, energies, prefix, tuple(range(int(lines[3])))


def _lines(path: Path, kind: str) -> list[str]:
    data = read_bytes(path, kind)
    try:
        if len(data) > _TEXT_LIMIT:
            raise UnicodeError
        return data.decode("ascii").splitlines()
    except UnicodeError:
        raise UserError("not a short ASCII text", where=path, accepted=kind) from None


def _number(text: str, name: str, where: str, accepted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"{name} has '{text.strip()}'", where=where, accepted=accepted)
    return value


def _is_symbol(text: str) -> bool:
    from ase.data import atomic_numbers

    return text in atomic_numbers and text != "X"
