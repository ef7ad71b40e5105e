"""One message for each mistake, with file, line, tag and what is accepted; all at once."""

from pathlib import Path

import pytest

from tests.settings.conftest import GOOD, set_tag
from tests.settings.test_reader import problem_lines
from votca_mlp.settings import load_settings
from votca_mlp.units import kbt_kjmol


def line_with(text: str, part: str) -> int:
    return 1 + text[: text.index(part)].count("\n")


@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("alpha", "-0.1", "<cg.non-bonded.inverse.wibi.alpha> is '-0.1'; accepted: a number >= 0"),
        ("alpha", "nan", "is 'nan'; accepted: a number >= 0"),
        ("alpha", "big", "is 'big'; accepted: a number >= 0"),
        ("kBT", "7.84054", "7.84054 kJ/mol (943 K), but <cg.inverse.ase.temperature> is 1023 K (8.5057"),
        ("kBT", "0.0881561", "it looks like eV"),
        ("kBT", "2.03293", "it looks like kcal/mol"),
        ("kBT", "-1", "<cg.inverse.kBT> is '-1'; accepted: a number > 0 (kJ/mol)"),
        ("max", "10", "is 10 nm, which looks like Angstrom; accepted: nm; 10 Angstrom is 1 nm"),
        ("max", "0", "<cg.non-bonded.max> is '0'; accepted: a number > 0 (nm)"),
        ("min", "1.5", "is 1 nm, min is 1.5 nm; accepted: max above min"),
        ("step", "0.003", "is 0.003 nm, and max - min = 1 nm is not a multiple of it"),
        ("step", "0.5", "only 3 points from 0 to 1 nm"),
        ("type1", "AL", "is 'AL'; accepted: a chemical symbol"),
        ("iterations_max", "0", "is '0'; accepted: a whole number > 0"),
        ("iterations_max", "2.5", "is '2.5'; accepted: a whole number > 0"),
        ("program", "espresso", "is 'espresso'; accepted: ase | lammps | gromacs"),
        ("kind", "annie", "is 'annie'; accepted: hippynn | ani | ase"),
        ("temperature", "0", "is '0'; accepted: a number > 0 (K)"),
        ("with_errors", "maybe", "is 'maybe'; accepted: yes | no"),
    ],
)
def test_bad_values(good: Path, tag: str, value: str, words: str) -> None:
    text = set_tag(GOOD, tag, value)
    good.write_text(text)
    lines = problem_lines(good)
    assert any(words in line for line in lines), lines
    if tag != "min":  # reported at max
        assert lines[0].startswith(f"{good}:{line_with(text, f'<{tag}>')}: ")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("<kBT>8.50577</kBT>", "", "<cg.inverse.kBT> is missing; accepted: a number > 0 (kJ/mol)"),
        ("<kBT>8.50577</kBT>", "<kBT/>", "<cg.inverse.kBT> is missing"),
        ("<kBT>", "<kBT>8.5</kBT><kBT>", "<cg.inverse.kBT> is given again, first in line 21"),
        ("</cg>", "<inverse/></cg>", "<cg.inverse> is given again, first in line 17; accepted: one value"),
        ("<wibi>", "<wibi/><wibi>", "<cg.non-bonded.inverse.wibi> is given again"),
        ("<kBT>", "<cleanlist>a</cleanlist><cleanlist>b</cleanlist><kBT>", "<cg.inverse.cleanlist> is given"),
        (">6<", ">1_0<", "<cg.inverse.iterations_max> is '1_0' (a number with an underscore)"),
        (">Al-Al<", ">../evil<", "<cg.non-bonded.name> is '../evil'; accepted: letters, digits, - _ +"),
        (">Al-Al<", ">-rf<", "<cg.non-bonded.name> is '-rf'; accepted: letters"),
        (">Al-Al<", ">Al\nAl<", "<cg.non-bonded.name> is 'Al Al'; accepted: letters"),
        (">Al-Al<", f">{'A' * 300}<", "- _ + . without blanks, at most 100"),
        ("<kBT>", "<kBT unit='K'>", "has an attribute 'unit', which VOTCA does not read"),
        ("<target>Al-Al.dist.tgt</target>", "", "<cg.non-bonded.inverse.target> is missing"),
        ("<conf>conf.extxyz</conf>", "", "<cg.inverse.ase> has no start"),
        (
            "<conf>",
            "<crystal><element>Al</element><lattice_constant>4</lattice_constant></crystal><conf>",
            "<cg.inverse.ase.crystal> is given beside <conf>; accepted: one of the two",
        ),
        (
            "<conf>conf.extxyz</conf>",
            "<crystal><element>Al</element><lattice_constant>0.4</lattice_constant></crystal>",
            "is 0.4 Angstrom, which looks like nm; accepted: Angstrom; 0.4 nm is 4",
        ),
        (
            "<conf>conf.extxyz</conf>",
            "<crystal><element>Al</element><lattice_constant>4</lattice_constant></crystal>".replace(
                "</crystal>", "<repeat>4 5 5</repeat></crystal>"
            ),
            "whose half, 8 Angstrom, is below max, 10 Angstrom; accepted: at least 5 along each axis",
        ),
        (
            "<conf>",
            "<timestep>3</timestep><conf>",
            "is 100 fs by default, not a multiple of the timestep 3 fs",
        ),
        (
            "<conf>",
            "<checkpoint_every>0.5</checkpoint_every><conf>",
            "is 0.5 fs, not a multiple of the timestep 1",
        ),
        (
            "<conf>",
            "<production>50</production><conf>",
            "is 50 fs, shorter than sample_every 100 fs: no frame",
        ),
        ("<conf>", "<production>1900</production><conf>", "production gives 19: errors need two blocks"),
        ("<conf>", "<first_frame>101</first_frame><conf>", "is 101, but production gives 100 frames"),
        ("<conf>", "<traj>../x.dump</traj><conf>", "is not a plain file name"),
        ("<alpha>", "<weight>table</weight><alpha>", "is 'table', but there is no <weight_file>"),
        ("<alpha>", "<weight_file>w</weight_file><alpha>", "is given, but the weight is 'target'"),
        ("<alpha>", "<power>2</power><alpha>", "is 2, but the weight is 'target'"),
        (
            "<wibi>",
            "<do_potential>1 2</do_potential><wibi>",
            "is '1 2'; accepted: 0 and 1 separated by spaces",
        ),
        ("<model>builtin:al-hipnn</model>", "", "<cg.inverse.mlp.model> is missing for kind hippynn"),
        ("<kind>", "<members>0</members><kind>", "<cg.inverse.mlp.members> is not used by kind hippynn"),
        (
            "<kind>",
            "<energy_unit>eV</energy_unit><kind>",
            "<cg.inverse.mlp.energy_unit> is given for builtin:",
        ),
        (
            "<kind>",
            "<energy_unit>kcal</energy_unit><kind>",
            "is 'kcal'; accepted: eV | kcal/mol | kJ/mol | Har",
        ),
        ("<kind>hippynn", "<kind>ase", "<cg.inverse.mlp.calculator> is missing for kind ase"),
        ("<kind>", "<arguments>[1]</arguments><kind>", "is not a mapping of names to values"),
        ("<kind>", "<arguments>&amp;a {b: *a}</arguments><kind>", "it is nested without end"),
        (
            "<kind>",
            "<arguments>{a: &amp;a [1,1,1,1,1,1,1,1], b: &amp;b [*a,*a,*a,*a,*a,*a,*a,*a], "
            "c: &amp;c [*b,*b,*b,*b,*b,*b,*b,*b], d: &amp;d [*c,*c,*c,*c,*c,*c,*c,*c], "
            "e: &amp;e [*d,*d,*d,*d,*d,*d,*d,*d], f: [*e,*e,*e,*e,*e,*e,*e,*e]}</arguments><kind>",
            "has too many values",
        ),
        (
            "<mlp>",
            "<initial_configuration>nowhere</initial_configuration><mlp>",
            "accepted: maindir | laststep",
        ),
        (
            "<mlp>",
            "<convergence_check><type>default</type></convergence_check><mlp>",
            "is 0: it would never stop",
        ),
        (
            "<mlp>",
            "<target_density><value>2.35</value></target_density><mlp>",
            "<cg.inverse.target_density.value> is 2.35 kg/m3, which looks like g/cm3; accepted: kg/m3; 2.35",
        ),
        (
            "<mlp>",
            "<target_density><sigma>5</sigma></target_density><mlp>",
            "target_density.value> is missing",
        ),
        (
            "<mlp>",
            "<target_density><value>2350</value><sigma>0</sigma></target_density><mlp>",
            "<cg.inverse.target_density.sigma> is '0'; accepted: a number > 0 (kg/m3)",
        ),
        (
            "<mlp>",
            "<target_density><value>2350</value><sigma>2350</sigma></target_density><mlp>",
            "is 2350 kg/m3, and the density 2350; accepted: a standard error below the density",
        ),
        (
            "<mlp>",
            "<multistate><enabled>yes</enabled><state_names>a b</state_names></multistate>"
            "<target_density><value>2350</value></target_density><mlp>",
            "<cg.inverse.target_density> is one density for several states; accepted: <target_density> in",
        ),
        ("<mlp>", "<multistate><enabled>yes</enabled></multistate><mlp>", "two names or more, all different"),
        ("<cg>", "<cg><bonded><name>b</name></bonded>", "<cg.bonded> is not corrected: the machine-learning"),
        ("<mlp>", "<map>water.xml</map><mlp>", "<cg.inverse.map> is 'water.xml', but u(r) acts on atoms"),
        ("<rdf>", "<rdf><map>water.xml</map>", "<cg.inverse.ase.rdf.map> is 'water.xml', but u(r) acts on"),
        ("<name>Al-Al", "<name>Al - Al", "<cg.non-bonded.name> is 'Al - Al'; accepted: letters, digits"),
        ("<name>Al-Al", "<name>Al/Al", "<cg.non-bonded.name> is 'Al/Al'; accepted: letters, digits"),
        ("<conf>", "<topol>data/topol.xml</topol><conf>", "<cg.inverse.ase.topol> is 'data/topol.xml' ("),
        ("<wibi>", "<wibbi><alpha>1</alpha></wibbi><wibi>", "did you mean <wibi>?"),
        (
            "<mlp>",
            "<temperature>5</temperature><mlp>",
            "does not belong here; accepted: cg.inverse.ase.temperature",
        ),
        ("<mlp>", "<lamps><traj>x</traj></lamps><mlp>", "did you mean <lammps>?"),
        ("<kind>", "<kind_of_model/><kind>", "<cg.inverse.mlp.kind_of_model> is not a tag"),
        ("<conf>", "<command>lmp</command><conf>", "does not belong here"),
    ],
)
def test_contradictions_and_strays(good: Path, before: str, after: str, words: str) -> None:
    text = GOOD.replace(before, after, 1)
    assert text != GOOD
    good.write_text(text)
    (line,) = [line for line in problem_lines(good) if words in line]
    assert line.startswith(f"{good}:")


@pytest.mark.parametrize(
    "extra",
    [
        "<cleanlist>traj.dump</cleanlist>",
        "<simulation><tasks>2</tasks></simulation>",
        "<gromacs><rdf><topol>x.tpr</topol></rdf><mdrun><opts>-v</opts></mdrun></gromacs>",
        "<lammps><command>lmp</command><first_frame>3</first_frame></lammps>",
        "<imc><my_group><reg>300</reg></my_group></imc>",
        "<openmm><platform>CPU</platform></openmm>",
        "<sim_prog><density><with_errors>no</with_errors></density></sim_prog>",
    ],
)
def test_what_belongs_to_votca_and_to_others_is_left_alone(good: Path, extra: str) -> None:
    good.write_text(GOOD.replace("<mlp>", extra + "<mlp>"))
    assert load_settings(good).interactions


def test_scripts_of_the_users_own(good: Path) -> None:
    options = (
        "<post_update>smooth mine</post_update>"
        "<post_update_options><smooth><iterations>2</iterations></smooth>"
        "<mine><gain>2</gain></mine></post_update_options>"
    )
    text = GOOD.replace("scriptpath)<", "scriptpath):$PWD/mine<")
    good.write_text(text.replace("<wibi>", options + "<wibi>"))
    found = load_settings(good)
    assert found.interactions[0].post_update == ("smooth", "mine")
    assert found.text("cg.non-bonded[Al-Al].inverse.post_update_options.smooth.iterations") == "2"


def test_all_problems_at_once_in_the_order_of_the_file(good: Path) -> None:
    text = set_tag(set_tag(GOOD, "alpha", "-1"), "kBT", "3")
    text = set_tag(text, "max", "10").replace("temperature>", "temprature>")
    text = text.replace("<kind>", "<knd>x</knd><kind>")
    good.write_text(text)
    lines = problem_lines(good)
    tags = ["max", "alpha", "ase.temperature", "knd", "temprature"]
    numbers = [int(line.removeprefix(f"{good}:").split(":")[0]) for line in lines]
    assert numbers == sorted(numbers)
    for tag in tags:
        assert any(f"{tag}>" in line for line in lines), (tag, lines)


@pytest.mark.parametrize(
    ("error", "fine"), [(0.0019, True), (-0.0019, True), (0.0021, False), (-0.0021, False)]
)
def test_kbt_may_differ_by_two_in_a_thousand(good: Path, error: float, fine: bool) -> None:
    good.write_text(set_tag(GOOD, "kBT", repr(kbt_kjmol(1023.0) * (1 + error))))
    if fine:
        assert load_settings(good).kBT
    else:
        assert len(problem_lines(good)) == 1


def test_two_interactions_alike(good: Path) -> None:
    start, end = GOOD.index("  <non-bonded>"), GOOD.index("  <inverse>\n    <script")
    good.write_text(GOOD.replace("<cg>\n", "<cg>\n" + GOOD[start:end], 1))
    lines = problem_lines(good)
    assert len(lines) == 2
    assert "is 'Al-Al' again, first in the section of line 2" in lines[0]
    assert "pairs Al and Al again" in lines[1]
