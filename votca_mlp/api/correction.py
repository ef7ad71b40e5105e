"""A correction u(r) in the hand: its tables, what it was made for, and what it gives."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.api.checks import check_kind
from votca_mlp.api.model import Model
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, read_json
from votca_mlp.runs.reading import Run
from votca_mlp.tables import Table, make_table
from votca_mlp.units import ANGSTROM_PER_NM, EV_PER_KJMOL, KJMOL_PER_EV

if TYPE_CHECKING:
    from ase import Atoms
    from matplotlib.figure import Figure

    from votca_mlp.evaluation.calculator import MLPCalculator
    from votca_mlp.potentials.correction import PairCorrection

_FORMAT, _VERSION = "votca-mlp correction", 1
_ACCEPTED = "a file of Correction.save"
Species = tuple[str, str]


@dataclass(frozen=True)
class Correction:
    """A pair correction u(r) for each pair of species.

    Attributes
    ----------
    tables
        By pair of chemical symbols: r in nm and u in kJ/mol, as VOTCA's NAME.pot.cur.
    temperature
        It holds near this temperature, K.
    pressure
        bar; None at constant volume.
    model
        Identity of the model that it was made for, empty when that is not known.
    iterations
        Simulations that it took; the last one ran with these tables, so its g(r) belongs to them.
    updated
        Tables after the update that followed, which no simulation has seen yet; empty where there are none.
    runs
        g(r), target and potentials of every iteration, one for each pair; empty in a loaded file.
    directory
        Of the run, None where it was not kept.
    """

    tables: Mapping[Species, Table]
    temperature: float
    pressure: float | None = None
    model: str = ""
    iterations: int = 0
    updated: Mapping[Species, Table] = field(default_factory=dict, repr=False)
    runs: tuple[Run, ...] = field(default=(), repr=False)
    directory: Path | None = None

    def __repr__(self) -> str:
        """In a line: a notebook shows it."""
        pairs = ", ".join(
            f"{'-'.join(pair)} to {table.x[-1] * ANGSTROM_PER_NM:g} Angstrom"
            for pair, table in self.tables.items()
        )
        held = "constant volume" if self.pressure is None else f"{self.pressure:g} bar"
        return f"Correction({pairs}; {self.temperature:g} K, {held}, {self.iterations} iterations)"

    @property
    def pairs(self) -> tuple[Species, ...]:
        """The pairs of species that have a table."""
        return tuple(self.tables)

    def u(self, r: NDArray[np.float64], species: Species | None = None) -> NDArray[np.float64]:
        """Return u(r) in eV for distances in Angstrom, both of shape [n], as an engine evaluates it.

        Raises
        ------
        UserError
            Species that have no table; none named where there are several pairs.
        """
        from votca_mlp.potentials.akima import akima_from_table

        pair = self._pair(species)
        spline = akima_from_table(self.tables[pair], where="-".join(pair))
        return spline.evaluate(np.asarray(r, float))[0]

    def potential(self) -> "PairCorrection":
        """Return the splines that engines and calculators use."""
        from votca_mlp.potentials.correction import correction_of_tables

        return correction_of_tables({pair: (table, "-".join(pair)) for pair, table in self.tables.items()})

    def calculator(self, model: Model, *, any_model: bool = False) -> "MLPCalculator":
        """Return an ASE calculator of a model plus this correction (eV, Angstrom).

        Parameters
        ----------
        model
            The model that the correction was made for.
        any_model
            Allow another one; the correction then means nothing in particular.

        Raises
        ------
        UserError
            Another model; a model that cannot be read.
        """
        from votca_mlp.evaluation.calculator import MLPCalculator

        if not any_model:
            self._check(model, "the model of the run, or any_model=True")
        return MLPCalculator(model.evaluator(self.potential()))

    def export(self, model: Model, form: str, out: str | Path, atoms: "Atoms") -> Path:
        """Write model and correction for another program, as ``votca-mlp export`` does; return the folder.

        Parameters
        ----------
        model
            The model that the correction was made for.
        form
            ``table``, ``ase``, ``lammps``, ``torchscript``, ``gromacs`` or ``mliap``; see docs/export.md.
        out
            A folder that does not exist yet.
        atoms
            A configuration with all pairs of species, on which what was written is read back and compared.

        Raises
        ------
        UserError
            Another model; an unknown format; a folder that exists; an export that does not agree.
        """
        from votca_mlp.export.export import write_export
        from votca_mlp.export.from_tables import potential_of_tables

        self._check(model, "the model of the run")
        potential = potential_of_tables(
            model.options,
            model.directory,
            self.tables,
            atoms,
            temperature=self.temperature,
            pressure=self.pressure,
            step=self.iterations,
        )
        return write_export(potential, form, Path(out)).folder

    def after_update(self) -> "Correction":
        """Return the correction with the tables after the last update: untried, but one update further on.

        Raises
        ------
        UserError
            There are none, as in a loaded file.
        """
        if not self.updated:
            raise UserError("there are no tables after an update", accepted="a correction from a run")
        return Correction(
            dict(self.updated), self.temperature, self.pressure, self.model, self.iterations, runs=self.runs
        )

    def plot(self, species: Species | None = None) -> "Figure":
        """Return the figure of the run: g(r), its difference from the target, u(r), RMS by iteration.

        A figure of matplotlib (``.savefig``); notebooks show it.

        Raises
        ------
        UserError
            No iterations, as in a loaded file; no such pair.
        """
        from votca_mlp.report.plot import plot_runs

        chosen = [run for pair, run in zip(self.tables, self.runs, strict=False) if species in (None, pair)]
        if species is not None:
            self._pair(species)
        if not chosen:
            raise UserError("there are no iterations to plot", accepted="a correction from a run")
        return plot_runs(chosen)

    def save(self, path: str | Path) -> Path:
        """Write one JSON file with the tables (Angstrom, eV) and what they belong to; return its path.

        Raises
        ------
        UserError
            It cannot be written.
        """
        from votca_mlp.versions import versions

        data = {
            "format": _FORMAT,
            "version": _VERSION,
            "temperature[K]": self.temperature,
            "pressure[bar]": self.pressure,
            "model": self.model,
            "iterations": self.iterations,
            "versions": versions(),
            "pairs": [
                {
                    "species": list(pair),
                    "r[A]": (table.x * ANGSTROM_PER_NM).tolist(),
                    "u[eV]": (table.y * EV_PER_KJMOL).tolist(),
                }
                for pair, table in self.tables.items()
            ],
        }
        path = Path(path)
        with atomic_write(path) as file:
            json.dump(data, file, indent=1)
            file.write("\n")
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Correction":
        """Read a file of :meth:`save`.

        Raises
        ------
        UserError
            Not such a file, or a damaged one.
        """
        try:
            data: Any = read_json(path)
            if data["format"] != _FORMAT or data["version"] != _VERSION:
                raise ValueError(f"format {data['format']!r}, version {data['version']}")
            tables = {}
            for entry in data["pairs"]:
                first, second = map(str, entry["species"])
                r, u = (np.asarray(entry[name], float) for name in ("r[A]", "u[eV]"))
                if r.shape != u.shape or r.ndim != 1 or not np.isfinite([r, u]).all():
                    raise ValueError(f"the table of {first}-{second}")
                tables[first, second] = make_table(np.round(r / ANGSTROM_PER_NM, 12), u * KJMOL_PER_EV)
            pressure = data["pressure[bar]"]
            return cls(
                tables,
                float(data["temperature[K]"]),
                None if pressure is None else float(pressure),
                str(data["model"]),
                int(data["iterations"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = error.strerror if isinstance(error, OSError) else f"not a correction, or damaged: {error}"
            raise UserError(str(what), where=path, accepted=_ACCEPTED) from None

    def _check(self, model: Model, accepted: str) -> None:
        """Refuse another model than the one that the correction was made for, where that is known."""
        check_kind(model, Model, "model", "votca_mlp.load_model(...)")
        if self.model and model.identity != self.model:
            what = f"the correction was made for model {self.model}, this is {model.identity}"
            raise UserError(what, where="Correction", accepted=accepted)

    def _pair(self, species: Species | None) -> Species:
        known = ", ".join("-".join(pair) for pair in self.tables)
        if species is None and len(self.tables) == 1:
            return next(iter(self.tables))
        if species is None:
            raise UserError("there are several pairs", where="species", accepted=known)
        for pair in (species, (species[1], species[0])):
            if pair in self.tables:
                return pair
        raise UserError(f"no pair {'-'.join(species)}", where="species", accepted=known)
