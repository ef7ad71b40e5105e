"""What diffraction programs write becomes g(r) or S(Q); what a file says of itself is heard."""

from pathlib import Path

import numpy as np
import pytest

from votca_mlp.errors import UserError
from votca_mlp.targets.functions import FUNCTIONS, chosen, converted
from votca_mlp.targets.measured import Measured, read_measured

X = np.linspace(0.5, 20.0, 196)
G = 1.0 + np.exp(-((X - 2.8) ** 2)) - 0.3 * np.exp(-((X - 4.0) ** 2))
RHO = 0.0524


def data(y: np.ndarray, heading: str = "", name: str = "curve.dat") -> Measured:
    return Measured(X, y, np.full(len(X), 0.01), (heading,) if heading else (), Path(name), heading)


LINE = 4.0 * np.pi * RHO * X


@pytest.mark.parametrize(
    ("function", "y", "sigma"),
    [
        ("g", G, 0.01),
        ("g-1", G - 1.0, 0.01),
        ("G", LINE * (G - 1.0), 0.01 / LINE),
        ("D", LINE * (G - 1.0), 0.01 / LINE),
        ("T", LINE * G, 0.01 / LINE),
        ("RDF", LINE * X * G, 0.01 / (LINE * X)),
        ("S", G, 0.01),
        ("S-1", G - 1.0, 0.01),
        ("Q(S-1)", X * (G - 1.0), 0.01 / X),
    ],
)
def test_against_their_definitions(function: str, y: np.ndarray, sigma: np.ndarray) -> None:
    found = converted(data(y), function, RHO)  # type: ignore[arg-type]
    assert found.y == pytest.approx(G)
    assert found.sigma == pytest.approx(np.broadcast_to(sigma, X.shape))


def test_x_in_nanometres() -> None:
    found = converted(Measured(X / 10.0, LINE * G, None, (), Path("t"), ""), "T", RHO, scale=10.0)
    assert found.y == pytest.approx(G)


def test_a_density_is_needed_and_in_its_unit() -> None:
    with pytest.raises(UserError, match="4 pi rho r g without a density"):
        converted(data(LINE * G), "T", None)
    with pytest.raises(UserError, match=r"a number density of 52\.4 atoms"):
        converted(data(LINE * G), "T", 52.4)


@pytest.mark.parametrize(
    ("heading", "name", "says"),
    [
        ("Q (1/A)  S(Q)", "a.dat", "S(Q)"),
        ("Q, i(Q)", "a.dat", "S(Q) - 1"),
        ("r G(r)", "a.gr", "G(r) = 4 pi rho r (g - 1)"),
        ("r T(r)", "a.dat", "T(r) = 4 pi rho r g"),
        ("r g(r)-1", "a.dat", "g(r) - 1"),
        ("", "a.sq", "S(Q)"),
        ("", "a.fq", "Q [S(Q) - 1]"),
    ],
)
def test_what_a_file_says_is_not_taken_for_g(heading: str, name: str, says: str) -> None:
    with pytest.raises(UserError, match="not g") as error:
        chosen(data(G, heading, name), None)
    assert says in str(error.value)
    assert "--function" in str(error.value)


def test_a_coordination_number_is_no_g() -> None:
    with pytest.raises(UserError, match="a coordination number"):
        chosen(data(G, "r n(r)"), None)


def test_what_a_file_does_not_say_is_assumed_aloud() -> None:
    assert chosen(data(G, "r g(r)"), None) == ("g", [])
    function, notes = chosen(data(G), None)
    assert function == "g"
    assert notes == ["taken as g(r): the file does not say"]
    # the user knows better, among functions of r
    function, notes = chosen(data(G, "G(r)"), "g")
    assert function == "g"
    assert "though the file's heading 'G(r)' says G(r) = 4 pi" in notes[0]
    with pytest.raises(UserError, match="says S"):
        chosen(data(G, "S(Q)"), "g")
    assert set(FUNCTIONS) == {"g", "g-1", "G", "D", "T", "RDF", "S", "S-1", "Q(S-1)", "F"}


LAYOUTS = {
    "count line": "4\n1 0\n2 2\n3 1\n4 1\n",
    "lammps": (
        "# Time-averaged data for fix 1\n# TimeStep Number-of-rows\n# Row c_1[1] c_1[2] c_1[3]\n"
        "100 4\n1 9 9 9\n2 9 9 9\n3 9 9 9\n4 9 9 9\n200 4\n1 1 0 0\n2 2 2 1\n3 3 1 2\n4 4 1 3\n"
    ),
    "decimal commas": "r;g\n1,0;0\n2,0;2,0\n3;1\n4;1\n",
    "empty cells": "r,g,,\n1,0,,\n2,2,,\n3,1,,\n4,1,,\n",
    "pdfgetx3": "[DEFAULT]\nqmax = 20\n#### start data\n#S 1\n#L r(A)  g(r)\n1 0\n2 2\n3 1\n4 1\n",
    "fortran": " 1.0D0 0.0D0\n 2.0D0 2.0D0\n 3.0D0 1.0D0\n 4.0D0 1.0D0\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_layouts(tmp_path: Path, layout: str, encoding: str) -> None:
    path = tmp_path / "curve.txt"
    path.write_text(LAYOUTS[layout], encoding=encoding)
    found = read_measured(path, [2, 3] if layout == "lammps" else None)
    assert found.x.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert found.y.tolist() == [0.0, 2.0, 1.0, 1.0]


def test_an_incomplete_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "curve.txt"
    path.write_text("9\n1 0\n2 2\n3 1\n4 1\n")
    with pytest.raises(UserError, match="the first line says 9 points, 4 follow"):
        read_measured(path)


def test_comments_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "curve.txt"
    path.write_bytes("# 300 \u00c5 \u00b1 5\n1 0\n2 2\n3 1\n4 1\n".encode("cp1252"))
    assert read_measured(path).y.tolist() == [0.0, 2.0, 1.0, 1.0]


def test_a_third_column_is_no_error_unless_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "curve.txt"
    rows = "1 0 0.1\n2 2 0.2\n3 1 0.3\n4 1 0.4\n"
    path.write_text(rows)
    with pytest.raises(UserError) as error:
        read_measured(path)
    assert "--columns" in str(error.value)
    path.write_text(f"r g(r) n(r)\n{rows}")
    with pytest.raises(UserError, match=r"n\(r\)|--columns"):
        read_measured(path)
    path.write_text(f"r g(r) sigma\n{rows}")
    found = read_measured(path)
    assert found.sigma is not None
    assert found.sigma.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert read_measured(path, [1, 2], 0.05).sigma.tolist() == [0.05] * 4  # type: ignore[union-attr]
