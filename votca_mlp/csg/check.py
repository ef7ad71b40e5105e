"""Everything that can be checked before the first simulation."""

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.csg.run import csg_context
from votca_mlp.errors import UserError
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.stages.prepare import check_everything
from votca_mlp.inverse.states import described_basis
from votca_mlp.settings.inputs import check_inputs

if TYPE_CHECKING:
    from votca_mlp.csg.environment import CsgEnvironment
    from votca_mlp.settings import Settings

OLDEST_VOTCA = (2022, 1)
"""The first version that this is tested with; csg_inverse ended with 2025.1."""


def check_before_start(settings: "Settings", environment: "CsgEnvironment") -> list[str]:
    """Check VOTCA, targets, weights, initial potentials, start configuration and model.

    Returns
    -------
    What was found, for the user's terminal.

    Raises
    ------
    UserError
        The first thing that would stop the run later.
    """
    version = check_votca(votca_version())
    found = [f"VOTCA {'.'.join(map(str, version))}" if version else "VOTCA of unknown version"]
    check_main_directory(settings, environment.main_directory)
    check_scope(settings)
    # every problem of the files at once, before the first that the plan would trip over
    check_inputs(settings)
    context = csg_context(plan_of(settings), environment)
    lines = check_everything(context)
    if context.plan.several:
        found.append(f"Shared by the states: {described_basis(context.plan)}")
    return found + lines


def votca_version() -> str:
    """Return what ``csg_call --version`` prints.

    Raises
    ------
    UserError
        It cannot be run.
    """
    accepted = "VOTCA 2022.1 to 2025.1 with csg_call on the PATH"
    try:
        done = subprocess.run(
            ["csg_call", "--version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(f"csg_call --version failed: {error}", accepted=accepted) from None
    return done.stdout


def check_votca(text: str) -> tuple[int, ...]:
    """Return the version in the output of ``csg_call --version``; empty for a build that does not say.

    Raises
    ------
    UserError
        One that is too old.
    """
    match = re.search(r"version\s+v?(\d{4})(?:\.(\d+))?", text)
    if match is None:
        return ()
    version = tuple(int(part) for part in match.groups() if part is not None)
    if version < OLDEST_VOTCA[: len(version)]:
        accepted = f"{OLDEST_VOTCA[0]}.{OLDEST_VOTCA[1]} to 2025.1"
        raise UserError(f"VOTCA {'.'.join(map(str, version))} is too old", accepted=accepted)
    return version


def check_scope(settings: "Settings") -> None:
    """Refuse what the settings may say but csg_inverse cannot do with this program.

    Raises
    ------
    UserError
        With several states, tasks that know one g(r) only.
    """
    if not settings.multistate.enabled:
        return
    for interaction in settings.interactions:
        tag = f"cg.non-bonded[{interaction.name}].inverse.post_add_options.convergence.what"
        if (settings.text(tag) or "dist").split() != ["dist"]:
            raise UserError(
                f"is '{settings.text(tag)}', but the convergence of several states is that of their g(r)",
                where=settings.where(tag),
                accepted="dist, or no such tag",
            )


def check_main_directory(settings: "Settings", main_directory: Path) -> None:
    """Refuse a settings.xml from another folder: VOTCA looks for its files where csg_inverse was started.

    Raises
    ------
    UserError
        The two folders differ.
    """
    if not settings.main_directory.samefile(main_directory):
        raise UserError(
            f"csg_inverse was started in {main_directory}, the settings are in {settings.main_directory}",
            where=settings.path,
            accepted="cd into the folder of settings.xml and start csg_inverse there",
        )
