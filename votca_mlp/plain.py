"""Numbers and file names as VOTCA's programs and scripts read them, which Python reads more freely."""

import re
from pathlib import PurePath

FILE_NAME = r"\w[\w.+=,@%~:#-]{0,199}"
"""A file of the step directory: no blank, no shell pattern, no option, not longer than file systems take."""


def number_of(text: str) -> float:
    """Return a number as VOTCA's programs read it.

    Raises
    ------
    ValueError
        Anything else; Python alone reads 1_0 as 10, and the digits of other scripts.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"'{text}' is not a number")
    return float(text)


def whole_number_of(text: str, most: int = 10**15) -> int:
    """Return a whole number >= 0 as VOTCA's programs read it.

    Raises
    ------
    ValueError
        Anything else: a sign, digits of other scripts, more digits than Python reads, more than ``most``.
    """
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 18) or int(text) > most:
        raise ValueError(f"'{text[:80]}' is not a whole number up to {most}")
    return int(text)


def plain_file_name(value: str) -> str:
    """Return the name of a file without folders.

    Raises
    ------
    ValueError
        It has folders, or is none that scripts can take as one word.
    """
    path = PurePath(value)
    if len(path.parts) != 1 or path.parts[0] == "..":
        raise ValueError(f"'{value[:80]}' is not a plain file name")
    if not re.fullmatch(FILE_NAME, value):
        raise ValueError("not a file name of letters, digits and . _ + - = , @ % ~ : #, at most 200")
    return value
