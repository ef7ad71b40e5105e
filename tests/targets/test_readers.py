"""Every function in every layout that programs write: one g(r), one F(Q), whatever the file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import votca_mlp as vm
from tests.scattering.test_read import NORMALISED, TEMPLATE
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.scattering.core import check_core
from votca_mlp.scattering.lengths import neutron_length, parsed_isotopes, strength_of
from votca_mlp.scattering.read import read_scattering
from votca_mlp.tables import grid_points, read_table
from votca_mlp.targets.build import target_from
from votca_mlp.targets.measured import read_measured

RHO = 0.0524
GRID = grid_points(0.0, 0.9, 0.01)
R = np.round(np.arange(0.02, 12.001, 0.02), 6)
Q = np.round(np.arange(0.05, 24.001, 0.05), 6)
B2 = strength_of("Al")


def liquid(r: np.ndarray) -> np.ndarray:
    """Return a smooth g(r): hard core, main peak at 2.8 Angstrom, one far out."""
    wave = np.exp(-(r - 2.8) / 1.6) * np.cos(2 * np.pi * (r - 2.8) / 2.5)
    g = (1 + 1.3 * wave) / (1 + np.exp(-(r - 2.45) / 0.06))
    return np.asarray(np.where(r < 1.9, 0.0, g))


def factor(q: np.ndarray) -> np.ndarray:
    """Return S(Q) of that liquid."""
    r = np.arange(0.005, 30.0, 0.01)
    return np.asarray(1 + 4 * np.pi * RHO * 0.01 * np.sinc(np.outer(q, r) / np.pi) @ (r**2 * (liquid(r) - 1)))


LINE = 4 * np.pi * RHO * R
S = factor(Q)
OF_R = {
    "g": liquid(R),
    "g-1": liquid(R) - 1,
    "G": LINE * (liquid(R) - 1),
    "D": LINE * (liquid(R) - 1),
    "T": LINE * liquid(R),
    "RDF": LINE * R * liquid(R),
}
OF_Q = {"S": S, "S-1": S - 1, "Q(S-1)": Q * (S - 1), "F": B2 * (S - 1)}
CURVES = {name: (R, y) for name, y in OF_R.items()} | {name: (Q, y) for name, y in OF_Q.items()}


def rows(x: np.ndarray, y: np.ndarray, form: str = "{:.6f} {:.10e}") -> str:
    return "".join(form.format(a, b) + "\n" for a, b in zip(x, y, strict=True))


def lammps(x: np.ndarray, y: np.ndarray) -> str:
    head = "# Time-averaged data for fix 1\n# TimeStep Number-of-rows\n# Row c_1[1] c_1[2] c_1[3]\n"
    block = "".join(f"{k} {a:.6f} {b:.10e} 0\n" for k, (a, b) in enumerate(zip(x, y, strict=True), start=1))
    return f"{head}0 {len(x)}\n{block}500 {len(x)}\n{block}"


def gnuplot_sigma(x: np.ndarray, y: np.ndarray) -> str:
    return "".join(f"{a:.6f} {b:.10e} 0.01\n" for a, b in zip(x, y, strict=True))


Writer = Callable[[np.ndarray, np.ndarray], str]
LAYOUTS: dict[str, tuple[str, Writer, tuple[int, ...] | None]] = {
    "mint01": (".mint01", lambda x, y: "#  sample\n#  600\n" + gnuplot_sigma(x, y), (1, 2, 3)),
    "plain": (".dat", rows, None),
    "pdfgetx3": (
        "",
        lambda x, y: "[DEFAULT]\nqmaxinst = 24\n#### start data\n#S 1\n#L x  y\n" + rows(x, y),
        None,
    ),
    "csv": (".csv", lambda x, y: "x,value,\n" + rows(x, y, "{:.6f},{:.10e},"), None),
    "decimal commas": (".csv", lambda x, y: rows(x, y, "{:.6f};{:.10e}").replace(".", ","), None),
    "quoted": (".csv", lambda x, y: rows(x, y, '"{:.6f}","{:.10e}"'), None),
    "chi": (".chi", lambda x, y: f"a sample\nx\nvalue\n{len(x):12d}\n" + rows(x, y), None),
    "lammps": (".rdf", lammps, (2, 3)),
    "rmcprofile": (".fq", lambda x, y: f"{len(x)}\na title of words\n" + rows(x, y), None),
    "rmcprofile csv": (
        ".csv",
        lambda x, y: " x, calculated, measured\n" + rows(x, y, "{0:.6f}, 9.0, {1:.10e}"),
        (1, 3),
    ),
    "fortran": (".dat", lambda x, y: rows(x, y, "{:.6f} {:.10E}").replace("E", "D"), None),
    "windows": (".dat", lambda x, y: rows(x, y).replace("\n", "\r\n"), None),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("function", CURVES)
def test_one_target(tmp_path: Path, layout: str, function: str) -> None:
    ending, writer, columns = LAYOUTS[layout]
    path = tmp_path / f"curve{ending}"
    path.write_text(writer(*CURVES[function]), newline="")
    data = read_measured(path, columns)
    if ending in (".mint01", ".fq") and function in OF_R:
        # a name that is one of Q alone
        with pytest.raises(UserError, match="the file's name says"):
            target_from(data, GRID, function=function, density=RHO)  # type: ignore[arg-type]
        return
    table, notes = target_from(data, GRID, function=function, density=RHO, strength=B2)  # type: ignore[arg-type]
    # from Q: to what Qmax 24 resolves of the flank
    off = 0.03 if function in OF_Q else 2e-4
    assert table.y == pytest.approx(liquid(10 * GRID), abs=off)
    assert any("main peak" in note for note in notes)
    assert (table.yerr is not None) == (layout == "mint01")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("function", [*OF_Q, "QF"])
def test_one_data_set(tmp_path: Path, layout: str, function: str) -> None:
    """The same files as data of <scattering>: F in barn/sr, or over <b>^2."""
    ending, writer, columns = LAYOUTS[layout]
    path = tmp_path / f"curve{ending}"
    y = Q * OF_Q["F"] if function == "QF" else OF_Q[function]
    path.write_text(writer(Q, y), newline="")
    normalised = function in ("S", "S-1", "Q(S-1)")
    found = read_scattering(
        path,
        NORMALISED if normalised else TEMPLATE,
        written=function,  # type: ignore[arg-type]
        columns=columns,
        sigma=None if layout == "mint01" else 0.01,
    )
    assert found.q == pytest.approx(Q)
    assert found.values == pytest.approx((1.0 if normalised else B2) * (S - 1), abs=1e-8)
    assert found.errors == pytest.approx(0.01 / Q if "Q" in function else np.full(len(Q), 0.01))


def test_f_of_a_mixture_is_no_partial(tmp_path: Path) -> None:
    path = tmp_path / "curve.dat"
    path.write_text(rows(Q, OF_Q["F"]))
    with pytest.raises(UserError, match="without the sample's isotopes"):
        target_from(read_measured(path), GRID, function="F", density=RHO)
    with pytest.raises(UserError, match="cannot be made S") as caught:
        strength_of("D 16O")
    assert "<scattering>" in str(caught.value)
    mean = 0.6 * neutron_length("H") + 0.4 * neutron_length("D")
    assert strength_of("H:0.6 D:0.4") == pytest.approx(mean**2 / 100)


def test_command_and_api_are_one(tmp_path: Path) -> None:
    path, out = tmp_path / "al.mint01", tmp_path / "Al-Al.dist.tgt"
    path.write_text(rows(Q, OF_Q["F"]))
    words = [str(path), "-o", str(out), "--function", "F", "--isotopes", "Al", "--density", str(RHO)]
    done = CliRunner().invoke(app, ["target", *words, "--min", "0", "--max", "0.9", "--step", "0.01"])
    assert done.exit_code == 0, done.output
    assert "F(Q) in barn/sr" in done.output
    made = vm.read_target(path, ("Al", "Al"), grid=(0.0, 9.0, 0.1), function="F", isotopes="Al", density=RHO)
    assert made.values == pytest.approx(read_table(out).y, abs=1e-9)
    done = CliRunner().invoke(
        app, ["target", *words[:3], "--isotopes", "Al", "--min", "0", "--max", "0.9", "--step", "0.01"]
    )
    assert "--isotopes without --function F" in done.output + str(done.exception)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (rows(10 * Q, S - 1), "that is 1/nm"),
        (rows(10 * Q[: len(Q) // 4], (S - 1)[: len(Q) // 4]), "that is 1/nm, or it was multiplied by Q"),
        ("Q S(Q)-1 n(r)\n" + rows(Q, S - 1), "is the error|no heading"),
        ("r G(r)\n" + rows(Q, S - 1), r"says G\(r\)"),
        ("Q Q[S(Q)-1]\n" + rows(Q, S - 1), r"says Q \[S\(Q\) - 1\]"),
        (rows(Q, S), "averages to 1, not to zero"),
    ],
)
def test_what_is_no_f_of_q(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "curve.dat"
    if "n(r)" in text:
        text = text.splitlines()[0] + "\n" + gnuplot_sigma(Q, S - 1)
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_scattering(path, NORMALISED, sigma=0.01)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.chi", "sample\n2-Theta Angle (Degrees)\nIntensity\n 4\n"),
        ("a.dat", "# 2theta  I\n"),
        ("a.csv", "Two Theta,counts\n"),
    ],
)
def test_an_angle_is_no_q(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    comma = "," if name.endswith(".csv") else " "
    path.write_text(text + "".join(f"{k}{comma}{k * k}\n" for k in range(1, 5)))
    with pytest.raises(UserError, match="the first column is an angle"):
        read_measured(path)


def test_functions_of_r_are_no_data(tmp_path: Path) -> None:
    path = tmp_path / "curve.gr"
    path.write_text(rows(R, OF_R["G"]))
    for name in ("G", "g", "T"):
        with pytest.raises(UserError, match="is no function of Q that can be fitted") as caught:
            read_scattering(path, NORMALISED, written=name)  # type: ignore[arg-type]
        assert "<window>" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"values": Q * (S - 1)}, "function QF"),
        ({"values": (S - 1) * B2 * 100}, "data in fm"),
        ({"values": (S - 1) * B2 * 4 * np.pi}, "divided by 4 pi"),
        ({"values": S - 1}, "normalisation square_of_mean"),
        ({"q": 10 * Q}, "Q in 1/nm"),
    ],
)
def test_the_core_says_what_is_wrong(change: dict[str, np.ndarray], hint: str) -> None:
    right = replace(TEMPLATE, q=Q, values=B2 * (S - 1), isotopes=parsed_isotopes("Al"))
    assert "core of g(r) at 1.0" in check_core(right, {"Al": 1.0}, RHO, 2.2)
    data = replace(right, **change)  # type: ignore[arg-type]
    if hint == "function QF":
        data = replace(data, values=B2 * data.values)
    with pytest.raises(UserError, match="times what an empty core gives") as caught:
        check_core(data, {"Al": 1.0}, RHO, 2.2)
    assert hint in str(caught.value.accepted)
