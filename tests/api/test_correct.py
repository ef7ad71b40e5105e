"""The loop from Python: the digits of settings.xml, going on, and what is refused before any simulation."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import votca_mlp as vm
from votca_mlp.inverse.start import run_inverse
from votca_mlp.tables import read_table

ROOT = Path(__file__).resolve().parents[2]
CASE = ROOT / "settings" / "al_quickstart"
TIMES = {"timestep": 2.0, "first_equilibration": 2000.0, "equilibration": 1000.0, "production": 8000.0}


@pytest.fixture(scope="module")
def model() -> vm.Model:
    """Return the shipped model."""
    return vm.load_model("builtin:al-hipnn")


@pytest.fixture(scope="module")
def target() -> vm.Target:
    """Return the measured g(r) of the melt."""
    return vm.read_target(CASE / "Al-Al.dist.tgt", ("Al", "Al"))


def plan() -> vm.MDPlan:
    """Return the molecular dynamics of the quickstart's settings, but for more frames."""
    return vm.MDPlan(temperature=1023, pressure=1, sample_every=10, seed=1, **TIMES)  # type: ignore[arg-type]


def test_same_digits_as_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: vm.Model, target: vm.Target
) -> None:
    """The same plan and seed give the tables of settings.xml, to the last digit, and the run goes on."""
    monkeypatch.setenv("CSG_MDRUN_STEPS", "50")
    by_settings, by_hand = tmp_path / "settings", tmp_path / "python"
    shutil.copytree(CASE, by_settings)
    # in Python kBT is that of the temperature; the case has it with six digits
    file = by_settings / "settings.xml"
    text = file.read_text().replace("<kBT>8.50577</kBT>", f"<kBT>{plan().kBT!r}</kBT>")
    # two blocks of the few frames
    for tag, (old, new) in {"block_length": (20, 4), "sample_every": (50, 10)}.items():
        assert f"<{tag}>{old}<" in text
        text = text.replace(f"<{tag}>{old}<", f"<{tag}>{new}<")
    file.write_text(text)
    run_inverse(by_settings / "settings.xml", do_iterations=2)
    arguments = (model, target, CASE / "conf.extxyz", plan(), vm.wibi(alpha=0.5))
    vm.correct(*arguments, iterations=1, directory=by_hand, block_length=4)
    correction = vm.correct(*arguments, iterations=2, directory=by_hand, block_length=4)
    for number in (1, 2):
        for name in ("pot.cur", "dist.new", "dist.tgt", "dpot.new"):
            file = f"step_{number:03d}/Al-Al.{name}"
            one, other = (read_table(folder / file) for folder in (by_settings, by_hand))
            for column in ("x", "y", "yerr", "flags"):
                np.testing.assert_array_equal(getattr(one, column), getattr(other, column), err_msg=file)
    assert correction.iterations == 2
    np.testing.assert_array_equal(
        correction.tables["Al", "Al"].y, read_table(by_settings / "step_002/Al-Al.pot.cur").y
    )
    np.testing.assert_array_equal(
        correction.after_update().tables["Al", "Al"].y, read_table(by_settings / "step_002/Al-Al.pot.new").y
    )
    # both directories are read back the same
    for folder in (by_settings, by_hand):
        again = vm.read_run(folder)
        assert (again.temperature, again.pressure, again.iterations) == (1023, 1, 2)
        assert again.model == model.identity
        np.testing.assert_array_equal(again.tables["Al", "Al"].y, correction.tables["Al", "Al"].y)


def test_input_is_refused_before_any_simulation(model: vm.Model, target: vm.Target, tmp_path: Path) -> None:
    """One clear message each; nothing is simulated."""
    start = CASE / "conf.extxyz"
    uneven = vm.rdf_target(("Al", "Al"), np.array([0.0, 1.0, 3.0, 4.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    for targets, words in (
        ([], "no target"),
        ([target, target], "two targets for one pair: Al-Al, Al-Al"),
        (uneven, "the grid is not evenly spaced"),
    ):
        with pytest.raises(vm.UserError, match=words):
            vm.correct(model, targets, start, plan())
    copper = vm.read_target(CASE / "Al-Al.dist.tgt", ("Al", "Cu"))
    with pytest.raises(vm.UserError, match="targets: Al-Cu: the start has no Cu"):
        vm.correct(model, copper, start, plan(), directory=tmp_path / "none")
    with pytest.raises(vm.UserError, match=r"is 500 frames, but the plan gives 800: .*\n.*at most 400"):
        vm.correct(model, target, start, plan(), block_length=500)
    with pytest.raises(vm.UserError, match="no element 'Alu'"):
        vm.correct(model, target, vm.Crystal(element="Alu", lattice_constant=4.05), plan())
    assert not list(tmp_path.glob("none/step_*"))
    with pytest.raises(vm.UserError, match="iterations: is 0"):
        vm.correct(model, target, start, plan(), iterations=0)
    with pytest.raises(vm.UserError, match="no option 'alfa' of rule wibi"):
        vm.wibi(alfa=0.5)
    with pytest.raises(vm.UserError, match="rule wibi: alpha is -1"):
        vm.wibi(alpha=-1)
    with pytest.raises(vm.UserError, match="no rule 'imc'"):
        vm.rule("imc")
    errors = np.where(target.x == target.x[60], 0.0, 0.02)
    zero = vm.rdf_target(("Al", "Al"), target.x, target.values, errors)
    with pytest.raises(vm.UserError, match=r"Al-Al has an error of 0 at 3 Angstrom"):
        vm.correct(model, zero, start, plan(), rule=vm.gauss_newton())
    for pressure, words in ((1.0, "the barostat holds the pressure"), ((1.0, 0.0), "standard error of 0")):
        md = replace(plan(), ensemble="npt" if words.startswith("the") else "nvt")
        with pytest.raises(vm.UserError, match=words):
            vm.correct(model, target, start, md, rule=vm.gauss_newton(), pressure=pressure)
    with pytest.raises(vm.UserError, match="temperature"):
        vm.MDPlan(temperature=0)
    with pytest.raises(vm.UserError, match="no builtin model 'al'"):
        vm.load_model("builtin:al")
    with pytest.raises(vm.UserError, match="neither settings"):
        vm.read_run(tmp_path)
    with pytest.raises(vm.UserError, match="no settings"):
        vm.predict(tmp_path)


def test_names_in_the_place_of_what_they_name(model: vm.Model, target: vm.Target) -> None:
    """They were errors of Python: 'str' object has no attribute."""
    given = {
        "model": model,
        "targets": target,
        "start": CASE / "conf.extxyz",
        "md": plan(),
        "rule": vm.wibi(),
    }
    for name in ("model", "targets", "md", "rule"):
        with pytest.raises(vm.UserError, match=f"{name}: is 'x'\n  accepted: votca_mlp"):
            vm.correct(**given | {name: "x" if name != "targets" else ["x"]})
    with pytest.raises(vm.UserError, match="model: is 'x'"):
        vm.simulate("x", CASE / "conf.extxyz", plan())
    correction = vm.Correction({("Al", "Al"): target.table}, 1023, 1.0, iterations=3)
    with pytest.raises(vm.UserError, match="model: is 'x'"):
        correction.calculator("x")


def test_what_a_notebook_shows(model: vm.Model, target: vm.Target) -> None:
    """A line, not hundreds of numbers."""
    correction = vm.Correction({("Al", "Al"): target.table}, 1023, 1.0, iterations=3)
    assert repr(correction) == "Correction(Al-Al to 10 Angstrom; 1023 K, 1 bar, 3 iterations)"
    assert repr(target).startswith("Target(rdf Al-Al: 201 points from 0 to 10, without errors, ")
    md = replace(plan(), first_equilibration=0.0, production=40.0)
    simulation = vm.simulate(model, CASE / "conf.extxyz", md)
    assert repr(simulation).startswith("Simulation(4 frames of 500 atoms; ")
    rdf = vm.rdf(simulation, ("Al", "Al"), r_max=8.0)
    assert repr(rdf).startswith("Rdf(161 points from 0 to 8 Angstrom, highest ")
    scattering = vm.structure_factor(simulation, np.linspace(1.0, 10.0, 50))
    for shown in (correction, target, simulation, rdf, scattering):
        assert "\n" not in repr(shown)
        assert len(repr(shown)) < 400


def test_a_pair_without_a_target(model: vm.Model, target: vm.Target, tmp_path: Path) -> None:
    """Of a rule that fits other data; without such data, or for another rule, it is refused."""
    from votca_mlp.api.correct import inverse_plan

    none = vm.no_target(("Al", "Al"), (2.0, 8.0, 0.05))
    start, rule = CASE / "conf.extxyz", vm.gauss_newton()
    plan_ = inverse_plan(model, [none], start, plan(), rule, 1, tmp_path, None, density=2350.0)
    (pair,) = plan_.pairs
    assert pair.target is None
    assert (pair.grid.min, pair.grid.max) == (0.2, 0.8)
    assert not list(tmp_path.glob("*.dist.tgt"))
    for given, by, words in (
        (none, vm.wibi(), r"no g\(r\) of Al-Al, which rule wibi fits"),
        (none, rule, "there is nothing to fit"),
        (target, vm.gauss_newton(fit=False), "there is nothing to fit"),
    ):
        with pytest.raises(vm.UserError, match=words):
            vm.correct(model, given, start, plan(), rule=by)
    with pytest.raises(vm.UserError, match="begins at the first point"):
        vm.no_target(("Al", "Al"), (0.0, 8.0, 0.05))


def test_totals_that_contradict_the_density(model: vm.Model, target: vm.Target, tmp_path: Path) -> None:
    """F(Q) in another unit is refused before any simulation, where a density is given."""
    q = np.arange(0.2, 20.0, 0.05)
    r = target.x[1:]
    line = 4 * np.pi * 0.0524 * (r[1] - r[0]) * r**2 * (target.values[1:] - 1)
    f = 0.119 * np.sinc(np.outer(q, r) / np.pi) @ line
    start = CASE / "conf.extxyz"
    for factor, words in ((1.0, "two data sets have the name a"), (4 * np.pi, "right for .*divided by 4 pi")):
        np.savetxt(tmp_path / "a.dat", np.stack([q, factor * f], axis=1))
        one = vm.ScatteringSource(tmp_path / "a.dat", "a", sigma=0.01)
        # what fits the density is refused for another reason, so that nothing is simulated here
        sets = [one, one] if factor == 1.0 else [one]
        with pytest.raises(vm.UserError, match=words):
            vm.correct(model, target, start, plan(), rule=vm.gauss_newton(), density=2350.0, scattering=sets)


def test_a_target_that_was_seen_through_a_window(model: vm.Model, tmp_path: Path) -> None:
    """It is part of the plan, and of what a changed run is told by."""
    from votca_mlp.api.correct import inverse_plan

    path = CASE / "Al-Al.dist.tgt"
    for seen in (None, vm.RdfWindow(12.0, "none")):
        target = vm.read_target(path, ("Al", "Al"), seen=seen)
        found = inverse_plan(model, [target], CASE / "conf.extxyz", plan(), vm.wibi(), 1, tmp_path, None)
        assert found.pairs[0].window == seen
        assert found.states[0].counts_all == (seen is not None)
        assert ("windows" in found.origin.tags) == (seen is not None)


def test_atoms_as_a_start(
    monkeypatch: pytest.MonkeyPatch, model: vm.Model, target: vm.Target, tmp_path: Path
) -> None:
    """ase.Atoms and its file are the same start, and without a directory nothing is left."""
    import ase.io

    monkeypatch.setenv("CSG_MDRUN_STEPS", "50")
    monkeypatch.chdir(tmp_path)
    atoms = ase.io.read(CASE / "conf.extxyz")
    found = [
        vm.correct(model, target, start, plan(), vm.wibi(alpha=0.5), iterations=2)
        for start in (atoms, CASE / "conf.extxyz")
    ]
    np.testing.assert_array_equal(found[0].tables["Al", "Al"].y, found[1].tables["Al", "Al"].y)
    assert found[0].directory is None
    assert list(tmp_path.iterdir()) == []
