"""The socket that mdrun connects to, and the file that names it."""

import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from votca_mlp.errors import UserError

SLOT_FILE = "mlp_slot.dat"
"""What ``mdrun -plumed`` is given: it names the socket."""


class Listener:
    """A socket of our own, named in the file for mdrun; its name goes with the first that connects."""

    def __init__(self, slot: Path) -> None:
        # a step directory's path may be longer than a socket's name can be
        self._folder = tempfile.mkdtemp(prefix="votca-mlp-")
        self._slot = slot
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = os.path.join(self._folder, "mdrun")
        try:
            self._socket.bind(path)
            self._socket.listen(1)
            self._socket.settimeout(0.1)
            slot.write_text(f"# for the library that mdrun loads as PLUMED_KERNEL\nsocket {path}\n")
        except OSError as error:
            self.close()
            accepted = "a TMPDIR with a shorter path, space in the step directory"
            raise UserError(f"cannot listen: {error}", where=path, accepted=accepted) from None

    def accept(self) -> socket.socket:
        """Return the connection of mdrun; TimeoutError when it is not there yet."""
        link, _ = self._socket.accept()
        link.settimeout(None)
        self.close()
        return link

    def close(self) -> None:
        """Leave no socket and no name behind."""
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._slot.unlink(missing_ok=True)


def process_at(link: socket.socket) -> int | None:
    """Return the process at the other end."""
    try:
        data = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    except (OSError, AttributeError):
        return None
    return int.from_bytes(data[:4], sys.byteorder)
