"""<scattering>: several sections, lines of the right one, and what is refused before any MD."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import make_case
from votca_mlp.cli.check import summary
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.settings import load_settings
from votca_mlp.settings.inputs import input_problems
from votca_mlp.settings.problems import SettingsError

ONE = (
    "<scattering> <file>{file}</file> <radiation>neutron</radiation> <function>F</function>\n"
    "<normalisation>none</normalisation> <columns>1 2 3</columns> {more} </scattering>\n"
)


def case(directory: Path, *sections: str, method: str = "imc") -> Path:
    main = make_case(directory, ("Ar", "Kr"))
    path = main / "settings.xml"
    text = re.sub(r"<wibi>.*?</wibi>", "", path.read_text(), flags=re.DOTALL)
    text = text.replace("<method>ibi", f"<method>{method}")
    path.write_text(text.replace("<mlp>", "".join(sections) + "<mlp>", 1))
    q = np.arange(0.4, 16.0, 0.05)
    for number in range(2):
        values = 0.1 * np.sin(2.9 * q + number) / q
        np.savetxt(main / f"set{number}.dat", np.stack([q, values, np.full(len(q), 1e-3)], axis=1))
    return path


def words(path: Path) -> str:
    try:
        return "\n".join(str(problem) for problem in input_problems(load_settings(path)))
    except SettingsError as error:
        return str(error)


def test_two_sections_become_two_sources(tmp_path: Path) -> None:
    more = "<isotopes>36Ar:0.5 40Ar:0.5</isotopes> <resolution>0.02</resolution> <fit_scale>yes</fit_scale>"
    path = case(tmp_path / "m", ONE.format(file="set0.dat", more=more), ONE.format(file="set1.dat", more=""))
    settings = load_settings(path)
    assert words(path) == ""
    first, second = plan_of(settings).states[0].scattering
    assert (first.name, second.name) == ("set0", "set1")
    assert first.fit_scale
    assert first.resolution.relative == 0.02
    assert first.data.isotopes == {"Ar": {"36Ar": 0.5, "40Ar": 0.5}}
    assert second.data.errors == pytest.approx(np.full(len(second.data.q), 1e-3))


def test_check_says_what_is_fitted(tmp_path: Path) -> None:
    path = case(tmp_path / "m", ONE.format(file="set0.dat", more="<q_max>12</q_max>"))
    lines = summary(load_settings(path))
    assert "data         set0: neutron F(Q), 0.4 to 12 1/Angstrom, 233 points, error 0.001" in lines


def test_a_run_without_is_as_before(tmp_path: Path) -> None:
    plan = plan_of(load_settings(case(tmp_path / "m")))
    assert plan.states[0].scattering == ()
    assert not [tag for tag in plan.origin.tags if "scattering" in tag]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("<isotopes>D</isotopes>", "names isotopes of H"),
        ("<isotopes>36Ar:0.4</isotopes>", "sum to 0.4"),
        ("<q_max>40</q_max>", "the data are from 0.4"),
        ("<name>set0</name>", "two data sets have the name set0"),
        ("<radiations>xray</radiations>", "did you mean <radiation>"),
        ("<weight>-1</weight>", "a number >= 0"),
        ("<resolution>2</resolution>", "a number >= 0 and < 1"),
    ],
)
def test_what_is_wrong_with_the_second(tmp_path: Path, more: str, message: str) -> None:
    path = case(tmp_path / "m", ONE.format(file="set0.dat", more=""), ONE.format(file="set1.dat", more=more))
    found = words(path)
    assert message in found
    lines = path.read_text().splitlines()
    # the line of the second section or of a tag in it
    second = [number for number, line in enumerate(lines, start=1) if "<scattering>" in line][1]
    numbers = [
        int(number) for number in re.findall(r":(\d+): <cg", found) or re.findall(r"line=(\d+)", found)
    ]
    assert numbers
    assert all(second <= number <= second + 1 for number in numbers), (found, second)


def test_the_same_file_twice(tmp_path: Path) -> None:
    more = "<name>other</name>"
    path = case(tmp_path / "m", ONE.format(file="set0.dat", more=""), ONE.format(file="set0.dat", more=more))
    assert "has the same" in words(path)


def test_only_gauss_newton_uses_it(tmp_path: Path) -> None:
    path = case(tmp_path / "m", ONE.format(file="set0.dat", more=""), method="ibi")
    assert "is not used by rule wibi" in words(path)


def test_xrays_know_no_isotopes(tmp_path: Path) -> None:
    section = ONE.format(file="set0.dat", more="<isotopes>36Ar</isotopes>").replace(">neutron<", ">xray<")
    assert "X-rays see electrons" in words(case(tmp_path / "m", section))


def test_a_missing_file(tmp_path: Path) -> None:
    assert "none.dat" in words(case(tmp_path / "m", ONE.format(file="none.dat", more="")))
