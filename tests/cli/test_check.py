"""votca-mlp check: what it prints, its exit status, and that it stays light."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.settings.conftest import GOOD, set_tag
from votca_mlp.cli.app import app
from votca_mlp.cli.check import checked_settings, summary


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from votca_mlp.cli.main import main; main()", "check", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_says_what_will_be_done(good: Path) -> None:
    done = CliRunner().invoke(app, ["check", "--options", str(good)])
    assert done.exit_code == 0
    for words in (
        "model        hippynn builtin:al-hipnn on auto, float32",
        "engine       ase, npt at 1023 K, 1 bar, timestep 1 fs",
        "Al-Al: 0 to 1 nm by 0.005 nm, target Al-Al.dist.tgt, alpha 0.2, weight target",
        "step_001     20000 steps of equilibration",
        "each step    10000 steps of production, 100 frames",
        # 20000 + 5 * 2000 + 6 * 10000
        "iterations   6, 90000 steps together",
    ):
        assert words in done.output


@pytest.mark.parametrize(
    ("command", "noted"),
    [
        ("votca-mlp", True),
        ('hash votca-mlp || die "none"; votca-mlp', True),
        ("./bin/votca-mlp", True),
        ("$HOME/bin/votca-mlp", False),
        (sys.executable, False),
    ],
)
def test_a_scriptpath_that_csg_inverse_cannot_follow(
    good: Path, monkeypatch: pytest.MonkeyPatch, command: str, noted: bool
) -> None:
    good.write_text(GOOD.replace("$(votca-mlp scriptpath)", f"$({command} scriptpath)"))
    for name in ("csg_inverse", "csg_call"):
        (good.parent / name).write_text("#!/bin/sh\n")
        (good.parent / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(good.parent))
    done = CliRunner().invoke(app, ["check", str(good)])
    assert done.exit_code == 0, done.output
    assert ("csg_inverse will not find votca-mlp, which is not on the PATH" in done.output) == noted
    if command.startswith("./"):
        (good.parent / "bin").mkdir()
        (good.parent / "csg_call").rename(good.parent / "bin/votca-mlp")
        assert "will not find" not in CliRunner().invoke(app, ["check", str(good)]).output


def test_a_votca_that_warns_of_our_tags(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2023 and later; 2022.1 has no such check."""
    files = ("xml/csg_defaults.xml", "scripts/inverse/check_csg_xml.py", "csg_inverse")
    for file in files:
        (good.parent / file).parent.mkdir(parents=True, exist_ok=True)
        (good.parent / file).write_text("#!/bin/sh\n")
        (good.parent / file).chmod(0o755)
    monkeypatch.setenv("PATH", str(good.parent))
    monkeypatch.setenv("VOTCASHARE", str(good.parent))
    monkeypatch.delenv("VOTCA_CSG_DEFAULTS", raising=False)
    words = "export VOTCA_CSG_DEFAULTS=$(votca-mlp defaults)"
    assert words in CliRunner().invoke(app, ["check", str(good)]).output
    monkeypatch.setenv("VOTCA_CSG_DEFAULTS", "merged.xml")
    assert words not in CliRunner().invoke(app, ["check", str(good)]).output
    monkeypatch.delenv("VOTCA_CSG_DEFAULTS")
    (good.parent / files[1]).unlink()
    assert words not in CliRunner().invoke(app, ["check", str(good)]).output


def test_what_csg_inverse_alone_has_is_said(good: Path) -> None:
    good.write_text(GOOD.replace("<wibi>", "<post_update>kbibi</post_update><wibi>"))
    done = CliRunner().invoke(app, ["check", str(good)])
    assert done.exit_code == 0, done.output
    said = re.sub(r"\s+", " ", done.output)
    assert "note votca-mlp inverse would refuse this:" in said
    assert "no post_update task 'kbibi'" in said


def test_a_crystal_is_molten_in_the_first_step(good: Path) -> None:
    crystal = "<crystal><element>Al</element><lattice_constant>4.25</lattice_constant></crystal>"
    good.write_text(GOOD.replace("<conf>conf.extxyz</conf>", crystal))
    text = "\n".join(summary(checked_settings(good)))
    assert "5000 steps of melting, 20000 steps of equilibration" in text
    assert "95000 steps together" in text


def test_problems_of_settings_and_of_files_end_with_status_1(good: Path) -> None:
    text = GOOD.replace("<kind>", "<knd/><kind>")
    good.write_text(set_tag(text, "target", "none.tgt"))
    done = run(good.parent, "settings.xml")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "has 2 problems" in done.stderr
    assert "did you mean <kind>?" in done.stderr
    assert "none.tgt: no such table" in done.stderr


def test_imports_nothing_heavy(good: Path) -> None:
    code = (
        "import sys; from votca_mlp.cli.check import checked_settings, summary\n"
        "summary(checked_settings('settings.xml'))\n"
        "heavy = {'torch', 'ase', 'scipy', 'hippynn', 'vesin', 'numba', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=good.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_deep_says_what_a_run_costs(tmp_path: Path) -> None:
    """At least: from evaluations of the start, in the words of the steps that are to be made."""
    from tests.csg.case import make_case

    main = make_case(tmp_path / "case", iterations=3)
    result = CliRunner().invoke(app, ["check", str(main / "settings.xml"), "--deep"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (cost,) = [line for line in result.output.splitlines() if line.startswith("cost ")]
    assert re.search(
        r"forces take about [\d.e+]+ ms .* of MD for step_001, .* a later one, .* for 3 together", cost
    )


def test_the_cost_is_that_of_the_fastest_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch compiles in the second call, too, and others use the machine: "at least" was too long."""
    from tests.csg.case import make_case
    from votca_mlp.evaluation import load

    made = load.evaluator_of

    def slow_at_first(*given: object) -> object:
        evaluator, calls = made(*given), []
        evaluate = evaluator.evaluate

        def late(atoms: object) -> object:
            calls.append(atoms)
            time.sleep(0.3 if len(calls) in (2, 4) else 0.0)
            return evaluate(atoms)

        monkeypatch.setattr(evaluator, "evaluate", late)
        return evaluator

    monkeypatch.setattr(load, "evaluator_of", slow_at_first)
    main = make_case(tmp_path / "case", iterations=3)
    result = CliRunner().invoke(app, ["check", str(main), "--deep"], catch_exceptions=False)
    cost = re.search(r"forces take about ([\d.e+]+) ms", result.output)
    assert cost is not None, result.output
    assert float(cost[1]) < 100.0


def test_flags_show_no_type() -> None:
    result = CliRunner().invoke(app, ["check", "--help"])
    assert "--deep" in result.output
    assert "bool" not in result.output.lower()


@pytest.mark.parametrize(
    ("words", "status"),
    [("scriptpath", 0), ("csg claim {pid}", 0), ("csg claim many", 1), ("csg nothing", 1)],
)
def test_what_scripts_start_often_imports_little(words: str, status: int, tmp_path: Path) -> None:
    """csg_inverse starts votca-mlp some ten times a step."""
    words = words.format(pid=os.getpid())
    code = (
        "import sys; from votca_mlp.cli.main import main\n"
        f"sys.argv[1:] = {words.split()!r}\n"
        "try:\n    main()\n"
        "finally:\n"
        "    heavy = {'typer', 'pydantic', 'numpy', 'scipy', 'numba', 'torch', 'ase', 'lxml'}\n"
        "    print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
