"""``votca-mlp inverse``: the loop without csg_inverse."""

import os
import re
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.cli.types import SETTINGS, settings_file
from votca_mlp.errors import UserError
from votca_mlp.interrupts import raise_on_sigterm
from votca_mlp.processes import age, is_interrupt

_ACCEPTED = "votca-mlp inverse [settings.xml] [-N n] [--wall-time seconds] [clean]"
_COUNTDOWN = 10

_Words = Annotated[
    list[str] | None,
    typer.Argument(
        help="The settings file, or its folder. clean removes done, the log and all steps. -6 is -N 6."
    ),
]
_Options = Annotated[
    Path | None,
    typer.Option("--options", help="The same, as csg_inverse names it; settings.xml when none is named."),
]
_Iterations = Annotated[
    int | None,
    typer.Option(
        "--do-iterations", "-N", min=1, help="Only so many iterations, whatever iterations_max says."
    ),
]
_WallTime = Annotated[int | None, typer.Option("--wall-time", min=1, help="Stop within so many seconds.")]
_NoWait = Annotated[bool, typer.Option("--nowait", help="clean: without counting down.")]


def inverse(
    words: _Words = None,
    options: _Options = None,
    do_iterations: _Iterations = None,
    wall_time: _WallTime = None,
    nowait: _NoWait = False,
) -> None:
    """Run the iterations of settings.xml as csg_inverse would, or go on with them."""
    named = [] if options is None else [options]
    for word in words or []:
        if re.fullmatch(r"-0*[1-9]\d{0,8}", word):
            do_iterations = int(word[1:])
        elif word.endswith(".xml") or (word != "clean" and os.path.isdir(word)):
            named.append(Path(word))
        elif word != "clean":
            raise UserError(f"'{word}' is no option", accepted=_ACCEPTED)
    if len(set(named)) > 1:
        raise UserError("two settings files are named", where="--options", accepted=_ACCEPTED)
    settings = settings_file(named[0] if named else Path(SETTINGS))
    if words and "clean" in words:
        _clean(settings, 0 if nowait else _COUNTDOWN)
        return
    if nowait:
        raise UserError("is for clean", where="--nowait", accepted="votca-mlp inverse clean --nowait")
    # a queue's way to end a job: leave as with Ctrl-C
    raise_on_sigterm()
    try:
        from votca_mlp.inverse.start import run_inverse

        run_inverse(settings, do_iterations=do_iterations, wall_time=wall_time, age=age())
    except (KeyboardInterrupt, SystemError, SystemExit) as error:
        if not is_interrupt(error):
            raise
        typer.echo("interrupted; run again to go on from the last checkpoint", err=True)
        sys.exit(130)


def _clean(options: Path, seconds: int) -> None:
    from votca_mlp.inverse.options import loop_options
    from votca_mlp.inverse.start import clean, to_clean
    from votca_mlp.settings import load_settings

    settings = load_settings(options)
    run = settings.main_directory, loop_options(settings).log_file
    names = [path.name for path in to_clean(*run)]
    if not names:
        typer.echo("Nothing to clean")
        return
    typer.echo("I will remove:\n" + "\n".join(names))
    if seconds:
        typer.echo(f"in {seconds} seconds; CTRL-C to stop it")
        time.sleep(seconds)
    clean(*run)
    typer.echo("Done")
