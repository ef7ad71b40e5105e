"""Format ase: the factory of a calculator, and its comparison."""

from votca_mlp.deploy.compare import SAME_MODEL, compare, of_evaluator
from votca_mlp.export.of_temperature import compare_ase
from votca_mlp.export.provenance import write_content
from votca_mlp.export.work import Outcome, Work
from votca_mlp.files import atomic_write
from votca_mlp.models.kind import model_kind

_FACTORY = "calculator.py"
_FACTORY_TEXT = '''"""ASE calculator of the corrected potential in this folder."""

from pathlib import Path

from votca_mlp.export import load_corrected


def calculator(**options):
    """Return the calculator; options: {options}."""
    return load_corrected(Path(__file__).parent{arguments}, **options)
'''


def write_ase(work: Work, written: Outcome) -> Outcome:
    """Write the factory beside the correction that was ``written``, and compare its calculator.

    Raises
    ------
    UserError
        A calculator that disagrees with the package's own.
    """
    from votca_mlp.evaluation.load import make_evaluator
    from votca_mlp.export.load import load_corrected

    files, comparisons, left_out = written
    write_content(work.folder, work.content)
    trust = model_kind(work.mlp.kind).names_code or work.mlp.trust_pickle
    options = "model (where its file is now), device"
    if work.varying is not None:
        options = "temperature (K; set_temperature changes it), " + options
    with atomic_write(work.folder / _FACTORY) as file:
        file.write(_FACTORY_TEXT.format(options=options, arguments=", trust=True" if trust else ""))
    calculator = load_corrected(work.folder, device=work.mlp.device, trust=trust)
    if work.varying is not None:
        comparisons += compare_ase(work, calculator)
    else:
        original = make_evaluator(work.mlp, work.correction, work.main, work.skin)
        exported = of_evaluator(calculator.evaluator, work.atoms)
        what = "model + correction in ASE"
        comparisons.append(compare(what, exported, of_evaluator(original, work.atoms), SAME_MODEL))
    return [*files, _FACTORY], comparisons, left_out
