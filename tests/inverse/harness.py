"""A run in child processes that are killed, starved of disk or told a wrong time at a chosen write.

Run as ``python -m tests.inverse.harness MAIN FAULT...`` in a process of its own, which imports everything
once and then forks: an iteration of a small liquid takes a fraction of a second. For each fault a copy of
MAIN is run with it, then without it, and a line of JSON tells how all runs ended.
"""

import importlib
import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from votca_mlp import files
from votca_mlp.errors import UserError
from votca_mlp.inverse.start import run_inverse


def run(main: Path, before: Callable[[], None] | None) -> dict[str, Any]:
    """Run one iteration in a child; return its exit status, or signal, and what it told."""
    told = main / "told.txt"
    child = os.fork()
    if child == 0:
        status = 3
        try:
            with open(told, "w") as file:
                os.dup2(file.fileno(), 1)
            sys.stdout = os.fdopen(1, "w", closefd=False)
            if before is not None:
                before()
            run_inverse(main / "settings.xml")
            status = 0
        except UserError as error:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            (main / "error.txt").write_text(str(error))
            status = 1
        except BaseException:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            (main / "error.txt").write_text(traceback.format_exc())
        finally:
            os._exit(status)
    _, code = os.waitpid(child, 0)
    error = main / "error.txt"
    text = error.read_text() if error.is_file() else ""
    error.unlink(missing_ok=True)
    return {"status": os.waitstatus_to_exitcode(code), "error": text, "told": told.read_text()}


KILLS = "kills.txt"


def storm() -> Callable[[], None]:
    """Die once in each write: when a file is half written under its temporary name, and after its rename.

    Around the marks of done steps and the trajectory's rename, too. Where it has died already is kept in
    ``kills.txt``, so that repeated runs get further each time.
    """

    def install() -> None:
        path = Path(KILLS).resolve()
        here = path.parent
        whole, replace, touch = files.atomic_write, os.replace, Path.touch

        def perhaps(stage: str, name: str | Path, half: IO[Any] | None = None) -> None:
            at = f"{stage} {os.path.relpath(name, here)}"
            known = path.read_text().splitlines() if path.exists() else []
            if at in known:
                return
            path.write_text("\n".join([*known, at]))
            if half is not None:
                half.flush()
                os.ftruncate(half.fileno(), half.tell() // 2)
            os.kill(os.getpid(), signal.SIGKILL)

        @contextmanager
        def dying(name: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
            with whole(name, mode) as file:
                yield file
                perhaps("half", name, file)

        def renaming(old: Any, new: Any) -> None:
            if Path(new).suffix == ".dump":
                perhaps("before", new)
            replace(old, new)
            if Path(new).suffix in (".dump", ".json", ".log", ".cur", ".npz"):
                perhaps("after", new)

        def touching(self: Path) -> None:
            perhaps("before", self)
            touch(self)
            perhaps("after", self)

        _replace_everywhere(whole, dying)
        os.replace = renaming
        Path.touch = touching  # type: ignore[method-assign,assignment]

    return install


def _replace_everywhere(old: Any, new: Any) -> None:
    for module in [module for name, module in sys.modules.items() if name.startswith("votca_mlp")]:
        if getattr(module, "atomic_write", None) is old:
            module.atomic_write = new  # type: ignore[attr-defined]


def full_at(size: int) -> Callable[[], None]:
    """No file may grow beyond ``size`` bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def clock_back() -> Callable[[], None]:
    """The system's time jumps back by a day at every third look."""

    def install() -> None:
        true, looks = time.time, iter(range(1, 10_000_000))
        time.time = lambda: true() - 86400.0 * (next(looks) // 3)

    return install


def fault(words: str) -> Callable[[], None] | None:
    """Return the fault of ``full:SIZE``, ``clock``, ``storm`` or ``none``."""
    name, _, number = words.partition(":")
    if name == "full":
        return full_at(int(number))
    return {"clock": clock_back, "storm": storm, "none": lambda: None}[name]()


def _import() -> None:
    """Import what an iteration imports, before any child is made.

    Not :mod:`votca_mlp.kernels.chunks` and what needs it: it starts the threads of GNU OpenMP, and a process
    that forks afterwards is ended by numba.
    """
    for name in ("ase.build", "ase.calculators.calculator", "ase.io.extxyz", "scipy.interpolate", "yaml"):
        importlib.import_module(name)
    target = importlib.import_module("numba.core.registry").cpu_target
    for context in (target.typing_context, target.target_context):
        context.refresh()


def main() -> None:
    """Try every fault of the command line on a copy of the first argument."""
    _import()
    source = Path(sys.argv[1])
    for words in sys.argv[2:]:
        copy = source.parent / f"{source.name}-{words.replace(':', '-')}"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
        os.chdir(copy)
        ends = [run(copy, fault(words))]
        while ends[-1]["status"] == -signal.SIGKILL and len(ends) < 200:
            ends.append(run(copy, fault(words)))
        if not (copy / "step_001/done").is_file():
            # as the user would, when the fault is gone
            ends.append(run(copy, None))
        print(json.dumps({"fault": words, "main": str(copy), "ends": ends}), flush=True)


if __name__ == "__main__":
    main()
