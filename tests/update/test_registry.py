"""A rule of another package: one file and one entry point, run through both loops."""

from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import VOTCA_MLP, edit, make_case, start_program
from tests.inverse.case import LOOP_FILES, ours, same_tables
from tests.toys import install
from votca_mlp.tables import read_table
from votca_mlp.update.registry import rules

TOY = '''
"""u changes by kB T times a gain times g - g*: no logarithm, and no point is undefined."""

from votca_mlp.fields import Section, setting
from votca_mlp.tables import make_table
from votca_mlp.update.rule import OptionProblem, Rule, RuleEntry, Update


class ToySettings(Section):
    """cg.non-bonded.inverse.toy: a rule of another package."""

    gain: float = setting(0.1, ge=0, meaning="Of the update.")


class Toy(Rule):
    def update(self, step, names):
        found = {}
        for name in names:
            grid, change = step.pairs[name].points, 0.0
            for state in step.having(name):
                difference = state.measured[name].table.y - state.targets[name].values
                change = change + state.weight * state.options[name].gain * state.kBT * difference
            found[name] = Update((make_table(grid, change, comments=("toy",)),))
        return found


def check(options):
    if options.gain > 1:
        yield OptionProblem("gain", f"is {options.gain:g}", "a number not above 1")


ENTRY = RuleEntry("toy", ToySettings, Toy, described=lambda o: f"gain {o.gain:g}", check=check)
'''
POINT = ("votca_mlp.rules", "toy = toy_rule:ENTRY")


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """Return a PYTHONPATH with the rule's package."""
    return install(tmp_path / "site", {"toy_rule.py": TOY}, dict([POINT]))


def toy_case(directory: Path, iterations: int = 2) -> Path:
    """Return a short run of a mixture with the rule toy, of which one interaction has its default."""
    main = make_case(directory, ("Ar", "Kr"), iterations=iterations, production=160)
    edit(main / "settings.xml", {"<first_equilibration>400": "<first_equilibration>40"})
    return with_rule(main)


def with_rule(main: Path) -> Path:
    """Let a run of the mixture use the rule; one interaction has an option."""
    text = (main / "settings.xml").read_text().replace("<mlp>", "<rule>toy</rule><mlp>", 1)
    (main / "settings.xml").write_text(text.replace("</wibi>", "</wibi><toy><gain>0.4</gain></toy>", 1))
    return main


def check_tables(main: Path, iterations: int = 2) -> None:
    """Compare the updates with the toy's formula."""
    for number in range(1, iterations + 1):
        step = main / f"step_{number:03d}"
        for name, gain in (("Ar-Ar", 0.4), ("Ar-Kr", 0.1), ("Kr-Kr", 0.1)):
            g, target, update = (
                read_table(step / f"{name}.{end}").y for end in ("dist.new", "dist.tgt", "dpot.pure_ibi")
            )
            np.testing.assert_allclose(update, gain * 0.99774 * (g - target), rtol=1e-12, atol=1e-14)
            assert np.abs(update).max() > 0


def test_a_toy_in_our_loop(tmp_path: Path, installed: str) -> None:
    """The settings know its section and its checks, and `check` says what it will do."""
    main, path = toy_case(tmp_path / "main"), {"PYTHONPATH": installed}
    output, _ = start_program(main, VOTCA_MLP, "check", **path).communicate(timeout=60)
    assert "target Ar-Ar.dist.tgt, gain 0.4" in output
    assert "target Kr-Kr.dist.tgt, gain 0.1" in output
    status, output = ours(main, **path)
    assert status == 0, output
    check_tables(main)
    edit(main / "settings.xml", {"<gain>0.4": "<gain>0.5"})
    (main / "done").unlink()
    status, output = ours(main, **path)
    assert status == 0, output
    assert "CHANGED since step 002: cg.non-bonded[Ar-Ar].toy.gain was 0.4, is 0.5; affects the upd" in output
    edit(main / "settings.xml", {"<gain>0.5": "<gain>2"})
    status, output = ours(main, **path)
    assert status == 1
    assert "<cg.non-bonded.inverse.toy.gain> is 2; accepted: a number not above 1" in output


def test_a_toy_in_csg_inverse(engine_and_rule: tuple[Path, Path]) -> None:
    """The same tables as in our loop."""
    for main in engine_and_rule:
        check_tables(main, 1)
    same_tables(*(main / "step_001" for main in engine_and_rule), ("Ar-Ar", "Ar-Kr", "Kr-Kr"), LOOP_FILES)


def test_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    main = toy_case(tmp_path / "main")
    status, output = ours(main)
    assert status == 1
    assert (
        f"<cg.inverse.rule> is 'toy' (no such rule is installed); accepted: {' | '.join(rules())}" in output
    )
