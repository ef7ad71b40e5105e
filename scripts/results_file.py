"""What a script found, as JSON: the numbers of one run with errors and units, and what they were made with.

A file has

run
    Its name, that of the file; claims name the numbers by it (results/claims).
command, date, version, commit, machine, versions, seeds
    How to make it again. The version of this package and the commit of this checkout ("+": with changes).
units
    Of the columns of the tables; a column that is not named has none.
tables
    By name either a list of rows (one an iteration, say) or rows by label. A row has numbers by column: a
    plain one, one with its standard error as ``{"value": 2.77, "error": 0.02}``, a text, or a list.
imported
    True where an earlier version printed the numbers as text, from which they were read.
"""

import argparse
import datetime
import json
import math
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Json = dict[str, Any]


def number(value: float, error: float | None = None) -> Any:
    """Return a number for a table, with its standard error where that is known."""
    if error is None or not math.isfinite(error):
        return rounded(value)
    # of a large number with a small error more digits count
    decimals = 6 if error == 0.0 else 3 - math.floor(math.log10(error))
    return {"value": round(float(value), decimals), "error": round(float(error), decimals)}


def mean_number(values: Sequence[float]) -> Any:
    """Return the mean of some values with its standard error, as :func:`number` does; of one without."""
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return number(statistics.mean(values), error)


def rounded(value: float) -> float:
    """Return a number with six digits, more than any error here leaves."""
    return float(f"{value:.6g}")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that all scripts with results have."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there, as JSON")


def add_directory(parser: argparse.ArgumentParser, seeds: list[int]) -> None:
    """Add folder of the stages, folder of the data, seeds and ``--json``, for scripts that read the data."""
    data = os.environ.get("VOTCA_MLP_DATA")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--data", type=Path, default=Path(data) if data else None)
    parser.add_argument("--seeds", type=int, nargs="+", default=seeds)
    add_json(parser)


def parsed(parser: argparse.ArgumentParser, needed: str) -> argparse.Namespace:
    """Return the arguments after :func:`add_directory`; ``needed`` says what the data must have."""
    options = parser.parse_args()
    if options.data is None:
        parser.error(f"give --data, or set VOTCA_MLP_DATA to the folder that has {needed}")
    return options


def write_result(
    path: Path | None,
    tables: Mapping[str, Any],
    *,
    units: Mapping[str, str] | None = None,
    seeds: Any = None,
    made_by: str | None = None,
) -> None:
    """Write the numbers of this process's run; nothing without a path.

    Parameters
    ----------
    path
        A file NAME.json.
    tables, units
        As above.
    seeds
        Of random numbers, in words or as numbers; None where there are none.
    made_by
        The command; default: this process's.
    """
    if path is None:
        return
    from votca_mlp.versions import VERSION, versions

    result = {
        "run": path.stem,
        "command": made_by or command(),
        "date": datetime.date.today().isoformat(),
        "version": VERSION,
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        "seeds": seeds,
        "units": dict(units or {}),
        "tables": tables,
    }
    path.write_text(shown(result))


def command() -> str:
    """Return this process's command line as one would type it in the repository, without --json."""
    words = sys.argv[1:]
    if "--json" in words:
        at = words.index("--json")
        words = words[:at] + words[at + 2 :]
    script = Path(sys.argv[0]).resolve()
    name = str(script.relative_to(ROOT)) if script.is_relative_to(ROOT) else script.name
    # a folder of the user's says nothing to others
    words = [
        "DIRECTORY" if Path(word).is_absolute() else re.sub(r"^(\S+)=/.*", r"\1=RUN", word) for word in words
    ]
    return shlex.join([name, *words])


def commit() -> str | None:
    """Return the commit of this checkout, with a plus where files differ from it; None without git."""
    try:
        git = ["git", "-C", str(ROOT)]
        found = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True)
    except OSError:
        return None
    if found.returncode:
        return None
    return found.stdout.strip() + "+" * bool(changed.stdout.strip())


def machine() -> Json:
    """Return the processor, its cores and the load, which speeds depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    return {"processor": processor, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}


def machine_line() -> str:
    """Return machine and versions in one line, for a script's own output."""
    from votca_mlp.versions import versions

    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"{platform.machine()}, {os.cpu_count()} cores, {packages}"


def shown(result: Mapping[str, Any]) -> str:
    """Return the JSON with one row of a table a line, so that a diff of two runs can be read."""
    parts = []
    for key, value in result.items():
        if key != "tables":
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    tables = []
    for name, rows in result["tables"].items():
        if isinstance(rows, dict):
            lines = ",\n".join(f"   {json.dumps(label)}: {json.dumps(row)}" for label, row in rows.items())
            tables.append(f"  {json.dumps(name)}: {{\n{lines}\n  }}")
        else:
            lines = ",\n".join(f"   {json.dumps(row)}" for row in rows)
            tables.append(f"  {json.dumps(name)}: [\n{lines}\n  ]")
    parts.append(' "tables": {\n' + ",\n".join(tables) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def read_result(path: Path) -> Json:
    """Return the content of such a file."""
    content: Json = json.loads(path.read_text())
    if content["run"] != path.stem:
        raise SystemExit(f"{path}: run is {content['run']!r}, not the name of the file")
    return content
