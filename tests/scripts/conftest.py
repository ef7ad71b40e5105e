"""The scripts as modules."""

import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the scripts' modules be imported by their names; return their folder."""
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    return SCRIPTS
