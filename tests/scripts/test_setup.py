"""scripts/setup and scripts/quickstart: what they refuse at once, and the way out without PyTorch's index."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# a python whose pip finds nothing but says what it was asked
PYTHON = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
[[ $* == *"import torch"* || $* == *"pip"* ]] && exit 1
exit 0
"""
NOTHING_MISSING = """#!/usr/bin/env bash
echo "install ok installed"
"""
MISSING = """#!/usr/bin/env bash
exit 1
"""
APT = """#!/usr/bin/env bash
for k in $(seq 300); do echo "line $k of apt"; done
[[ $* != *install* ]]
"""


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A checkout's scripts, a virtual environment, and programs in the place of Debian's."""
    for name in ("scripts", "bin", ".venv/bin"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("setup", "quickstart"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts" / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, text in ((".venv/bin/python", PYTHON), ("bin/dpkg-query", NOTHING_MISSING)):
        program(tmp_path / name, text)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("VOTCA_MLP")}
    return tmp_path, {**kept, "PATH": path, "CALLS": str(tmp_path / "calls")}


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def run(folder: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_only_a_package_index(machine: tuple[Path, dict[str, str]]) -> None:
    """The cause, the plain build with its size, and a mirror's variable, which is obeyed."""
    folder, environment = machine
    done = run(folder, environment, "scripts/setup")
    assert done.returncode == 1
    assert "no CPU build of torch 2.13.0 from --index-url https://download.pytorch.org/whl/cpu" in done.stderr
    assert ".venv/bin/python -m pip install torch==2.13.0 && scripts/setup run" in done.stderr
    assert "3 GB" in done.stderr
    run(folder, {**environment, "VOTCA_MLP_TORCH_INDEX": "https://mirror/cpu"}, "scripts/setup")
    assert "--index-url https://mirror/cpu torch==2.13.0" in (folder / "calls").read_text()


def test_the_package_manager_is_quiet_until_it_fails(machine: tuple[Path, dict[str, str]]) -> None:
    folder, environment = machine
    program(folder / "bin/dpkg-query", MISSING)
    program(folder / "bin/sudo", '#!/usr/bin/env bash\nexec "$@"\n')
    program(folder / "bin/apt-get", APT)
    done = run(folder, environment, "scripts/setup")
    assert done.returncode == 1
    assert "apt-get failed" in done.stderr
    assert len(done.stderr.splitlines()) == 22
    program(folder / "bin/apt-get", APT.replace("[[ $* != *install* ]]", ""))
    assert "of apt" not in run(folder, environment, "scripts/setup").stderr


def test_blanks_are_refused_at_once(machine: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    folder, environment = machine
    done = run(folder, environment, "scripts/quickstart", "my run")
    assert done.returncode == 1
    assert "/my run' has blanks" in done.stderr
    done = run(folder, {**environment, "VOTCA_MLP_VENV": "/tmp/a b"}, "scripts/setup")
    assert "'/tmp/a b' has blanks" in done.stderr
    assert not (folder / "calls").exists()


def test_what_the_quickstart_ends_with(machine: tuple[Path, dict[str, str]]) -> None:
    """The table of the g(r) that was printed last, not the one after it; our tags; the way onto PATH."""
    folder, environment = machine
    shutil.copytree(ROOT / "settings" / "al_quickstart", folder / "settings" / "al_quickstart")
    program(folder / "scripts/setup", f'#!/usr/bin/env bash\necho "{folder}/.venv"\n')
    steps = "mkdir -p step_001 step_002 step_003; touch step_001/Al-Al.dist.new step_002/Al-Al.dist.new"
    program(folder / "bin/csg_inverse", f'#!/usr/bin/env bash\n{steps}; echo "tags: $VOTCA_CSG_DEFAULTS"\n')
    program(
        folder / ".venv/bin/votca-mlp", "#!/usr/bin/env bash\n[[ $1 != defaults ]] || echo /cache/defaults\n"
    )
    done = run(folder, environment, "scripts/quickstart")
    assert done.returncode == 0, done.stderr
    assert "tags: /cache/defaults" in done.stdout
    assert f"correction u(r): {folder}/al_quickstart/step_002/Al-Al.pot.cur" in done.stdout
    assert done.stdout.splitlines()[-1] == f"  source {folder}/.venv/bin/activate"
