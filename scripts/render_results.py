#!/usr/bin/env python3
"""Write docs/results.md, docs/results/ and the figures from results/: what is claimed, with its numbers.

    scripts/render_results.py            # write
    scripts/render_results.py --check    # status 1 where a page or a figure is not what results/ gives

results/claims/NAME.toml has the words of docs/results/NAME.md, results/claims/pages.toml the order of pages,
results/RUN.json the numbers (scripts/results_file.py). To renew a number run the command that the page gives,
with ``--json results/RUN.json``, then this.
"""

import argparse
import sys
import tomllib
from collections import Counter
from pathlib import Path

import results_figures as figures
from paper_claims import with_whole_form
from results_file import ROOT, read_result
from results_pages import Results, Topic, index, page, runs_of, with_links

CLAIMS = ROOT / "results" / "claims"
INDEX = ROOT / "docs" / "results.md"
FOLDER = ROOT / "docs" / "results"


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args()
    results = {path.stem: read_result(path) for path in sorted((ROOT / "results").glob("*.json"))}
    pages = rendered(results)
    strays = sorted({*FOLDER.glob("*.md")} - pages.keys())
    if not options.check:
        FOLDER.mkdir(exist_ok=True)
        for path, text in pages.items():
            path.write_text(text)
        for path in strays:
            path.unlink()
        figures.draw_all(results)
        return 0
    wrong = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    wrong += strays + figures.outdated(results)
    for path in wrong:
        print(
            f"{path.relative_to(ROOT)} is not what results/ gives: run scripts/render_results.py",
            file=sys.stderr,
        )
    return 1 if wrong else 0


def rendered(results: Results) -> dict[Path, str]:
    """Return the text of every page."""
    about, topics = read_claims(results)
    unused = sorted(results.keys() - {name for topic in topics for name in runs_of(topic, results)})
    if unused:
        raise SystemExit(f"results/: nothing in results/claims names {', '.join(unused)}")
    counts = Counter(found for topic in topics for found in topic.anchors())
    if twice := [found for found, count in counts.items() if count > 1]:
        raise SystemExit(f"results/claims: two sections of one title: {', '.join(twice)}")
    pages = {found: topic.name for topic in topics for found in topic.anchors()}
    texts = {FOLDER / f"{topic.name}.md": page(topic, results) for topic in topics}
    return {INDEX: index(about, topics, results)} | {
        path: with_links(text, path.stem, pages) for path, text in texts.items()
    }


def read_claims(results: Results) -> tuple[str, list[Topic]]:
    """Return the words of the index and the topics, in the order of their pages."""
    listed = tomllib.loads((CLAIMS / "pages.toml").read_text())
    files = {path.stem for path in CLAIMS.glob("*.toml")} - {"pages"}
    if differing := sorted(files ^ set(listed["pages"])):
        raise SystemExit(
            f"results/claims: a file for each name in pages.toml, and no other: {', '.join(differing)}"
        )
    topics = []
    for name in listed["pages"]:
        found = tomllib.loads((CLAIMS / f"{name}.toml").read_text())
        topics.append(Topic(name, found["title"], with_whole_form(found["section"], results)))
    return listed["about"], topics


if __name__ == "__main__":
    sys.exit(main())
