"""The exception that reaches users as a message instead of a traceback, and its kind for MD."""

from pathlib import Path


class UserError(Exception):
    """Bad input or an unusable environment; its text is shown as it is, without a traceback.

    Parameters
    ----------
    what
        What is wrong, one sentence.
    where
        File (and line), tag or option that has it.
    accepted
        What would be accepted, or what to change.
    """

    def __init__(self, what: str, *, where: str | Path | None = None, accepted: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.accepted = accepted
        super().__init__(str(self))

    def at(self, where: str) -> "UserError":
        """Return the same error with its place named first, such as the MD step."""
        place = where if self.where is None else f"{where}, {self.where}"
        return type(self)(self.what, where=place, accepted=self.accepted)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  accepted: {self.accepted}" if self.accepted else text


class Exploded(UserError):
    """A box or motion that has left all bounds: whoever moves the atoms adds the MD step (:meth:`at`)."""
