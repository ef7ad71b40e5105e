"""Pieces of HTML: text is escaped here, and nowhere else."""

import base64
import html
from collections.abc import Iterable, Sequence


def text(value: object) -> str:
    """Return a value as text of a page."""
    return html.escape(str(value))


def words(value: object) -> str:
    """Return text with the signs that a terminal has not."""
    return text(value).replace("+-", "±").replace("Angstrom", "Å")


def paragraph(value: object, kind: str = "") -> str:
    """Return a paragraph, of a class."""
    return f'<p class="{kind}">{words(value)}</p>' if kind else f"<p>{words(value)}</p>"


def listing(lines: Iterable[str]) -> str:
    """Return lines as a list; one that begins with blanks belongs to the one before."""
    items: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith(" ") and items:
            items[-1][1].append(line.strip())
        else:
            items.append((line.strip(), []))
    parts = []
    for head, below in items:
        inner = "".join(f"<li>{words(item)}</li>" for item in below)
        parts.append(f"<li>{words(head)}{f'<ul>{inner}</ul>' if inner else ''}</li>")
    return f"<ul>{''.join(parts)}</ul>" if parts else ""


def table(rows: Sequence[Sequence[str]], caption: str, *, first_column: bool = True) -> str:
    """Return a table that can be scrolled sideways on a small screen.

    Parameters
    ----------
    rows
        The first is the heading.
    caption
        Says what the table has.
    first_column
        Whether its cells are headings of their rows.
    """
    head = "".join(f'<th scope="col">{text(cell)}</th>' if cell else "<td></td>" for cell in rows[0])
    body = "".join(f"<tr>{_cells(row, first_column)}</tr>" for row in rows[1:])
    inner = f"<caption>{words(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    # a region that scrolls has to be reached with the keyboard
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(caption)}">'
        f"<table>{inner}</table></div>"
    )


def _cells(row: Sequence[str], first_column: bool) -> str:
    cells = [f"<td>{text(cell)}</td>" for cell in row]
    if first_column and row:
        cells[0] = f'<th scope="row">{text(row[0])}</th>'
    return "".join(cells)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and what they are; one without a value is left out."""
    found = "".join(
        f"<div><dt>{text(name)}</dt><dd>{words(value)}</dd></div>" for name, value in pairs if value
    )
    return f"<dl>{found}</dl>" if found else ""


def figure(picture: str, caption: str) -> str:
    """Return a picture (SVG) with what it shows below it."""
    return f"<figure>{picture}<figcaption>{text(caption)}</figcaption></figure>"


def commands(lines: Iterable[str]) -> str:
    """Return commands to copy."""
    return f'<pre class="commands" tabindex="0">{text(chr(10).join(lines))}</pre>'


def as_is(content: str) -> str:
    """Return a file's text."""
    return f'<pre tabindex="0">{text(content)}</pre>'


def side_by_side(parts: Iterable[str]) -> str:
    """Return small parts in as few lines as the screen allows."""
    inner = "".join(parts)
    return f'<div class="beside">{inner}</div>' if inner else ""


def folded(summary: str, content: str) -> str:
    """Return content that shows itself on demand, and in print."""
    return f"<details><summary>{text(summary)}</summary>{content}</details>"


def download(name: str, content: str | bytes) -> str:
    """Return a link that saves a text, or bytes, as a file; the file is in the page itself."""
    of = "text/plain" if isinstance(content, str) else "application/octet-stream"
    data = base64.b64encode(content.encode() if isinstance(content, str) else content).decode()
    return f'<a download="{text(name)}" href="data:{of};base64,{data}">{text(name)}</a>'


def section(identity: str, title: str, *parts: str) -> str:
    """Return a section with its heading; empty where it has no content."""
    content = "\n".join(part for part in parts if part)
    if not content:
        return ""
    return (
        f'<section aria-labelledby="{identity}"><h2 id="{identity}">{text(title)}</h2>\n{content}\n</section>'
    )
