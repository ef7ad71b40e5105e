"""From a model file alone to what is exported: a potential without a correction, as fusion leaves it."""

from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.export.content import ExportContent
from votca_mlp.export.crystal import crystal_of
from votca_mlp.export.potential import CorrectedPotential
from votca_mlp.models.load import BUILTIN, load_model
from votca_mlp.models.origin import describe_model
from votca_mlp.potentials.correction import PairCorrection

FORMATS_OF_U = ("table", "lammps")
"""Formats that hold u(r) alone."""


def is_model_file(path: str | Path) -> bool:
    """Return whether a path is a model file, by its name, or a model that comes with the package."""
    return Path(path).suffix == ".pt" or str(path).startswith(BUILTIN)


def potential_of_model(
    path: str | Path, form: str, *, level: str | None = None, trust: bool = False, skin: float = 0.5
) -> CorrectedPotential:
    """Return what is exported of a model file.

    Parameters
    ----------
    path
        A file that ``<kind>hippynn</kind>`` takes: ``model.pt`` or ``fused.pt`` of ``votca-mlp train``,
        or ``builtin:NAME``.
    form
        The format's name.
    level
        Level of theory, of a file with several.
    trust
        Allow a pickled hippynn experiment, which can run any code.
    skin
        Of the neighbour list, Angstrom.

    Raises
    ------
    UserError
        A format that holds corrections alone; a file that cannot be loaded.
    """
    from votca_mlp.models.options import MLPSettings

    if form in FORMATS_OF_U:
        raise UserError(
            f"format '{form}' holds u(r) alone, and a model file has none",
            where="--format",
            accepted="ase, torchscript, gromacs or mliap; the main directory of a run",
        )
    folder = Path(path).absolute().parent
    name = str(path) if str(path).startswith(BUILTIN) else str(Path(path).absolute())
    mlp = MLPSettings(kind="hippynn", model=name, level=level, trust_pickle=trust)
    model = load_model(mlp, folder)
    content = ExportContent(
        model=describe_model(mlp, folder, skin),
        settings=None,
        settings_sha256=None,
        step=None,
        temperatures=(),
        ensemble=None,
        pressure=None,
        tables=(),
    )
    return CorrectedPotential(content, mlp, PairCorrection({}), {}, crystal_of(list(model.numbers)))
