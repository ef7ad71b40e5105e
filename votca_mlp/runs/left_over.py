"""What a killed run could not remove: broken-off files in its directory, its last step and its states."""

from pathlib import Path

from votca_mlp.files import remove_left_over

CHECKS = "checks"
"""Folder of the simulations at the end of a run."""


def remove_left_over_of_run(main: Path) -> None:
    """Remove what :func:`votca_mlp.files.atomic_write` could not, from all places that a run goes on in.

    To be called at the start of a loop that no other works beside. Earlier steps are complete.
    """
    for top in (*sorted(main.glob("step_*"))[-1:], main / CHECKS):
        for folder in (top, *(path for path in top.rglob("*") if path.is_dir())):
            remove_left_over(folder)
    # folders in it are the user's
    remove_left_over(main)
