"""What a live view shows before the first run: words, and what to do.

An axis, and counts of nothing, would tell of a run that never was. It knows no widgets and no recording.
"""

from typing import Final

from playground.views.shapes import label
from playground.views.sheet import MARGIN, Sheet

__all__ = ["TITLE", "WORDS", "svg_of_nothing", "text_of_nothing"]

_WIDTH: Final = 1000
"""Of a timeline's picture."""
TITLE: Final = "No run yet"
WORDS: Final = (
    "Nothing has run that could be shown here. Make a run, with lab.burst(…) in a cell or with a panel's Run, and it "
    "shows here while it goes on."
)


def text_of_nothing() -> str:
    """The words, as plain text."""
    return f"{TITLE}. {WORDS}"


def svg_of_nothing() -> str:
    """The words as a static picture, in the place of a timeline's."""
    sheet = Sheet(_WIDTH)
    sheet.over.append(label(MARGIN, 28, TITLE, size=15, bold=True))
    sheet.y = 35
    sheet.lines(WORDS)
    sheet.y += 17
    return sheet.document(TITLE, text_of_nothing())
