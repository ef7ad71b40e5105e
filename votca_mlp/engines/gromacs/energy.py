"""Columns of mdrun's energy file, and their means over the production."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.gromacs.binary import tool_command, with_gmxrc
from votca_mlp.engines.gromacs.mdp import read_mdp
from votca_mlp.engines.gromacs.options import options_of
from votca_mlp.engines.gromacs.output import why
from votca_mlp.engines.gromacs.responder import LOG
from votca_mlp.engines.plan import MDPlan
from votca_mlp.ensemble.blocks import Means, means
from votca_mlp.errors import UserError
from votca_mlp.units import ANGSTROM_PER_NM

Array = NDArray[np.float64]

EDR = "ener.edr"
_A3_PER_NM3 = ANGSTROM_PER_NM**3


def read_energies(md: MDPlan, path: Path, terms: Sequence[str]) -> dict[str, Array]:
    """Return columns of an edr file by name, and ``time`` (ps), in GROMACS's units.

    Raises
    ------
    UserError
        gmx energy cannot read it.
    """
    _, lines = _energy(md, path, terms)
    legends = [line.split('"')[1] for line in lines if line.startswith("@ s") and " legend " in line]
    # as gmx energy takes names
    names = ["time", *(legend.replace(" ", "-") for legend in legends)]
    rows = [line.split() for line in lines if line and line[0] not in "#@"]
    data = np.array(rows, float).reshape(len(rows), len(names))
    return dict(zip(names, data.T, strict=True))


def average_pressure(md: MDPlan, directory: Path) -> float | None:
    """Return the mean pressure (bar) that gmx energy prints, as calc_pressure_gromacs.sh of VOTCA reads it.

    It is of all MD steps of the production. None without an energy file.

    Raises
    ------
    UserError
        gmx energy cannot read it; the pressure is nan.
    """
    path = directory / EDR
    if not path.is_file():
        return None
    said, _ = _energy(md, path, ["Pressure"], "-b", f"{md.equi_time:g}")
    found = re.search(r"^Pressure[^-0-9]*?(-?[0-9][^\s]*[0-9]|nan)\s", said, re.MULTILINE)
    value = float(found[1]) if found else float("nan")
    if value != value:
        raise UserError("gmx energy finds no pressure", where=path, accepted="a run that keeps energies")
    return value


def pressures(md: MDPlan, directory: Path) -> dict[int, float]:
    """Return the pressure (bar) by MD step, every ``nstenergy``; empty without an energy file.

    Raises
    ------
    UserError
        As :func:`read_energies`; a bad ``dt``.
    """
    path, mdp = directory / EDR, directory / options_of(md).mdp
    if not path.is_file() or not mdp.is_file():
        return {}
    timestep = read_mdp(mdp).number("dt", 0.001)
    found = read_energies(md, path, ["Pressure"])
    rows = zip(found["time"], found["Pressure"], strict=True)
    return {round(time / timestep): float(pressure) for time, pressure in rows}


def _energy(md: MDPlan, path: Path, terms: Sequence[str], *options: str) -> tuple[str, list[str]]:
    """Return what gmx energy prints, and the lines of its table."""
    out = path.with_name(f".{path.stem}.xvg")
    words = [*tool_command(md), "energy", "-nobackup", "-f", str(path), "-o", str(out), *options]
    try:
        done = subprocess.run(
            with_gmxrc(md, words),
            input="\n".join([*terms, "", ""]),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not out.is_file():
            what = f"gmx energy failed: {why(done.stderr.splitlines())}"
            raise UserError(what, where=path, accepted="the energy file of mdrun")
        return done.stdout, out.read_text(errors="replace").splitlines()
    finally:
        out.unlink(missing_ok=True)


def production_means(
    md: MDPlan, directory: Path, *, constant_volume: bool, density: float, volume: float
) -> Means:
    """Return mean, error and number of samples of temperature, pressure, density, volume and energy.

    Parameters
    ----------
    constant_volume
        mdrun then writes neither density nor volume: ``density`` (kg/m^3) and ``volume`` (Angstrom^3) of the
        start hold.

    Raises
    ------
    UserError
        As :func:`read_energies`.
    """
    terms = ["Temperature", "Pressure"] + ([] if constant_volume else ["Volume", "Density"])
    found = read_energies(md, directory / EDR, terms)
    used = found["time"] >= md.equi_time - 1e-6
    if not used.any():
        return {}
    columns = {
        "temperature[K]": found["Temperature"],
        "pressure[bar]": found["Pressure"],
        "density[kg/m3]": found.get("Density", np.full(len(used), density)),
        "volume[A3]": found["Volume"] * _A3_PER_NM3 if "Volume" in found else np.full(len(used), volume),
    }
    columns = {name: column[used] for name, column in columns.items()}
    if (directory / LOG).is_file():
        log = np.loadtxt(directory / LOG, ndmin=2)
        columns["potential[eV]"] = log[log[:, 1] >= md.equi_time - 1e-6, 2]
    return means(columns)
