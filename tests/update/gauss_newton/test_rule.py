"""The rule in runs: VOTCA's own inverse Monte Carlo, both loops, several states, kills, what it says."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import edit, environment, inverse, make_case, needs_votca
from tests.inverse.case import ours, same_tables
from votca_mlp.errors import UserError
from votca_mlp.inverse.check import check_start_and_model
from votca_mlp.inverse.context import run_context, state_contexts
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.messages import Silent
from votca_mlp.inverse.stages.prepare import unweighted
from votca_mlp.inverse.step_data import step_data
from votca_mlp.observables.store import read_observables
from votca_mlp.runs.record import NAME as RECORD
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table
from votca_mlp.update.gauss_newton.data import layout_of, response_of
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings
from votca_mlp.update.gauss_newton.report import NAME, in_words, judged, read_report
from votca_mlp.update.rule import Group

NAMES = ("Ar-Ar", "Ar-Kr", "Kr-Kr")


def gauss_newton_case(directory: Path, symbols: tuple[str, ...] = ("Ar",), **more: object) -> Path:
    """Return a short run with method imc."""
    main = make_case(directory, symbols, production=160, **more)  # type: ignore[arg-type]
    as_gauss_newton(main)
    return main


def as_gauss_newton(main: Path) -> None:
    """Change the settings of a run of wIBI."""
    path = main / "settings.xml"
    text = re.sub(r"<wibi>.*?</wibi>", "", path.read_text(), flags=re.DOTALL)
    text = text.replace("<method>ibi", "<method>imc")
    path.write_text(text.replace("<first_equilibration>400", "<first_equilibration>40"))


def with_scattering(main: Path) -> None:
    """Put a measured F(Q) beside the targets."""
    q = np.arange(0.3, 12.0, 0.1)
    np.savetxt(main / "set0.dat", np.stack([q, 0.2 * np.sin(3.6 * q) / q, np.full(len(q), 0.05)], axis=1))
    section = (
        "<scattering> <file>set0.dat</file> <columns>1 2 3</columns> <radiation>neutron</radiation>"
        "<function>F</function> <normalisation>none</normalisation> <fit_scale>yes</fit_scale>"
        "<low_q>yes</low_q> </scattering>"
    )
    window = "<window> <q_max>9</q_max> </window>"
    edit(main / "settings.xml", {"<mlp>": f"{section}<mlp>", "<target>Ar-Kr": f"{window}<target>Ar-Kr"})


@pytest.mark.parametrize("reg", [1.0, 50.0])
@pytest.mark.parametrize("groups", [("g", "g", "g"), ("g", "g", "none"), ("a", "b", "a")])
def test_as_csg_imc_solve(mixture: Path, tmp_path: Path, reg: float, groups: tuple[str, str, str]) -> None:
    """With a reg: the tables of csg_stat --do-imc and csg_imc_solve on the same trajectory."""
    if shutil.which("csg_imc_solve") is None:
        pytest.skip("csg_imc_solve is not installed (package votca)")
    step = tmp_path / "step_001"
    shutil.copytree(mixture / "step_001", step)
    text = (mixture / "settings.xml").read_text()
    parts = text.split("<inverse>")
    for number, group in enumerate(groups, start=1):
        parts[number] = f"<imc><group>{group}</group></imc>{parts[number]}"
    (step / "settings.xml").write_text("<inverse>".join(parts))
    options = ("--options", "settings.xml", "--top", str(mixture / "topol.xml"), "--trj", "traj.dump")
    run(step, "csg_stat", "--do-imc", *options)
    found = {}
    for group in set(groups) - {"none"}:
        files = (f"--{kind}file={group}.{kind}" for kind in ("imc", "gmc", "idx"))
        run(step, "csg_imc_solve", f"--regularization={reg}", *files)
    kbt = load_settings(mixture / "settings.xml").kBT
    for name, group in zip(NAMES, groups, strict=True):
        if group != "none":
            found[name] = kbt * read_table(step / f"{name}.dpot.imc").y
    members = {g: tuple(n for n, of in zip(NAMES, groups, strict=True) if of == g) for g in groups}
    plan = plan_of(load_settings(mixture / "settings.xml"))
    object.__setattr__(plan, "groups", tuple(Group(g, m, reg) for g, m in members.items() if g != "none"))
    from votca_mlp.update.gauss_newton.rule import GaussNewton

    ours_found = GaussNewton().update(step_data(plan, 1), list(found))
    for name, expected in found.items():
        size = np.abs(expected).max()
        assert size > 0
        # csg_stat prints eight digits of the matrix
        assert np.abs(ours_found[name].terms[0].y - expected).max() < 1e-4 * size, name


def test_what_is_fitted_is_what_is_compared(mixture: Path) -> None:
    """g(r) through a window: the rule's own is that of NAME.dist.new, and its Jacobian is another one."""
    plan = plan_of(load_settings(mixture / "settings.xml"))
    step = step_data(plan, 1)
    assert isinstance(step.options, GaussNewtonSettings)
    layout = layout_of(step, NAMES, step.options)
    found = response_of(step, step.states[0], layout)
    for datum in layout.data[:3]:
        compared = read_table(mixture / f"step_001/{datum.name}.dist.new").y[datum.points]
        assert found.values[datum.rows] == pytest.approx(compared, abs=1e-6), datum.name
    assert not (mixture / "step_001/Ar-Ar.dist.sharp").exists()
    sharp = read_table(mixture / "step_001/Ar-Kr.dist.sharp").y
    assert np.abs(sharp - read_table(mixture / "step_001/Ar-Kr.dist.new").y).max() > 0.1


def test_low_q_stands_first_in_the_file(mixture: Path) -> None:
    step = mixture / "step_001"
    low = read_observables(step).at_low_q(step)
    q = np.loadtxt(step / "set0.fq")[:, 0]
    half = read_observables(step).to_half_box(step).r[-1]
    below = q < 2 * np.pi / half
    used = low.q[(low.q >= 0.3) & (low.q < 2 * np.pi / half)]
    assert len(used) > 1
    assert q[below] == pytest.approx(used, abs=1e-6)
    assert (np.diff(q) > 0).all()
    data = json.loads((step / "gauss_newton.json").read_text())["all"]["data"]
    assert data["set0.low"]["points"] == len(used)


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_loops(mixture: Path, tmp_path: Path) -> None:
    """csg_inverse, unmodified, with method imc makes the tables, the band and the report of our loop."""
    needs_votca()
    theirs = gauss_newton_case(tmp_path / "theirs", ("Ar", "Kr"))
    with_scattering(theirs)
    edit(theirs / "settings.xml", {"<production>160": "<production>800"})
    status, output = inverse(theirs)
    assert status == 0, output
    a, b = theirs / "step_001", mixture / "step_001"
    same_tables(a, b, NAMES)
    assert (a / NAME).read_bytes() == (b / NAME).read_bytes()
    for name in ("set0.fq", *(f"{name}.dist.band" for name in NAMES)):
        assert (a / name).read_bytes() == (b / name).read_bytes()
    for name in NAMES:
        band, same = (read_table(step / f"{name}.pot.new").yerr for step in (a, b))
        assert band is not None
        assert same is not None
        assert band == pytest.approx(same, rel=1e-9)
        assert (band[:-1] > 0).all()
    assert "Gauss-Newton: chi2" in output
    assert "the target of Ar-Ar, Ar-Kr, Kr-Kr has no errors" in output
    assert re.search(r"set0: chi2 [\d.]+, R .* barn/sr, .*scale [\d.]+ \+- [\d.e-]+", output)


@pytest.fixture(scope="module")
def two_steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished steps of our loop."""
    main = gauss_newton_case(tmp_path_factory.mktemp("two") / "main", iterations=2)
    status, output = ours(main)
    assert status == 0, output
    return main


def test_an_interrupted_update_is_made_again(two_steps: Path) -> None:
    """A step of which only the simulation is left gets the same bytes: nothing but files is remembered."""
    main = two_steps
    step, kept = main / "step_002", ("traj.dump", "confout.extxyz", "Ar-Ar.pot.cur", "thermo.dat")
    files = ("Ar-Ar.dpot.pure_ibi", "Ar-Ar.pot.new", NAME)
    before = [(step / name).read_bytes() for name in files]
    assert before[1] != (main / "step_001/Ar-Ar.pot.new").read_bytes()
    for path in step.iterdir():
        if path.name.startswith(
            ("Ar-Ar.dpot", "Ar-Ar.dist", "Ar-Ar.pot.new", "gauss", "observables", "done")
        ):
            assert path.name not in kept
            path.unlink()
    (step / f"{NAME}.part").write_text("{")
    (main / "done").unlink()
    status, output = ours(main)
    assert status == 0, output
    assert [(step / name).read_bytes() for name in files] == before


@pytest.mark.slow
def test_killed_in_every_write(two_steps: Path, tmp_path: Path) -> None:
    """A storm of kills after the simulation of a second step: the same bytes in the end."""
    main = Path(shutil.copytree(two_steps, tmp_path / "main"))
    step, kept = main / "step_002", ("traj.dump", "confout.extxyz", "conf.extxyz", "topol.xml", "thermo.dat")
    wanted = {n: (step / n).read_bytes() for n in ("Ar-Ar.dpot.pure_ibi", "Ar-Ar.pot.new", NAME)}
    for path in step.iterdir():
        if path.name not in (*kept, "md_step.json", "Ar-Ar.pot.cur", "restart_points.log", RECORD):
            path.unlink()
    (main / "done").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "tests.inverse.harness", str(main), "storm"],
        env=environment(PYTHONPATH=str(Path.cwd())),
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = json.loads(done.stdout.splitlines()[0])
    *killed, last = found["ends"]
    assert last["status"] == 0, (last, done.stderr)
    assert len(killed) > 15
    assert all(end["status"] == -signal.SIGKILL for end in killed)
    assert {name: (Path(found["main"]) / "step_002" / name).read_bytes() for name in wanted} == wanted


def test_a_sigma_for_some_data_only(tmp_path: Path) -> None:
    """Said at step 0: what has none would outweigh the others."""
    main = gauss_newton_case(tmp_path / "main", ("Ar", "Kr"))
    path = main / "settings.xml"
    assert unweighted(plan_of(load_settings(path))) == []
    error = "<gauss_newton><error>0.02</error></gauss_newton>"
    edit(path, {"<target>Ar-Kr.dist.tgt</target>": f"<target>Ar-Kr.dist.tgt</target>{error}"})
    edit(path, {"<mlp>": "<target_density><value>1500</value></target_density><mlp>"})
    (line,) = unweighted(plan_of(load_settings(path)))
    assert line.startswith("No sigma for Ar-Ar, Kr-Kr, density, and one for Ar-Kr: ")
    edit(path, {"<method>imc": "<method>ibi"})
    assert unweighted(plan_of(load_settings(path))) == []


BAD = {
    "rule": ("<inverse><rule>wibi</rule>", "<cg.inverse.method> is 'imc', and the rule wibi; accepted: ibi"),
    "amplitude in meV": (
        "<inverse><gauss_newton><amplitude>9</amplitude></gauss_newton>",
        "<cg.inverse.gauss_newton.amplitude> is '9'; accepted: a number > 0 and <= 1 (eV)",
    ),
    "amplitude zero": (
        "<inverse><gauss_newton><amplitude>0</amplitude></gauss_newton>",
        "<cg.inverse.gauss_newton.amplitude> is '0'; accepted: a number > 0 and <= 1 (eV)",
    ),
    "group": (
        "<inverse><imc><other><reg>1</reg></other></imc>",
        "<cg.inverse.imc.other>: is a group that no interaction names",
    ),
    "reg": (
        "<inverse><imc><default_reg>-1</default_reg></imc>",
        "<cg.inverse.imc.default_reg>: is '-1' accepted: a number >= 0",
    ),
    "sigma": (
        "<inverse><target_density><value>1400</value><sigma>0</sigma></target_density>",
        "<cg.inverse.target_density.sigma> is '0'; accepted: a number > 0 (kg/m3)",
    ),
    "pressure in npt": (
        "<inverse><target_pressure><value>1</value></target_pressure>",
        "<cg.inverse.target_pressure> is given, but the barostat holds the pressure of an npt run",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input(tmp_path: Path, what: str) -> None:
    """One message with file, line and tag, before any MD."""
    tags, message = BAD[what]
    path = gauss_newton_case(tmp_path / "main") / "settings.xml"
    head, _, tail = path.read_text().rpartition("<inverse>")
    path.write_text(head + tags + tail)
    if what == "pressure in npt":
        edit(path, {"<ensemble>nvt": "<ensemble>npt"})
    with pytest.raises(UserError) as error:
        plan_of(load_settings(path))
    assert message in " ".join(str(error.value).split())
    assert f"{path}:" in str(error.value)


def test_a_density_that_contradicts_the_pressure(tmp_path: Path) -> None:
    """The box keeps its volume: a pressure that is wanted at another density is refused, with both."""
    path = gauss_newton_case(tmp_path / "main") / "settings.xml"
    both = "<target_pressure><value>1</value></target_pressure><target_density><value>2000</value>"
    edit(path, {"<mlp>": f"{both}</target_density><mlp>"})
    (context,) = state_contexts(run_context(plan_of(load_settings(path)), Silent()))
    with pytest.raises(UserError, match=r"has 1\d{3}\S* kg/m3 and keeps its volume, .* is 2000") as error:
        check_start_and_model(context)
    found = re.findall(r"has (\S+) kg/m3", str(error.value))[0]
    edit(path, {"<value>2000": f"<value>{found}"})
    (context,) = state_contexts(run_context(plan_of(load_settings(path)), Silent()))
    assert "eV an atom at the start" in check_start_and_model(context)


def test_method_ibi_is_no_method_of_the_rule(tmp_path: Path) -> None:
    path = make_case(tmp_path / "main", inverse="<rule>gauss_newton</rule>") / "settings.xml"
    with pytest.raises(UserError, match=r"<cg.inverse.method> is 'ibi', and the rule gauss_newton; acc.*imc"):
        load_settings(path)


def facts(chi2: float, reachable: float, unmet: bool = False) -> Mapping[str, object]:
    datum = {
        "points": 160,
        "without_errors": False,
        "chi2": chi2,
        "chi2_reachable": reachable,
        "rms": 0.02,
        "rms_predicted": 0.01,
        "cannot_be_met": [{"from": 2.15, "to": 2.3, "sigma": 25.0}] if unmet else [],
    }
    shown = {"amplitude_eV": 0.018, "scatter": 0.0, "share": 1.0, "chi2": chi2, "chi2_reachable": reachable}
    return {"all": {**shown, "data": {"Al-Al": datum}}}


def test_when_the_data_are_met() -> None:
    assert judged(facts(1.1, 0.8), []).met
    assert judged(facts(1.1, 0.8), []).stop
    assert not judged(facts(9.0, 0.8), [facts(9.0, 0.8)] * 5).stop


def test_when_no_correction_meets_them() -> None:
    """Stops when chi^2 has not fallen for two steps, and names the stretch."""
    bad = facts(60.0, 40.0, unmet=True)
    assert not judged(bad, [facts(500.0, 40.0)]).stop
    assert not judged(bad, [facts(500.0, 40.0), facts(90.0, 40.0)]).stop
    found = judged(bad, [facts(61.0, 40.0), facts(59.0, 40.0)])
    assert found.stop
    assert not found.met
    assert "no u(r) meets Al-Al at 2.15 to 2.3 Angstrom (+25 sigma)" in found.reason
    assert "  no u(r) meets Al-Al at 2.15 to 2.3 Angstrom (+25 sigma)" in list(in_words(bad))


def test_report_is_read_again(mixture: Path) -> None:
    report = read_report(mixture / "step_001")
    assert report is not None
    assert set(report["all"]["data"]) == {*NAMES, "set0", "set0.low"}
    assert json.loads((mixture / "step_001" / NAME).read_text()) == report
    assert read_report(mixture) is None


def test_status_and_plot(two_steps: Path) -> None:
    """What was predicted beside what was found; the band of u(r) in the picture."""
    from votca_mlp.report.plot import plot_run
    from votca_mlp.report.predictions import predicted_rms, prediction_lines

    main = two_steps
    reports = [read_report(main / f"step_00{n}") for n in (1, 2)]
    assert reports[0] is not None
    predicted = reports[0]["all"]["data"]["Ar-Ar"]["rms_predicted"]
    assert predicted_rms(main, "Ar-Ar")[2] == predicted
    lines = prediction_lines(main)
    assert any(
        line.startswith("     2  Ar-Ar: chi2") and f"predicted {predicted:.4f}" in line for line in lines
    )
    figure = plot_run(main)
    labels = {
        text.get_text() for panel in figure.axes if (box := panel.get_legend()) for text in box.get_texts()
    }
    assert {"predicted", "its standard error"} <= labels
    chi2 = reports[1]["all"]["data"]["Ar-Ar"]["chi2"] if reports[1] else None
    assert f"last χ²: Ar-Ar {chi2:.3g}" in {panel.get_title(loc="right") for panel in figure.axes}
