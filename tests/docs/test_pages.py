"""The pages of docs/ and beside it: the table of rooms, and links that lead to something."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, rows
from tests.rooms import ROOMS

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "docs/results/*.md", "gromacs_templates/*.md", "scripts/*.md")
    for path in ROOT.glob(pattern)
)


def test_the_architecture_page_has_the_table_of_rooms() -> None:
    """One line a room, in the order that the imports are held to."""
    table = rows("docs/architecture.md", "## Rooms")
    assert [cells[0] for cells in table] == [f"`{room}`" for room in ROOMS]
    assert all(cells[1] for cells in table)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: those of its headings, as GitHub makes them, and those it sets itself."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    own = re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles} | set(own)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_something(page: str) -> None:
    """Files and headings that a page names are there; addresses on the web are not tried."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        name, _, heading = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if heading:
            assert heading in anchors(target), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_taken_for_html(page: str) -> None:
    """A tag or a mean <U> outside of code is one of HTML, which a reader on the web does not see."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.M | re.S)
    text = re.sub(r"``.+?``|`[^`]*`|<!--.*?-->|^    .*?$", "", text, flags=re.M | re.S)
    tags = re.findall(r"</?[a-zA-Z][\w-]*(?:\s[^>]*)?/?>", text)
    assert [tag for tag in tags if not re.match(r"<a (id|name)=|</a>", tag)] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_files_that_a_page_names_exist(page: str) -> None:
    """Paths in code font, from the root, from the package or from the page (a changelog names the past)."""
    text = (ROOT / page).read_text(encoding="utf-8")
    names = re.findall(
        r"`((?:scripts|votca_mlp|tests|settings|docs|examples)/[\w./-]+|[\w/-]+/[\w-]+\.py)`", text
    )
    folders = (ROOT, ROOT / "votca_mlp", (ROOT / page).parent)
    missing = [name for name in names if not any((folder / name).exists() for folder in folders)]
    assert missing == []
