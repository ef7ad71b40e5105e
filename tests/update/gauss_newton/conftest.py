"""A run that several modules look at."""

from pathlib import Path

import pytest

from tests.csg.case import edit
from tests.inverse.case import ours
from tests.update.gauss_newton.test_rule import gauss_newton_case, with_scattering


@pytest.fixture(scope="session")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished step of our loop with three interactions, not to be changed."""
    main = gauss_newton_case(tmp_path_factory.mktemp("mixture") / "main", ("Ar", "Kr"))
    with_scattering(main)
    edit(main / "settings.xml", {"<production>160": "<production>800"})
    status, output = ours(main)
    assert status == 0, output
    return main
