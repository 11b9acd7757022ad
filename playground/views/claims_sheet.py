"""What is written the same way in every picture of a claim: names cut to their room, the marks of an axis.

It knows pixels and letters, and nothing of claims.
"""

import re
from collections.abc import Iterable
from typing import Final

from playground.views.shapes import label, text_width
from playground.views.sheet import GREY, Sheet
from playground.views.wording import one_line

__all__ = ["BLUE", "fitted", "in_a_cell", "tick_labels"]

BLUE: Final = "#0447A3"
_TICK: Final = 11
_SIZE: Final = re.compile(r'width="(\d+)" height="\d+"')


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
