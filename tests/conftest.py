"""Shared fixtures."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import tiers
from tests.toys import engine_and_rule as engine_and_rule
from tests.toys import model_and_observable as model_and_observable
from votca_mlp.interrupts import raise_on_sigterm

# an example that compiles, or that waits for a busy machine, is not wrong: time is bounded by the suite
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose tests."""
    parser.addoption("--slow", action="store_true", help="also run the tests that take minutes")
    parser.addoption("--fast", action="store_true", help="leave out other programs and what takes seconds")
    parser.addoption(
        "--write-durations", action="store_true", help="measure for --fast: tests/durations.json"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Measure where that is asked for, in every worker; one process writes."""
    if config.getoption("--write-durations"):
        config.pluginmanager.register(tiers.Clock(writes=not hasattr(config, "workerinput")))


# before that of pytest-xdist, which names the tests by their groups
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip slow tests without --slow; leave all but the quick ones out with --fast; the longest first."""
    if config.getoption("--fast"):
        items[:], others = tiers.quick(items)
        config.hook.pytest_deselected(items=others)
    tiers.arrange(items)
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes: pytest --slow"))


@pytest.fixture
def caught_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt, as in the program, also in a suite in the background."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    raise_on_sigterm()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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
