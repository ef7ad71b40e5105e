"""The pages of docs/results as text: words of results/claims, numbers of results/*.json, links."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import results_figures as figures
from results_file import Json
from results_numbers import fill, runs_in

WIDTH = 110
NOTE = "<!-- written by scripts/render_results.py from results/: change it there -->"
Results = Mapping[str, Json]


@dataclass(frozen=True)
class Topic:
    """A page: its name, which is that of its file, its title and its sections."""

    name: str
    title: str
    sections: list[Json]

    def anchors(self) -> list[str]:
        """Return the anchors of its sections."""
        return [anchor(section["title"]) for section in self.sections]


def index(about: str, topics: Iterable[Topic], results: Results) -> str:
    """Return the page that leads to the others."""
    parts = ["# Results", NOTE, prose(about, results)]
    parts.append(
        wrap(
            "Every number stands in a file of `results/`, written with `--json` by the command that the "
            "table of runs at the end of each page gives in full. `†`: read from what an earlier version "
            "printed, at or before the commit given."
        )
    )
    for topic in topics:
        page = f"results/{topic.name}.md"
        lines = [f"* [{one['title']}]({page}#{anchor(one['title'])})" for one in topic.sections]
        parts += [f"## [{topic.title}]({page})", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def page(topic: Topic, results: Results) -> str:
    """Return the page of a topic, with its runs at the end."""
    parts = [f"# {topic.title}", NOTE, "[All results](../results.md)"]
    for section in topic.sections:
        parts += section_parts(section, results)
    parts += ["## Runs", runs(topic, results)]
    return "\n\n".join(parts) + "\n"


def with_links(text: str, here: str, pages: Mapping[str, str]) -> str:
    """Return a page whose links to a section of another page name that page.

    Words link to every section as ``(#anchor)``. ``pages`` has the name of the page of each anchor.
    """

    def named(found: re.Match[str]) -> str:
        name = pages.get(found[1], here)
        return found[0] if name == here else f"]({name}.md#{found[1]})"

    return re.sub(r"\]\(#([\w-]+)\)", named, text)


def section_parts(section: Json, results: Results) -> list[str]:
    """Return heading, conditions, claims, figures and remarks."""
    parts = [f"## {section['title']}", prose(section["about"], results)]
    if section["claim"]:
        parts.append(table(section["claim"], results))
    for name in section.get("figures", []):
        parts.append(f"![{figures.FIGURES[name].caption}](../figures/{name}.svg)")
    if "picture" in section:
        path, caption = section["picture"]
        parts.append(f"![{caption}](../{path})")
    remarks = [wrap(fill(joined(text), results), "* ", "  ") for text in section["remarks"]]
    return [*parts, "\n".join(remarks)] if remarks else parts


def table(claims: Iterable[Json], results: Results) -> str:
    """Return claims with their numbers, and the command and version each comes from."""
    lines = ["| claim | number | command | version |", "|---|---|---|---|"]
    for claim in claims:
        names = sorted({*runs_in(claim["text"]), *runs_in(claim["number"])})
        found = [results[name] for name in names]
        commands = ", ".join(f"[`{short(one['command'])}`](#run-{one['run']})" for one in found)
        versions = ", ".join(dict.fromkeys(map(version_of, found)))
        cells = fill(claim["text"], results), fill(claim["number"], results), commands, versions
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def runs(topic: Topic, results: Results) -> str:
    """Return command, version, machine and day of every run of a page."""
    lines = ["| run | command | version | machine | date |", "|---|---|---|---|---|"]
    for name in sorted(runs_of(topic, results)):
        result = results[name]
        computer = result["machine"]
        load = (
            computer.get("note") or f"load {computer['load']}" if computer.keys() & {"note", "load"} else ""
        )
        words = ", ".join(filter(None, (f"{computer['cores']} cores of {computer['processor']}", load)))
        link = f'<a id="run-{name}"></a>[{name}](../../results/{name}.json)'
        cells = link, f"`{result['command']}`", version_of(result), words, result["date"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def runs_of(topic: Topic, results: Results) -> set[str]:
    """Return the names of the runs that a page's words and figures show."""
    named = {name for text in texts(topic) for name in runs_in(text)}
    for section in topic.sections:
        for figure in (figures.FIGURES[name] for name in section.get("figures", [])):
            named |= {run for run, _ in figure.sources}
            named |= {run for run, _ in figure.wherever} & results.keys()
    return named


def texts(topic: Topic) -> Iterator[str]:
    """Yield every text that may name numbers."""
    for section in topic.sections:
        yield section["about"]
        yield from section["remarks"]
        for claim in section["claim"]:
            yield claim["text"]
            yield claim["number"]


def version_of(result: Json) -> str:
    """Return version and commit of a run, marked where its numbers were read from text."""
    return f"{result['version']}, {result['commit']}" + " †" * bool(result.get("imported"))


def short(command: str) -> str:
    """Return the program of a command line, without variables and arguments."""
    words = [word for word in command.split() if "=" not in word]
    return " ".join(words[: 2 if words[0] == "votca-mlp" else 1]).rstrip(",")


def prose(text: str, results: Results) -> str:
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
