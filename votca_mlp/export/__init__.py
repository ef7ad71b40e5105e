"""Taking a corrected potential out of a run: tables, ASE, LAMMPS, TorchScript."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from votca_mlp.models.calculator import MLPCalculator


def load_corrected(
    path: str | Path,
    *,
    temperature: float | None = None,
    model: str | Path | None = None,
    device: str | None = None,
    trust: bool = False,
) -> "MLPCalculator":
    """Return the ASE calculator of model + correction of an exported folder; see :mod:`.load`."""
    from votca_mlp.export.load import load_corrected as load

    return load(path, temperature=temperature, model=model, device=device, trust=trust)
