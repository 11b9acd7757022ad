"""A comparison as a static picture: the lanes of every run on one axis, and the requests that differ most.

It draws what `compare` found and `comparison` chose, with the rows and shapes of the timeline's picture.
"""

from textwrap import wrap
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from playground.views.compare import Compared, Line, Side
from playground.views.comparison import (
    MOST_STILL_PAIRS,
    TITLE,
    later_words,
    legend,
    longest_ns,
    shown_lanes,
    summary,
)
from playground.views.scale import marks
from playground.views.shapes import SANS, bars, label, rect, text_width
from playground.views.svg_rows import ARROW, Plot, bar_labels, row_shapes
from playground.views.wording import duration, one_line

__all__ = ["svg"]

_MARGIN: Final = 16
_GUTTER: Final = 168
_LAST: Final = 74
"""Pixels for a difference, right of its line."""
_GREY: Final = "#5A6675"
_RULE: Final = "#DDE3EA"
_INK: Final = "#1B2430"
_OVER: Final = "the run is over"
_LETTER: Final = 12
_GLYPH: Final = 13


class _Sheet:
    """A picture being drawn from the top down: `y` is where the next thing goes."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.y = 0.0
        self.under: list[str] = []
        self.over: list[str] = []

    def lines(self, words: str, *, size: float = _LETTER, fill: str = _GREY, bold: bool = False) -> None:
        """A sentence, broken where it must be."""
        letters = int((self.width - 2 * _MARGIN) / text_width("x", size, "bold" if bold else "sans"))
        for line in wrap(words, letters):
            self.y += size + 5
            self.over.append(label(_MARGIN, self.y, line, size=size, fill=fill, bold=bold))


def svg(compared: Compared, *, width: int = 1000) -> str:
    """Draw a comparison as an SVG picture, `width` pixels wide (at least 480) and as high as it needs."""
    sheet = _Sheet(max(480, width))
    sheet.y = 8
    sheet.lines(f"{TITLE}: {summary(compared)}", size=15, fill=_INK, bold=True)
    sheet.y += 4
    sheet.lines(compared.conclusion, size=13, fill=_INK, bold=True)
    for note in compared.notes:
        sheet.lines(note)
    sheet.y += 10
    plot = Plot(_GUTTER, sheet.width - _GUTTER - _MARGIN, longest_ns(compared))
    _axis(sheet, plot, plot.duration_ns)
    for side in compared.sides:
        _run(sheet, plot, side)
    if compared.lines:
        _requests(sheet, compared)
    sheet.y += 14
    return _document(sheet, compared)


def _document(sheet: _Sheet, compared: Compared) -> str:
    names = ", ".join(f"{side.letter} {one_line(side.name)}" for side in compared.sides)
    title = f"{TITLE} of {names}"
    told = " ".join([f"{title}.", compared.conclusion, *compared.notes])
    height = round(sheet.y)
    size = f'viewBox="0 0 {sheet.width} {height}" width="{sheet.width}" height="{height}"'
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(told)} ',
            f'font-family={quoteattr(SANS)} fill="none">',
            f"<title>{escape(title)}</title>",
            rect(0.5, 0.5, sheet.width - 1, height - 1, "#FFFFFF", f'stroke="{_RULE}" rx="8"'),
            *sheet.under,
            *sheet.over,
            "</svg>",
        ]
    )


def _axis(sheet: _Sheet, plot: Plot, whole_ns: int) -> None:
    sheet.y += 14
    for moment in marks(whole_ns, plot.width // 90):
        x, words = plot.x(moment), duration(moment)
        if x + text_width(words, 11) / 2 < sheet.width - 4:
            sheet.over.append(label(x, sheet.y, words, size=11, fill=_GREY, anchor="middle"))
    sheet.y += 6


def _run(sheet: _Sheet, plot: Plot, side: Side) -> None:
    """The loop and the first workers of a run, under a line of what is told of it."""
    laid, left_out = shown_lanes(side.laid)
    sheet.under.append(rect(1, sheet.y, sheet.width - 2, 1, _RULE))
    name = one_line(f"{side.letter} {side.mark}  {side.name}")
    told = [*(f"{name} {value}" for name, value in side.facts), *([left_out] if left_out else [])]
    sheet.over.append(label(_MARGIN, sheet.y + 18, name, bold=True))
    start = _MARGIN + text_width(name, _LETTER, "bold") + 12
    sheet.over.append(label(start, sheet.y + 18, " · ".join(told), size=11, fill=_GREY))
    sheet.y += 26
    top = sheet.y
    for row in (laid.rows[0], *laid.of("worker")):
        height = 22 if row.group == "loop" else 15
        sheet.over.append(label(_MARGIN + 8, sheet.y + height / 2 + 4, row.name, size=11, fill=_GREY))
        sheet.over += row_shapes(row, plot, sheet.y + height / 2, height)
        sheet.over += bar_labels(row, laid, plot, sheet.y + height / 2, height)
        sheet.y += height + 3
    end = plot.x(side.trace.duration_ns)
    if end < plot.left + plot.width - 2:
        sheet.under.append(rect(end, top, plot.left + plot.width - end, sheet.y - top, "#F5F7F9"))
        if end + text_width(_OVER, 11) + 12 < plot.left + plot.width:
            sheet.over.append(label(end + 6, top + 15, _OVER, size=11, fill=_GREY))
    sheet.y += 6


def _requests(sheet: _Sheet, compared: Compared) -> None:
    """A line for each request that differs most: a mark for every run, joined."""
    lines, rest = compared.drawn(MOST_STILL_PAIRS)
    sheet.under.append(rect(1, sheet.y, sheet.width - 2, 1, _RULE))
    sheet.y += 6
    sheet.lines(f"How long each request took to be answered: {legend(compared)}")
    most_ns = max(1, *(ns for line in lines for ns in line.latencies_ns if ns is not None))
    plot = Plot(_GUTTER, sheet.width - _GUTTER - _MARGIN - _LAST, most_ns)
    _axis(sheet, plot, most_ns)
    for line in lines:
        sheet.y += 17
        _dumbbell(sheet, plot, compared.sides, line)
    if rest:
        sheet.y += 4
        sheet.lines(rest)


def _dumbbell(sheet: _Sheet, plot: Plot, sides: tuple[Side, ...], line: Line) -> None:
    name = one_line(f"#{line.number} {line.label}", int((_GUTTER - _MARGIN - 8) / text_width("x", 11)))
    places = [(side, plot.x(ns)) for side, ns in zip(sides, line.latencies_ns, strict=True) if ns is not None]
    known = [x for _, x in places]
    sheet.over.append(label(_MARGIN, sheet.y, name, size=11, fill=_INK))
    sheet.under.append(bars([(min(known), max(known))], sheet.y - 4, 1.5, ARROW))
    for side, x in places:
        sheet.over.append(label(x, sheet.y, side.mark, size=_GLYPH, fill=_INK, anchor="middle"))
    words = later_words(line.later_ns)
    sheet.over.append(label(sheet.width - _MARGIN, sheet.y, words, size=11, fill=_GREY, anchor="end"))
