"""The formats of an export: one module and one line each.

A format's module has a function ``write`` (:class:`Writer`). It is imported when the format is asked for,
since some need torch.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from votca_mlp.export.potential import CorrectedPotential, Written


class Writer(Protocol):
    """What writes a potential into a folder, reads it back and compares it."""

    def __call__(self, potential: "CorrectedPotential", folder: Path) -> "Written":
        """Write the files; raise a UserError for what the format cannot hold, or holds wrongly."""
        ...


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes
    ----------
    module
        Where its ``write`` is.
    follows_temperature
        Whether it can hold u(r; T) itself; the others need one temperature.
    """

    module: str
    follows_temperature: bool = False

    def write(self, potential: "CorrectedPotential", folder: Path) -> "Written":
        """Write a potential into a folder and compare it.

        Raises
        ------
        UserError
            What the format cannot hold, no space, files that disagree with the package's own forces.
        """
        write: Writer = import_module(self.module).write
        return write(potential, folder)


FORMATS = {
    "table": Format("votca_mlp.export.formats.table"),
    "ase": Format("votca_mlp.export.formats.ase", follows_temperature=True),
    "lammps": Format("votca_mlp.export.formats.lammps", follows_temperature=True),
    "torchscript": Format("votca_mlp.export.formats.torchscript", follows_temperature=True),
    "gromacs": Format("votca_mlp.export.formats.gromacs"),
    "mliap": Format("votca_mlp.export.formats.mliap"),
}

FOLLOWING = tuple(name for name, form in FORMATS.items() if form.follows_temperature)
"""Names of the formats that can follow the temperature."""
