"""The claim of a csg_inverse on its directory: it holds while the process lives, and only its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from votca_mlp.cli.csg import COMMANDS
from votca_mlp.errors import UserError
from votca_mlp.runs.claim import NAME, claim, refuse_claimed
from votca_mlp.runs.lock import locked


def test_a_living_process_keeps_everyone_else_out(tmp_path: Path) -> None:
    """Its own stages and a second start of the same process pass; another csg_inverse and our loop do not."""
    claim(tmp_path, os.getpid())
    claim(tmp_path, os.getpid())
    words = f"another run works in this directory: csg_inverse, process {os.getpid()}"
    with pytest.raises(UserError, match=words):
        claim(tmp_path, os.getppid())
    with pytest.raises(UserError, match=words), locked(tmp_path):
        pass
    with locked(tmp_path, master=os.getpid()):
        pass


def test_a_dead_process_does_not(tmp_path: Path) -> None:
    """A claim of a process that has ended is taken over, also when its number belongs to another by now."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        claim(tmp_path, child.pid)
        with pytest.raises(UserError, match=f"process {child.pid}"):
            refuse_claimed(tmp_path)
        child.communicate()
    refuse_claimed(tmp_path)
    claim(tmp_path, os.getpid())
    path = tmp_path / NAME
    process, started, host = path.read_text().split()
    path.write_text(f"{process} {int(started) - 1} {host}\n")
    refuse_claimed(tmp_path)


@pytest.mark.parametrize("text", ["", "nonsense", "12 34", "{process} 1 another-host.example", "x y z"])
def test_what_is_no_claim_of_this_host_is_none(tmp_path: Path, text: str) -> None:
    """A damaged claim, or one of another host, whose processes cannot be seen, keeps nobody out."""
    # the number of a process in a parameter would name the test differently in every worker
    (tmp_path / NAME).write_text(text.replace("{process}", str(os.getpid())))
    refuse_claimed(tmp_path)
    claim(tmp_path, os.getpid())


def test_what_a_killed_csg_inverse_left_goes_with_the_next_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the folders of the last step's states; earlier steps are complete, others the user's."""
    left = [".run.yaml.abcdefgh.part", "step_002/.a.pot.new.abcdefgh.part", "step_002/hot/.b.abcdefgh.part"]
    others = ["step_001/.a.abcdefgh.part", "mine/.a.abcdefgh.part", "step_002/traj.dump.part"]
    for name in [*left, *others]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    COMMANDS["claim"](os.getpid())
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.part")}
    assert found == set(others)
