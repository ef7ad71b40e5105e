"""Every option of VOTCA is obeyed or refused by name; tasks and their order."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import edit, make_case
from votca_mlp.errors import UserError
from votca_mlp.inverse.check import check_start_and_model
from votca_mlp.inverse.context import run_context
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.messages import Silent
from votca_mlp.inverse.options import loop_options
from votca_mlp.inverse.pair_plan import PressureTask, cycle
from votca_mlp.inverse.start import run_inverse
from votca_mlp.settings import load_settings
from votca_mlp.settings.post_tasks import POST_ADD, POST_UPDATE
from votca_mlp.tables import make_table, read_table, write_table

INVERSE = "</scriptpath>"
PAIR = "</wibi>"
SIMPLE = "<post_update_options><pressure><simple><scale>1</scale></simple></pressure></post_update_options>"


def case_with(directory: Path, place: str, tags: str) -> Path:
    """Return the settings of a case with further tags behind ``place``."""
    main = make_case(directory)
    text = (main / "settings.xml").read_text()
    (main / "settings.xml").write_text(text.replace(place, place + tags, 1))
    return main / "settings.xml"


@pytest.mark.parametrize(
    ("place", "tags", "messages"),
    [
        (PAIR, "<post_update>kbibi</post_update>", ("no post_update task 'kbibi'", "splinesmooth")),
        (PAIR, "<post_update>cibi</post_update>", ("no post_update task 'cibi'",)),
        (PAIR, "<post_update>lj</post_update>", ("no post_update task 'lj'",)),
        (PAIR, "<post_add>plot</post_add>", ("no post_add task 'plot'", "votca-mlp plot")),
        (PAIR, "<post_add>overwrite shift</post_add>", ("'overwrite' is not the last task",)),
        (PAIR, "<post_update>splinesmooth</post_update>", ("splinesmooth.step", "is missing")),
        (PAIR, "<post_add>copyback</post_add>", ("copyback.filelist", "is missing")),
        (
            PAIR,
            "<post_add>average</post_add><post_add_options><average><what>param</what></average>"
            "</post_add_options>",
            ("average.what", "accepted: pot"),
        ),
        (
            PAIR,
            "<post_update_options><smooth><iterations>two</iterations></smooth></post_update_options>",
            ("smooth.iterations", "is 'two'"),
        ),
        (
            PAIR,
            "<post_add_options><convergence><what>dist pot</what></convergence></post_add_options>",
            ("different lengths",),
        ),
        (
            PAIR,
            "<post_add_options><convergence><norm>3</norm></convergence></post_add_options>",
            ("convergence.norm", "1 or 2"),
        ),
        ("</step>", "<threebody>1</threebody>", ("cg.non-bonded[Ar-Ar].threebody", "pair distributions")),
        (INVERSE, "<map>al.xml</map>", ("cg.inverse.map", "the atoms are the beads")),
        (
            INVERSE,
            "<convergence_check><type>mine</type><limit>1</limit></convergence_check>",
            ("'mine' is a script", "plateau"),
        ),
        (INVERSE, "<cleanlist>../settings.xml</cleanlist>", ("outside the step directory",)),
        ("<tasks>1</tasks>", "<background>yes</background>", ("simulation.background",)),
        ("<ase>", "<equi_time>5</equi_time>", ("cg.inverse.ase.equi_time", "first_frame")),
        ("<ase>", "<rdf><topol>other.xml</topol></rdf>", ("cg.inverse.ase.rdf.topol",)),
    ],
)
def test_refused_by_name(tmp_path: Path, place: str, tags: str, messages: tuple[str, ...]) -> None:
    path = case_with(tmp_path / "case", place, tags)
    with pytest.raises(UserError) as error:
        loop_options(load_settings(path))
    for message in messages:
        assert message in str(error.value)
    assert f"{path}:" in str(error.value)


def pressure(options: str, more: str = "<p_target>1</p_target>") -> str:
    """Return the tags of an interaction whose pressure is corrected."""
    options = f"<post_update_options><pressure>{options}</pressure></post_update_options>"
    return f"<post_update>pressure</post_update>{more}{options}"


SCALE = "<simple><scale>3e-4</scale></simple>"


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (pressure(SCALE, ""), "p_target> is missing"),
        (pressure(SCALE, "<p_target>one</p_target>"), "p_target> is 'one'"),
        (pressure(""), "pressure.simple.scale> is missing"),
        (pressure("<simple><scale>-1</scale></simple>"), "simple.scale> is '-1'"),
        (pressure("<type>hard</type>"), "pressure.type> is 'hard'"),
        (pressure("<type>wjk</type><wjk><max_A>0</max_A></wjk>"), "wjk.max_A> is '0'"),
        (pressure(f"<do>2</do>{SCALE}"), "pressure.do> is '2'"),
        (pressure(SCALE, "<p_target>1</p_target><particle_dens>0</particle_dens>"), "particle_dens> is '0'"),
    ],
)
def test_pressure_corrections_that_mean_nothing(tmp_path: Path, tags: str, message: str) -> None:
    """Both loops read their settings so, before the first simulation."""
    path = case_with(tmp_path / "case", PAIR, tags)
    with pytest.raises(UserError, match=re.escape(message)) as error:
        load_settings(path)
    assert f"{path}" in str(error.value)


def test_a_barostat_and_a_pressure_correction(tmp_path: Path) -> None:
    path = case_with(tmp_path / "case", PAIR, pressure(SCALE))
    edit(path, {"<ensemble>nvt": "<ensemble>npt"})
    with pytest.raises(UserError, match="names pressure, and the barostat"):
        load_settings(path)
    edit(path, {"<mlp>": "<target_density><value>1400</value></target_density><mlp>"})
    (pair,) = plan_of(load_settings(path)).states[0].pairs
    assert pair.pressure == PressureTask("simple", 3e-4, target=1.0)


def test_scripts_of_users_are_refused(tmp_path: Path) -> None:
    path = case_with(tmp_path / "case", "scriptpath)", ":$PWD/mine")
    shipped = load_settings(Path(__file__).parents[2] / "settings/lj_two_states/settings.xml")
    loop_options(shipped)
    with pytest.raises(UserError, match="holds scripts for csg_inverse"):
        loop_options(load_settings(path))


def test_every_task_of_the_lists_exists(tmp_path: Path) -> None:
    """One iteration with every task that is said to be known."""
    update = " ".join(POST_UPDATE)
    post = " ".join(task for task in POST_ADD if task != "overwrite")
    tags = f"""<post_update>{update}</post_update><post_add>{post} overwrite</post_add>
      <p_target>-100</p_target>
      <post_update_options><pressure><type>wjk</type></pressure>
        <scale>0.5</scale><smooth><iterations>2</iterations></smooth><ibi><do>0</do></ibi>
        <splinesmooth><step>0.05</step></splinesmooth><extrapolate><points>3</points></extrapolate>
      </post_update_options>
      <post_add_options>
        <average><what>pot</what></average>
        <copyback><filelist>Ar-Ar.dist.new</filelist></copyback>
        <compress><filelist>thermo.dat</filelist></compress>
        <convergence>
          <what>dist pot</what><base>tgt cur</base><weight>1 2</weight><norm>1 2</norm>
        </convergence>
      </post_add_options>"""
    path = case_with(tmp_path / "case", PAIR, tags)
    edit(path, {"</scriptpath>": "</scriptpath><cleanlist>Ar-Ar.dpot.* nothing</cleanlist>"})
    edit(path, {"<first_equilibration>400": "<first_equilibration>40"})
    run_inverse(path)
    main, step = path.parent, path.parent / "step_001"
    assert (step / "thermo.dat.gz").is_file()
    assert not (step / "thermo.dat").exists()
    assert (main / "Ar-Ar.dist.new").read_bytes() == (step / "Ar-Ar.dist.new").read_bytes()
    assert not list(step.glob("*.dpot.*"))
    assert (step / "Ar-Ar.aconv").read_text().split() == ["1", (step / "Ar-Ar.conv").read_text().strip()]
    assert read_table(step / "Ar-Ar.pot.new").y[-1] == 0.0
    # an interruption after the packer does not stop the step
    for name in ("done", "step_001/done"):
        (main / name).unlink()
    run_inverse(path)
    assert (step / "done").is_file()


def test_overwrite_gives_its_potential_to_the_others(tmp_path: Path) -> None:
    main = make_case(tmp_path / "case", ("Ar", "Kr"), production=400)
    path = main / "settings.xml"
    text = path.read_text()
    at = text.index("<target>Ar-Kr")
    path.write_text(text[:at] + "<post_add>overwrite</post_add>" + text[at:])
    run_inverse(path)
    step = main / "step_001"
    ours = read_table(step / "Ar-Kr.pot.new").y
    assert np.ptp(ours) > 0.01
    for other in ("Ar-Ar", "Kr-Kr"):
        theirs = read_table(step / f"{other}.pot.new").y
        assert theirs - theirs[-1] == pytest.approx(ours, abs=1e-12)


def test_cycle() -> None:
    assert [cycle((1, 1, 0), step) for step in range(1, 7)] == [True, True, False, True, True, False]
    assert cycle((1,), 17)


def test_first_frame_leaves_frames_out(tmp_path: Path) -> None:
    main = make_case(tmp_path / "case", ase="<first_frame>11</first_frame>")
    run_inverse(main / "settings.xml")
    short = main / "step_001/Ar-Ar.dist.new"
    # the second half alone, by hand
    from votca_mlp.observables.rdf import pair_histograms
    from votca_mlp.trajectories.dump import read_dump

    table = read_table(short)
    frames = list(read_dump(main / "step_001/traj.dump"))
    wanted = pair_histograms(frames[10:], [("Ar", "Ar")], 10.0 * table.x).g(("Ar", "Ar"))
    assert len(frames) == 20
    assert table.y == pytest.approx(wanted, rel=1e-9)


ZERO_STRESS = """
from tests.models.test_calculators import Wrapped
def lj(**arguments): return Wrapped(lambda results: {"stress": 0.0 * results["stress"]})
"""


@pytest.mark.parametrize(
    ("place", "tags", "tag"),
    [
        (PAIR, "<post_update>pressure</post_update><p_target>1</p_target>" + SIMPLE, "post_update"),
        (INVERSE, "<phase><pressure>100</pressure></phase>", "cg.inverse.phase.pressure"),
        (INVERSE, "", ""),
    ],
)
def test_what_goes_by_the_pressure_needs_a_stress(tmp_path: Path, place: str, tags: str, tag: str) -> None:
    """At constant volume a wrong stress is said, and refused where something would believe it."""
    path = case_with(tmp_path, place, tags)
    # a name that no other test of this process has imported
    (tmp_path / "zero_stress.py").write_text(ZERO_STRESS)
    edit(path, {"fluid:lj": "zero_stress:lj"})
    context = run_context(plan_of(load_settings(path)), Silent())
    if not tag:
        assert "no stress at all" in check_start_and_model(context)
        return
    with pytest.raises(UserError, match=f"{tag}.*\n?.*needs the pressure, and the calculator has no stress"):
        check_start_and_model(context)


def test_the_start_is_checked_with_the_first_potential(tmp_path: Path) -> None:
    """check --deep evaluates what the first simulation moves in: a given u(r), too."""
    plan = plan_of(load_settings(case_with(tmp_path, INVERSE, "")))
    (pair,) = plan.pairs
    without = check_start_and_model(run_context(plan, Silent()))
    write_table(plan.directory / f"{pair.name}.pot.in", make_table(pair.grid.points, -pair.grid.points))
    given = check_start_and_model(run_context(plan, Silent()))
    # -r, which is shifted to 0 at the cutoff, repels
    assert energy_an_atom(given) > energy_an_atom(without)


def energy_an_atom(line: str) -> float:
    """Return the energy that a line about the start says."""
    found = re.search(r"(-?[\d.]+) eV an atom", line)
    assert found is not None, line
    return float(found[1])
