"""A damaged md_step.json, and chi2 from few blocks: said, never a traceback."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from votca_mlp.engines.shared.result import SUMMARY
from votca_mlp.inverse.stages.measure import ENOUGH_BLOCKS, few_blocks, frames_expected
from votca_mlp.inverse.stages.simulate import described_means


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        "{}",
        '{"frames": 1e400}',
        '{"frames": "x"}',
        '{"production": []}',
        '{"production": {"a": 3}}',
        '{"production": {"temperature[K]": {"mean": "hot"}}}',
        '{"production": {"temperature[K]": {"mean": 300}}}',
    ],
)
def test_damaged_facts(tmp_path: Path, text: str) -> None:
    (tmp_path / SUMMARY).write_text(text)
    assert frames_expected(tmp_path) is None
    state: Any = SimpleNamespace(block_length=10)
    assert few_blocks(state, tmp_path) == ""
    try:
        facts = json.loads(text)
    except ValueError:
        return
    if isinstance(facts, dict):
        assert described_means(facts) in ("", "temperature 300 K")


@pytest.mark.parametrize(("frames", "words"), [(20, "2 blocks"), (49, "4 blocks"), (50, ""), (500, "")])
def test_chi2_from_few_blocks_has_a_word(tmp_path: Path, frames: int, words: str) -> None:
    (tmp_path / SUMMARY).write_text(json.dumps({"frames": frames}))
    state: Any = SimpleNamespace(block_length=10)
    found = few_blocks(state, tmp_path)
    assert words in found
    assert bool(found) == bool(words)
    assert ENOUGH_BLOCKS == 5
    state.block_length = None
    assert few_blocks(state, tmp_path) == ""
