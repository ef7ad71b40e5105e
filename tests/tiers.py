"""Which tests are run when: --fast leaves out what starts other programs or was measured to take long.

What takes long is in durations.json, in seconds of processor time, so that a busy machine changes nothing:
tests (the slowest of their parameters) and fixtures, which cost the first test that uses them. Renewed by

    python -m pytest -n 2 --write-durations

A test that is not in the file counts as quick. conftest.py has the hooks.
"""

import json
import resource
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).with_name("durations.json")
# csg_inverse, LAMMPS, GROMACS; whole loops; the benchmarks' reference calculators
PROGRAMS = (
    "tests/api/test_docs.py",
    "tests/csg/",
    "tests/engines/gromacs/",
    "tests/engines/lammps/",
    "tests/export/test_gromacs.py",
    "tests/export/test_lammps.py",
    "tests/export/test_mliap_lammps.py",
    "tests/inverse/test_faults.py",
    "tests/inverse/test_final_checks.py",
    "tests/inverse/test_interrupts.py",
    "tests/inverse/test_loop.py",
    "tests/inverse/test_states.py",
    "tests/inverse/test_states_convergence.py",
    "tests/observables/test_plugin.py",
    "tests/report/test_browser.py",
    "tests/scripts/test_benchmark.py",
    "tests/test_known_answer.py",
)
LIMIT = 1.0  # seconds of processor time: longer is not fast
KEPT = 0.2  # shorter is not recorded
PROPERTY = "processor time"


def processor_time() -> float:
    """Return the seconds of this process and of those that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(use.ru_utime + use.ru_stime for use in map(resource.getrusage, kinds))


def name_of(item: pytest.Item) -> str:
    """Return the node's name without its parameters and without what xdist adds, its group."""
    return item.nodeid.split("[", 1)[0].split("@", 1)[0]


def fixtures_of(item: pytest.Item) -> set[str]:
    """Return the names of the fixtures that a test has, with where each is defined."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = [] if info is None else [d for found in info.name2fixturedefs.values() for d in found]
    return {fixture_name(definition) for definition in definitions}


def fixture_name(definition: Any) -> str:
    """Return a fixture's name with where it is defined, as several files may have one of that name."""
    return f"{definition.baseid}::{definition.argname}"


def known_times() -> dict[str, dict[str, float]]:
    """Return what durations.json says of tests and fixtures, s."""
    found: dict[str, dict[str, float]] = {"tests": {}, "fixtures": {}}
    return json.loads(FILE.read_text()) if FILE.exists() else found


def arrange(items: list[pytest.Item]) -> None:
    """Put the longest first, and tests that share a costly fixture into one group.

    With ``--dist loadgroup --no-loadscope-reorder`` a fixture is then made in one process only, and the
    processes end together.
    """
    known = known_times()
    costly = {name: seconds for name, seconds in known["fixtures"].items() if seconds > LIMIT}
    groups: dict[str, list[pytest.Item]] = {}
    cost: dict[str, float] = {}
    owner: dict[str, str] = {}
    for item in items:
        shared = sorted(fixtures_of(item) & set(costly))
        joined = dict.fromkeys(owner[name] for name in shared if name in owner)
        new = [name for name in shared if name not in owner]
        group = next(iter(joined), shared[0] if shared else item.nodeid)
        for other in list(joined)[1:]:
            groups[group] += groups.pop(other)
            cost[group] += cost.pop(other)
            owner.update({name: group for name, its in owner.items() if its == other})
        owner.update(dict.fromkeys(new, group))
        groups.setdefault(group, []).append(item)
        seconds = known["tests"].get(name_of(item), 0.0) + sum(costly[name] for name in new)
        cost[group] = cost.get(group, 0.0) + seconds
    for group, members in groups.items():
        if len(members) > 1:
            for item in members:
                into_group(item, group.replace("::", "."))
    items[:] = [item for group in sorted(groups, key=lambda name: -cost[name]) for item in groups[group]]


def into_group(item: pytest.Item, group: str) -> None:
    """Let pytest-xdist, which reads groups from the ends of names, run a test where its group's are run."""
    item.add_marker(pytest.mark.xdist_group(group))
    # pytest-xdist 3.8 writes the names where pytest 9.2 does not look any more
    if hasattr(item, "_id") and hasattr(item.config, "workerinput"):
        import _pytest.nodes

        item._id = vars(_pytest.nodes)["coerce_node_id"](f"{item.nodeid}@{group}")


def quick(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return the items of the fast tier, and the others."""
    known = known_times()
    tests = {name for name, seconds in known["tests"].items() if seconds > LIMIT}
    fixtures = {name for name, seconds in known["fixtures"].items() if seconds > LIMIT}
    chosen: tuple[list[pytest.Item], list[pytest.Item]] = ([], [])
    for item in items:
        program = item.nodeid.startswith(PROGRAMS) or "csg_inverse" in item.name
        slow = program or name_of(item) in tests or fixtures_of(item) & fixtures
        chosen[bool(slow)].append(item)
    return chosen


class Clock:
    """Measures tests and fixtures; the process that collects the reports of all workers writes the file."""

    def __init__(self, *, writes: bool) -> None:
        self.writes = writes
        self.seconds: dict[str, dict[str, float]] = {"tests": {}, "fixtures": {}}
        self.setups: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, object, object]:
        """Measure a fixture's own set-up."""
        begin = processor_time()
        result = yield
        self.setups[fixture_name(fixturedef)] = processor_time() - begin
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Measure a test, and send what its fixtures took along."""
        begin = processor_time()
        try:
            return (yield)
        finally:
            found = {"tests": {name_of(item): processor_time() - begin}, "fixtures": self.setups}
            item.user_properties.append((PROPERTY, found))
            self.setups = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the longest time of each."""
        for name, found in report.user_properties:
            if name == PROPERTY and isinstance(found, dict) and report.when == "teardown":
                for kind, values in found.items():
                    for key, seconds in values.items():
                        self.seconds[kind][key] = max(seconds, self.seconds[kind].get(key, 0.0))

    def pytest_sessionfinish(self) -> None:
        """Write what took long; tests that did not run keep their times."""
        if not self.writes:
            return
        known = known_times()
        merged = {kind: {**known[kind], **self.seconds[kind]} for kind in self.seconds}
        kept = {
            kind: {name: round(seconds, 1) for name, seconds in sorted(values.items()) if seconds > KEPT}
            for kind, values in merged.items()
        }
        FILE.write_text(json.dumps(kept, indent=1) + "\n")
