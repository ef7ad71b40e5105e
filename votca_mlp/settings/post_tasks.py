"""Names of VOTCA's tasks in ``post_update`` and ``post_add``: of both loops, or of csg_inverse alone."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from votca_mlp.settings.document import Node
from votca_mlp.settings.interaction import Interaction
from votca_mlp.settings.problems import Problem
from votca_mlp.settings.scripts import SCRIPT_DIRECTORY

POST_UPDATE = ("dummy", "extrapolate", "ibi", "pressure", "scale", "shift", "smooth", "splinesmooth", "tag")
POST_ADD = (
    "acc_convergence",
    "average",
    "compress",
    "convergence",
    "copyback",
    "dummy",
    "overwrite",
    "shift",
    "smooth_at_cut_off",
    "tag",
)
IN_BOTH = {"post_update": POST_UPDATE, "post_add": POST_ADD}
"""Tasks that both loops have."""
OF_CSG_INVERSE = {"post_update": ("cibi", "kbibi", "lj"), "post_add": ("plot",)}
"""Tasks of VOTCA's own csg_table that ``votca-mlp inverse`` refuses."""
INSTEAD = {"plot": "votca-mlp plot, also while the loop runs"}
_OURS = re.compile(r"\$\([^)]*\bscriptpath\s*\)")


def named(pair: Interaction) -> dict[str, tuple[str, ...]]:
    """Return the tasks that an interaction names, by tag."""
    return {"post_update": pair.post_update, "post_add": pair.post_add}


def other_folders(scriptpath: str) -> list[str]:
    """Return the folders of scripts in a <scriptpath> that are not this package's."""
    text = _OURS.sub("", scriptpath)
    entries = [entry.strip() for entry in text.replace("\n", ":").split(":")]
    return [entry for entry in entries if entry and Path(entry) != SCRIPT_DIRECTORY]


def task_problems(root: Node, node: Node, pair: Interaction) -> Iterator[Problem]:
    """Yield a problem for each task that no csg_table knows, and for a packer that is missing.

    Parameters
    ----------
    root, node
        The elements ``cg`` and ``non-bonded``.
    """
    scriptpath = root.deepest("inverse.scriptpath")
    folders = scriptpath.tag == "scriptpath" and other_folders(scriptpath.text)
    # another csg_table may name more; csg_inverse finds those of the environment as well
    if not folders and "CSGSHARE" not in os.environ:
        for tag, tasks in named(pair).items():
            for task in tasks:
                if task not in (*IN_BOTH[tag], *OF_CSG_INVERSE[tag]):
                    line = node.deepest(f"inverse.{tag}").line
                    what = f"names '{task[:80]}', a task that neither VOTCA nor this package has"
                    accepted = f"{', '.join(IN_BOTH[tag])}, or a folder with a csg_table in <scriptpath>"
                    yield Problem(line, f"{node.path}.inverse.{tag}", what, accepted)
    packer = node.deepest("inverse.post_add_options.compress.program")
    program = packer.text if packer.tag == "program" and packer.text else "gzip"
    # a relative path is one of the step's, which is not there yet
    if "compress" in pair.post_add and _is_looked_up(program) and shutil.which(program) is None:
        what = f"is '{program[:80]}', which is not found here"
        path = f"{node.path}.inverse.post_add_options.compress.program"
        yield Problem(
            packer.line, path, what, "a program on the PATH, such as gzip; its options in program_opts"
        )


def _is_looked_up(program: str) -> bool:
    return os.sep not in program or Path(program).is_absolute()
