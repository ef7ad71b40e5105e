"""Modules beside the scripts are found as the scripts find them."""

import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.append(str(SCRIPTS))


@pytest.fixture
def scripts() -> Path:
    """Return the folder of the scripts."""
    return SCRIPTS
