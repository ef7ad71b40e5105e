"""VOTCA's restart file: which parts of a step are done, one line each."""

from pathlib import Path

from votca_mlp.files import atomic_write

STEPDIR, PREPARE = "stepdir", "Prepare"
FILECOPY, INITIALIZE, SIMULATION = "Filecopy", "Initialize", "Simulation"


class RestartFile:
    """The lines ``NAME done`` of ``restart_points.log``, as csg_inverse's mark_done and is_done use them.

    Parameters
    ----------
    path
        In the step directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def exists(self) -> bool:
        """Return whether the step has begun."""
        return self.path.is_file()

    def done(self, name: str) -> bool:
        """Return whether a part is done."""
        return f"{name} done" in self._lines()

    def mark(self, *names: str) -> None:
        """Mark parts as done; the file is replaced as a whole."""
        lines = self._lines()
        new = [f"{name} done" for name in names if f"{name} done" not in lines]
        if new:
            self._write(lines + new)

    def unmark(self, name: str) -> None:
        """Forget that a part is done."""
        lines = self._lines()
        kept = [line for line in lines if line != f"{name} done"]
        if kept != lines:
            self._write(kept)

    def _write(self, lines: list[str]) -> None:
        with atomic_write(self.path) as file:
            file.write("".join(line + "\n" for line in lines))
