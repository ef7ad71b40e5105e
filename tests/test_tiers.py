"""The order of the suite: what shares a costly fixture is run in one process."""

import pytest


def test_groups_reach_the_processes(request: pytest.FixtureRequest) -> None:
    """pytest-xdist takes them from the ends of names; else each process would make the fixtures."""
    grouped = [item for item in request.session.items if item.get_closest_marker("xdist_group")]
    for item in grouped if hasattr(request.config, "workerinput") else ():
        (group,) = item.get_closest_marker("xdist_group").args
        assert item.nodeid.endswith(f"@{group}")
