"""``votca-mlp train``: an MLP from labelled frames of one or several levels of theory."""

from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.errors import UserError
from votca_mlp.interrupts import raise_on_sigterm
from votca_mlp.processes import is_interrupt


def train(
    settings: Annotated[Path, typer.Argument(help="settings.yaml, see docs/training.md.")],
    write: Annotated[
        Path | None,
        typer.Option(help="With --check: write the frames (eV, Angstrom) as NAME.xyz, .db, .npz or .h5."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Read and check the data, train nothing.")] = False,
) -> None:
    """Train a HIP-NN on energies, forces and stress of one or several levels of theory.

    Writes model, card (errors on held-out groups), losses by epoch and checkpoints into the folder that the
    settings name. Run it again to go on with a training that was stopped.
    """
    from votca_mlp.progress import open_progress

    if check:
        from votca_mlp.training.ready import get_ready
        from votca_mlp.training.settings.read import load_train_settings
        from votca_mlp.training.sources.writing import write_frames

        ready = get_ready(load_train_settings(settings), settings.parent, typer.echo)
        if write is not None:
            write_frames(write, ready.data.frames)
        return
    if write is not None:
        raise UserError("is for --check", where="--write", accepted="--check --write FILE")
    from votca_mlp.training.command import run_training

    # a queue's way to end a job: leave as with Ctrl-C
    raise_on_sigterm()
    try:
        made = run_training(settings, open_progress("epochs"), typer.echo)
    except (KeyboardInterrupt, SystemError, SystemExit) as error:
        if not is_interrupt(error):
            raise
        typer.echo("votca-mlp: stopped; run it again to go on", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"written: {made.folder}")
