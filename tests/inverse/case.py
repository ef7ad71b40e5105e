"""The loop of our own, run as a user would, in the cases of the csg_inverse tests."""

import os
import subprocess
from pathlib import Path

import numpy as np

from tests.csg.case import VOTCA_MLP, finished, start_program
from votca_mlp.tables import read_table

LOOP_FILES = ("dist.tgt", "dist.new", "dpot.pure_ibi", "dpot.new", "pot.cur", "pot.new")


def start_ours(directory: Path, *options: str, **more: str) -> "subprocess.Popen[str]":
    """Start ``votca-mlp inverse`` in a session of its own."""
    return start_program(directory, VOTCA_MLP, "inverse", "--options", "settings.xml", *options, **more)


def ours(directory: Path, *options: str, **more: str) -> tuple[int, str]:
    """Run ``votca-mlp inverse`` to its end; return exit status and what the terminal shows."""
    process = start_ours(directory, *options, **more)
    output = finished(process)
    return process.returncode, output


def numbers(path: Path) -> str:
    """Return the lines of a table without comments."""
    return "".join(line for line in path.read_text().splitlines(keepends=True) if line[0] not in "#@")


def same_tables(a: Path, b: Path, names: tuple[str, ...], files: tuple[str, ...] = LOOP_FILES) -> None:
    """Compare two step directories: values within a unit of the tenth digit, the flags exactly."""
    for name in names:
        for end in files:
            one, two = read_table(a / f"{name}.{end}"), read_table(b / f"{name}.{end}")
            assert list(one.flags) == list(two.flags), f"{name}.{end}"
            scale = max(1.0, float(np.abs(two.y).max()))
            assert np.abs(one.y - two.y).max() <= 1e-9 * scale, f"{name}.{end}"


def potentials(main: Path, number: int, names: tuple[str, ...] = ("Ar-Ar",)) -> str:
    """Return the numbers of a step's potentials, digit by digit."""
    return "".join(numbers(main / f"step_{number:03d}" / f"{name}.pot.new") for name in names)


def alone(process: "subprocess.Popen[str]") -> None:
    """Kill a process and all that it started, without warning."""
    os.killpg(process.pid, 9)
    process.communicate()
