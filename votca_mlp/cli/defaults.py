"""``votca-mlp defaults``: VOTCA's defaults file with our tags, for VOTCA_CSG_DEFAULTS."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.errors import UserError

_Stock = Annotated[Path | None, typer.Argument(help="VOTCA's csg_defaults.xml; looked for when absent.")]


def defaults(stock: _Stock = None) -> None:
    """Print the path of VOTCA's defaults file with our tags added.

    export VOTCA_CSG_DEFAULTS=$(votca-mlp defaults)
    """
    from votca_mlp.csg.defaults import merged_defaults_file

    typer.echo(str(merged_defaults_file(stock or stock_defaults())))


def stock_defaults() -> Path:
    """Return the csg_defaults.xml of the installed VOTCA: below $VOTCASHARE, or beside csg_inverse.

    Raises
    ------
    UserError
        None is installed.
    """
    folders = [Path(os.environ["VOTCASHARE"])] if os.environ.get("VOTCASHARE") else []
    program = shutil.which("csg_inverse")
    if program is not None:
        # the share folder of a prefix such as /usr or a conda environment
        paths = (Path(program), Path(program).resolve())
        folders += [path.parent.parent / "share" / "votca" for path in paths]
    for folder in folders:
        path = folder / "xml" / "csg_defaults.xml"
        if path.is_file():
            return path
    accepted = (
        "csg_inverse on the PATH, VOTCASHARE set, or the file named: votca-mlp defaults csg_defaults.xml"
    )
    raise UserError("VOTCA's csg_defaults.xml was not found", accepted=accepted)
