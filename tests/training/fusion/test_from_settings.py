"""Experiments as settings name them: units, and one message for what cannot be."""

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

from votca_mlp.errors import UserError
from votca_mlp.training.fusion.from_settings import fusion_targets
from votca_mlp.training.fusion.settings import ExperimentsSettings


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a start and a curve."""
    write(tmp_path / "solid.extxyz", bulk("Ar", "fcc", a=5.3, cubic=True))
    write(tmp_path / "fcc.extxyz", bulk("Ar", "fcc", a=5.3, cubic=True))
    write(tmp_path / "bcc.extxyz", bulk("Ar", "bcc", a=4.2, cubic=True))
    angles = np.arange(61.5, 121.0, 3.0)
    np.savetxt(tmp_path / "angles.dat", np.transpose([angles, 0.01 + 0 * angles, 0.001 + 0 * angles]))
    write(tmp_path / "sheared.extxyz", bulk("Ar", "fcc", a=5.3))
    r = np.arange(1.0, 2.6, 0.1)
    np.savetxt(tmp_path / "g.dat", np.transpose([r, np.ones_like(r), np.full_like(r, 0.02)]))
    np.savetxt(tmp_path / "bare.dat", np.transpose([r, np.ones_like(r)]))
    for name, factor in (("long", 10.0), ("nm", 0.18)):
        np.savetxt(
            tmp_path / f"{name}.dat", np.transpose([factor * r, np.ones_like(r), np.full_like(r, 0.02)])
        )
    touching = bulk("Ar", "fcc", a=5.3, cubic=True)
    touching.positions[1] = touching.positions[0] + [0.1, 0.0, 0.0]
    write(tmp_path / "touching.extxyz", touching)
    return tmp_path


STATE = {"temperature": 40.0, "start": "solid.extxyz"}
PRESSURE = {
    "state": "cold",
    "quantity": "pressure",
    "values": {"pressure": 0.0},
    "errors": {"pressure": 50.0},
}


def settings(measured: list, state: dict | None = None) -> ExperimentsSettings:
    """Return the section."""
    return ExperimentsSettings(states={"cold": state or STATE}, measured=measured)


def test_values_are_in_the_observables_units(folder) -> None:
    constants = {"values": {"C11": 4.2, "C44": 2.1}, "errors": {"C11": 0.1, "C44": 0.1}}
    given = [
        PRESSURE,
        {"state": "cold", "quantity": "elastic", **constants},
        {"state": "cold", "quantity": "rdf", "file": "g.dat", "species": ["Ar", "Ar"]},
    ]
    asked = fusion_targets(settings(given), folder)
    states, experiments, rest = asked.states, asked.experiments, asked.rest
    assert [each.name for each in states] == ["cold"]
    assert not rest
    pressure, elastic, rdf = experiments
    assert pressure.values.tolist() == [0.0]
    assert pressure.errors.tolist() == [50.0]
    assert elastic.labels == ("C11", "C44")
    assert elastic.values[0] * 160.2176634 == pytest.approx(4.2)
    assert len(rdf.labels) == 16
    assert rdf.errors.tolist() == [0.02] * 16


ANGLES = {"state": "cold", "quantity": "angles", "file": "angles.dat", "species": ["Ar"] * 3, "reach": 4.0}
SCATTERED = {"state": "cold", "quantity": "structure_factor", "file": "g.dat", "species": ["Ar", "Ar"]}
LATTICE = {
    "quantity": "cold_lattice",
    "configurations": ["fcc.extxyz"],
    "values": {"a": 5.31},
    "errors": {"a": 0.01},
    "multiples": {"a": {"x": 1, "y": 1, "z": 1}},
}
BCC = {
    "quantity": "energy_difference",
    "configurations": ["fcc.extxyz", "bcc.extxyz"],
    "values": {"energy": 0.01},
    "errors": {"energy": 0.001},
}


def test_every_quantity_of_states_and_of_configurations_at_rest(folder) -> None:
    at_cold = {"state": "cold", "values": {"a": 5.31}, "errors": {"a": 0.01}}
    stress = {"values": {"stress_xx": 1.6}, "errors": {"stress_xx": 0.1}}
    constants = {"values": {"C11": 4.2}, "errors": {"C11": 0.1}}
    given = [
        {**at_cold, "quantity": "lattice", "multiples": {"a": {"x": 1, "z": 1}}},
        {"state": "cold", "quantity": "stress", **stress},
        ANGLES,
        {**SCATTERED, "reach": 2.6},
        LATTICE,
        BCC,
        {"quantity": "cold_elastic", "configurations": ["fcc.extxyz"], **constants},
    ]
    asked = fusion_targets(settings(given, {**STATE, "pressure": 1.0}), folder)
    experiments, rest = asked.experiments, asked.rest
    lattice, of_stress, angles, scattered = experiments
    assert lattice.observable.multiples == {"a": ((0, 1.0), (2, 1.0))}
    assert of_stress.values[0] * 160.2176634 == pytest.approx(1.6)
    assert len(angles.observable.labels) == 60
    assert angles.labels[0] == "61.5 degrees"
    assert len(angles.labels) == 20
    assert scattered.values.tolist() == [0.0] * 16
    assert [each.title for each in rest] == [
        "cold_lattice fcc",
        "energy_difference fcc bcc",
        "cold_elastic fcc",
    ]
    assert rest[2].values[0] * 160.2176634 == pytest.approx(4.2)


RDF = {"state": "cold", "quantity": "rdf", "file": "g.dat", "species": ["Ar", "Ar"]}
CONSTANTS = {"quantity": "elastic", "values": {"C11": 4.2}, "errors": {"C11": 0.1}, "state": "cold"}
UNSTABLE = {"values": {"C11": 2.0, "C12": 2.2, "C44": 2.1}, "errors": {"C11": 0.1, "C12": 0.1, "C44": 0.1}}
DENSITY = {"state": "cold", "quantity": "density", "values": {"density": 1780}, "errors": {"density": 5}}
HELD = {"pressure": 1.0}


@pytest.mark.parametrize(
    ("measured", "state", "message"),
    [
        ({**PRESSURE, "errors": {}}, {}, "pressure without an error"),
        ({**PRESSURE, "state": "hot"}, {}, "there is no state 'hot'"),
        ({**PRESSURE, "temperature": 80.0}, {}, "was measured at 80 K, state cold is at 40 K"),
        ({**PRESSURE, "volume": 30.0}, {}, "was measured at 30 Angstrom"),
        ({**PRESSURE, "quantity": "colour"}, {}, "'colour' is no quantity"),
        ({**PRESSURE, "values": {"C11": 3.0}}, {}, "values of pressure at cold: C11 is not among them"),
        ({**PRESSURE, "quantity": "density"}, {}, "whose volume is held"),
        ({**LATTICE, "quantity": "lattice", "state": "cold"}, {}, "whose volume is held"),
        ({**LATTICE, "state": "cold"}, {}, "state of cold_lattice, which is of configurations at rest"),
        ({**LATTICE, "temperature": 4.0}, {}, "temperature of cold_lattice"),
        ({**LATTICE, "errors": {}}, {}, "a without an error"),
        ({**LATTICE, "multiples": {"a": {"w": 1}}}, {}, "without the edges of the box"),
        ({**LATTICE, "multiples": {}}, {}, "without the edges of the box"),
        ({**LATTICE, "configurations": ["none.extxyz"]}, {}, "no such file"),
        ({**BCC, "configurations": ["fcc.extxyz"]}, {}, "with 1 configurations"),
        ({**BCC, "values": {"C11": 1.0}}, {}, "C11 is not among them"),
        ({**PRESSURE, "state": None}, {}, "pressure without a state"),
        (SCATTERED, {}, "without reach"),
        ({**ANGLES, "reach": None}, {}, "without reach"),
        ({**ANGLES, "file": "g.dat"}, {}, "no centres of equal bins"),
        ({"state": "cold", "quantity": "rdf"}, {}, "without a file"),
        (
            {"state": "cold", "quantity": "rdf", "file": "bare.dat", "species": ["Ar", "Ar"]},
            {},
            "has no column of errors",
        ),
        (
            {"state": "cold", "quantity": "rdf", "file": "none.dat", "species": ["Ar", "Ar"]},
            {},
            "cannot read the curve",
        ),
        # what shows at the start of the state alone
        ({**RDF, "species": ["Ne", "Ne"]}, {}, "no atom of type 'Ne'"),
        ({**RDF, "file": "long.dat"}, {}, "half the box"),
        ({**RDF, "file": "nm.dat"}, {}, "the curve ends at 0.45 Angstrom, the nearest atoms"),
        ({**SCATTERED, "reach": 9.0}, {}, "half the box"),
        ({**ANGLES, "species": ["Ne"] * 3}, {}, "has no such angle"),
        (
            {**DENSITY, "values": {"density": 1.78}},
            HELD,
            "density is 1.78 kg/m3, the start of state cold has 1",
        ),
        (
            {**LATTICE, "quantity": "lattice", "state": "cold", "multiples": {"a": {"x": 2}}},
            HELD,
            "a is 5.31 Angstrom, the start of state cold has 2.65",
        ),
        (CONSTANTS, HELD, "a state whose volume is held, state cold is one whose pressure is held"),
        (PRESSURE, HELD, "a state whose volume is held, state cold is one whose pressure is held"),
        (
            PRESSURE,
            {"start": "touching.extxyz"},
            "two atoms of the start of state cold are 0.1 Angstrom apart",
        ),
        (PRESSURE, {"sample_every": 33.0}, "no multiple of the timestep 2 fs"),
        # and values that cannot be
        ({**CONSTANTS, "errors": {"C11": 0.1, "C44": 0.1}}, {}, "C44 has an error and no value"),
        ({**CONSTANTS, **UNSTABLE}, {}, "no cubic crystal with these elastic constants is stable"),
        (PRESSURE, {"start": "none.extxyz"}, "no such file"),
        (PRESSURE, {"start": "sheared.extxyz"}, "the box is tilted"),
    ],
)
def test_what_cannot_be_is_one_message(folder, measured, state, message) -> None:
    with pytest.raises(UserError) as caught:
        fusion_targets(settings([measured], STATE | state), folder)
    assert message in str(caught.value)


def test_measured_f_of_q_is_that_of_the_scattering_module(folder) -> None:
    """Two species with isotopes: coefficients by pairs of elements, values and errors of the file."""
    write(folder / "solid.extxyz", bulk("NaCl", "rocksalt", a=5.6, cubic=True).repeat(2))
    q = np.arange(1.0, 12.0, 0.5)
    wave = 0.05 * np.sin(4.0 * q) / q
    np.savetxt(folder / "f.dat", np.transpose([q, wave, np.full_like(q, 0.002)]), header="Q F error")
    given = {"state": "cold", "quantity": "scattering", "file": "f.dat", "reach": 5.0, "isotopes": "35Cl"}
    (found,) = fusion_targets(settings([given]), folder).experiments
    lengths = {"Na": 3.63, "Cl": 11.65}
    coefficients = found.observable.coefficients
    assert coefficients["Cl", "Na"] == pytest.approx(0.5 * lengths["Na"] * lengths["Cl"] / 100.0, rel=1e-2)
    assert coefficients["Cl", "Cl"] == pytest.approx(0.25 * lengths["Cl"] ** 2 / 100.0, rel=1e-2)
    assert found.values.tolist() == pytest.approx(wave.tolist())
    assert found.errors.tolist() == pytest.approx([0.002] * len(q))
    assert found.labels[0] == "F(1.000)"
    for changes, message in (({"isotopes": "36Ar"}, "36Ar|Ar"), ({"reach": None}, "without reach")):
        with pytest.raises(UserError, match=message):
            fusion_targets(settings([given | changes]), folder)
    # without a heading the third column is the error, as it is of every curve here
    np.savetxt(folder / "f.dat", np.transpose([q, wave, np.full_like(q, 0.003)]))
    (found,) = fusion_targets(settings([given]), folder).experiments
    assert found.errors.tolist() == pytest.approx([0.003] * len(q))
    np.savetxt(folder / "f.dat", np.transpose([q, wave]))
    with pytest.raises(UserError, match="no column of errors"):
        fusion_targets(settings([given]), folder)


def test_experiments_that_contradict_each_other_are_said(folder) -> None:
    other = {**PRESSURE, "values": {"pressure": 900.0}}
    with pytest.raises(UserError, match="pressure at cold is 0"):
        fusion_targets(settings([PRESSURE, other]), folder)
    with pytest.raises(UserError, match=r"a at rest is 5\.31"):
        fusion_targets(settings([LATTICE, {**LATTICE, "values": {"a": 5.5}}]), folder)
    # 1782 kg/m3 are 5.3 Angstrom
    lattice = {**LATTICE, "quantity": "lattice", "state": "cold", "values": {"a": 5.3}}
    fusion_targets(settings([DENSITY, lattice], STATE | HELD), folder)
    del lattice["configurations"]
    with pytest.raises(UserError, match=r"volume of the box .* at cold is 149"):
        fusion_targets(settings([DENSITY, lattice | {"values": {"a": 5.5}}], STATE | HELD), folder)
