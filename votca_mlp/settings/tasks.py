"""Options of VOTCA's own that this package has no field for: numbers and names that spoil a run.

Both loops obey them, so they are checked with the settings, before hours of MD.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from votca_mlp.plain import number_of, plain_file_name, whole_number_of
from votca_mlp.settings.document import Node
from votca_mlp.settings.interaction import Interaction
from votca_mlp.settings.post_tasks import task_problems
from votca_mlp.settings.problems import Problem

_LARGEST = 1e15
_MOST = 10_000
"""Repetitions and points: more would smooth a table for hours."""
_OPTIONS = ("post_update_options", "post_add_options")
_WHOLE = ("post_update_options.smooth.iterations", "post_update_options.extrapolate.points")
_SPACING = "post_update_options.splinesmooth.step"
_CYCLES = ("post_update_options.ibi.do", "post_add_options.overwrite.do")
_FILES = ("copyback", "compress")
_CONVERGENCE = {"what": "dist", "base": "tgt", "weight": "1", "norm": "1"}
"""Words of the task, one of each a measure, with VOTCA's defaults."""


def number_problems(root: Node, pairs: Iterable[tuple[Node, Interaction]]) -> Iterator[Problem]:
    """Yield what is wrong with the numbers of tasks, of averages and of the simulations at the same time."""
    tasks = _there(root, "inverse.simulation.tasks")
    if tasks is not None and tasks.text not in ("", "auto") and _whole(tasks.text) < 1:
        yield _problem(tasks, "auto, or a whole number > 0")
    steps = _there(root, "inverse.average.steps")
    if steps is not None and steps.text and not 0 <= _whole(steps.text) <= _MOST:
        yield _problem(steps, f"a whole number >= 0 and <= {_MOST}")
    background = _there(root, "inverse.simulation.background")
    if background is not None and background.text not in ("", "yes", "no"):
        yield _problem(background, "yes | no")
    yield from _names(root)
    for node, pair in pairs:
        yield from task_problems(root, node, pair)
        inverse = node.first("inverse")
        if inverse is not None:
            yield from _of_tasks(inverse, pair)


def written_onto(root: Node, inputs: set[Path], main: Path) -> Iterator[Problem]:
    """Yield a problem for each file that a run would write over one of its inputs, or over its mark ``done``.

    Parameters
    ----------
    inputs
        Files of the main directory, absolute.
    """
    names = {path.name for path in inputs}
    log = _there(root, "inverse.log_file")
    # VOTCA and this package take the last part of the name
    if log is not None and log.text and main / Path(log.text).name in {*inputs, main / "done"}:
        yield _problem(log, "a name that no input has: it would be written over")
    restart = _there(root, "inverse.restart_file")
    if restart is not None and Path(restart.text).name in {*names, "done"} - {""}:
        yield _problem(restart, "a name that no input has: its copy in the step would be written over")
    for pair in root.all("non-bonded"):
        copied = _there(pair, "inverse.post_add_options.copyback.filelist")
        for name in copied.text.split() if copied is not None else ():
            if (main / Path(name).name) in {*inputs, main / "done"} and copied is not None:
                what = f"names '{name}', an input of the run"
                accepted = "files of the step that are no inputs of the main directory"
                yield Problem(copied.line, copied.path, what, accepted)


def _names(root: Node) -> Iterator[Problem]:
    """Refuse names that the loops' own files cannot have, and files of others to be removed."""
    for path in ("inverse.log_file", "inverse.restart_file"):
        node = _there(root, path)
        if node is None or not node.text:
            continue
        try:
            # VOTCA and this package take the last part
            plain_file_name(Path(node.text).name)
        except ValueError as error:
            yield Problem(node.line, node.path, str(error), "a file name")
    yield from _outside(_there(root, "inverse.cleanlist"))


def _outside(node: Node | None) -> Iterator[Problem]:
    """Refuse files outside the step, which would be removed, packed or copied onto themselves; options."""
    if node is None:
        return
    for word in node.text.split():
        if Path(word).is_absolute() or ".." in Path(word).parts or word.startswith("-"):
            what = f"names '{word[:80]}', outside the step directory"
            if word.startswith("-"):
                what = f"names '{word[:80]}', which programs take as an option"
            yield Problem(node.line, node.path, what, "names of files in it")


def _of_tasks(inverse: Node, pair: Interaction) -> Iterator[Problem]:
    tasks = {*pair.post_update, *pair.post_add}
    spacing = _there(inverse, _SPACING)
    if spacing is not None and spacing.text:
        if not pair.step <= _number(spacing.text) <= pair.max:
            yield _problem(spacing, f"a number from {pair.step:g} to {pair.max:g} (nm), several grid steps")
    elif "splinesmooth" in tasks:
        yield _missing(inverse, _SPACING, "a number > 0 (nm)")
    for path in _CYCLES:
        cycle = _there(inverse, path)
        if cycle is not None and any(word not in ("0", "1") for word in cycle.text.split()):
            yield _problem(cycle, "0 and 1 separated by spaces")
    for name in _FILES:
        path = f"post_add_options.{name}.filelist"
        files = _there(inverse, path)
        yield from _outside(files)
        if name in tasks and (files is None or not files.text):
            yield _missing(inverse, path, "names of files in the step directory")
    yield from _of_convergence(inverse)
    for path in _WHOLE:
        node = _there(inverse, path)
        if node is not None and node.text and not 0 <= _whole(node.text) <= _MOST:
            yield _problem(node, f"a whole number >= 0 and <= {_MOST}")
    scale = _there(inverse, "post_update_options.scale")
    if scale is not None and scale.text and math.isnan(_number(scale.text)):
        yield _problem(scale, f"a number between -{_LARGEST:g} and {_LARGEST:g}")
    for section in filter(None, map(inverse.first, _OPTIONS)):
        for leaf in section.walk():
            wild = [word for word in leaf.text.split() if _is_wild(word)]
            if wild and leaf is not scale and not leaf.children:
                yield _problem(leaf, f"numbers between -{_LARGEST:g} and {_LARGEST:g}")


def _of_convergence(inverse: Node) -> Iterator[Problem]:
    section = _there(inverse, "post_add_options.convergence")
    if section is None:
        return
    found = {name: section.first(name) for name in _CONVERGENCE}
    weight, norm = found["weight"], found["norm"]
    if weight is not None and any(math.isnan(_number(word)) for word in weight.text.split()):
        yield _problem(weight, "numbers, one for each of <what>")
    if norm is not None and any(word not in ("1", "2") for word in norm.text.split()):
        yield _problem(norm, "1 or 2, one for each of <what>")
    words = {name: (node.text if node and node.text else _CONVERGENCE[name]) for name, node in found.items()}
    if len({len(text.split()) for text in words.values()}) > 1:
        what = "what, base, weight and norm have different lengths"
        yield Problem(section.line, section.path, what, "equally many")


def _missing(inverse: Node, path: str, accepted: str) -> Problem:
    return Problem(inverse.deepest(path).line, f"{inverse.path}.{path}", "is missing", accepted)


def _is_wild(word: str) -> bool:
    """Return whether a word is a number that ends in tables which are none."""
    try:
        return not abs(float(word)) <= _LARGEST
    except ValueError:
        return False


def _number(text: str) -> float:
    """Return a usable number, nan for anything else."""
    try:
        value = number_of(text)
    except ValueError:
        return math.nan
    return value if abs(value) <= _LARGEST else math.nan


def _whole(text: str) -> int:
    """Return a whole number of few digits, -1 for anything else."""
    try:
        return whole_number_of(text, 10**9)
    except ValueError:
        return -1


def _there(node: Node, path: str) -> Node | None:
    found = node.deepest(path)
    return found if found.path == f"{node.path}.{path}" else None


def _problem(node: Node, accepted: str) -> Problem:
    return Problem(node.line, node.path, f"is '{' '.join(node.text.split())[:80]}'", accepted)
