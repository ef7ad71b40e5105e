"""The formats of a joined correction: those that hold u(r; T) itself."""

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.deploy.compare import (
    SAME_MODEL,
    TABLE,
    Answer,
    Comparison,
    compare,
    of_correction,
    of_evaluator,
    of_pair_function,
)
from votca_mlp.export.provenance import JOINED
from votca_mlp.export.work import Outcome, Work
from votca_mlp.files import sha256_of

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.potentials.temperature import TemperatureCorrection


def probes(correction: "TemperatureCorrection") -> list[float]:
    """Return the temperatures that exports are compared at, K: those fitted and some between them."""
    between = np.linspace(correction.minimum, correction.maximum, 4)
    outside = [1.02 * correction.maximum] if correction.allow_extrapolation else []
    return sorted({*(float(kelvin) for kelvin in between), *correction.nodes, *outside})


def copy_joined(work: Work) -> list[str]:
    """Copy the joined file into the export and note its checksum; return its name."""
    shutil.copyfile(work.content["settings"], work.folder / JOINED)
    work.content["joined"]["sha256"] = sha256_of(work.folder / JOINED)
    return [JOINED]


def compare_ase(work: Work, calculator: Any) -> list[Comparison]:
    """Compare the loaded calculator with the package's own at several temperatures, set one after another."""
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.models.load import load_model

    correction = varying(work)
    model = load_model(work.mlp, work.main)
    atoms = work.atoms.copy()
    comparisons = []
    for kelvin in probes(correction):
        original = evaluator_of(model, work.mlp, correction.at(kelvin), work.skin)
        calculator.set_temperature(kelvin)
        what = f"model + correction in ASE at {kelvin:g} K"
        exported = _of_calculator(calculator, atoms)
        comparisons.append(compare(what, exported, of_evaluator(original, atoms), SAME_MODEL))
    return comparisons


def write_lammps_of_temperature(work: Work) -> Outcome:
    """Write and compare the tables for LAMMPS."""
    from votca_mlp.export.lammps import pair_function
    from votca_mlp.export.lammps_temperature import table_name, table_temperatures, write_lammps_tables

    correction = varying(work)
    files = write_lammps_tables(work.folder, correction, work.content)
    comparisons = []
    for text, kelvin in table_temperatures(correction).items():
        pair = pair_function(work.folder / table_name(text))
        exported = of_pair_function(pair, correction.cutoff, work.atoms)
        original = of_correction(correction.at(kelvin), work.atoms)
        what = f"correction as LAMMPS reads it at {text} K"
        comparisons.append(compare(what, exported, original, TABLE))
    return files, comparisons, []


def varying(work: Work) -> "TemperatureCorrection":
    """Return u(r; T) of a work that follows the temperature."""
    assert work.varying is not None
    return work.varying


def _of_calculator(calculator: Any, atoms: "Atoms") -> Answer:
    from ase.stress import voigt_6_to_full_3x3_stress

    atoms.calc = calculator
    stress = voigt_6_to_full_3x3_stress(atoms.get_stress())
    return Answer(atoms.get_potential_energy(), atoms.get_forces(), stress)
