"""The paper that a claim's picture is drawn on, from the top down, and what is written the same way wherever it stands.

It knows pixels, colours and letters, and nothing of claims.
"""

import re
from collections.abc import Iterable
from typing import Final

from playground.views.claims import wrapped
from playground.views.shapes import label, text_width
from playground.views.wording import one_line

__all__ = ["BLUE", "GREY", "INK", "MARGIN", "RULE", "Sheet", "fitted", "in_a_cell", "tick_labels"]

MARGIN: Final = 16
GREY: Final = "#5A6675"
RULE: Final = "#DDE3EA"
INK: Final = "#1B2430"
BLUE: Final = "#0447A3"
_TICK: Final = 11
_SIZE: Final = re.compile(r'width="(\d+)" height="\d+"')


class Sheet:
    """A picture being drawn: `y` is where the next thing goes, `under` lies below `over`."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.y = 0.0
        self.under: list[str] = []
        self.over: list[str] = []

    def lines(
        self, words: str, *, size: float = 12, fill: str = GREY, bold: bool = False, left: float = MARGIN
    ) -> None:
        """A sentence from `left` to the margin, broken where it must be."""
        letters = int((self.width - MARGIN - left) / text_width("x", size, "bold" if bold else "sans"))
        for line in wrapped(words, max(10, letters)):
            self.y += size + 5
            self.over.append(label(left, self.y, line, size=size, fill=fill, bold=bold))


def fitted(words: str, room: float, size: float) -> str:
    """Text on one line, cut to what `room` pixels hold."""
    return one_line(words, max(2, round(room / text_width("x", size))))


def tick_labels(sheet: Sheet, places: Iterable[tuple[float, str]], y: float) -> None:
    """Write what each mark of an axis stands for, leaving out those that would run into the one before."""
    free = -1.0
    for x, words in places:
        half = text_width(words, _TICK) / 2
        if x - half > free and x + half <= sheet.width - 4:
            sheet.over.append(label(x, y, words, size=_TICK, fill=GREY, anchor="middle"))
            free = x + half + 6


def in_a_cell(picture: str) -> str:
    """A picture of ours as the value of a cell: as wide as the cell, with all of it in view however narrow that is.

    JupyterLab shows it as an image, and gives one that has a width that width, cut off where the cell ends; one without
    takes the cell's. Where a page takes the picture in as it is, it does not grow beyond what it was drawn for.
    """
    return _SIZE.sub(r'width="100%" style="max-width:\1px"', picture, count=1)
