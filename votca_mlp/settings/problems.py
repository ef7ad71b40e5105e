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
        """Return the one line that the user sees; ``path`` is named where the line knows no file."""
        end = f"; accepted: {self.accepted}" if self.accepted else ""
        path = getattr(self.line, "file", None) or path
        return f"{path}:{self.line}: <{self.tag}> {self.what}{end}"


class SettingsError(UserError):
    """One or more problems of a settings file, one line each.

    Attributes
    ----------
    problems
        The problems, by line.
    """

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        # the same line may stand in the files of two states
        different = {problem.text(path): problem for problem in problems}.values()
        self.problems = tuple(sorted(different, key=lambda problem: (_file(problem), problem)))
        lines = [problem.text(path) for problem in self.problems]
        head = [] if len(lines) == 1 else [f"{path} has {len(lines)} problems"]
        super().__init__("\n".join(head + lines))


def _file(problem: Problem) -> str:
    return str(getattr(problem.line, "file", None) or "")
