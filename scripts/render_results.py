#!/usr/bin/env python3
"""Write docs/results.md and its figures from results/: what is claimed, and the numbers of the runs.

    scripts/render_results.py            # write
    scripts/render_results.py --check    # status 1 where the page or a figure is not what results/ gives

results/claims.toml has the words, results/NAME.json the numbers (scripts/results_file.py). To renew a number
run the command that the table gives, with ``--json results/NAME.json``, then this.
"""

import argparse
import sys
import textwrap
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

import results_figures as figures
from paper_claims import with_whole_form
from results_file import ROOT, Json, read_result
from results_numbers import fill, runs_in

PAGE = ROOT / "docs" / "results.md"
WIDTH = 110


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args()
    results = {path.stem: read_result(path) for path in sorted((ROOT / "results").glob("*.json"))}
    claims = tomllib.loads((ROOT / "results" / "claims.toml").read_text())
    text = page(claims, results)
    if not options.check:
        PAGE.write_text(text)
        figures.draw_all(results)
        return 0
    wrong = [] if PAGE.exists() and PAGE.read_text() == text else [PAGE]
    wrong += figures.outdated(results)
    for path in wrong:
        print(
            f"{path.relative_to(ROOT)} is not what results/ gives: run scripts/render_results.py",
            file=sys.stderr,
        )
    return 1 if wrong else 0


def page(claims: Json, results: Mapping[str, Json]) -> str:
    """Return the whole page."""
    claims = {**claims, "section": with_whole_form(claims["section"], results)}
    parts = ["# Results", "<!-- written by scripts/render_results.py from results/: change it there -->"]
    parts.append(prose(claims["about"], results))
    parts.append(
        wrap(
            "Every number stands in a file of `results/`, written with `--json` by the command that "
            "[Runs](#runs) gives in full. `†`: read from what an earlier version printed, at or before the "
            "commit given."
        )
    )
    parts.append(table(claims["section"], results))
    for section in claims["section"]:
        parts += section_parts(section, results)
    parts += ["## Runs", runs(claims, results)]
    return "\n\n".join(parts) + "\n"


def table(sections: Iterable[Json], results: Mapping[str, Json]) -> str:
    """Return all claims with their numbers, and the command and version each comes from."""
    lines = ["| claim | number | command | version |", "|---|---|---|---|"]
    for section in sections:
        title = section["title"]
        lines.append(f"| **[{title}](#{anchor(title)})** | | | |")
        for claim in section["claim"]:
            names = sorted({*runs_in(claim["text"]), *runs_in(claim["number"])})
            found = [results[name] for name in names]
            commands = ", ".join(f"[`{short(one['command'])}`](#run-{one['run']})" for one in found)
            versions = ", ".join(dict.fromkeys(map(version_of, found)))
            cells = fill(claim["text"], results), fill(claim["number"], results), commands, versions
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def runs(claims: Json, results: Mapping[str, Json]) -> str:
    """Return command, version, machine and day of every run that is named."""
    named = {name for text in texts(claims) for name in runs_in(text)} | figures.RUNS
    named |= figures.LONGER & results.keys()
    lines = ["| run | command | version | machine | date |", "|---|---|---|---|---|"]
    for name in sorted(named):
        result = results[name]
        computer = result["machine"]
        load = (
            computer.get("note") or f"load {computer['load']}" if computer.keys() & {"note", "load"} else ""
        )
        words = ", ".join(filter(None, (f"{computer['cores']} cores of {computer['processor']}", load)))
        link = f'<a id="run-{name}"></a>[{name}](../results/{name}.json)'
        cells = link, f"`{result['command']}`", version_of(result), words, result["date"]
        lines.append(f"| {' | '.join(cells)} |")
    unused = sorted(results.keys() - named)
    if unused:
        raise SystemExit(f"results/: nothing in claims.toml names {', '.join(unused)}")
    return "\n".join(lines)


def version_of(result: Json) -> str:
    """Return version and commit of a run, marked where its numbers were read from text."""
    return f"{result['version']}, {result['commit']}" + " †" * bool(result.get("imported"))


def short(command: str) -> str:
    """Return the program of a command line, without variables and arguments."""
    words = [word for word in command.split() if "=" not in word]
    return " ".join(words[: 2 if words[0] == "votca-mlp" else 1]).rstrip(",")


def texts(claims: Json) -> Iterable[str]:
    """Yield every text that may name numbers."""
    yield claims["about"]
    for section in claims["section"]:
        yield section["about"]
        yield from section["remarks"]
        for claim in section["claim"]:
            yield claim["text"]
            yield claim["number"]


def section_parts(section: Json, results: Mapping[str, Json]) -> list[str]:
    """Return heading, conditions, figures and remarks."""
    parts = [f"## {section['title']}", prose(section["about"], results)]
    for name in section.get("figures", []):
        parts.append(f"![{figures.FIGURES[name].caption}](figures/{name}.svg)")
    if "picture" in section:
        path, caption = section["picture"]
        parts.append(f"![{caption}]({path})")
    remarks = [wrap(fill(joined(text), results), "* ", "  ") for text in section["remarks"]]
    return [*parts, "\n".join(remarks)] if remarks else parts


def prose(text: str, results: Mapping[str, Json]) -> str:
    """Return paragraphs with their numbers."""
    return "\n\n".join(wrap(fill(joined(part), results)) for part in text.strip().split("\n\n"))


def joined(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


def wrap(text: str, first: str = "", later: str = "") -> str:
    """Return a paragraph in lines."""
    options: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=later, **options)


def anchor(title: str) -> str:
    """Return GitHub's name of a heading."""
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main())
