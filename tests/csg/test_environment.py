"""What csg_inverse says through the environment, and what becomes of a simulation when it ends."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from votca_mlp.csg import scriptpath
from votca_mlp.csg.check import check_votca
from votca_mlp.csg.environment import read_environment
from votca_mlp.errors import UserError
from votca_mlp.inverse.model import with_threads
from votca_mlp.inverse.stages.simulate import described_means
from votca_mlp.models.identity import model_identity
from votca_mlp.settings import MLPSettings
from votca_mlp.settings.scripts import SCRIPT_DIRECTORY

GIVEN = {"CSGXMLFILE": "/main/settings.xml", "CSG_MAINDIR": "/main", "CSG_THISSTEP": "/main/step_012"}


def test_a_step() -> None:
    found = read_environment(
        {**GIVEN, "CSGENDING": "1700000000", "CSG_MDRUN_STEPS": "50", "CSG_NUM_THREADS": "2"}
    )
    assert found.step_number == 12
    assert (found.ending, found.max_steps, found.threads, found.master) == (1700000000, 50, 2, None)
    assert found.main_directory == Path("/main")


def test_steps_may_be_kept() -> None:
    given = {**GIVEN, "CSG_MDRUN_STEPS": "50", "CSG_DONT_OVERWRITE_MDRUN_STEPS": "yes"}
    assert read_environment(given).max_steps is None


@pytest.mark.parametrize("value", ["-1", "0", "1.5", "many"])
def test_bad_numbers(value: str) -> None:
    with pytest.raises(UserError, match=f"CSG_MDRUN_STEPS is '{value}'"):
        read_environment({**GIVEN, "CSG_MDRUN_STEPS": value})


def test_outside_csg_inverse() -> None:
    with pytest.raises(UserError, match="no CSG_MAINDIR"):
        read_environment({"CSGXMLFILE": "settings.xml"})


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("csg_call, version 2022.1 \n", (2022, 1)),
        ("csg_call, version 2024.2", (2024, 2)),
        ("csg_call, version 2025-dev gitid", (2025,)),
        ("csg_call, version unknown", ()),
    ],
)
def test_versions(text: str, version: tuple[int, ...]) -> None:
    assert check_votca(text) == version


def test_old_version() -> None:
    with pytest.raises(UserError, match=r"2021\.2 is too old"):
        check_votca("csg_call, version 2021.2")


def test_votcas_threads_replace_auto_only() -> None:
    mlp = MLPSettings(kind="ase", calculator="a:b")
    assert with_threads(mlp, None).threads is None
    assert with_threads(mlp, 3).threads == 3
    assert with_threads(mlp.model_copy(update={"threads": 2}), 3).threads == 2


def test_identity_follows_settings_and_files(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/weights").write_text("1")
    mlp = MLPSettings(kind="ani", model="m")
    first = model_identity(mlp, tmp_path)
    assert model_identity(mlp.model_copy(update={"threads": 2}), tmp_path) == first
    assert model_identity(mlp.model_copy(update={"members": (0,)}), tmp_path) != first
    (tmp_path / "m/weights").write_text("2")
    assert model_identity(mlp, tmp_path) != first


def test_means_for_the_terminal() -> None:
    means = {
        "temperature[K]": {"mean": 1023.04, "error": 2.31, "samples": 100},
        "pressure[bar]": {"mean": -12.5, "error": None, "samples": 3},
        "density[kg/m3]": {"mean": 2340.0, "error": 3e-13, "samples": 100},
    }
    expected = "temperature 1023 +- 2.3 K, pressure -12.5 bar, density 2340 kg/m3"
    assert described_means({"production": means}) == expected
    assert described_means({}) == ""


def test_lines_reach_terminal_and_log(tmp_path: Path) -> None:
    """csg_inverse: descriptors 1 and 2 are the log, 3 and 4 the terminal."""
    code = "from votca_mlp.csg.terminal import say, complain; say('one'); complain('two')"
    script = f'exec 3>terminal.out 4>terminal.err >log 2>&1; exec "{sys.executable}" -c "{code}"'
    env = {**os.environ, "CSGLOG": "log", "CSGNOCOLOR": "yes"}
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "terminal.out").read_text() == "one\n"
    assert (tmp_path / "terminal.err").read_text() == "two\n"
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
    # closed terminal: the log still has them
    script = f'exec 3>&- 4>&- >log2 2>&1; exec "{sys.executable}" -c "{code}"'
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "log2").read_text() == "one\ntwo\n"


def test_blanks_in_a_path_are_refused_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my run"
    folder.mkdir()
    script = f'die() {{ echo -e "$*"; exit 1; }}; source "{SCRIPT_DIRECTORY}/functions_mlp.sh"'
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert "/my run' has blanks, which VOTCA cannot have in a path" in done.stdout
    assert "votca-mlp inverse" in done.stdout
    monkeypatch.setattr(scriptpath, "SCRIPT_DIRECTORY", folder)
    with pytest.raises(UserError, match="VOTCA cannot have blanks in a path"):
        scriptpath.script_path()


@pytest.mark.parametrize("victim", ["grandparent", "parent"])
def test_a_simulation_ends_with_csg_inverse(victim: str, tmp_path: Path) -> None:
    child = textwrap.dedent("""
        import os, sys, time
        from votca_mlp.csg.orphan import end_with
        end_with(int(sys.argv[1]), every=0.05)
        print(os.getpid(), os.getppid(), flush=True)
        time.sleep(60)
    """)
    # bash that waits for its child, as csg_inverse and its scripts do; the ':' keeps it from exec
    inner_file = tmp_path / "inner.sh"
    inner_file.write_text(f'"{sys.executable}" -c "$CODE" $MASTER\n:\n')
    script = f'export MASTER=$$; bash "{inner_file}"; :'
    process = subprocess.Popen(
        ["bash", "-c", script],
        env={**os.environ, "CODE": child},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    simulation, parent = map(int, process.stdout.readline().split())
    os.kill(process.pid if victim == "grandparent" else parent, 9)
    end = time.monotonic() + 10.0
    while _running(simulation):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.kill()
    process.communicate()


def _running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
