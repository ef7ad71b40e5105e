"""The force side of the i-PI protocol over a stream socket.

Messages: a header of 12 characters, then numbers in native byte order, atomic units, as in Ceriotti, More and
Manolopoulos, Comput. Phys. Commun. 185, 1019 (2014). The virial is minus dE/d(strain).
"""

import socket
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.units import ANGSTROM_PER_BOHR, EV_PER_HARTREE

Array = NDArray[np.float64]


class Gone(Exception):
    """The other side has closed the connection without saying EXIT."""


class WrongMessageError(Exception):
    """The other side does not speak the protocol."""


@dataclass(frozen=True)
class Beginning:
    """INIT of our library in mdrun: number of the first step, masses in amu."""

    step: int
    masses: Array


@dataclass(frozen=True)
class Configuration:
    """POSDATA: positions [n, 3] and cell [3, 3] (vectors in rows), Angstrom."""

    positions: Array
    cell: Array


class Connection:
    """A connection to the side that moves the atoms.

    Parameters
    ----------
    link
        A connected stream socket.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._initialised = False
        self._answer: bytes | None = None

    def next(self) -> Beginning | Configuration | None:
        """Wait for the next INIT or POSDATA, answering everything else; None after EXIT.

        Raises
        ------
        Gone, WrongMessageError
            See there.
        """
        while True:
            header = bytes(self._take(12)).decode("ascii", "replace").strip()
            if header == "STATUS":
                self._word("NEEDINIT" if not self._initialised else "HAVEDATA" if self._answer else "READY")
            elif header == "INIT":
                _, length = np.frombuffer(self._take(8), np.int32)
                if length < 16 or length % 8:
                    raise WrongMessageError(f"an INIT of {length} bytes")
                values = np.frombuffer(self._take(int(length)), np.float64)
                self._initialised = True
                return Beginning(int(values[0]), values[1:].copy())
            elif header == "POSDATA":
                cell = np.frombuffer(self._take(144), np.float64)[:9].reshape(3, 3).T
                (atoms,) = np.frombuffer(self._take(4), np.int32)
                if atoms < 1:
                    raise WrongMessageError(f"positions of {atoms} atoms")
                positions = np.frombuffer(self._take(24 * int(atoms)), np.float64).reshape(-1, 3)
                return Configuration(positions * ANGSTROM_PER_BOHR, cell * ANGSTROM_PER_BOHR)
            elif header == "GETFORCE" and self._answer is not None:
                self._word("FORCEREADY")
                self._link.sendall(self._answer)
                self._answer = None
            elif header == "EXIT":
                return None
            else:
                raise WrongMessageError(f"'{header[:12]}'")

    def answer(self, energy: float, forces: Array, virial: Array) -> None:
        """Keep the answer to the last configuration for GETFORCE.

        Parameters
        ----------
        energy
            eV.
        forces
            eV/Angstrom, shape [n, 3].
        virial
            dE/d(strain), eV, shape [3, 3].
        """
        self._answer = b"".join(
            (
                np.float64(energy / EV_PER_HARTREE).tobytes(),
                np.int32(len(forces)).tobytes(),
                np.ascontiguousarray(forces * (ANGSTROM_PER_BOHR / EV_PER_HARTREE), np.float64).tobytes(),
                np.ascontiguousarray(-virial.T / EV_PER_HARTREE, np.float64).tobytes(),
                np.int32(0).tobytes(),
            )
        )

    def _word(self, word: str) -> None:
        try:
            self._link.sendall(word.ljust(12).encode())
        except OSError as error:
            raise Gone from error

    def _take(self, size: int) -> bytearray:
        data = bytearray(size)
        view, got = memoryview(data), 0
        while got < size:
            try:
                count = self._link.recv_into(view[got:])
            except OSError as error:
                raise Gone from error
            if count == 0:
                raise Gone
            got += count
        return data
