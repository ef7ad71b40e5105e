"""Each reader, on any damage of a good file: an answer or one message, within seconds of processor time."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models.ani.neurochem_files import pack, write_model
from tests.models.ani.test_neurochem import NETWORK, text_of
from tests.settings.conftest import write_good
from votca_mlp.engines.shared.result import read_facts
from votca_mlp.errors import UserError
from votca_mlp.models.ani.nnf import read_nnf
from votca_mlp.runs.record import read_record
from votca_mlp.settings import load_settings, read_topology
from votca_mlp.settings.inputs import check_inputs
from votca_mlp.tables import read_table
from votca_mlp.targets.measured import read_measured

LONGEST = 20.0
"""Seconds of processor time; sound readers take milliseconds of it, however busy the machine."""
READERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "settings": ("settings.xml", load_settings),
    "targets of settings": (
        "Al-Al.dist.tgt",
        lambda path: check_inputs(load_settings(path.parent / "settings.xml")),
    ),
    "topology": ("topol.xml", read_topology),
    "table": ("Al-Al.dist.tgt", read_table),
    "curve": ("Al-Al.dist.tgt", read_measured),
    "network": ("ANN-Al.nnf", read_nnf),
    "facts of a simulation": ("md_step.json", lambda path: read_facts(path.parent)),
    "record of a step": ("votca_mlp_step.json", lambda path: read_record(path.parent)),
}
"""By what is read: the file that is damaged, and its reader."""
PIECES = [
    "9" * 5000,
    "1e999",
    "-1e308",
    "nan",
    "inf",
    "\0",
    "\x85",
    "\u0663",
    "<",
    "&a;",
    "<a>",
    "[" * 2000,
    "{",
    '"',
]
# layers, quantifiers and entities that readers could go round in
SLOW = ["layer[" * 20_000, " " * 100_000, "<a>" * 5000, "-" * 50_000, "0 0\n" * 20_000]


@contextlib.contextmanager
def bounded(seconds: float = LONGEST) -> Iterator[None]:
    """Fail when the block takes more processor time: a hang would otherwise stop the suite."""

    def over(signum: int, frame: FrameType | None) -> None:
        raise AssertionError(f"more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGVTALRM, over)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("readers")
    write_good(found)
    (found / "ANN-Al.nnf").write_text(text_of(write_model(found / "model", members=1) / NETWORK))
    (found / "md_step.json").write_text(
        '{"atoms": 108, "production": {"T[K]": {"mean": 120.0, "samples": 5}}}'
    )
    (found / "votca_mlp_step.json").write_text(
        '{"inputs": {"a": "b"}, "files": {"traj": "0f"}, "complete": true}'
    )
    return found


@pytest.mark.parametrize("what", READERS)
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    at=st.floats(0, 1),
    length=st.integers(0, 60),
    put=st.text(max_size=8) | st.sampled_from(PIECES) | st.sampled_from(SLOW),
)
def test_any_damage(folder: Path, what: str, at: float, length: int, put: str) -> None:
    name, read = READERS[what]
    path = folder / name
    good = path.read_bytes()
    text = good.decode()
    start = int(at * len(text))
    damaged = (text[:start] + put + text[start + length :]).encode(errors="ignore")
    if what == "network":
        damaged = pack(damaged.decode(errors="ignore").encode("ascii", "ignore").decode())
    try:
        path.write_bytes(damaged)
        with bounded(), contextlib.suppress(UserError):
            read(path)
    finally:
        path.write_bytes(good)
