"""Format ase: the correction and the factory of its calculator."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.deploy.compare import SAME_MODEL, Answer, Comparison, compare, of_evaluator
from votca_mlp.evaluation.annealing import TemperatureCalculator
from votca_mlp.evaluation.load import evaluator_of, make_evaluator
from votca_mlp.export.content_file import write_content
from votca_mlp.export.formats import table
from votca_mlp.export.load import JOINED, load_corrected
from votca_mlp.export.potential import CorrectedPotential, Written, compared_temperatures
from votca_mlp.files import atomic_write, sha256_of
from votca_mlp.models.arguments import user_module
from votca_mlp.models.kind import model_kind
from votca_mlp.models.load import load_model

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.potentials.temperature import TemperatureCorrection

_FACTORY = "calculator.py"
_FACTORY_TEXT = '''"""ASE calculator of the corrected potential in this folder."""

from pathlib import Path

from votca_mlp.export import load_corrected


def calculator(**options):
    """Return the calculator; options: {options}."""
    return load_corrected(Path(__file__).parent{arguments}, **options)
'''


def write(potential: CorrectedPotential, folder: Path) -> Written:
    """Write the correction and the factory, load the calculator and compare it.

    Raises
    ------
    UserError
        A calculator that disagrees with the package's own.
    """
    if potential.content.joined is not None:
        written = _copy_temperature_file(potential, folder)
    elif potential.tables:
        written = table.write(potential, folder)
    else:
        # a model without a correction
        written = Written(potential.content, (), ())
    # loading needs it
    write_content(folder, written.content)
    mlp, of_temperature = potential.mlp, potential.of_temperature
    module = (
        user_module(mlp.calculator, potential.content.main_directory)
        if model_kind(mlp.kind).names_code
        else None
    )
    if module is not None and module.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(module, folder / module.name, dirs_exist_ok=True, ignore=ignored)
    elif module is not None:
        shutil.copyfile(module, folder / module.name)
    trust = model_kind(mlp.kind).names_code or mlp.trust_pickle
    options = "model (where its file is now), device"
    if of_temperature is not None:
        options = "temperature (K; set_temperature changes it), " + options
    with atomic_write(folder / _FACTORY) as file:
        file.write(_FACTORY_TEXT.format(options=options, arguments=", trust=True" if trust else ""))
    calculator = load_corrected(folder, device=mlp.device, trust=trust)
    if of_temperature is None:
        comparisons = [_compare(potential, of_evaluator(calculator.evaluator, potential.atoms))]
    else:
        assert isinstance(calculator, TemperatureCalculator)
        comparisons = _compare_temperatures(potential, calculator, of_temperature)
    return replace(
        written,
        files=(*written.files, *(() if module is None else (module.name,)), _FACTORY),
        comparisons=(*written.comparisons, *comparisons),
    )


def _copy_temperature_file(potential: CorrectedPotential, folder: Path) -> Written:
    """Copy the file u(r; T) into the export and note its checksum."""
    content = potential.content
    assert content.joined is not None
    assert content.settings is not None
    shutil.copyfile(content.settings, folder / JOINED)
    joined = replace(content.joined, sha256=sha256_of(folder / JOINED))
    return Written(replace(content, joined=joined), (JOINED,), ())


def _compare(potential: CorrectedPotential, exported: Answer) -> Comparison:
    """Compare at the one temperature of the correction."""
    content = potential.content
    original = make_evaluator(potential.mlp, potential.correction, content.main_directory, content.skin)
    expected = of_evaluator(original, potential.atoms)
    return compare("model + correction in ASE", exported, expected, SAME_MODEL)


def _compare_temperatures(
    potential: CorrectedPotential, calculator: TemperatureCalculator, correction: "TemperatureCorrection"
) -> list[Comparison]:
    """Compare at several temperatures, set one after another."""
    content = potential.content
    model = load_model(potential.mlp, content.main_directory)
    atoms = potential.atoms.copy()
    comparisons = []
    for kelvin in compared_temperatures(correction):
        original = evaluator_of(model, potential.mlp, correction.at(kelvin), content.skin)
        calculator.set_temperature(kelvin)
        what = f"model + correction in ASE at {kelvin:g} K"
        exported = _of_calculator(calculator, atoms)
        comparisons.append(compare(what, exported, of_evaluator(original, atoms), SAME_MODEL))
    return comparisons


def _of_calculator(calculator: TemperatureCalculator, atoms: "Atoms") -> Answer:
    from ase.stress import voigt_6_to_full_3x3_stress

    atoms.calc = calculator
    stress = voigt_6_to_full_3x3_stress(atoms.get_stress())
    return Answer(atoms.get_potential_energy(), atoms.get_forces(), stress)
