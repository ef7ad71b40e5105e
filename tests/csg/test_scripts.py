"""The scripts one by one, through csg_call, and their messages on the user's terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import VOTCA_MLP, csg_call, edit, environment, make_case, needs_votca, write_target
from votca_mlp.potentials.akima import akima_from_table
from votca_mlp.settings.scripts import SCRIPT_DIRECTORY, SCRIPTPATH
from votca_mlp.tables import make_table, read_table, write_table

INTERACTION = ("--ia-type", "non-bonded", "--ia-name", "Ar-Ar")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A main directory in which nothing has run."""
    needs_votca()
    return make_case(tmp_path / "case")


def on_a_terminal(directory: Path, *command: str) -> tuple[int, str]:
    """Run a command in a session of its own with a terminal; return status and what the user sees."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    try:
        while data := os.read(controller, 65536):
            shown += data
    except OSError:  # Linux's answer when the last writer has closed the terminal
        pass
    os.close(controller)
    return process.wait(120), shown.decode().replace("\r\n", "\n")


def test_a_model_that_does_not_know_the_element_is_found_at_step_0(case: Path) -> None:
    ours = "votca_mlp.models.lennard_jones:lennard_jones_mixture"
    edit(case / "settings.xml", {"species: {Ar:": "species: {Ne:", "fluid:lj": ours})
    status, shown = on_a_terminal(case, "csg_inverse", "--options", "settings.xml")
    assert status != 0
    assert "the model does not know Ar" in shown
    assert "accepted: configurations of Ne" in shown
    assert "Traceback" not in shown
    assert "the model does not know Ar" in (case / "inverse.log").read_text()
    assert not (case / "step_001").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"<alpha>": "<alhpa>", "</alpha>": "</alhpa>"}, "did you mean <alpha>?"),
        ({"Ar-Ar.dist.tgt": "nothing.tgt"}, "nothing.tgt: no such table"),
        ({"fluid:lj": "fluid:jl"}, "module 'fluid' has no 'jl'"),
    ],
    ids=["misspelt", "no target", "no model"],
)
def test_what_step_0_refuses(case: Path, changes: dict[str, str], message: str) -> None:
    edit(case / "settings.xml", changes)
    status, output = csg_call(case, "prepare", "ibi")
    assert status != 0
    assert message in output
    assert "Traceback" not in output


def test_topology_and_start_must_agree(case: Path) -> None:
    edit(case / "topol.xml", {'nmols="108"': 'nmols="107"'})
    status, output = csg_call(case, "prepare", "ibi")
    assert status != 0
    assert "has 108 atoms" in output
    assert "107 beads" in output


def test_unknown_task_is_refused_at_step_0(case: Path) -> None:
    edit(case / "settings.xml", {"</wibi>": "</wibi><post_update>smoth</post_update>"})
    status, output = csg_call(case, *INTERACTION, "prepare_single", "ibi")
    assert status != 0
    assert "there is no post_update task 'smoth'" in output
    assert "splinesmooth" in output


def test_initial_potential_is_used_as_it_is(case: Path) -> None:
    grid = read_table(case / "Ar-Ar.dist.tgt").x
    # a shape that VOTCA's own preparation would extrapolate exponentially to the left
    given = make_table(grid, np.sin(7.0 * grid) + 0.3)
    write_table(case / "Ar-Ar.pot.in", given)
    status, output = csg_call(case, *INTERACTION, "prepare_single", "ibi")
    assert status == 0, output
    assert np.abs(read_table(case / "Ar-Ar.pot.new").y - given.y).max() < 1e-12
    write_table(case / "Ar-Ar.pot.in", make_table(grid[20:], given.y[20:]))
    status, output = csg_call(case, *INTERACTION, "prepare_single", "ibi")
    assert status != 0
    assert "Ar-Ar.pot.in: the table has 61 points from 0.2 to 0.8 nm" in output
    assert "0:0.01:0.8" in output


def test_a_zero_rdf_stops_the_run(case: Path) -> None:
    target = read_table(case / "Ar-Ar.dist.tgt")
    write_table(case / "zero.dist.new", target.with_y(0.0 * target.y))
    write_table(case / "pot.cur", target.with_y(0.0 * target.y))
    words = ("update", "ibi_pot", "Ar-Ar.dist.tgt", "zero.dist.new", "pot.cur", "dpot", "0.99774")
    status, output = csg_call(case, *INTERACTION, *words)
    assert status != 0
    assert "the simulated RDF is zero everywhere" in output
    assert "interaction Ar-Ar, zero.dist.new against Ar-Ar.dist.tgt" in output
    assert not (case / "dpot").exists()


def test_csg_stats_reason_reaches_the_terminal(case: Path) -> None:
    # a box of 12 Angstrom, in which 0.8 nm is more than half an edge
    head = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n108\nITEM: BOX BOUNDS pp pp pp\n" + 3 * "0.0 12.0\n"
    rows = "".join(f"{i} 1 {i % 12} {i % 11} {i % 7}\n" for i in range(1, 109))
    (case / "traj.dump").write_text(f"{head}ITEM: ATOMS id type x y z\n{rows}")
    (case / "inverse.log").touch()
    status, shown = on_a_terminal(
        case, "csg_call", "--options", "settings.xml", "--log", "inverse.log", *INTERACTION, "rdf", "ase"
    )
    assert status != 0
    assert "bigger is than half the box" in shown


def test_splinesmooth_does_not_run_away(case: Path) -> None:
    """Outside the sampled range VOTCA's cubic goes on; ours is constant there and equal to VOTCA's inside."""
    edit(
        case / "settings.xml",
        {
            "</wibi>": "</wibi><post_update>splinesmooth</post_update><post_update_options>"
            "<splinesmooth><step>0.04</step></splinesmooth></post_update_options>"
        },
    )
    x = read_table(case / "Ar-Ar.dist.tgt").x
    core = x < 0.295
    table = make_table(x, np.where(core, 0.5, np.cos(20.0 * x)))
    table.flags[core] = "o"
    write_table(case / "in", table)
    status, output = csg_call(case, *INTERACTION, "postupd", "splinesmooth", "in", "ours")
    assert status == 0, output
    # of several folders in <scriptpath> the last is looked into first
    (case / "stock").mkdir()
    (case / "stock/csg_table").write_text("postupd splinesmooth postupd_splinesmooth.sh\n")
    edit(case / "settings.xml", {f"$({VOTCA_MLP} scriptpath)": f"{SCRIPT_DIRECTORY}:{case}/stock"})
    words = ("postupd", "splinesmooth", "in", "theirs")
    status, output = csg_call(case, *INTERACTION, *words, VOTCA_MLP=str(VOTCA_MLP))
    assert status == 0, output
    ours, theirs = read_table(case / "ours"), read_table(case / "theirs")
    inside = theirs.flags == "i"
    assert np.array_equal(ours.y[inside], theirs.y[inside])
    assert np.ptp(ours.y[core]) == 0.0
    assert np.ptp(theirs.y[core]) > 1.0


def test_settings_that_stay_are_asked_once(case: Path) -> None:
    """VOTCA starts csg_property for every question; the answers are VOTCA's, also of other settings."""
    edit(case / "settings.xml", {"  <inverse>\n    <scriptpath>": "  <inverse>\n    <scriptpath>$PWD:"})
    text = (case / "settings.xml").read_text()
    other = text.replace(
        "<inverse>\n    <scriptpath>", "<inverse><restart_file>r.log</restart_file><scriptpath>"
    )
    bonded = "<bonded><name>bond</name><min>0</min></bonded></cg>"
    (case / "other.xml").write_text(other.replace("</cg>", bonded))
    (case / "csg_table").write_text("house ask ask.sh\n")
    (case / "ask.sh").write_text("""#!/bin/bash
ask() {
  "$1" cg.inverse.restart_file; "$1" --allow-empty cg.bonded.name
  "$1" cg.inverse.program; "$1" cg.inverse.kBT
}
count() { echo "$1 $(wc -l < asked) $(ask "$2" 2>/dev/null | tr '\\n' '|') $(wc -l < asked)" >&2; }
csg_property() { echo >> asked; command csg_property "$@"; }
type() { command -v csg_property; }
export -f csg_property type
: > asked
count ours csg_get_property
count theirs votca_csg_get_property
CSGXMLFILE="$PWD/other.xml" count other csg_get_property
csg_get_property cg.inverse.no_such_tag
""")
    (case / "ask.sh").chmod(0o755)
    status, output = csg_call(case, "house", "ask")
    assert status != 0
    assert "csg_get_property: Could not get 'cg.inverse.no_such_tag'" in output
    lines = {
        line.split()[0]: line.split()[1:]
        for line in output.splitlines()
        if line.endswith(tuple("0123456789"))
    }
    assert lines["ours"] == ["0", "restart_points.log||ase|0.99774|", "1"]
    assert lines["theirs"][1] == lines["ours"][1]
    assert int(lines["theirs"][2]) > 6
    assert lines["other"][1] == "r.log|bond|ase|0.99774|"


def test_converted_potential_is_the_engines(case: Path) -> None:
    x = read_table(case / "Ar-Ar.dist.tgt").x
    write_table(case / "Ar-Ar.pot.cur", make_table(x, np.exp(-(((x - 0.4) / 0.1) ** 2))))
    status, output = csg_call(case, *INTERACTION, "convert_potential", "ase", "Ar-Ar.pot.cur", "table.txt")
    assert status == 0, output
    r, u, force = np.loadtxt(case / "table.txt", unpack=True)
    spline = akima_from_table(read_table(case / "Ar-Ar.pot.cur"), where="")
    h = 1e-5
    energy = [spline.evaluate(10.0 * r + s * h)[0] * 96.48533212331002 for s in (-1, 0, 1)]
    assert u == pytest.approx(energy[1], abs=1e-9)
    inner = slice(1, -1)
    assert force[inner] == pytest.approx(-(energy[2] - energy[0])[inner] / (0.2 * h), rel=1e-5, abs=1e-5)


def test_every_script_is_used_has_help_and_its_run_bit() -> None:
    table = (SCRIPT_DIRECTORY / "csg_table").read_text().splitlines()
    named = {word for line in table if not line.startswith("#") for word in line.split()[2:]}
    scripts = sorted(SCRIPT_DIRECTORY.glob("*.sh"))
    assert {script.name for script in scripts} <= named
    for script in scripts:
        assert os.access(script, os.X_OK), script
        done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
        assert done.stdout, script


class TestWhichPython:
    """The scripts call the votca-mlp that they belong to, whatever comes first in the PATH."""

    def found(self, case: Path, **more: str) -> tuple[int, str]:
        return csg_call(case, "--show", "run", "ase", **more)

    def test_named_in_scriptpath(self, case: Path, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "votca-mlp").write_text("#!/bin/sh\necho /somewhere/else\n")
        (other / "votca-mlp").chmod(0o755)
        (other / "python").symlink_to("/bin/false")
        status, output = self.found(case, PATH=f"{other}:{os.environ['PATH']}")
        assert status == 0, output
        assert f"votca-mlp is {VOTCA_MLP}" in output

    def test_on_the_path(self, case: Path) -> None:
        edit(case / "settings.xml", {f"$({VOTCA_MLP} scriptpath)": SCRIPTPATH})
        status, output = self.found(case, PATH=f"{VOTCA_MLP.parent}:{os.environ['PATH']}")
        assert status == 0, output
        assert f"votca-mlp is {VOTCA_MLP}" in output

    def test_module_of_a_python(self, case: Path) -> None:
        edit(case / "settings.xml", {f"$({VOTCA_MLP} ": f"$({sys.executable} {VOTCA_MLP} "})
        status, output = self.found(case)
        assert status == 0, output
        assert f"votca-mlp is {sys.executable} {VOTCA_MLP}" in output

    def test_a_folder_and_a_variable(self, case: Path) -> None:
        edit(case / "settings.xml", {f"$({VOTCA_MLP} scriptpath)": str(SCRIPT_DIRECTORY)})
        status, output = self.found(case, VOTCA_MLP=str(VOTCA_MLP))
        assert status == 0, output
        assert f"votca-mlp is {VOTCA_MLP}" in output

    def test_nowhere(self, case: Path) -> None:
        edit(case / "settings.xml", {f"$({VOTCA_MLP} scriptpath)": str(SCRIPT_DIRECTORY)})
        folders = os.environ["PATH"].split(os.pathsep)
        # another checkout's, too, may be on the PATH of whoever runs the tests
        path = os.pathsep.join(p for p in folders if not (Path(p) / VOTCA_MLP.name).exists())
        status, output = self.found(case, PATH=path)
        assert status != 0
        assert "export VOTCA_MLP=" in output
        # as the shipped settings have it: not VOTCA's "Command/function votca-mlp not found"
        edit(case / "settings.xml", {str(SCRIPT_DIRECTORY): SCRIPTPATH})
        status, output = self.found(case, PATH=path)
        assert status != 0
        assert "votca-mlp is not on the PATH, source .venv/bin/activate" in output


def test_write_target_is_a_distribution(tmp_path: Path) -> None:
    """The targets of these tests are usable: zero in the core, near 1 at the end."""
    write_target(tmp_path / "t", 0.34)
    g = read_table(tmp_path / "t").y
    assert g[0] < 1e-10
    assert 0.8 < g[-1] < 1.2


def test_ctrl_c_while_python_starts_is_an_interruption(tmp_path: Path) -> None:
    """Python before its handlers ends with status 1: the scripts hand 130 up as for any other moment."""
    text = (SCRIPT_DIRECTORY / "functions_mlp.sh").read_text()
    function = text[text.index("votca_mlp_csg() {") :].split("\n}\n")[0] + "\n}\n"
    fake = tmp_path / "votca-mlp"
    # a program that is hit by the signal of its group and fails
    fake.write_text('#!/bin/bash\ntrap "exit 1" INT\nkill -INT $PPID $$\nsleep 5\n')
    fake.chmod(0o755)
    # pytest in the background may have been started with the signal ignored, which no trap of bash undoes
    run = ["env", "--default-signal=INT", "bash", "-c"]
    run += [f"{function}\nVOTCA_MLP={fake}\nvotca_mlp_csg update\necho went on"]
    found = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (130, "")
