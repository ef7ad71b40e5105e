"""The levels of theory of a model file, read without torch: settings are checked before it is loaded."""

import itertools
import pickletools
import zipfile
from pathlib import Path


def levels_in(path: Path) -> tuple[str, ...] | None:
    """Return the levels that a HIP-NN file has heads for; None for a file without, or of another kind.

    The pickle inside is looked through, not run.
    """
    try:
        with zipfile.ZipFile(path) as file:
            name = next(name for name in file.namelist() if name.endswith("/data.pkl"))
            operations = [(code.name, value) for code, value, _ in pickletools.genops(file.read(name))]
    except (OSError, ValueError, StopIteration, zipfile.BadZipFile):
        return None
    begin = next((k for k, found in enumerate(operations) if found == ("BINUNICODE", "levels")), None)
    if begin is None:
        return None
    # a list's strings, each of which may be put aside, until they are appended to it
    rest = itertools.takewhile(lambda found: not found[0].startswith("APPEND"), operations[begin + 1 :])
    return tuple(str(value) for code, value in rest if code == "BINUNICODE")
