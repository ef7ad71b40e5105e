"""One defaults file with VOTCA's tags and ours, which ``VOTCA_CSG_DEFAULTS`` then names."""

import hashlib
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, cache_folders


def merged_defaults_file(stock: Path) -> Path:
    """Write the merged defaults into the user's cache, named by content, and return the path.

    Raises
    ------
    UserError
        No folder that can be written.
    """
    from votca_mlp.settings.defaults import merged_defaults

    data = merged_defaults(stock).encode()
    name = f"csg_defaults-{hashlib.sha256(data).hexdigest()[:16]}.xml"
    for folder in cache_folders():
        path = folder / name
        if path.is_file() and path.read_bytes() == data:
            return path
        try:
            with atomic_write(path, "wb") as file:
                file.write(data)
        except UserError:
            continue
        return path
    raise UserError(
        "cannot write VOTCA's defaults file", accepted="a writable XDG_CACHE_HOME, home or TMPDIR folder"
    )
