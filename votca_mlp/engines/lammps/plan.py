"""What the commands of a LAMMPS script will do, known before LAMMPS is started."""

import re
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.engines.lammps.script import Command
from votca_mlp.errors import UserError
from votca_mlp.plain import whole_number_of

MAKES_BOX = ("read_data", "read_restart", "create_box")
"""Commands that bring atoms into being; a resumed run reads its checkpoint in the place of the first."""
CHANGES_ATOMS = (
    *MAKES_BOX,
    "balance",
    "change_box",
    "create_atoms",
    "delete_atoms",
    "displace_atoms",
    "minimize",
    "read_dump",
    "replicate",
    "reset_atoms",
    "reset_timestep",
    "run",
    "set",
    "shell",
    "velocity",
    "write_data",
    "write_dump",
    "write_restart",
)
"""What a resumed run leaves out up to its checkpoint: the checkpoint has the atoms as these left them."""
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w)")


@dataclass(frozen=True)
class Dump:
    """The command that writes the trajectory: its ID, its interval in steps, its columns."""

    command: Command
    name: str
    every: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What a script will do.

    Attributes
    ----------
    commands
        All of them.
    runs
        MD steps of each ``run``, by the position of its command.
    dump
        What writes the trajectory.
    external
        ID of the script's own ``fix external``, None when it has none.
    insert
        Position of the command before which ours are put: the first ``fix``, else the first ``run``.
    temperatures
        Set temperatures (K) of the thermostats that act while the trajectory is written, with their commands.
    random_forces
        A thermostat adds forces of its own (Langevin).
    frames
        Of the trajectory; at most so many where the time step of the start is not known, None where the times
        of the dump are not.
    """

    commands: list[Command]
    runs: dict[int, int]
    dump: Dump
    external: str | None
    insert: int
    temperatures: list[tuple[Command, float]]
    random_forces: bool
    frames: int | None

    @property
    def total(self) -> int:
        """MD steps in all."""
        return sum(self.runs.values())


def plan_script(commands: list[Command], *, path: Path, traj: str, max_steps: int | None = None) -> Plan:
    """Return what the commands will do.

    Parameters
    ----------
    path
        The script, for messages.
    traj
        Name of the trajectory that a ``dump`` must write.
    max_steps
        Upper bound of the steps of each ``run`` (VOTCA's ``CSG_MDRUN_STEPS``).

    Raises
    ------
    UserError
        No run, no dump of this name or none during a run, units that are not metal, a ``fix external`` of
        another kind, numbers that are not known beforehand.
    """
    known: dict[str, str] = {}
    fixes: dict[str, Command] = {}
    runs: dict[int, int] = {}
    dump: Dump | None = None
    covered, random_forces, external, insert, made = False, False, None, None, False
    acting: dict[str, Command] = {}
    count = _Frames()
    for index, command in enumerate(commands):
        words = tuple(_filled(word, known) for word in command.words)
        if command.name == "variable" and len(words) == 4:
            known[words[1]] = words[3].strip("\"'")
        made = made or command.name in MAKES_BOX
        if command.name == "units" and words[1:] != ("metal",):
            raise UserError(
                f"units {' '.join(words[1:])}",
                where=command.where,
                accepted="units metal (eV, Angstrom, ps, K, bar); convert masses, times and the data file",
            )
        if command.name == "fix" and len(words) > 3:
            insert = index if insert is None else insert
            fixes[words[1]] = command
            random_forces = random_forces or "langevin" in words[3]
            if words[3] == "external":
                external = _external(command, words, external)
        if command.name == "unfix" and len(words) > 1:
            fixes.pop(words[1], None)
        if command.name == "dump" and len(words) > 5 and words[5] == traj:
            dump = _dump(command, words)
            count.begin(dump)
        count.look(words)
        if command.name == "run":
            insert = index if insert is None else insert
            runs[index] = _steps(command, words, max_steps)
            count.run(runs[index])
            if dump is not None:
                covered = True
                acting |= fixes
    if not runs:
        raise UserError("the script has no run command", where=path, accepted="run N after its fixes")
    if dump is None or not covered:
        what = (
            f"no dump writes {traj} during a run"
            if dump is None
            else f"no dump writes {traj} during a run, only after it"
        )
        line = f"dump traj all custom 50 {traj} id type element x y z   (before the run that is sampled)"
        raise UserError(what, where=path, accepted=line)
    if insert is None or not made or not any(command.name in MAKES_BOX for command in commands[:insert]):
        accepted = "read_data, or another command that makes the box, before the first fix and run"
        raise UserError("a fix or run comes before there are atoms", where=path, accepted=accepted)
    temperatures = [
        (command, value)
        for command in acting.values()
        for value in _set_temperatures([_filled(word, known) for word in command.words])
    ]
    return Plan(commands, runs, dump, external, insert, temperatures, random_forces, count.frames)


def check_frames(script: Plan, *, first_frame: int, needed: int) -> None:
    """Refuse a script that leaves too few frames.

    Parameters
    ----------
    first_frame
        From 1; 0 is also the first.
    needed
        Such as those of two blocks.

    Raises
    ------
    UserError
        Naming the dump and how many there are.
    """
    if script.frames is None:
        return
    left = script.frames - max(first_frame - 1, 0)
    if left < needed:
        raise UserError(
            f"{max(left, 0)} frames are left of {script.frames} after first_frame, {needed} are needed",
            where=script.dump.command.where,
            accepted="a longer run after this dump, a smaller interval of it, or a smaller first_frame or "
            "block_length",
        )


class _Frames:
    """Counts the frames that a dump will write: at each multiple of its interval, also where a run begins."""

    def __init__(self) -> None:
        self.frames: int | None = 0
        self.step: int | None = 0
        self.last: int | None = None
        self.dump: Dump | None = None

    def begin(self, dump: Dump) -> None:
        """Begin with the dump of the trajectory."""
        self.dump = dump

    def look(self, words: tuple[str, ...]) -> None:
        """Take what a command says of the time step, or of when the dump writes."""
        name = words[0]
        if name == "reset_timestep" and len(words) > 1:
            self.step = _whole(words[1]) if _whole(words[1]) or words[1] == "0" else None
            self.last = None
        if name in ("read_restart", "read_dump", "rerun"):
            self.step = None
        ours = self.dump is not None and words[1:2] == (self.dump.name,)
        if ours and name == "undump":
            self.dump = None
        if ours and name == "dump_modify" and {"every", "every/time", "delay", "first", "skip"} & set(words):
            self.frames = None

    def run(self, steps: int) -> None:
        """Add the frames of a run."""
        begin, self.step = self.step, None if self.step is None else self.step + steps
        if self.dump is None or self.frames is None:
            return
        every = self.dump.every
        if begin is None:
            self.frames += steps // every + 1
            return
        first = -(-begin // every)
        end = begin + steps
        # what a run ends with the next does not write again
        again = self.last == begin and begin % every == 0
        self.frames += end // every - first + 1 - again
        self.last = end


def _filled(word: str, known: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return known.get(match[1] or match[2], match[0])

    return _VARIABLE.sub(value, word)


def _external(command: Command, words: tuple[str, ...], earlier: str | None) -> str:
    if earlier is not None:
        raise UserError("a second fix external", where=command.where, accepted="one, or none: it is added")
    if words[2] != "all" or words[4:] != ("pf/callback", "1", "1"):
        line = f"fix {words[1]} all external pf/callback 1 1"
        raise UserError(f"'{' '.join(words)}'", where=command.where, accepted=f"{line}, or none: it is added")
    return words[1]


def _dump(command: Command, words: tuple[str, ...]) -> Dump:
    columns = words[6:]
    needed = {"id", "type", "element"}
    good = words[3] == "custom" and needed <= set(columns) and {"x", "xu", "xs"} & set(columns)
    every = _whole(words[4])
    if not good or every < 1 or words[2] != "all":
        line = f"dump {words[1]} all custom 50 {words[5]} id type element x y z"
        raise UserError("this dump cannot be used for g(r)", where=command.where, accepted=line)
    return Dump(command, words[1], every, columns)


def _steps(command: Command, words: tuple[str, ...], max_steps: int | None) -> int:
    steps = _whole(words[1]) if len(words) == 2 else 0
    if steps < 1:
        accepted = "run N with a whole number > 0, or with a variable that is set to one"
        raise UserError(f"'{' '.join(command.words)}'", where=command.where, accepted=accepted)
    return steps if max_steps is None else min(steps, max_steps)


def _whole(text: str) -> int:
    """Return a number of steps; 0 for what is none."""
    try:
        return whole_number_of(text)
    except ValueError:
        return 0


def _set_temperatures(words: list[str]) -> list[float]:
    """Return start and end temperature of a thermostat, nothing for other fixes or what is no number."""
    style = words[3]
    if style.startswith(("nvt", "npt")) and "temp" in words:
        at = words.index("temp") + 1
    elif style.startswith("temp/rescale"):
        at = 5
    elif style.startswith(("temp/", "langevin")):
        at = 4
    else:
        return []
    try:
        return [float(word) for word in words[at : at + 2]]
    except ValueError:
        return []
