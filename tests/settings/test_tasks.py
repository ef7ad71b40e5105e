"""Options of VOTCA's tasks, names that a run would write over, several states that nothing switches on."""

import os
from pathlib import Path

import pytest

from tests.settings.conftest import GOOD
from tests.settings.test_engine_sections import with_section
from tests.settings.test_inputs import messages
from tests.settings.test_problems import problem_lines
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.stages.begin import copy_inputs
from votca_mlp.settings import load_settings

PAIR, RUN = "<wibi>", "<mlp>"


def task(section: str, name: str, value: str) -> str:
    tags = name.split(".")
    inside = "".join(f"<{tag}>" for tag in tags) + value + "".join(f"</{tag}>" for tag in reversed(tags))
    return f"<{section}>{inside}</{section}>"


def update(name: str, value: str) -> str:
    return task("post_update_options", name, value)


def post(name: str, value: str) -> str:
    return task("post_add_options", name, value)


@pytest.mark.parametrize(
    ("place", "tags", "words"),
    [
        (RUN, "<simulation><tasks>abc</tasks></simulation>", "<cg.inverse.simulation.tasks> is 'abc'"),
        (RUN, "<simulation><tasks>0</tasks></simulation>", "<cg.inverse.simulation.tasks> is '0'"),
        (RUN, "<simulation><tasks>1_0</tasks></simulation>", "auto, or a whole number > 0"),
        (
            RUN,
            "<simulation><background>on</background></simulation>",
            "background> is 'on'; accepted: yes | no",
        ),
        (RUN, "<average><steps>-0</steps></average>", "average.steps> is '-0'"),
        (RUN, "<log_file>-rf</log_file>", "log_file> not a file name of letters"),
        (RUN, "<log_file>" + "a" * 201 + "</log_file>", "at most 200; accepted: a file name"),
        (RUN, "<restart_file>*</restart_file>", "restart_file> not a file name of letters"),
        (RUN, "<cleanlist>../settings.xml</cleanlist>", "names '../settings.xml', outside the step"),
        (RUN, "<cleanlist>a -r</cleanlist>", "names '-r', which programs take as an option"),
        (PAIR, update("scale", "nan"), "post_update_options.scale> is 'nan'"),
        (PAIR, update("scale", "1e300"), "post_update_options.scale> is '1e300'"),
        (PAIR, update("smooth.iterations", "-0"), "smooth.iterations> is '-0'"),
        (PAIR, update("ibi.do", "yes"), "ibi.do> is 'yes'; accepted: 0 and 1"),
        (PAIR, post("overwrite.do", "-1"), "overwrite.do> is '-1'"),
        (PAIR, post("copyback.filelist", "/etc/passwd"), "outside the step directory"),
        (PAIR, post("compress.filelist", "../conf.gro"), "outside the step directory"),
        (PAIR, post("convergence.norm", "3"), "convergence.norm> is '3'; accepted: 1 or 2"),
        (PAIR, post("convergence.weight", "1_0"), "convergence.weight> is '1_0'; accepted: numbers"),
        (PAIR, post("convergence.what", "dist pot"), "have different lengths"),
        (
            PAIR,
            "<post_update>smoth</post_update>",
            "post_update> names 'smoth', a task that neither VOTCA nor this package has; accepted: dummy,",
        ),
        ("<conf>", "<equi_time>5</equi_time>", "ase.equi_time> is 5, but the trajectory stores no time"),
        (
            RUN,
            "<multistate><state_names>a b</state_names></multistate>",
            "names a b, but nothing says that there are states; accepted: <enabled>yes</enabled>",
        ),
        (
            RUN,
            "<multistate><launch>srun '-n1</launch></multistate>",
            "multistate.launch> is 'srun '-n1' (No closing quotation); accepted: a command",
        ),
        (RUN, "<convergence_check>chi2</convergence_check>", "is a section, but has the text 'chi2'"),
    ],
)
def test_refused_before_anything_runs(good: Path, place: str, tags: str, words: str) -> None:
    good.write_text(GOOD.replace(place, tags + place, 1))
    line = 1 + GOOD[: GOOD.index(place)].count("\n")
    assert any(text.startswith(f"{good}:{line}: <cg.") and words in text for text in problem_lines(good))


def test_tasks_of_votca_and_of_scripts_of_users(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another csg_table may name is csg_inverse's to find."""
    monkeypatch.delenv("CSGSHARE", raising=False)
    two = GOOD.replace("<post_add>convergence<", "<post_add>convergence plot<")
    good.write_text(two.replace(PAIR, "<post_update>kbibi cibi lj</post_update><wibi>", 1))
    load_settings(good)
    mine = GOOD.replace("<post_add>convergence<", "<post_add>mine<")
    good.write_text(mine)
    (line,) = problem_lines(good)
    assert "names 'mine', a task that neither" in line
    good.write_text(mine.replace("scriptpath)<", "scriptpath):$PWD/scripts<"))
    load_settings(good)
    good.write_text(mine)
    monkeypatch.setenv("CSGSHARE", "/opt/scripts")
    load_settings(good)


def test_a_packer_is_there(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = "<filelist>traj.dump</filelist>"
    text = GOOD.replace("<post_add>convergence<", "<post_add>compress<")
    good.write_text(text.replace(PAIR, post("compress", f"{files}<program>pakker -9</program>") + PAIR, 1))
    (line,) = problem_lines(good)
    assert "compress.program> is 'pakker -9', which is not found here" in line
    monkeypatch.setenv("PATH", str(good.parent))
    good.write_text(text.replace(PAIR, post("compress", files) + PAIR, 1))
    (line,) = problem_lines(good)
    assert "compress.program> is 'gzip'" in line
    (good.parent / "gzip").write_text("")
    (good.parent / "gzip").chmod(0o755)
    load_settings(good)


@pytest.mark.parametrize(("tag", "task"), [("post_update", "splinesmooth"), ("post_add", "copyback")])
def test_what_a_task_needs(good: Path, tag: str, task: str) -> None:
    text = GOOD.replace("<post_add>convergence</post_add>", "")
    good.write_text(text.replace(PAIR, f"<{tag}>{task}</{tag}>{PAIR}", 1))
    (line,) = problem_lines(good)
    assert f"{tag}_options.{task}." in line
    assert "is missing" in line


@pytest.mark.parametrize(
    ("place", "tags", "words"),
    [
        (RUN, "<log_file>Al-Al.dist.tgt</log_file>", "log_file> is 'Al-Al.dist.tgt'"),
        (RUN, "<log_file>sub/settings.xml</log_file>", "log_file> is 'sub/settings.xml'"),
        (RUN, "<log_file>done</log_file>", "log_file> is 'done'"),
        (RUN, "<restart_file>topol.xml</restart_file>", "restart_file> is 'topol.xml'"),
        (PAIR, post("copyback.filelist", "Al-Al.pot.in"), "names 'Al-Al.pot.in', an input of the run"),
        (PAIR, post("copyback.filelist", "topol.xml"), "names 'topol.xml', an input of the run"),
        ("<conf>", "<conf_out>topol.xml</conf_out>", "ase.conf_out> is 'topol.xml', an input"),
        ("<conf>", "<conf_out>conf.extxyz</conf_out>", "ase.conf_out> is 'conf.extxyz', an input"),
        ("<conf>", "<conf_out>done</conf_out>", "ase.conf_out> is 'done', a file of the loop"),
        ("<conf>", "<conf_out>Al-Al.pot.new</conf_out>", "is 'Al-Al.pot.new', a table of the loop"),
        ("<conf>", "<traj>a.gro</traj><conf_out>a.gro</conf_out>", "conf_out> is 'a.gro', also <traj>"),
    ],
)
def test_an_input_is_never_written_over(good: Path, place: str, tags: str, words: str) -> None:
    good.write_text(GOOD.replace(place, tags + place, 1))
    (line,) = messages(good)
    assert words in line
    assert "written" in line or "no inputs" in line


@pytest.mark.parametrize("name", ["beads.py", "weights.pt"])
def test_code_and_files_of_a_model_are_inputs(good: Path, name: str) -> None:
    """A log would be written behind the code beside the settings, which then is none any more."""
    (good.parent / "beads.py").write_text("def make(file): ...\n")
    (good.parent / "weights.pt").touch()
    model = "<calculator>beads:make</calculator><arguments>{file: weights.pt}</arguments>"
    text = GOOD.replace("<model>builtin:al-hipnn</model>", model).replace("hippynn<", "ase<")
    good.write_text(text.replace(RUN, f"<log_file>{name}</log_file>{RUN}"))
    (line,) = messages(good)
    assert f"log_file> is '{name}'; accepted: a name that no input has" in line


def test_a_pipe_as_the_first_potential(good: Path) -> None:
    os.mkfifo(good.with_name("Al-Al.pot.in"))
    (line,) = messages(good)
    assert "non-bonded.name> is 'Al-Al', and Al-Al.pot.in is a pipe" in line


def test_what_grompp_reads_is_listed_and_there(good: Path) -> None:
    good.write_text(with_section("gromacs", "<conf>conf.gro</conf>"))
    good.with_name("conf.gro").write_text("")
    lines = messages(good)
    assert any("does not list grompp.mdp, the parameters for grompp" in line for line in lines)
    assert any("does not list topol.top, the topology for grompp" in line for line in lines)
    text = with_section("gromacs", "<conf>conf.gro</conf><mdp>gone.mdp</mdp><topol>topol.xml</topol>")
    good.write_text(text.replace("<filelist>topol.xml<", "<filelist>gone.mdp topol.top topol.xml<"))
    good.with_name("topol.top").write_text("")
    lines = messages(good)
    assert any("names gone.mdp, which does not exist" in line for line in lines)
    assert any("gromacs.topol> is 'topol.xml', an input" in line for line in lines)


def test_a_model_that_is_no_file(good: Path) -> None:
    os.mkfifo(good.with_name("pipe"))
    good.write_text(GOOD.replace("builtin:al-hipnn", "pipe"))
    (line,) = messages(good)
    assert "<cg.inverse.mlp.model> is a pipe: pipe" in line


def test_files_of_other_folders_are_copied_by_their_last_name(good: Path, tmp_path: Path) -> None:
    """As cp of csg_inverse: into the step, under the name alone; the originals stay as they are."""
    main, outside = good.parent / "main", tmp_path / "outside.dat"
    (main / "sub").mkdir(parents=True)
    for path in tmp_path.iterdir():
        if path.is_file():
            path.rename(main / path.name)
    (main / "sub/data").write_text("in a folder")
    (main / "absolute.dat").write_text("by its path")
    outside.write_text("beside")
    originals = [main / "sub/data", main / "absolute.dat", outside]
    os.chmod(outside, 0o600)
    before = [(path.stat().st_ino, path.stat().st_mode, path.read_text()) for path in originals]
    named = f"topol.xml sub/data {main / 'absolute.dat'} ../outside.dat"
    path = main / "settings.xml"
    path.write_text(GOOD.replace("<filelist>topol.xml<", f"<filelist>{named}<"))
    (state,) = plan_of(load_settings(path)).states
    step = main / "step_001"
    step.mkdir()
    copy_inputs(state.filelist, step)
    assert {found.name for found in step.iterdir()} == {"topol.xml", "data", "absolute.dat", "outside.dat"}
    assert (step / "outside.dat").read_text() == "beside"
    assert [(path.stat().st_ino, path.stat().st_mode, path.read_text()) for path in originals] == before
    # two of one name would be one copy
    path.write_text(GOOD.replace("<filelist>topol.xml<", "<filelist>topol.xml sub/data other/data<"))
    assert any("whose copies in the step would be data" in line for line in messages(path))
