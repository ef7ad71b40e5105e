"""A cheap liquid in a main directory, and csg_inverse run in it as a user would."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

VOTCA_MLP = Path(sys.executable).parent / "votca-mlp"
SPECIES = {"Ar": (0.0103, 3.40, 39.948), "Kr": (0.0140, 3.65, 83.798)}
GRID = (0.0, 0.8, 0.01)
STALL = 120.0
"""Seconds without any progress after which a program is taken to hang."""
LOOK = 2.0
"""Seconds between two looks."""

# a test suite in the background ignores SIGINT, and so would the program that is given as arguments
FOREGROUND = """import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])"""

CALCULATOR = Path(__file__).with_name("fluid.py").read_text()


def needs_votca() -> None:
    """Skip without csg_inverse (package votca)."""
    if shutil.which("csg_inverse") is None or shutil.which("csg_call") is None:
        pytest.skip("csg_inverse is not installed (package votca)")


def make_case(
    directory: Path,
    symbols: tuple[str, ...] = ("Ar",),
    *,
    inverse: str = "",
    ase: str = "",
    interaction: str = "",
    iterations: int = 1,
    production: int = 800,
    weight: str = "<alpha>0.5</alpha><weight>target</weight>",
) -> Path:
    """Write a main directory with 108 atoms at 120 K; further tags go where their names say."""
    from ase.build import bulk
    from ase.io import write

    directory.mkdir(parents=True, exist_ok=True)
    atoms = bulk("Ar", "fcc", a=5.7, cubic=True).repeat(3)
    share = len(atoms) // len(symbols)
    atoms.symbols[:] = np.repeat(symbols, share)
    atoms.positions[:] = atoms.positions[np.random.default_rng(1).permutation(len(atoms))]
    write(directory / "conf.extxyz", atoms)
    (directory / "fluid.py").write_text(CALCULATOR)
    beads = "".join(
        f'<molecule name="{s}" nmols="{share}" nbeads="1">'
        f'<bead name="{s}" type="{s}" mass="{SPECIES[s][2]}" q="0"/></molecule>'
        for s in symbols
    )
    (directory / "topol.xml").write_text(f"<topology><molecules>{beads}</molecules></topology>\n")
    pairs = [(a, b) for i, a in enumerate(symbols) for b in symbols[i:]]
    sections = "".join(_interaction(a, b, weight, interaction) for a, b in pairs)
    for a, b in pairs:
        write_target(directory / f"{a}-{b}.dist.tgt", 0.05 * (SPECIES[a][1] + SPECIES[b][1]))
    parameters = ", ".join(f"{s}: [{SPECIES[s][0]}, {SPECIES[s][1]}]" for s in symbols)
    (directory / "settings.xml").write_text(f"""<cg>
{sections}  <inverse>
    <scriptpath>$({VOTCA_MLP} scriptpath)</scriptpath>
    <program>ase</program>
    <method>ibi</method>
    <kBT>0.99774</kBT>
    <filelist>topol.xml</filelist>
    <iterations_max>{iterations}</iterations_max>
    <initial_configuration>laststep</initial_configuration>
    <simulation><tasks>1</tasks></simulation>
    {inverse}
    <mlp>
      <kind>ase</kind>
      <calculator>fluid:lj</calculator>
      <arguments>{{species: {{{parameters}}}, cutoff: 8.0}}</arguments>
      <threads>1</threads>
    </mlp>
    <ase>
      <conf>conf.extxyz</conf>
      <ensemble>nvt</ensemble>
      <temperature>120</temperature>
      <timestep>4</timestep>
      <first_equilibration>400</first_equilibration>
      <equilibration>200</equilibration>
      <production>{production}</production>
      <sample_every>40</sample_every>
      <checkpoint_every>400</checkpoint_every>
      {ase}
    </ase>
  </inverse>
</cg>
""")
    return directory


def _interaction(a: str, b: str, weight: str, extra: str) -> str:
    return f"""  <non-bonded>
    <name>{a}-{b}</name>
    <type1>{a}</type1>
    <type2>{b}</type2>
    <min>{GRID[0]:g}</min>
    <max>{GRID[1]:g}</max>
    <step>{GRID[2]:g}</step>
    <inverse>
      <target>{a}-{b}.dist.tgt</target>
      <wibi>{weight}</wibi>
      {extra}
    </inverse>
  </non-bonded>
"""


def write_target(path: Path, sigma: float) -> None:
    """Write a g(r) like that of a simple liquid with a first peak near 1.1 sigma (nm)."""
    r = np.round(np.arange(GRID[0], GRID[1] + 1e-9, GRID[2]), 6)
    x = np.clip(r / sigma, 0.3, None)
    g = np.exp(-4.0 * (x**-12 - x**-6)) * (1.0 + 0.3 * np.cos(6.0 * (x - 1.1)) * np.exp(-(x - 1.0)))
    np.savetxt(path, np.column_stack([r, g]), fmt="%.6f %.10f i")


def environment(**more: str) -> dict[str, str]:
    """Return an environment without what an outer csg_inverse or shell may have set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CSG", "VOTCA_CSG", "VOTCA_MLP"))}
    return {**kept, "OMP_NUM_THREADS": "1", "CSGNOCOLOR": "yes", **more}


def start_program(directory: Path, *command: str | Path, **more: str) -> "subprocess.Popen[str]":
    """Start a program in a session of its own: where ps is missing, VOTCA's die kills its whole group."""
    return subprocess.Popen(
        command,
        cwd=directory,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def start(directory: Path, *options: str, **more: str) -> "subprocess.Popen[str]":
    """Start csg_inverse."""
    return start_program(directory, "csg_inverse", "--options", "settings.xml", *options, **more)


def inverse(directory: Path, *options: str, **more: str) -> tuple[int, str]:
    """Run csg_inverse to its end; return exit status and what the terminal shows."""
    process = start(directory, *options, **more)
    output = finished(process)
    return process.returncode, output


def csg_call(directory: Path, *words: str, **more: str) -> tuple[int, str]:
    """Run csg_call with the case's settings; return exit status and output."""
    words = ("--options", str(settings_of(directory)), *words)
    process = start_program(directory, "csg_call", *words, **more)
    output = finished(process)
    return process.returncode, output


def finished(process: "subprocess.Popen[str]") -> str:
    """Wait for a program's end, return its output; fail when it has stood still for ``STALL`` seconds."""
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(process.communicate()[0]), daemon=True)
    reader.start()
    clock = Stall()
    while reader.is_alive():
        if clock.stands_still():
            os.killpg(process.pid, signal.SIGKILL)
            reader.join()
            raise AssertionError(f"stood still for {STALL:g} s: {found}")
        reader.join(min(1.0, LOOK))
    return found[0]


def settings_of(directory: Path) -> Path:
    """Return the settings.xml of a main directory or of one of its steps."""
    here = directory / "settings.xml"
    return here if here.exists() else directory.parent / "settings.xml"


def edit(path: Path, changes: Mapping[str, str]) -> None:
    """Replace each key, which must be there once, by its value."""
    text = path.read_text()
    for old, new in changes.items():
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    path.write_text(text)


class Stall:
    """Whether the programs that this process has started do nothing: a busy machine is slow, but not that.

    What they do is their processor time, counted by session: each of them was started in one of its own.
    With a ``leader`` only the program of that process counts.
    """

    def __init__(self, seconds: float | None = None, leader: int | None = None) -> None:
        self.seconds, self._ticks, self.leader = STALL if seconds is None else seconds, -1, leader
        self._looked = self._since = time.monotonic()

    def stands_still(self) -> bool:
        """Return whether nothing has been done for so many seconds; cheap, also when asked often."""
        now = time.monotonic()
        if now - self._looked > LOOK:
            self._looked = now
            ticks = ticks_of_programs(self.leader)
            if ticks != self._ticks:
                self._ticks, self._since = ticks, now
        return now - self._since > self.seconds


def ticks_of_programs(leader: int | None = None) -> int:
    """Return the processor time, in the system's ticks, of the sessions that our children lead, or of one."""
    found: dict[int, tuple[int, int, int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # parent, session, and the times of the process and of those that it has waited for
        found[int(entry.name)] = (int(fields[1]), int(fields[3]), sum(map(int, fields[11:15])))
    leaders = {pid for pid, (parent, session, _) in found.items() if parent == os.getpid() and session == pid}
    leaders = leaders if leader is None else {leader}
    return sum(ticks for _, session, ticks in found.values() if session in leaders)


def wait_for(condition: "object", what: str, seconds: float = STALL) -> None:
    """Wait until ``condition()`` is true; fail when what was started has stood still for so many seconds."""
    clock = Stall(seconds)
    while not condition():  # type: ignore[operator]
        assert not clock.stands_still(), f"stood still for {seconds:g} s while waiting for {what}"
        time.sleep(0.02)


def working_in(directory: Path) -> list[int]:
    """Return the processes whose working directory is ``directory``."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if not entry.name.isdecimal() or (entry / "cwd").resolve() != directory.resolve():
                continue
            # a zombie has ended
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(entry.name))
        except OSError:
            continue
    return found
