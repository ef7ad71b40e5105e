"""Interrupted runs: which is tried next, and the sums of several runs of the script."""

import random
from collections import Counter
from typing import Any


def test_cases_and_ways_get_equal_shares_over_several_runs() -> None:
    from kill_cases import all_cases
    from kill_table import Found, Table, by_part, sums

    cases = all_cases(["ase", "gromacs"], ["csg_inverse", "votca-mlp inverse"])
    tried: Counter[tuple[str, str]] = Counter()
    before: dict[str, Any] = {}
    for seed in range(4):
        table = Table(cases, random.Random(seed), before.get("right by case and way"))
        for _ in range(40):
            case, way = table.due()
            tried[case.loop, way] += 1
            table.add(case, way, Found(interrupted=True, longer=way == "wall time"), None)
        before = sums(before, table.rows())
    assert before["all"]["all"]["trials"] == 160
    assert before["all"]["all"]["longer wall time"] == before["ways"]["wall time"]["trials"]
    engines = by_part(before["cases"], 0)
    assert sum(row["trials"] for row in engines.values()) == 160
    assert engines.keys() == {"ase", "gromacs"}
    for row in before["right by case and way"].values():
        counts = [int(text.split(" of ")[1]) for text in row.values()]
        assert max(counts) - min(counts) <= 1
    # no other process than the loop's
    assert "child" not in before["right by case and way"]["ase, votca-mlp inverse, one state, ibi"]
    assert "child" in before["right by case and way"]["gromacs, votca-mlp inverse, one state, ibi"]
    by_way = {way: n for (loop, way), n in tried.items() if loop == "csg_inverse"}
    assert max(by_way.values()) - min(by_way.values()) <= len(cases)
