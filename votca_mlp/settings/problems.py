"""Problems of one settings file, collected so that all are shown at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: its line, its tag, what is wrong and what is accepted."""

    line: int
    tag: str
    what: str
    accepted: str = ""

    def text(self, path: Path) -> str:
        """Return the one line that the user sees."""
        end = f"; accepted: {self.accepted}" if self.accepted else ""
        return f"{path}:{self.line}: <{self.tag}> {self.what}{end}"


class SettingsError(UserError):
    """One or more problems of a settings file, one line each.

    Attributes
    ----------
    problems
        The problems, by line.
    """

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        lines = [problem.text(path) for problem in self.problems]
        head = [] if len(lines) == 1 else [f"{path} has {len(lines)} problems"]
        super().__init__("\n".join(head + lines))
