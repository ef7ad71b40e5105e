"""A run from the command line to the loop: settings, lock, environment, clean."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from votca_mlp.csg.environment import allowed_steps
from votca_mlp.errors import UserError
from votca_mlp.inverse import summary, temperature
from votca_mlp.inverse.context import Context, identity_of, model_loader
from votca_mlp.inverse.loop import run_loop
from votca_mlp.inverse.messages import Messages
from votca_mlp.inverse.options import loop_options
from votca_mlp.runs import lock
from votca_mlp.settings import Settings, load_settings
from votca_mlp.settings.states import states_of


def run_inverse(options: Path, *, do_iterations: int | None = None, wall_time: int | None = None) -> str:
    """Run the loop that a settings.xml describes, in its folder; return why it stopped.

    Parameters
    ----------
    options
        settings.xml.
    do_iterations
        Only so many iterations.
    wall_time
        Seconds.

    Raises
    ------
    UserError
        Everything that a user can put right.
    """
    begin = time.monotonic()
    settings = load_settings(options)
    known = loop_options(settings)
    with lock.locked(settings.main_directory):
        messages = Messages(settings.main_directory / known.log_file)
        try:
            left = _countdown(begin, wall_time)
            context = make_context(settings, messages, time_left=left)
            return run_loop(context, do_iterations=do_iterations)
        except UserError as error:
            messages.note(f"votca-mlp: {error}")
            raise
        finally:
            messages.close()


def make_context(
    settings: Settings, messages: Messages, *, time_left: Callable[[], float | None] = lambda: None
) -> Context:
    """Return the context of a run; obeys CSG_MDRUN_STEPS and CSG_NUM_THREADS as csg_inverse's step does.

    Raises
    ------
    UserError
        An environment variable that is not a number; a model that is not there.
    """
    return Context(
        settings=settings,
        options=loop_options(settings),
        messages=messages,
        load_model=model_loader(settings),
        model_identity=identity_of(settings),
        time_left=time_left,
        max_steps=allowed_steps(),
        states=states_of(settings) if settings.multistate.enabled else (),
    )


def to_clean(settings: Settings) -> list[Path]:
    """Return what ``clean`` removes from the main directory: done, log, steps, editors' backups."""
    main, log = settings.main_directory, loop_options(settings).log_file
    names = ("done", log, summary.NAME, temperature.NAME, lock.NAME)
    files = [main / name for name in names if (main / name).exists()]
    return files + sorted(main.glob("step_*")) + sorted(main.glob("*~"))


def clean(settings: Settings) -> None:
    """Remove what :func:`to_clean` lists.

    Raises
    ------
    UserError
        A run works in the directory.
    """
    with lock.locked(settings.main_directory):
        for path in to_clean(settings):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != lock.NAME:
                path.unlink()
    (settings.main_directory / lock.NAME).unlink(missing_ok=True)


def _countdown(begin: float, wall_time: int | None) -> Callable[[], float | None]:
    # a clock that never goes back: setting the system's time must not lengthen a job
    return lambda: None if wall_time is None else begin + wall_time - time.monotonic()
