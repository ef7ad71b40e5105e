"""The states of a run: what each sees, and one message for every mistake."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.settings.conftest import GOOD, TOPOLOGY, liquid_rdf
from votca_mlp.cli.check import checked_settings, summary
from votca_mlp.inverse.from_settings import state_plan
from votca_mlp.settings import SettingsError, load_settings
from votca_mlp.settings.inputs import check_inputs
from votca_mlp.settings.states import (
    read_state_settings,
    state_named,
    states_of,
    write_state_settings,
)
from votca_mlp.tables import grid_points, make_table, write_table
from votca_mlp.units import kbt_kjmol

R = grid_points(0.0, 1.2, 0.002)
COLD, HOT = 943.0, 1323.0
KBTS = f"<state_kBTs>{kbt_kjmol(COLD):.8g} {kbt_kjmol(HOT):.8g}</state_kBTs>"
NAMES = "<state_names>cold hot</state_names>"
OWN = "<kBT>8.50577</kBT>"
TEMPERATURE = "<temperature>1023</temperature>"
SECOND = """
  <non-bonded>
    <name>Al-Cu</name> <type1>Al</type1> <type2>Cu</type2>
    <min>0.0</min> <max>1.0</max> <step>0.005</step>
    <inverse> <target>Al-Cu.dist.tgt</target> </inverse>
  </non-bonded>
"""


@pytest.fixture
def run(good: Path) -> Path:
    """A settings.xml of two states whose temperatures follow state_kBTs."""
    good.write_text(with_states(GOOD))
    for name in ("cold", "hot"):
        (good.parent / name).mkdir()
        write_table(good.parent / name / "Al-Al.dist.tgt", make_table(R, liquid_rdf(R)))
    (good.parent / "Al-Al.dist.tgt").unlink()
    return good


def with_states(text: str, tags: str = NAMES + KBTS) -> str:
    """Return settings with <multistate>; kBT and temperature of the run go."""
    text = text.replace(OWN, "").replace(TEMPERATURE, "")
    return text.replace("<mlp>", f"<multistate><enabled>yes</enabled>{tags}</multistate><mlp>")


def own(run: Path, name: str, text: str) -> Path:
    """Write a state's own settings."""
    path = run.parent / name / "settings.xml"
    path.write_text(f"<cg>\n{text}\n</cg>\n")
    return path


def use(run: Path) -> None:
    settings = load_settings(run)
    states_of(settings)
    check_inputs(settings)


def lines(run: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        use(run)
    return [problem.text(run) for problem in caught.value.problems]


class TestViews:
    def test_measured_densities_are_the_states_own(self, run: Path) -> None:
        own(run, "cold", "<inverse><target_density><value>2370</value></target_density></inverse>")
        cold, hot = (state_plan(state.settings).density for state in states_of(load_settings(run)))
        assert cold is not None
        assert (cold.values.tolist(), cold.errors) == ([2370.0], None)
        assert "cold/settings.xml:2: <cg.inverse.target_density.value>" in cold.source
        assert hot is None

    def test_temperatures_follow_state_kbts(self, run: Path) -> None:
        settings = load_settings(run)
        cold, hot = states_of(settings)
        assert (cold.name, cold.weight) == ("cold", 0.5)
        assert cold.temperature == pytest.approx(COLD, abs=1e-3)
        assert hot.settings.ase.temperature == pytest.approx(HOT, abs=1e-3)
        assert hot.kBT == hot.settings.kBT == pytest.approx(kbt_kjmol(HOT), rel=1e-7)
        assert not hot.settings.multistate.enabled
        assert hot.settings.main_directory == run.parent / "hot"
        # the run itself has the mean
        assert settings.kBT == pytest.approx(kbt_kjmol((COLD + HOT) / 2), rel=1e-7)
        check_inputs(settings)

    def test_weights_are_normalised(self, run: Path) -> None:
        run.write_text(with_states(GOOD, f"{NAMES}{KBTS}<state_weights>1 3</state_weights>"))
        settings = load_settings(run)
        assert [state.weight for state in states_of(settings)] == [0.25, 0.75]
        assert settings.kBT == pytest.approx(kbt_kjmol(0.25 * COLD + 0.75 * HOT), rel=1e-7)

    def test_a_states_own_settings_replace_those_of_the_run(self, run: Path) -> None:
        own(
            run,
            "hot",
            """<non-bonded><name>Al-Al</name><inverse><wibi><alpha>0.05</alpha><weight>uniform</weight></wibi>
               </inverse></non-bonded>
               <inverse><ase><pressure>5</pressure><temperature>1323</temperature>
               <crystal><element>Al</element><lattice_constant>4.2</lattice_constant></crystal></ase>
               <mlp><device>cpu</device></mlp></inverse>""",
        )
        cold, hot = states_of(load_settings(run))
        assert (hot.settings.ase.pressure, cold.settings.ase.pressure) == (5.0, 1.0)
        assert hot.settings.interactions[0].wibi.alpha == 0.05
        assert hot.settings.interactions[0].wibi.weight == "uniform"
        assert cold.settings.interactions[0].wibi.alpha == 0.2
        assert hot.settings.mlp.device == "cpu"
        # a start of one's own replaces the other kind of start
        assert hot.settings.ase.conf is None
        assert hot.settings.ase.crystal is not None
        assert hot.settings.ase.rdf.with_errors

    def test_a_states_weight_function_replaces_that_of_the_run(self, run: Path) -> None:
        weight = "<weight>table</weight><weight_file>w.table</weight_file>"
        run.write_text(run.read_text().replace("<wibi>", "<wibi>" + weight))
        write_table(run.with_name("w.table"), make_table(R, np.ones(len(R))))
        pair = "<non-bonded><name>Al-Al</name><inverse><wibi>{}</wibi></inverse></non-bonded>"
        own(run, "hot", pair.format("<weight>power</weight><power>2</power>"))
        cold, hot = states_of(load_settings(run))
        assert cold.settings.interactions[0].wibi.weight_file == "../w.table"
        assert hot.settings.interactions[0].wibi.weight_file is None
        check_inputs(load_settings(run))
        write_table(run.parent / "cold" / "w.table", make_table(R, np.zeros(len(R))))
        assert "names w.table, which is 0 everywhere" in lines(run)[0]

    def test_kbt_or_temperature_alone_is_enough(self, run: Path) -> None:
        run.write_text(with_states(GOOD, NAMES).replace("<mlp>", OWN + "<mlp>").replace(
            "<conf>", TEMPERATURE + "<conf>"))  # fmt: skip
        own(run, "hot", "<inverse><kBT>11.0000</kBT></inverse>")
        own(run, "cold", "<inverse><ase><temperature>943</temperature></ase></inverse>")
        cold, hot = states_of(load_settings(run))
        assert cold.kBT == pytest.approx(kbt_kjmol(943.0))
        assert hot.temperature == pytest.approx(1323.0, abs=0.01)

    def test_states_may_have_one_temperature(self, run: Path) -> None:
        """Two densities: without state_kBTs the run's own kBT holds."""
        text = (
            with_states(GOOD, NAMES).replace("<mlp>", OWN + "<mlp>").replace("<conf>", TEMPERATURE + "<conf>")
        )
        run.write_text(text)
        assert [state.temperature for state in states_of(load_settings(run))] == [1023.0, 1023.0]

    def test_files_are_looked_for_in_the_states_folder_first(self, run: Path) -> None:
        cold, hot = states_of(load_settings(run))
        assert hot.settings.ase.conf == "../conf.extxyz"
        assert hot.settings.input_path("topol.xml") == run.parent / "topol.xml"
        (run.parent / "hot" / "conf.extxyz").write_text("0\n")
        (run.parent / "hot" / "topol.xml").write_text(TOPOLOGY.replace("500", "864"))
        hot = state_named(load_settings(run), "hot")
        assert hot.settings.ase.conf == "conf.extxyz"
        assert hot.settings.input_path("topol.xml") == run.parent / "hot" / "topol.xml"
        assert cold.settings.input_path("topol.xml") == run.parent / "topol.xml"

    def test_a_model_of_its_own(self, run: Path) -> None:
        own(run, "hot", "<inverse><mlp><model>mine.pt</model></mlp></inverse>")
        assert "is mine.pt, which does not exist" in lines(run)[0]
        (run.parent / "hot" / "mine.pt").write_text("")
        assert state_named(load_settings(run), "hot").settings.mlp.model == "hot/mine.pt"

    def test_an_interaction_that_a_state_does_not_contain(self, run: Path) -> None:
        run.write_text(
            run.read_text().replace("  <inverse>\n    <script", SECOND + "  <inverse>\n    <script")
        )
        both = TOPOLOGY.replace(
            "</molecule>\n",
            '</molecule><molecule name="Cu" nmols="9" nbeads="1"><bead name="Cu" type="Cu" mass="63" q="0"/>'
            "</molecule>\n",
            1,
        )
        (run.parent / "hot" / "topol.xml").write_text(both)
        (line,) = lines(run)
        assert f"{run.parent}/hot/Al-Cu.dist.tgt: no such table" in line
        write_table(run.parent / "hot" / "Al-Cu.dist.tgt", make_table(R, liquid_rdf(R)))
        cold, hot = states_of(load_settings(run))
        check_inputs(load_settings(run))
        assert [pair.name for pair in cold.settings.interactions] == ["Al-Al"]
        assert cold.interaction("Al-Cu") is None
        assert hot.interaction("Al-Cu") is not None
        assert "without Al-Cu" in "\n".join(summary(checked_settings(run)))
        run.write_text(run.read_text().replace(NAMES, NAMES + "<state_weights>1 0</state_weights>"))
        assert "is 'Al-Cu', whose types no state of weight above 0 has" in lines(run)[0]

    def test_the_written_settings_are_those_of_the_state(self, run: Path) -> None:
        own(run, "hot", "<inverse><ase><timestep>2</timestep></ase></inverse>")
        hot = state_named(load_settings(run), "hot")
        write_state_settings(hot, run.parent / "hot" / "whole.xml")
        again = read_state_settings(run.parent / "hot" / "whole.xml", run.parent, "hot")
        assert again.model_dump() == hot.settings.model_dump()
        assert again.run_directory == run.parent
        (run.parent / "hot" / "whole.xml").write_text("<cg><inverse/></cg>")
        with pytest.raises(SettingsError, match="is missing"):
            read_state_settings(run.parent / "hot" / "whole.xml", run.parent, "hot")

    def test_check_tells_the_states(self, run: Path) -> None:
        text = "\n".join(summary(checked_settings(run)))
        assert "state        hot: 1323 K" in text
        assert "shared       one u(r)" in text
        run.write_text(run.read_text().replace(NAMES, NAMES + "<temperature_terms>2</temperature_terms>"))
        text = "\n".join(summary(checked_settings(run)))
        assert "2 terms in (T - 1133 K)/190 K: as many as states, so that nothing is shared" in text


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (NAMES, "<state_names>cold cold</state_names>", "1 different names among 2"),
        (NAMES, "<state_names>cold</state_names>", "two names or more"),
        (NAMES, "<state_names>cold ../hot</state_names>", "names '../hot'; accepted: names of folders"),
        (NAMES, "<state_names>cold step_001</state_names>", "names 'step_001'; accepted: names of folders"),
        (NAMES, "<state_names>cold warm</state_names>", "names warm, but there is no folder"),
        (NAMES, "<state_names>cold hot warm</state_names>", "state_kBTs> has 2 numbers for 3 states"),
        (NAMES, NAMES + "<state_weights>1 1 1</state_weights>", "state_weights> has 3 numbers for 2 states"),
        (NAMES, NAMES + "<state_weights>0 0</state_weights>", "are all 0"),
        (
            NAMES,
            NAMES + "<state_weights>1 -1</state_weights>",
            "is '1 -1'; accepted: one number >= 0 a state",
        ),
        (KBTS, "<state_kBTs>7.8 0</state_kBTs>", "is '7.8 0'; accepted: one number > 0 a state"),
        (KBTS, "", "<cg.inverse.kBT> is missing"),
        (NAMES, NAMES + "<temperature_terms>0</temperature_terms>", "is '0'; accepted: a whole number >= 1"),
        (NAMES, NAMES + "<temperature_terms>3</temperature_terms>", "fitted states have 2 different temp"),
        (
            NAMES,
            NAMES + "<temperature_terms>2</temperature_terms><state_weights>1 0</state_weights>",
            "accepted: at most 1",
        ),
        (NAMES, NAMES + "<state_weight>1 1</state_weight>", "did you mean <state_weights>?"),
    ],
)
def test_bad_lists(run: Path, before: str, after: str, words: str) -> None:
    text = run.read_text()
    assert before in text
    run.write_text(text.replace(before, after))
    found = lines(run)
    assert any(words in line for line in found), found
    assert all(line.startswith(f"{run}:") for line in found)
    # and by the command, which looks at the files too
    with pytest.raises(SettingsError, match=re.escape(words)):
        checked_settings(run)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("<inverse><ase>\n<tempreature>1</tempreature></ase></inverse>", 3, "did you mean <temperature>?"),
        (
            "<inverse><ase>\n<timestep>-1</timestep></ase></inverse>",
            3,
            "is '-1'; accepted: a number >= 0.001",
        ),
        ("<inverse><kBT>11</kBT><ase>\n<temperature>1000</temperature></ase></inverse>", 2, "(1323 K), but"),
        ("<inverse>\n<iterations_max>7</iterations_max></inverse>", 3, "it holds for all states"),
        ("<inverse>\n<cleanlist>traj.dump</cleanlist></inverse>", 3, "has no such tag"),
        (
            "<inverse><multistate>\n<enabled>no</enabled></multistate></inverse>",
            3,
            "is 'no', but the run's settings.xml has 'yes'",
        ),
        (
            "<non-bonded><name>Al-Al</name>\n<max>1.2</max></non-bonded>",
            3,
            "<cg.non-bonded.max> is '1.2', but the run's settings.xml has '1.0' in line 7",
        ),
        ("<non-bonded><name>Al-Al</name>\n<step>0.01</step></non-bonded>", 3, "it holds for all states"),
        ("<non-bonded>\n<name>Al-Ni</name></non-bonded>", 2, "has the name 'Al-Ni', which the run's"),
        (
            "<non-bonded><name>Al-Al</name><inverse>\n<post_add>shift</post_add></inverse></non-bonded>",
            3,
            "it holds for all states",
        ),
    ],
)
def test_a_mistake_in_a_states_own_settings(run: Path, text: str, line: int, words: str) -> None:
    path = own(run, "hot", text)
    if "<kBT>" in text:
        run.write_text(run.read_text().replace(KBTS, OWN).replace(OWN, "", 1))
        run.write_text(
            run.read_text().replace("<mlp>", OWN + "<mlp>").replace("<conf>", TEMPERATURE + "<conf>")
        )
    found = lines(run)
    assert any(item.startswith(f"{path}:{line}: ") and words in item for item in found), found


def test_whole_settings_of_a_state_are_fine_where_they_agree(run: Path) -> None:
    own(run, "hot", run.read_text().replace("<cg>", "").replace("</cg>", ""))
    assert state_named(load_settings(run), "hot").temperature == pytest.approx(HOT, abs=1e-3)


def test_kbt_against_the_states_temperature(run: Path) -> None:
    path = own(run, "hot", "<inverse><ase><temperature>1300</temperature></ase></inverse>")
    (line,) = lines(run)
    assert "<cg.inverse.multistate.state_kBTs> has 11 kJ/mol (1323 K) for hot" in line
    assert f"but {path}:2 <cg.inverse.ase.temperature> is 1300" in line


def test_settings_that_are_no_xml(run: Path) -> None:
    (run.parent / "hot" / "settings.xml").write_text("<cg><inverse></cg>")
    (line,) = lines(run)
    assert f"whose settings cannot be read: {run.parent}/hot/settings.xml:1: not valid XML" in line


def test_bad_topology_and_target_of_a_state(run: Path) -> None:
    (run.parent / "hot" / "topol.xml").write_text(TOPOLOGY.replace('type="Al"', 'type="Cu"'))
    assert "has no pair of types of any interaction" in lines(run)[0]
    (run.parent / "hot" / "topol.xml").write_text("<topology/>")
    assert "whose topology is bad" in lines(run)[0]
    (run.parent / "hot" / "topol.xml").unlink()
    (run.parent / "hot" / "Al-Al.dist.tgt").unlink()
    (line,) = lines(run)
    assert f"{run.parent}/hot/Al-Al.dist.tgt: no such table" in line
    # a target of the run's folder would belong to no state in particular
    write_table(run.parent / "Al-Al.dist.tgt", make_table(R, liquid_rdf(R)))
    assert "no such table" in lines(run)[0]


def test_the_same_mistake_in_two_states_is_told_twice(run: Path) -> None:
    for name in ("cold", "hot"):
        own(run, name, "<inverse><ase>\n<timestep>-1</timestep></ase></inverse>")
    found = lines(run)
    assert len(found) == 2
    assert found[0].split(": ")[0] != found[1].split(": ")[0]
