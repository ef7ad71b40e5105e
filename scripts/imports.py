#!/usr/bin/env python3
"""Count imports between the rooms of votca_mlp: upwards against the table, circles of files, both ways.

    scripts/imports.py [--list]

The table is that of docs/architecture.md; tests/test_rooms.py holds it.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.rooms import circles, imports_of, modules, room_of, upward


def main() -> int:
    """Print the figures; status 1 when an import goes upwards or files are in a circle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="name every import that goes upwards")
    arguments = parser.parse_args()
    graph = imports_of(modules())
    wrong, rings = upward(graph), circles(graph)
    between = {
        (room_of(a), room_of(b)) for a, names in graph.items() for b in names if room_of(a) != room_of(b)
    }
    both = sorted(f"{a} and {b}" for a, b in between if a < b and (b, a) in between)
    loops = sum({room_of(a), room_of(b)} == {"inverse", "csg"} for a, names in graph.items() for b in names)
    print(f"{len(graph)} files, {sum(map(len, graph.values()))} imports between them")
    print(f"imports upwards: {len(wrong)}")
    print(f"circles of files: {len(rings)}")
    print(f"rooms that import each other both ways: {', '.join(both) or 'none'}")
    print(f"imports between inverse and csg: {loops}")
    if arguments.list:
        print(*(f"  {a} -> {b}" for a, b in wrong), sep="\n")
        print(*(f"  circle: {' '.join(ring)}" for ring in rings), sep="\n")
    return 1 if wrong or rings else 0


if __name__ == "__main__":
    sys.exit(main())
