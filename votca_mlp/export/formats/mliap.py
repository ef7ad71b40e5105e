"""Format mliap: the object for LAMMPS's ML-IAP as a file, and the lines of input that load it."""

import pickle
from pathlib import Path

from votca_mlp.deploy.compare import FLOAT32, FLOAT64, compare, of_evaluator, other_configuration
from votca_mlp.deploy.mliap import OBJECT, CorrectedMLIAP
from votca_mlp.deploy.mliap_data import LammpsData
from votca_mlp.errors import UserError
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.export.formats.table import write_tables
from votca_mlp.export.potential import CorrectedPotential, Written
from votca_mlp.export.provenance import comment_lines
from votca_mlp.files import atomic_write
from votca_mlp.models.kind import model_kind, pair_kinds

FRAGMENT = "mliap.in"


def write(potential: CorrectedPotential, folder: Path) -> Written:
    """Write the object and the lines of input that load it; read it back and compare it twice.

    Raises
    ------
    UserError
        A kind of model that cannot be asked by pairs, several interaction layers, an object that disagrees.
    """
    mlp = potential.mlp
    without_pairs = model_kind(mlp.kind).without_pairs
    if without_pairs:
        raise UserError(
            f"kind {mlp.kind} {without_pairs}, which cannot be asked by LAMMPS's pairs",
            where="cg.inverse.mlp.kind",
            accepted=f"kind {pair_kinds()}; or <program>lammps</program>, which takes every kind",
        )
    content = write_tables(folder, potential.tables, potential.content)
    tables = tuple(table.file for table in content.tables)
    texts = {name: (folder / name).read_text() for name in tables}
    made = CorrectedMLIAP(content.as_data(), texts, mlp.trust_pickle)
    with atomic_write(folder / OBJECT, "wb") as file:
        pickle.dump(made, file)
    with atomic_write(folder / FRAGMENT) as file:
        file.writelines(f"{line}\n" for line in _fragment(potential, made))
    loaded = pickle.loads((folder / OBJECT).read_bytes())
    evaluator = make_evaluator(mlp, potential.correction, content.main_directory, 0.0)
    comparisons = []
    for atoms in (potential.atoms, other_configuration(potential.atoms)):
        data = LammpsData(atoms, loaded.element_types, 2.0 * loaded.rcutfac)
        loaded.compute_forces(data)
        tolerance = FLOAT32 if mlp.dtype == "float32" else FLOAT64
        original = of_evaluator(evaluator, atoms)
        what = "model + correction by ML-IAP's calls"
        comparisons.append(compare(what, data.answer(), original, tolerance))
    left_out = ("LAMMPS itself was not run with it",)
    return Written(content, (OBJECT, FRAGMENT, *tables), tuple(comparisons), left_out)


def _fragment(potential: CorrectedPotential, made: CorrectedMLIAP) -> list[str]:
    elements = " ".join(sorted(set(potential.atoms.get_chemical_symbols())))
    return [
        *(f"# {line}" for line in comment_lines(potential.content)),
        "#",
        "# units metal. LAMMPS with the packages ML-IAP (MLIAP_ENABLE_PYTHON) and PYTHON, whose Python has",
        "# votca-mlp. The file is a pickle, which runs code when it is loaded. LAMMPS has not been run",
        "# with it: compare step 0 with the ASE export.",
        f"# One name for each LAMMPS type, among: {' '.join(made.element_types)}",
        f"pair_style mliap unified {OBJECT} 0",
        f"pair_coeff * * {elements}",
    ]
