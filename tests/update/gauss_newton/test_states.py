"""One u(r) for several states, or u(r; T) linear in T: known answers of the linear problem."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import inverse, needs_votca
from tests.inverse.case import ours
from tests.inverse.states_case import make_states
from tests.update.gauss_newton.test_rule import as_gauss_newton
from votca_mlp.errors import UserError
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.step_data import step_data
from votca_mlp.observables.protocol import Series
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.step import StepObservables
from votca_mlp.observables.store import write_observables
from votca_mlp.settings import load_settings
from votca_mlp.tables import make_table, read_table, write_table
from votca_mlp.targets.target import Target
from votca_mlp.update.gauss_newton.data import layout_of
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings
from votca_mlp.update.gauss_newton.report import NAME, in_words, read_report
from votca_mlp.update.gauss_newton.rule import GaussNewton, _response
from votca_mlp.update.gauss_newton.tikhonov import tikhonov, tikhonov_update
from votca_mlp.update.rule import StepData

FRAMES = 2000


def histograms(seed: int, r: np.ndarray, frames: int = FRAMES) -> StepObservables:
    """Return pair counts that fluctuate by themselves around a g(r) of one shell, at constant volume."""
    rng = np.random.default_rng(seed)
    g = np.where(r > 3.2, 1.0 + np.exp(-(((r - 3.8) / 0.4) ** 2)), 0.0)
    shell = 4.0 * np.pi * r**2 * (r[1] - r[0])
    mean = 50.0 * g * shell / shell.max()
    counts = rng.poisson(np.broadcast_to(mean, (frames, len(r))))[:, None]
    norm = np.array([shell.max() / 50.0 / 5000.0])
    counted = PairHistograms(r, (("Ar", "Ar"),), counts, np.full(frames, 5000.0), norm)
    return StepObservables(np.arange(frames), (counted,), {"volume": Series(np.full(frames, 5000.0), "A3")})


def states(directory: Path, terms: int, frames: int = FRAMES) -> StepData:
    """Return a step of two states with such simulations, whose targets are yet to be made."""
    more = f"<temperature_terms>{terms}</temperature_terms>" if terms > 1 else ""
    main = make_states(directory / f"terms_{terms}", multistate=more)
    as_gauss_newton(main)
    plan = plan_of(load_settings(main / "settings.xml"))
    step = main / "step_001"
    r = plan.pairs[0].grid.points
    for seed, state in enumerate(plan.states):
        (step / state.name).mkdir(parents=True)
        write_observables(step / state.name, histograms(seed, 10.0 * r, frames))
        write_table(step / state.name / "Ar-Ar.dist.tgt", read_table(main / state.name / "Ar-Ar.dist.tgt"))
    for stem in plan.tables("Ar-Ar"):
        write_table(step / f"{stem}.pot.cur", make_table(r, 0.0 * r))
    return step_data(plan, 1)


def with_answer(step: StepData, known: tuple[np.ndarray, ...]) -> tuple[StepData, list[np.ndarray]]:
    """Return the step with targets that the linear response gives for known u_k, and these u_k."""
    assert isinstance(step.options, GaussNewtonSettings)
    layout = layout_of(step, ["Ar-Ar"], step.options)
    found = _response(replace(step, basis=replace(step.basis, terms=len(known))), layout)
    values = found.values + found.jacobian @ np.concatenate(known)
    made = []
    for state, datum in zip(step.states, layout.data, strict=True):
        target = state.targets["Ar-Ar"]
        y = np.nan_to_num(target.values).copy()
        y[datum.points] = values[datum.rows]
        new = replace(target, values=y, errors=np.full(len(y), 1e-3))
        targets: dict[str, Target] = {"Ar-Ar": new}
        made.append(replace(state, targets=targets))
    basis = layout.bases["Ar-Ar"].values
    return replace(step, states=tuple(made)), [basis @ c for c in known]


def answer(step: StepData) -> tuple[np.ndarray, ...]:
    """Return smooth coefficients of u_0 and, half as large and of another form, of u_1 (kJ/mol)."""
    assert isinstance(step.options, GaussNewtonSettings)
    centres = layout_of(step, ["Ar-Ar"], step.options).bases["Ar-Ar"].centres
    return 0.1 * np.exp(-(((centres - 0.40) / 0.06) ** 2)), -0.05 * np.exp(-(((centres - 0.50) / 0.07) ** 2))


def test_u_linear_in_temperature(tmp_path: Path) -> None:
    """Two states whose targets were made with u_0 + c(T) u_1: both are found in one solve."""
    step = states(tmp_path, 2)
    assert step.basis.terms == 2
    asked, known = with_answer(step, answer(step))
    found = GaussNewton().update(asked, ["Ar-Ar"])["Ar-Ar"].terms
    assert len(found) == 2
    seen = step.pairs["Ar-Ar"].points > 0.34
    for table, u in zip(found, known, strict=True):
        assert np.std((table.y - u)[seen]) < 0.1 * np.std(u[seen])
        assert table.yerr is not None
        assert (table.yerr[:-1] > 0).all()


def test_one_u_for_both(tmp_path: Path) -> None:
    """One u(r) is found where both ask for it, and is no answer where each asks for its own."""
    step = states(tmp_path, 1)
    asked, (u,) = with_answer(step, answer(step)[:1])
    (table,) = GaussNewton().update(asked, ["Ar-Ar"])["Ar-Ar"].terms
    seen = step.pairs["Ar-Ar"].points > 0.34
    assert np.std((table.y - u)[seen]) < 0.1 * np.std(u[seen])


@pytest.mark.slow
def test_both_loops(tmp_path: Path) -> None:
    """csg_inverse, unmodified, with method imc and u linear in T: the tables and the report of our loop."""
    needs_votca()
    linear = "<temperature_terms>2</temperature_terms>"
    theirs, own = (make_states(tmp_path / name, multistate=linear) for name in ("theirs", "own"))
    for main in (theirs, own):
        as_gauss_newton(main)
    status, output = inverse(theirs)
    assert status == 0, output
    status, output = ours(own)
    assert status == 0, output
    a, b = theirs / "step_001", own / "step_001"
    assert (a / NAME).read_bytes() == (b / NAME).read_bytes()
    for stem in ("Ar-Ar", "Ar-Ar.term1"):
        one, two = (read_table(step / f"{stem}.pot.new") for step in (a, b))
        assert np.array_equal(one.y, two.y)
        assert np.any(one.y)
        assert one.yerr is not None
        assert two.yerr == pytest.approx(one.yerr, rel=1e-9)


def test_one_frame_says_nothing(tmp_path: Path) -> None:
    step = states(tmp_path, 1, frames=1)
    with pytest.raises(UserError, match=r"one frame does not say how g\(r\) answers"):
        GaussNewton().update(step, ["Ar-Ar"])
    with pytest.raises(UserError, match="the pair histograms of all frames are alike"):
        tikhonov_update(step, step.states[0], ["Ar-Ar"], 1.0)


def test_fewer_frames_than_functions(tmp_path: Path) -> None:
    """Allowed, also where the covariances are singular; VOTCA's equation leaves out what they do not say."""
    step = states(tmp_path, 1, frames=8)
    (table,) = GaussNewton().update(step, ["Ar-Ar"])["Ar-Ar"].terms
    assert np.isfinite(table.y).all()
    report = read_report(step.directory)
    assert report is not None
    assert any("8 frames for " in line for line in in_words(report))
    found = tikhonov_update(step, step.states[0], ["Ar-Ar"], 0.0)["Ar-Ar"]
    assert np.isfinite(found).all()
    covariance = np.diag([2.0, 0.5, 0.0])
    assert tikhonov(covariance, np.array([1.0, 1.0, 1.0]), 0.0) == pytest.approx([0.5, 2.0, 0.0])
