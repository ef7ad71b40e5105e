"""Pictures of matplotlib as SVG within a page."""

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from votca_mlp.report.page.markup import text
from votca_mlp.report.plot import STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOK: Any = {
    **STYLE,
    # letters stay letters: small, sharp, and found by the browser's search
    "svg.fonttype": "none",
    # the same run gives the same page
    "svg.hashsalt": "votca-mlp",
    "font.size": 9.5,
    "axes.labelsize": 10,
    "legend.fontsize": 9,
}
_WIDTH, _HEIGHT = 4.4, 3.1
_COORDINATES = re.compile(r'\b(?:d|x|y)="[^"]*"')
_NUMBER = re.compile(r"-?\d+\.\d{3,}")


class Pictures:
    """Makes the pictures of one page: what is named in each has a name of its own in the page."""

    def __init__(self) -> None:
        self._count = 0

    def draw(self, paint: Callable[[Any], None], described: str, *, height: float = _HEIGHT) -> str:
        """Return a picture of one panel.

        Parameters
        ----------
        paint
            Draws into the panel (axes of matplotlib).
        described
            What is to be seen, for those that do not see it.
        height
            Inch, at a width of 4.4.
        """
        return self.draw_panels(lambda figure: paint(figure.subplots()), described, height=height)

    def draw_panels(
        self, paint: Callable[["Figure"], None], described: str, *, height: float = _HEIGHT
    ) -> str:
        """Return a picture of a figure into which ``paint`` puts its panels."""
        import matplotlib
        from matplotlib.figure import Figure

        with matplotlib.rc_context(_LOOK):
            figure = Figure(figsize=(_WIDTH, height), layout="constrained")
            paint(figure)
            target = io.StringIO()
            figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
        self._count += 1
        return _within(target.getvalue(), f"f{self._count}", described)


def _within(document: str, prefix: str, described: str) -> str:
    """Return a document of SVG as an element of a page, named, with ids of its own."""
    drawing = document[document.index("<svg") :]
    opening, rest = drawing.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', opening)
    assert box is not None
    # the page's licence and dates say nothing about a picture
    rest = re.sub(r"\s*<metadata>.*?</metadata>", "", rest, flags=re.DOTALL)
    rest = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', rest)
    rest = re.sub(r'"#([^"]+)"', rf'"#{prefix}-\1"', rest)
    rest = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", rest)
    rest = _COORDINATES.sub(_rounded, rest)
    return f'<svg {box[0]} role="img" aria-label="{text(described)}">{rest.strip()}'


def _rounded(attribute: re.Match[str]) -> str:
    # a hundredth of a point is not seen
    return _NUMBER.sub(lambda number: f"{float(number[0]):.2f}", attribute[0])
