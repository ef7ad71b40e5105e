"""The simulated g(r) through a range of Q and a window: closed forms, transform of S(Q), files of a step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import sici

from tests.csg.case import edit, make_case
from tests.update.gauss_newton.test_scattering import KBT, frames
from votca_mlp.errors import UserError
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.stages.measure import write_windowed
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.step import StepObservables, measure_frames
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.settings import load_settings
from votca_mlp.settings.inputs import input_problems
from votca_mlp.tables import grid_points, make_table, read_table
from votca_mlp.targets.structure_factor import rdf_from_structure_factor
from votca_mlp.targets.window import RdfWindow, empty_core, window_matrix, windowed_table
from votca_mlp.update.gauss_newton.basis import spline_basis
from votca_mlp.update.gauss_newton.response import rdf_response

R = np.arange(0.0, 6.51, 0.1)
KINDS = ("none", "lorch")


@pytest.fixture(scope="module")
def measured() -> StepObservables:
    pairs = [(("Ar", "Ar"), ("Ar", "Kr"), ("Kr", "Kr"))]
    return measure_frames(frames(), [(pairs[0], R)], {}, {}, whole=True)


def whole_of(measured: StepObservables) -> PairHistograms:
    return measured.to_half_box("here")


def transform(kind: str, q_max: float, x: np.ndarray) -> np.ndarray:
    """Return int_0^Qmax M(Q) cos(Q x) dQ in closed form."""
    if kind == "lorch":
        return q_max / (2 * np.pi) * (sici(np.pi + q_max * x)[0] + sici(np.pi - q_max * x)[0])
    return q_max * np.sinc(q_max * x / np.pi)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("q_max", [8.0, 20.0])
def test_hard_core_in_closed_form(kind: str, q_max: float) -> None:
    """The convolution r h_w(r) = (1/pi) int x h(x) [C(r - x) - C(r + x)] dx of an empty sphere."""
    bins, r = 0.02 * np.arange(0, 701), np.array([0.3, 1.0, 2.6, 3.0, 3.4, 5.0, 9.0])
    core = -np.where(bins < 3.0 + 1e-9, 1.0, 0.0)
    x = 3.01 / 40000 * (np.arange(40000) + 0.5)
    kernels = transform(kind, q_max, r[:, None] - x) - transform(kind, q_max, r[:, None] + x)
    wanted = -(kernels @ x) * (x[1] - x[0]) / np.pi / r
    found = window_matrix(RdfWindow(q_max, kind), r, bins) @ core  # type: ignore[arg-type]
    assert found == pytest.approx(wanted, abs=2e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_as_the_transform_of_its_structure_factor(measured: StepObservables, kind: str) -> None:
    """The same g(r) as ``votca-mlp target --from-sq`` makes of the simulation's own S(Q) to Qmax."""
    counted = whole_of(measured)
    q = np.arange(0.02, 10.0001, 0.02)
    factors = partial_factors(counted, q)
    density = 40 * float(np.mean(1.0 / counted.volumes))
    s = 1.0 + factors.mean()[counted.row(("Ar", "Kr"))]
    wanted = rdf_from_structure_factor(q, s, density, R[5:], kind=kind)  # type: ignore[arg-type]
    seen = RdfWindow(10.0, kind)  # type: ignore[arg-type]
    g = counted.g(("Ar", "Kr"))
    found = 1.0 + window_matrix(seen, R[5:], counted.r) @ (g - 1.0)
    # V <H> is not <H/V>^-1 at constant pressure
    assert found == pytest.approx(wanted, abs=2e-3 * np.abs(wanted).max())


def test_a_window_lowers_the_main_peak(measured: StepObservables) -> None:
    """By as much as its width says, and the narrower the range of Q the more."""
    counted = whole_of(measured)
    sharp = make_table(R / 10.0, measured.histogram(("Ar", "Kr")).g(("Ar", "Kr")))
    target = np.where(R < 1.0, 0.0, 1.0)
    peaks = [
        windowed_table(RdfWindow(q, "lorch"), sharp, target, counted, ("Ar", "Kr"), None).y[20:].max()
        for q in (4.0, 6.0, 12.0)
    ]
    assert peaks[0] < 0.95 * peaks[1] < 0.95 * peaks[2] < counted.g(("Ar", "Kr"))[100:].max()
    assert empty_core(target).sum() == 10


def test_errors_come_from_blocks(measured: StepObservables) -> None:
    counted = whole_of(measured)
    sharp = measured.histogram(("Ar", "Kr")).table(("Ar", "Kr"), 40)
    target = np.where(R < 1.0, 0.0, 1.0)
    found = windowed_table(RdfWindow(12.0, "lorch"), sharp, target, counted, ("Ar", "Kr"), 40)
    assert found.yerr is not None
    assert sharp.yerr is not None
    assert np.array_equal(found.yerr[:10], sharp.yerr[:10])
    # broad points average over many pairs
    assert 0.0 < np.mean(found.yerr[20:]) < np.mean(sharp.yerr[20:])


@pytest.mark.parametrize("kind", KINDS)
def test_jacobian_is_that_of_reweighting(measured: StepObservables, kind: str) -> None:
    counted = whole_of(measured)
    row = counted.row(("Ar", "Kr"))
    basis = spline_basis(np.linspace(0.0, 5.0, 101), 1.0, 0.8)
    functions = basis.on(counted.r)
    h = counted.counts[:, row] @ functions
    matrix = window_matrix(RdfWindow(11.0, kind), R, counted.r)  # type: ignore[arg-type]
    found = matrix @ rdf_response(counted, row, h, functions, KBT, spacing=0.0).jacobian
    j, step = basis.size - 1, 1e-5
    ends = []
    for sign in (1, -1):
        weights = np.exp(-sign * step * (h[:, j] - h[:, j].mean()) / KBT)
        weights /= weights.sum()
        g = (weights @ counted.volumes) * (weights @ counted.counts[:, row]) * counted.norms[row]
        ends.append(matrix @ (g / counted.shells - 1.0))
    slope = (ends[0] - ends[1]) / (2 * step)
    assert found[:, j] == pytest.approx(slope * 400 / 399, abs=2e-3 * np.abs(slope).max())


SECTION = "<window> <q_max>9</q_max> <function>lorch</function> </window>"


def test_files_of_a_step(measured: StepObservables, tmp_path: Path) -> None:
    """NAME.dist.new is as the target was seen, NAME.dist.sharp is g(r); done again it is the same."""
    main = make_case(tmp_path / "main", ("Ar", "Kr"))
    edit(
        main / "settings.xml",
        {"<target>Ar-Kr.dist.tgt</target>": f"<target>Ar-Kr.dist.tgt</target>{SECTION}"},
    )
    settings = load_settings(main / "settings.xml")
    assert not input_problems(settings)
    (state,) = plan_of(settings).states
    assert state.counts_all
    # the gas of these tests is smaller than the case's grid
    pairs = tuple(replace(pair, grid=replace(pair.grid, max=0.65)) for pair in state.pairs)
    pairs = tuple(replace(pair, grid=replace(pair.grid, step=0.01)) for pair in pairs)
    state = replace(state, pairs=pairs)
    (name,) = write_windowed(state, measured, tmp_path)
    first = (tmp_path / "Ar-Kr.dist.new").read_bytes()
    assert name == "Ar-Kr"
    sharp, new = read_table(tmp_path / "Ar-Kr.dist.sharp"), read_table(tmp_path / "Ar-Kr.dist.new")
    assert sharp.y == pytest.approx(measured.histogram(("Ar", "Kr")).g(("Ar", "Kr")), abs=1e-8)
    assert new.x == pytest.approx(grid_points(0.0, 0.65, 0.01))
    assert np.abs(new.y - sharp.y).max() > 0.1
    write_windowed(state, measured, tmp_path)
    assert (tmp_path / "Ar-Kr.dist.new").read_bytes() == first
    with pytest.raises(UserError, match="no pair counts to half the box"):
        write_windowed(state, replace(measured, whole=None), tmp_path)


def test_a_run_without_is_as_before(tmp_path: Path) -> None:
    plan = plan_of(load_settings(make_case(tmp_path / "main") / "settings.xml"))
    assert not plan.states[0].counts_all
    assert plan.pairs[0].window is None
    assert not [tag for tag in plan.origin.tags if "window" in tag]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("<window> <q_max>160</q_max> </window>", "q_max.* is '160'.* <= 80 (1/Angstrom)"),
        ("<window> <q_max>9</q_max> <function>hann</function> </window>", "is 'hann'.*none | lorch"),
        ("<window> <function>lorch</function> </window>", "is given without a <q_max>"),
    ],
)
def test_bad_sections(tmp_path: Path, section: str, words: str) -> None:
    main = make_case(tmp_path / "main")
    edit(
        main / "settings.xml",
        {"<target>Ar-Ar.dist.tgt</target>": f"<target>Ar-Ar.dist.tgt</target>{section}"},
    )
    try:
        said = "\n".join(map(str, input_problems(load_settings(main / "settings.xml"))))
    except UserError as error:
        said = str(error)
    for part in words.split(".*"):
        assert part in said


def test_not_with_a_reg(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main", inverse="<imc><default_reg>1</default_reg></imc>")
    text = (main / "settings.xml").read_text().replace("<method>ibi", "<method>imc")
    text = text.replace("<target>", f"{SECTION}<target>")
    (main / "settings.xml").write_text(
        text.replace("<wibi><alpha>0.5</alpha><weight>target</weight></wibi>", "")
    )
    (problem,) = input_problems(load_settings(main / "settings.xml"))
    assert "VOTCA's own inverse Monte Carlo" in str(problem)
