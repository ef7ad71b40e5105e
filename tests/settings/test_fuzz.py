"""Whatever stands in a settings file, the answer is settings or a UserError, never a traceback."""

import contextlib
import re
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from tests.settings.conftest import GOOD
from tests.settings.test_reader import relaxed
from votca_mlp.cli.check import checked_settings, summary
from votca_mlp.errors import UserError

FULL = GOOD.replace(
    "<conf>",
    "<crystal><element>Al</element><structure>fcc</structure><lattice_constant>4.25</lattice_constant>"
    "<repeat>5 5 5</repeat><melt_time>5</melt_time></crystal><timestep>1</timestep>"
    "<production>100</production><sample_every>10</sample_every><checkpoint_every>10</checkpoint_every>"
    "<first_frame>0</first_frame><limits><distance_min>1</distance_min></limits><traj>t.dump</traj><conf>",
).replace(
    "<kind>",
    "<members>0</members><threads>1</threads><calculator>a:b</calculator><arguments>{}</arguments><kind>",
)
FULL = FULL.replace(
    "<mlp>",
    "<multistate><enabled>yes</enabled><state_names>cold hot</state_names><state_weights>1 1</state_weights>"
    "<state_kBTs>8.5 9.5</state_kBTs><temperature_terms>1</temperature_terms>"
    "<launch>nice</launch></multistate><mlp>",
)
LEAVES = sorted(set(re.findall(r"<(\w+)>[^<]*</\1>", FULL)))
numbers = st.floats() | st.integers() | st.sampled_from([5e-324, 1e-300, 1e308, -0.0])
texts = numbers.map(str) | st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)


def answer(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    for state in ("cold", "hot"):
        (path.parent / state).mkdir(exist_ok=True)
    # what is wrong in the run may be so in a state
    (path.parent / "hot" / "settings.xml").write_text(text, encoding="utf-8")
    with contextlib.suppress(UserError):
        summary(checked_settings(path))


@given(st.dictionaries(st.sampled_from(LEAVES), texts, min_size=1, max_size=3))
@example({"timestep": "5e-324"})
@example({"step": "5e-324"})
@example({"sample_every": "5e-324"})
@example({"production": "1e308", "timestep": "0.01"})
@example({"repeat": " ".join(["9" * 400] * 3)})
@example({"repeat": "1 1 " + "9" * 400})
@example({"seed": "9" * 5000})
@example({"arguments": "!!python/object/apply:os.system ['false']"})
@example({"target": "\x85"})
@relaxed
def test_any_value(good: Path, values: dict[str, str]) -> None:
    text = FULL
    for tag, value in values.items():
        value = value.replace("&", "&amp;").replace("<", "&lt;")
        text = re.sub(f"<{tag}>[^<]*</{tag}>", lambda _, t=tag, v=value: f"<{t}>{v}</{t}>", text)
    answer(good, text)


@given(st.integers(0, len(FULL)), st.integers(0, 40), st.text(alphabet="<>/&;!-a ", max_size=6))
@relaxed
def test_any_damage(good: Path, start: int, length: int, put: str) -> None:
    answer(good, FULL[:start] + put + FULL[start + length :])
