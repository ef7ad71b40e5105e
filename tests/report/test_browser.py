"""The page of a run in a real browser: nothing wider than a phone, pictures drawn, a print of some pages.

Needs Chromium (Debian's package ``chromium``); skipped without it.
"""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.report.runs import quickstart_run
from votca_mlp.report.page.page import report_page

pytest.importorskip("matplotlib")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian's package chromium)")
WIDTHS = (360, 1200)
MEASURE = """
<script>addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, root = page.documentElement, found = [];
    for (const box of page.querySelectorAll("body *:not(svg *)"))
      if (!box.closest(".wide, pre") && box.getBoundingClientRect().right > root.clientWidth + 1)
        found.push(box.tagName);
    const drawn = [...page.querySelectorAll("svg")].filter(picture => {
      const box = picture.getBoundingClientRect();
      return box.width > 250 && box.height > 100 && picture.querySelectorAll("path").length > 5;
    });
    const small = [...page.querySelectorAll("svg text")].map(text => text.getBoundingClientRect().height);
    frame.outerHTML = `<p>${root.clientWidth}: ${root.scrollWidth} wide, beyond [${found}], ` +
      `${drawn.length} pictures, letters of ${Math.min(...small).toFixed(1)}</p>`;
  }
});</script>
"""


def chromium(folder: Path, *words: str) -> str:
    """Return what headless Chromium prints."""
    assert CHROMIUM is not None
    alone = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}",
    ]
    done = subprocess.run([*alone, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    path = folder / "page.html"
    path.write_text(report_page(quickstart_run(folder / "run"), running=False), encoding="utf-8")
    return path


def test_on_a_phone_and_on_a_desk(page: Path) -> None:
    """No sideways scrolling, all eight pictures, letters that can be read."""
    content = html.escape(page.read_text(encoding="utf-8"))
    frames = "".join(
        f'<iframe width="{width}" height="4000" srcdoc="{content}"></iframe>' for width in WIDTHS
    )
    beside = page.with_name("frames.html")
    beside.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{MEASURE}{frames}", encoding="utf-8")
    printed = chromium(page.parent, "--dump-dom", beside.as_uri())
    found = re.findall(
        r"<p>(\d+): (\d+) wide, beyond \[(.*?)\], (\d+) pictures, letters of ([\d.]+)</p>", printed
    )
    assert len(found) == len(WIDTHS), printed[-500:]
    for width, scroll, beyond, pictures, letters in found:
        assert (scroll, beyond, pictures) == (width, "", "8")
        assert float(letters) >= 9.0


def test_in_print(page: Path) -> None:
    """Some pages, with the settings that are folded on a screen."""
    pdf = page.with_name("page.pdf")
    chromium(page.parent, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    assert 3 <= pages <= 10
