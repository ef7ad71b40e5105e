"""Shared fixtures."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Directory with the ANI-Al networks and measured data, or skip."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    directory = Path(os.environ.get("VOTCA_MLP_DATA", beside))
    if not directory.is_dir():
        pytest.skip(f"no data directory {directory}: set VOTCA_MLP_DATA")
    return directory
