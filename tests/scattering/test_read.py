"""Files of F(Q) and S(Q): what is read, what is refused, and the test of density and normalisation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from votca_mlp.errors import UserError
from votca_mlp.scattering.core import check_core, closest_distance, core_ratio
from votca_mlp.scattering.data import ScatteringData
from votca_mlp.scattering.lengths import parsed_isotopes
from votca_mlp.scattering.read import check_composition, check_twice, read_scattering
from votca_mlp.scattering.source import ScatteringSource
from votca_mlp.targets.target import Target

EMPTY = np.zeros(0)
TEMPLATE = ScatteringData("d", "neutron", EMPTY, EMPTY)
NORMALISED = replace(TEMPLATE, normalisation="square_of_mean")


def write(path: Path, q: np.ndarray, *columns: np.ndarray, heading: str = "") -> Path:
    np.savetxt(path, np.stack([q, *columns], axis=1), header=heading)
    return path


def hard_spheres(q: np.ndarray, density: float = 0.02, diameter: float = 3.0) -> np.ndarray:
    """Return S(Q) of the Percus-Yevick fluid (M. S. Wertheim, 1963; N. W. Ashcroft, J. Lekner, 1966)."""
    eta = np.pi / 6 * density * diameter**3
    a = (1 + 2 * eta) ** 2 / (1 - eta) ** 4
    b = -6 * eta * (1 + eta / 2) ** 2 / (1 - eta) ** 4
    x = q * diameter
    s = np.linspace(1e-6, 1.0, 2001)
    c = -(a + b * s + 0.5 * eta * a * s**3)
    integral = np.trapezoid(c * s**2 * np.sinc(np.outer(x, s) / np.pi), s, axis=1)
    return np.asarray(1.0 / (1.0 - 4 * np.pi * density * diameter**3 * integral))


def test_the_three_functions_are_one(tmp_path: Path) -> None:
    q = np.arange(0.1, 25.0, 0.05)
    s = hard_spheres(q)
    error = np.full(len(q), 0.01)
    files = {"S": s, "F": s - 1.0, "QF": q * (s - 1.0)}
    for written, values in files.items():
        scaled = error * q if written == "QF" else error
        path = write(tmp_path / f"{written}.dat", q, values, scaled)
        found = read_scattering(path, NORMALISED, written=written, columns=(1, 2, 3), q_min=0.5, q_max=20.0)  # type: ignore[arg-type]
        assert found.values == pytest.approx(s[(q > 0.499) & (q < 20.001)] - 1.0)
        assert found.errors == pytest.approx(np.full(len(found.q), 0.01))


def test_the_core_knows_density_and_normalisation() -> None:
    q = np.arange(0.1, 25.0, 0.05)
    right = replace(NORMALISED, q=q, values=hard_spheres(q) - 1.0)
    assert core_ratio(right, {"Ar": 1.0}, 0.02, 3.0) == pytest.approx(1.0, abs=0.02)
    assert core_ratio(replace(right, values=3 * right.values), {"Ar": 1.0}, 0.02, 3.0) == pytest.approx(
        3.0, abs=0.06
    )
    assert core_ratio(right, {"Ar": 1.0}, 0.03, 3.0) == pytest.approx(2 / 3, abs=0.02)
    with pytest.raises(UserError, match="times what an empty core gives"):
        check_core(replace(right, values=3 * right.values), {"Ar": 1.0}, 0.02, 3.0)
    assert "core of g(r) at 1.0" in check_core(right, {"Ar": 1.0}, 0.02, 3.0)
    short = replace(right, q=q[:40], values=right.values[:40])
    assert "too early" in check_core(short, {"Ar": 1.0}, 0.02, 3.0)


@pytest.mark.parametrize(("factor", "refused"), [(0.8, True), (0.9, False), (1.1, False), (1.25, True)])
def test_how_sharp_the_core_is(factor: float, refused: bool) -> None:
    """A scale or a density that is off by a tenth is noted, by a fifth refused, unless it is fitted."""
    q = np.arange(0.1, 25.0, 0.05)
    scaled = replace(NORMALISED, q=q, values=factor * (hard_spheres(q) - 1.0))
    if refused:
        with pytest.raises(UserError, match="times what an empty core gives"):
            check_core(scaled, {"Ar": 1.0}, 0.02, 3.0)
        with pytest.raises(UserError, match="times what an empty core gives"):
            check_core(replace(scaled, values=scaled.values / factor), {"Ar": 1.0}, 0.02 * factor, 3.0)
        assert "core of g(r)" in check_core(replace(scaled, fit_scale=True), {"Ar": 1.0}, 0.02, 3.0)
    else:
        assert "off by as much" in check_core(scaled, {"Ar": 1.0}, 0.02, 3.0)
        assert "off by" not in check_core(replace(scaled, fit_scale=True), {"Ar": 1.0}, 0.02, 3.0)


def test_bonds_are_nearer_than_targets_begin() -> None:
    r = np.arange(0.0, 8.0, 0.05)
    target = Target("rdf", ("O", "H"), r, np.where(r > 1.5, 1.0, 0.0))
    water = Atoms("OHH", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]], cell=[9, 9, 9], pbc=True)
    assert closest_distance([target]) == pytest.approx(0.9 * 1.55)
    assert closest_distance([target], water) == pytest.approx(0.96)
    apart = Atoms("OH", [[0, 0, 0], [4, 0, 0]], cell=[9, 9, 9], pbc=True)
    assert closest_distance([target], apart) == closest_distance([target])


def test_light_water_cannot_tell() -> None:
    # its lengths cancel: the sum of the weights is a tenth of their sizes
    q = np.arange(0.1, 25.0, 0.05)
    water = replace(TEMPLATE, q=q, values=0.1 * (hard_spheres(q) - 1.0))
    assert core_ratio(water, {"O": 1 / 3, "H": 2 / 3}, 0.1, 2.0) is None


@pytest.mark.parametrize(
    ("name", "isotopes", "fractions", "density", "closest"),
    [
        ("dissolve_water/SLS18502-D2O.mint01", "D", {"O": 1 / 3, "H": 2 / 3}, 0.1, 0.93),
        ("dissolve_water/SLS18500-HDO5050.mint01", "H:0.5 D:0.5", {"O": 1 / 3, "H": 2 / 3}, 0.1, 0.93),
        ("dissolve_silica/SiO2_NIMROD.mint01", "", {"Si": 1 / 3, "O": 2 / 3}, 0.0664, 1.5),
    ],
)
def test_measured_data_pass(
    data_dir: Path, name: str, isotopes: str, fractions: dict[str, float], density: float, closest: float
) -> None:
    template = replace(TEMPLATE, isotopes=parsed_isotopes(isotopes))
    found = read_scattering(data_dir / name, template, columns=(1, 2, 3))
    assert core_ratio(found, fractions, density, closest) == pytest.approx(1.0, abs=0.06)
    with pytest.raises(UserError, match="empty core"):
        check_core(replace(found, values=4 * np.pi * found.values), fractions, density, closest)


def test_measured_argon(data_dir: Path) -> None:
    template = replace(NORMALISED, isotopes=parsed_isotopes("36Ar"))
    found = read_scattering(data_dir / "dissolve_argon" / "yarnell.sq", template, written="S")
    assert core_ratio(found, {"Ar": 1.0}, 0.02125, 3.0) == pytest.approx(1.0, abs=0.01)


def test_bad_files(tmp_path: Path) -> None:
    q = np.arange(0.1, 25.0, 0.05)
    s = hard_spheres(q)
    plain = write(tmp_path / "s.dat", q, s)
    with pytest.raises(UserError, match="has no unit"):
        read_scattering(plain, TEMPLATE, written="S")
    with pytest.raises(UserError, match="averages to 1, not to zero") as caught:
        read_scattering(plain, NORMALISED)
    assert "function S" in str(caught.value.accepted)
    with pytest.raises(UserError, match="that is 1/nm"):
        read_scattering(write(tmp_path / "nm.dat", 10 * q, s - 1), NORMALISED)
    with pytest.raises(UserError, match=r"the data are from 0.1 to"):
        read_scattering(write(tmp_path / "f.dat", q, s - 1), NORMALISED, q_max=40.0)
    with pytest.raises(UserError, match=r"Q = 5.1 1/Angstrom is zero"):
        read_scattering(
            write(tmp_path / "e.dat", q, s - 1, np.where(np.isclose(q, 5.1), 0.0, 0.1)),
            NORMALISED,
            columns=(1, 2, 3),
        )
    with pytest.raises(UserError, match="3 points are used"):
        read_scattering(tmp_path / "f.dat", NORMALISED, q_min=3.0, q_max=3.1)


def test_a_point_that_was_not_measured_is_left_out(tmp_path: Path) -> None:
    q = np.arange(0.1, 25.0, 0.05)
    values, errors = hard_spheres(q) - 1.0, np.full(len(q), 0.01)
    values[:4] = errors[:4] = 0.0
    found = read_scattering(write(tmp_path / "e.dat", q, values, errors), NORMALISED, columns=(1, 2, 3))
    assert found.q[0] == pytest.approx(q[4])


def test_composition_and_doubles() -> None:
    q = np.arange(0.1, 25.0, 0.05)
    first = replace(TEMPLATE, q=q, values=np.sin(q), source="a.dat", isotopes=parsed_isotopes("D"))
    with pytest.raises(UserError, match="names isotopes of H"):
        check_composition(first, ["Al"])
    check_composition(first, ["O", "H"])
    with pytest.raises(UserError, match=r"has the same values as a.dat"):
        check_twice([first, replace(first, name="e", source="b.dat")])
    with pytest.raises(UserError, match="two data sets have the name d"):
        check_twice([first, replace(first, values=np.cos(q))])
    check_twice([first, replace(first, name="e", values=np.cos(q))])


OVERLAPS = {
    "the same": lambda q, f: (q, f),
    "in another unit": lambda q, f: (q, 100.0 * f),
    "on another grid": lambda q, f: (q[3:-3:2] + 0.01, np.interp(q[3:-3:2] + 0.01, q, f)),
    "rounded": lambda q, f: (q, f.round(4)),
    "cut": lambda q, f: (q[:200], f[:200]),
}


@pytest.mark.parametrize("how", OVERLAPS)
@pytest.mark.parametrize("isotopes", ["", "36Ar", "36Ar:0.5 40Ar:0.5"])
def test_a_measurement_twice_in_another_guise(how: str, isotopes: str) -> None:
    """Refused where sample and radiation are the same; noise, another sample or no overlap is none of it."""
    q = np.arange(0.4, 20.0, 0.02)
    f = 0.4 * np.sin(3.4 * q) * np.exp(-0.02 * q**2) / q
    first = ScatteringData("a", "neutron", q, f, isotopes=parsed_isotopes(isotopes))
    other_q, other_f = OVERLAPS[how](q, f)
    twice = replace(first, name="b", q=other_q, values=other_f)
    with pytest.raises(UserError, match=r"has the same values as a from [\d.]+ to [\d.]+ 1/Angstrom"):
        check_twice([first, twice])
    random = np.random.default_rng(1)
    noise = 0.003 * np.abs(other_f).max() * random.normal(size=len(other_q))
    for fine in (
        replace(twice, values=other_f + noise),
        replace(twice, isotopes=parsed_isotopes("36Ar:0.3 40Ar:0.7")),
        replace(twice, radiation="xray", isotopes={}),
        replace(twice, q=twice.q + 19.5),
    ):
        check_twice([first, fine])


def test_three_samples_of_water_are_three(data_dir: Path) -> None:
    folder = data_dir / "dissolve_water"
    files = {"SLS18502-D2O": "D", "SLS18498-H2O": "", "SLS18500-HDO5050": "H:0.5 D:0.5"}
    sources = (ScatteringSource(folder / f"{f}.mint01", f, isotopes=i) for f, i in files.items())
    check_twice([replace(source, columns=(1, 2)).data for source in sources])
