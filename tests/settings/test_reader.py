"""settings.xml into typed settings: values, defaults, lines; misspellings and numbers at random."""

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.settings.conftest import GOOD, set_tag
from votca_mlp.errors import UserError
from votca_mlp.settings import SettingsError, load_settings
from votca_mlp.settings.models import AseSettings, MLPSettings
from votca_mlp.update.options import WibiSettings

relaxed = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((ROOT / "settings").glob("*/settings.xml"))


def problem_lines(path: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    return [problem.text(path) for problem in caught.value.problems]


def test_values_and_defaults(good: Path) -> None:
    found = load_settings(good)
    (pair,) = found.interactions
    assert (pair.name, pair.type1, pair.type2) == ("Al-Al", "Al", "Al")
    assert (pair.min, pair.max, pair.step, pair.target) == (0.0, 1.0, 0.005, "Al-Al.dist.tgt")
    assert pair.do_potential == (1,)
    assert pair.wibi == WibiSettings(alpha=0.2, weight="target", power=1.0, weight_file=None)
    assert pair.post_add == ("convergence",)
    assert found.mlp == MLPSettings(kind="hippynn", model="builtin:al-hipnn")
    assert found.mlp.members is None
    assert found.mlp.threads is None
    assert found.ase.ensemble == "npt"
    assert found.ase.production == 10000.0
    assert found.ase.rdf.with_errors is True
    assert (found.kBT, found.iterations_max, found.initial_configuration) == (8.50577, 6, "maindir")
    assert found.filelist == ("topol.xml",)
    assert found.path == good
    assert found.main_directory == good.parent


def test_lines_and_other_tags(good: Path) -> None:
    found = load_settings(good)
    lines = GOOD.splitlines()
    assert "<kBT>" in lines[found.line_of("cg.inverse.kBT") - 1]
    assert "<alpha>" in lines[found.line_of("cg.non-bonded[Al-Al].inverse.wibi.alpha") - 1]
    assert "<alpha>" in lines[found.line_of("cg.non-bonded.inverse.wibi.alpha") - 1]
    # an absent tag: the section around it
    assert "<ase>" in lines[found.line_of("cg.inverse.ase.timestep") - 1]
    assert found.text("cg.inverse.scriptpath") == "$(votca-mlp scriptpath)"
    assert found.text("cg.inverse.cleanlist") is None
    assert found.where("cg.inverse.kBT") == f"{good}:21: <cg.inverse.kBT>"


def test_comments_and_lists_inside_a_value(good: Path) -> None:
    text = set_tag(GOOD, "filelist", "topol.xml <!-- and --> more.dat\n  third")
    text = set_tag(text, "kind", "ase").replace(
        "<model>builtin:al-hipnn</model>",
        "<calculator>ase.calculators.emt:EMT</calculator>"
        "<arguments>\n  asap_cutoff: true\n  n: 3\n</arguments>",
    )
    good.write_text(text)
    found = load_settings(good)
    assert found.filelist == ("topol.xml", "more.dat", "third")
    assert found.mlp.arguments == {"asap_cutoff": True, "n": 3}


def test_settings_are_frozen(good: Path) -> None:
    found = load_settings(good)
    with pytest.raises(ValueError, match="frozen"):
        found.ase.temperature = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_the_ready_cases_load(path: Path) -> None:
    assert load_settings(path).interactions


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not valid XML"),
        ("<cg>\n<inverse>\n</cg>", ":3: not valid XML"),
        ("<topology/>", ":1: the outermost element is <topology>"),
    ],
)
def test_not_a_settings_file(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "s.xml").write_text(content)
    with pytest.raises(UserError, match=message):
        load_settings(tmp_path / "s.xml")
    with pytest.raises(UserError, match="no such file"):
        load_settings(tmp_path / "none.xml")


def test_entities_are_not_followed(good: Path) -> None:
    secret = good.with_name("secret")
    secret.write_text("classified")
    head = f'<!DOCTYPE cg [<!ENTITY x SYSTEM "file://{secret}">]>\n'
    good.write_text(head + set_tag(GOOD, "target", "&x;"))
    with pytest.raises(UserError, match=r"settings.xml:11: not valid XML: Entity 'x' not defined") as error:
        load_settings(good)
    assert "classified" not in str(error.value)


def test_entities_of_the_file_itself_are_read_as_votca_reads_them(good: Path) -> None:
    head = '<!DOCTYPE cg [<!ENTITY half "0.5"><!ENTITY n "0">]>\n'
    good.write_text(head + set_tag(set_tag(GOOD, "alpha", "&half;"), "iterations_max", "1&n;"))
    found = load_settings(good)
    assert (found.interactions[0].wibi.alpha, found.iterations_max) == (0.5, 10)
    # what grows without end is refused at once
    more = "".join(f'<!ENTITY n{k} "{f"&n{k - 1};" * 10}">' for k in range(1, 12))
    head = f'<!DOCTYPE cg [<!ENTITY n0 "0">{more}]>\n'
    good.write_text(head + set_tag(GOOD, "alpha", "&n11;"))
    with pytest.raises(UserError, match=r"settings.xml:\d+: not valid XML: .*amplification"):
        load_settings(good)


OURS = sorted({*AseSettings.model_fields, *MLPSettings.model_fields} - {"crystal", "limits", "rdf"})


@st.composite
def misspelt(draw: st.DrawFn) -> tuple[str, str]:
    """A tag of ours, and the same with one letter changed, dropped, doubled or swapped."""
    tag = draw(st.sampled_from([name for name in OURS if len(name) >= 5]))
    at = draw(st.integers(0, len(tag) - 2))
    letter = draw(st.sampled_from(string.ascii_lowercase))
    change = draw(st.sampled_from(["change", "drop", "double", "swap", "capital"]))
    typo = {
        "change": tag[:at] + letter + tag[at + 1 :],
        "drop": tag[:at] + tag[at + 1 :],
        "double": tag[:at] + tag[at] + tag[at:],
        "swap": tag[:at] + tag[at + 1] + tag[at] + tag[at + 2 :],
        "capital": tag.upper(),
    }[change]
    return tag, typo


@given(misspelt())
@relaxed
def test_a_misspelt_tag_is_answered_with_the_right_one(good: Path, pair: tuple[str, str]) -> None:
    tag, typo = pair
    # a typo may be another tag of the same section
    assume(typo not in OURS and typo[0] in string.ascii_letters)
    section = "ase" if tag in AseSettings.model_fields else "mlp"
    good.write_text(GOOD.replace(f"<{section}>", f"<{section}><{typo}>1</{typo}>"))
    (line,) = problem_lines(good)
    number = 1 + GOOD[: GOOD.index(f"<{section}>")].count("\n")
    assert f"{good}:{number}: <cg.inverse.{section}.{typo}> is not a tag; did you mean <{tag}>?" in line


@given(
    st.floats(1.0, 5000.0),
    st.floats(1e-3, 1e3),
    st.integers(0, 10**9),
    st.tuples(*[st.integers(1, 60)] * 3),
    st.lists(st.integers(0, 1), min_size=1, max_size=5),
)
@relaxed
def test_numbers_survive(
    good: Path, pressure: float, alpha: float, seed: int, repeat: tuple[int, int, int], cycle: list[int]
) -> None:
    crystal = (
        "<crystal><element>Al</element><lattice_constant>99</lattice_constant>"
        f"<repeat>{' '.join(map(str, repeat))}</repeat></crystal>"
    )
    text = set_tag(GOOD, "alpha", repr(alpha)).replace("<conf>conf.extxyz</conf>", crystal)
    text = text.replace("<ase>", f"<ase><seed>{seed}</seed><pressure>{pressure!r}</pressure>")
    text = text.replace("<wibi>", f"<do_potential>{' '.join(map(str, cycle))}</do_potential><wibi>")
    good.write_text(text)
    found = load_settings(good)
    assert found.ase.pressure == pressure
    assert found.ase.seed == seed
    assert found.interactions[0].wibi.alpha == alpha
    assert found.interactions[0].do_potential == tuple(cycle)
    assert found.ase.crystal is not None
    assert found.ase.crystal.repeat == repeat
