"""Options that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated

import typer

RunDirectory = Annotated[Path, typer.Argument(help="Main directory of the run (step_001, step_002, ...).")]
Interaction = Annotated[
    str | None, typer.Option(help="Name of the interaction; needed when there are several.")
]
