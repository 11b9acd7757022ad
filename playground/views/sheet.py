"""The paper that a picture is drawn on, from the top down, and what is written the same way on each.

It knows pixels, colours and letters, and nothing of what is drawn. The ground is light and its own, so that a picture
reads in a dark theme too.
"""

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from playground.views.line_breaks import wrapped
from playground.views.shapes import SANS, label, rect, text_width

__all__ = ["GREY", "INK", "MARGIN", "RULE", "Sheet"]

MARGIN: Final = 16
GREY: Final = "#5A6675"
RULE: Final = "#DDE3EA"
INK: Final = "#1B2430"
# Fewer letters than this a line are read from top to bottom.
_LEAST_LETTERS: Final = 10


class Sheet:
    """A picture being drawn: `y` is where the next thing goes, `under` lies below `over`; all in pixels."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.y = 0.0
        self.under: list[str] = []
        self.over: list[str] = []

    def lines(
        self,
        words: str,
        *,
        size: float = 12,
        fill: str = GREY,
        bold: bool = False,
        left: float = MARGIN,
        gap: float = 5,
    ) -> None:
        """A sentence from `left` to the margin, broken where it must be."""
        letters = int((self.width - MARGIN - left) / text_width("x", size, "bold" if bold else "sans"))
        for line in wrapped(words, max(_LEAST_LETTERS, letters)):
            self.y += size + gap
            self.over.append(label(left, self.y, line, size=size, fill=fill, bold=bold))

    def rule(self) -> None:
        """A line from edge to edge."""
        self.under.append(rect(1, self.y, self.width - 2, 1, RULE))

    def document(self, title: str, told: str) -> str:
        """The picture, as high as what was drawn: its title, and all that it says for who cannot see it."""
        height = round(self.y)
        size = f'viewBox="0 0 {self.width} {height}" width="{self.width}" height="{height}"'
        return "".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(told)} ',
                f'font-family={quoteattr(SANS)} fill="none">',
                f"<title>{escape(title)}</title>",
                rect(0.5, 0.5, self.width - 1, height - 1, "#FFFFFF", f'stroke="{RULE}" rx="8"'),
                *self.under,
                *self.over,
                "</svg>",
            ]
        )
