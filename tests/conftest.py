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


@pytest.fixture(scope="session")
def two_steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two iterations of csg_inverse with VOTCA's hooks, run without interruption; terminal output."""
    from tests.csg.case import inverse, make_case, needs_votca
    from tests.csg.conftest import HOOKS

    needs_votca()
    directory = make_case(
        tmp_path_factory.mktemp("csg") / "two_steps",
        iterations=2,
        interaction=HOOKS,
        inverse="<convergence_check><type>default</type><limit>0.001</limit></convergence_check>",
    )
    status, output = inverse(directory)
    assert status == 0, output
    return directory, output
