"""The protocol against ASE's own implementation of its other side."""

import socket
import threading

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from ase.calculators.socketio import IPIProtocol

from votca_mlp.engines.gromacs.ipi import Beginning, Configuration, Connection, Gone, WrongMessageError


def test_ase_as_driver_gets_energy_forces_and_stress() -> None:
    atoms = Atoms(
        "Ar4", positions=[[0, 0, 0], [3.7, 0, 0], [0, 3.9, 0], [0, 0, 4.1]], cell=[9, 10, 11], pbc=True
    )
    atoms.set_cell([[9, 0, 0], [1.0, 10, 0], [0.5, 0.7, 11]])
    reference = atoms.copy()
    reference.calc = LennardJones(sigma=3.4, epsilon=0.0103, rc=4.4)
    driver, ours = socket.socketpair()
    seen: list[Beginning | Configuration] = []

    def force_side() -> None:
        connection = Connection(ours)
        while (message := connection.next()) is not None:
            seen.append(message)
            if isinstance(message, Configuration):
                virial = reference.get_stress(voigt=False) * reference.get_volume()
                connection.answer(reference.get_potential_energy(), reference.get_forces(), virial)

    thread = threading.Thread(target=force_side)
    thread.start()
    protocol = IPIProtocol(driver)
    with driver, ours:
        assert protocol.status() == "NEEDINIT"
        values = np.array([7.0, *atoms.get_masses()])
        driver.sendall(b"INIT        " + np.array([0, values.nbytes], np.int32).tobytes() + values.tobytes())
        for _ in range(2):
            found = protocol.calculate(atoms.get_positions(), atoms.get_cell())
        protocol.end()
        thread.join(10)
    assert found["energy"] == pytest.approx(reference.get_potential_energy(), rel=1e-8)
    np.testing.assert_allclose(found["forces"], reference.get_forces(), atol=1e-9)
    # ASE's driver reads the virial as minus stress times volume
    np.testing.assert_allclose(
        -found["virial"] / atoms.get_volume(), reference.get_stress(voigt=False), atol=1e-9
    )
    beginning, configuration = seen[0], seen[-1]
    assert isinstance(beginning, Beginning)
    assert beginning.step == 7
    np.testing.assert_array_equal(beginning.masses, atoms.get_masses())
    assert isinstance(configuration, Configuration)
    np.testing.assert_allclose(configuration.positions, atoms.get_positions(), atol=1e-7)
    np.testing.assert_allclose(configuration.cell, atoms.cell.array, atol=1e-7)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", Gone),
        (b"STATU", Gone),
        (b"NONSENSE    ", WrongMessageError),
        (b"GETFORCE    ", WrongMessageError),
        (b"POSDATA     " + b"\0" * 148, WrongMessageError),
        (b"INIT        " + b"\0" * 8, WrongMessageError),
    ],
)
def test_what_is_not_the_protocol_is_refused(sent: bytes, error: type[Exception]) -> None:
    driver, ours = socket.socketpair()
    with ours:
        driver.sendall(sent)
        driver.close()
        with pytest.raises(error):
            Connection(ours).next()
