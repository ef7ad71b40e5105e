"""Format ``mliap``: the object as a file, the lines of LAMMPS input that load it, and a try of both."""

import pickle

from votca_mlp.deploy.compare import compare, of_evaluator
from votca_mlp.deploy.mliap import OBJECT, CorrectedMLIAP
from votca_mlp.errors import UserError
from votca_mlp.export.mliap_data import LammpsData
from votca_mlp.export.provenance import header
from votca_mlp.export.table import write_tables
from votca_mlp.export.work import Outcome, Work
from votca_mlp.files import atomic_write, sha256_of
from votca_mlp.models.kind import model_kind, pair_kinds

FRAGMENT = "mliap.in"


def write_mliap(work: Work) -> Outcome:
    """Write the object and the lines of input that load it; read it back and compare it twice.

    Raises
    ------
    UserError
        A kind of model that cannot be asked by pairs, several interaction layers, an object that disagrees.
    """
    from votca_mlp.evaluation.load import make_evaluator
    from votca_mlp.export.torchscript import FLOAT32, FLOAT64, other_configuration

    without_pairs = model_kind(work.mlp.kind).without_pairs
    if without_pairs:
        raise UserError(
            f"kind {work.mlp.kind} {without_pairs}, which cannot be asked by LAMMPS's pairs",
            where="cg.inverse.mlp.kind",
            accepted=f"kind {pair_kinds()}; or <program>lammps</program>, which takes every kind",
        )
    files = write_tables(work.folder, work.tables, work.content)
    for entry in work.content["tables"]:
        entry["sha256"] = sha256_of(work.folder / entry["file"])
    tables = {name: (work.folder / name).read_text() for name in files}
    made = CorrectedMLIAP(work.content, tables, work.mlp.trust_pickle)
    with atomic_write(work.folder / OBJECT, "wb") as file:
        pickle.dump(made, file)
    with atomic_write(work.folder / FRAGMENT) as file:
        file.writelines(f"{line}\n" for line in _fragment(work, made))
    loaded = pickle.loads((work.folder / OBJECT).read_bytes())
    evaluator = make_evaluator(work.mlp, work.correction, work.main, 0.0)
    comparisons = []
    for atoms in (work.atoms, other_configuration(work.atoms)):
        data = LammpsData(atoms, loaded.element_types, 2.0 * loaded.rcutfac)
        loaded.compute_forces(data)
        tolerance = FLOAT32 if work.mlp.dtype == "float32" else FLOAT64
        original = of_evaluator(evaluator, atoms)
        what = "model + correction by ML-IAP's calls"
        comparisons.append(compare(what, data.answer(), original, tolerance))
    return [OBJECT, FRAGMENT, *files], comparisons, ["LAMMPS itself was not run with it"]


def _fragment(work: Work, made: CorrectedMLIAP) -> list[str]:
    elements = " ".join(sorted(set(work.atoms.get_chemical_symbols())))
    return [
        *(f"# {line}" for line in header(work.content)),
        "#",
        "# units metal. LAMMPS with the packages ML-IAP (MLIAP_ENABLE_PYTHON) and PYTHON, whose Python has",
        "# votca-mlp. The file is a pickle, which runs code when it is loaded. LAMMPS has not been run",
        "# with it: compare step 0 with the ASE export.",
        f"# One name for each LAMMPS type, among: {' '.join(made.element_types)}",
        f"pair_style mliap unified {OBJECT} 0",
        f"pair_coeff * * {elements}",
    ]
