"""What a live view shows before the first run: words, and what to do.

An axis, and counts of nothing, would tell of a run that never was. It knows no widgets and no recording.
"""

from typing import Final
from xml.sax.saxutils import quoteattr

from playground.views.shapes import SANS, label, rect, rich_lines

__all__ = ["TITLE", "WORDS", "svg_of_nothing", "text_of_nothing"]

TITLE: Final = "No run yet"
WORDS: Final = (
    "Nothing has run that could be shown here. Make a run, with lab.burst(…) in a cell or with a panel's Run, and it "
    "shows here while it goes on."
)


def text_of_nothing() -> str:
    """The words, as plain text."""
    return f"{TITLE}. {WORDS}"


def svg_of_nothing(*, width: int = 1000) -> str:
    """The words as a static picture, `width` pixels wide, in the place of a timeline's."""
    lines = rich_lines([("text", WORDS)], 12, width - 32)
    height = 52 + 17 * len(lines)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    told = [
        f'<text x="16" y="{52 + 17 * number}" font-size="12" fill="#5A6675">{line}</text>'
        for number, line in enumerate(lines)
    ]
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(text_of_nothing())} ',
            f'font-family={quoteattr(SANS)} fill="none">',
            rect(0.5, 0.5, width - 1, height - 1, "#FFFFFF", 'stroke="#DDE3EA" rx="8"'),
            label(16, 28, TITLE, size=15, bold=True),
            *told,
            "</svg>",
        ]
    )
