"""Options that several commands share, each declared once; a run by its folder or by its settings.xml."""

import os
from pathlib import Path
from typing import Annotated

import typer

SETTINGS = "settings.xml"


def settings_file(path: Path) -> Path:
    """Return the settings file that is meant: of a run's main directory the one in it."""
    # os.path, not Path: a name that no file can have is refused later, in words
    return path / SETTINGS if os.path.isdir(path) else path


def run_directory(path: Path) -> Path:
    """Return the main directory that is meant: of a settings file the folder that it is in."""
    return path.parent if path.suffix == ".xml" and os.path.isfile(path) else path


RunDirectory = Annotated[
    Path,
    typer.Argument(
        help="Main directory of the run (step_001, step_002, ...), or its settings.xml.",
        callback=run_directory,
    ),
]
SettingsFile = Annotated[
    Path, typer.Argument(help="The settings file, or the folder that it is in.", callback=settings_file)
]
Interaction = Annotated[
    str | None, typer.Option(help="Name of the interaction; needed when there are several.")
]
