"""A comparison as a static picture: the lanes of every run on one axis, and the requests that differ most.

It draws what `compare` found and `comparison` chose, with the rows and shapes of the timeline's picture.
"""

from typing import Final

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
from playground.views.shapes import bars, label, rect, text_width
from playground.views.sheet import GREY, INK, MARGIN, Sheet
from playground.views.svg_rows import ARROW, Plot, bar_labels, row_shapes
from playground.views.wording import duration, one_line

__all__ = ["svg"]

_GUTTER: Final = 168
_LAST: Final = 74
"""Pixels for a difference, right of its line."""
_OVER: Final = "the run is over"
_LETTER: Final = 12
_GLYPH: Final = 13


def svg(compared: Compared, *, width: int = 1000) -> str:
    """Draw a comparison as an SVG picture, `width` pixels wide (at least 480) and as high as it needs."""
    sheet = Sheet(max(480, width))
    sheet.y = 8
    sheet.lines(f"{TITLE}: {summary(compared)}", size=15, fill=INK, bold=True)
    sheet.y += 4
    sheet.lines(compared.conclusion, size=13, fill=INK, bold=True)
    for note in compared.notes:
        sheet.lines(note)
    sheet.y += 10
    plot = Plot(_GUTTER, sheet.width - _GUTTER - MARGIN, longest_ns(compared))
    _axis(sheet, plot, plot.duration_ns)
    for side in compared.sides:
        _run(sheet, plot, side)
    if compared.lines:
        _requests(sheet, compared)
    sheet.y += 14
    return _document(sheet, compared)


def _document(sheet: Sheet, compared: Compared) -> str:
    names = ", ".join(f"{side.letter} {one_line(side.name)}" for side in compared.sides)
    title = f"{TITLE} of {names}"
    told = " ".join([f"{title}.", compared.conclusion, *compared.notes])
    return sheet.document(title, told)


def _axis(sheet: Sheet, plot: Plot, whole_ns: int) -> None:
    sheet.y += 14
    for moment in marks(whole_ns, plot.width // 90):
        x, words = plot.x(moment), duration(moment)
        if x + text_width(words, 11) / 2 < sheet.width - 4:
            sheet.over.append(label(x, sheet.y, words, size=11, fill=GREY, anchor="middle"))
    sheet.y += 6


def _run(sheet: Sheet, plot: Plot, side: Side) -> None:
    """The loop and the first workers of a run, under a line of what is told of it."""
    laid, left_out = shown_lanes(side.laid)
    sheet.rule()
    name = one_line(f"{side.letter} {side.mark}  {side.name}")
    told = [*(f"{name} {value}" for name, value in side.facts), *([left_out] if left_out else [])]
    sheet.over.append(label(MARGIN, sheet.y + 18, name, bold=True))
    start = MARGIN + text_width(name, _LETTER, "bold") + 12
    sheet.over.append(label(start, sheet.y + 18, " · ".join(told), size=11, fill=GREY))
    sheet.y += 26
    top = sheet.y
    for row in (laid.rows[0], *laid.of("worker")):
        height = 22 if row.group == "loop" else 15
        sheet.over.append(label(MARGIN + 8, sheet.y + height / 2 + 4, row.name, size=11, fill=GREY))
        sheet.over += row_shapes(row, plot, sheet.y + height / 2, height)
        sheet.over += bar_labels(row, laid, plot, sheet.y + height / 2, height)
        sheet.y += height + 3
    end = plot.x(side.trace.duration_ns)
    if end < plot.left + plot.width - 2:
        sheet.under.append(rect(end, top, plot.left + plot.width - end, sheet.y - top, "#F5F7F9"))
        if end + text_width(_OVER, 11) + 12 < plot.left + plot.width:
            sheet.over.append(label(end + 6, top + 15, _OVER, size=11, fill=GREY))
    sheet.y += 6


def _requests(sheet: Sheet, compared: Compared) -> None:
    """A line for each request that differs most: a mark for every run, joined."""
    lines, rest = compared.drawn(MOST_STILL_PAIRS)
    sheet.rule()
    sheet.y += 6
    sheet.lines(f"How long each request took to be answered: {legend(compared)}")
    most_ns = max(1, *(ns for line in lines for ns in line.latencies_ns if ns is not None))
    plot = Plot(_GUTTER, sheet.width - _GUTTER - MARGIN - _LAST, most_ns)
    _axis(sheet, plot, most_ns)
    for line in lines:
        sheet.y += 17
        _dumbbell(sheet, plot, compared.sides, line)
    if rest:
        sheet.y += 4
        sheet.lines(rest)


def _dumbbell(sheet: Sheet, plot: Plot, sides: tuple[Side, ...], line: Line) -> None:
    name = one_line(f"#{line.number} {line.label}", int((_GUTTER - MARGIN - 8) / text_width("x", 11)))
    places = [(side, plot.x(ns)) for side, ns in zip(sides, line.latencies_ns, strict=True) if ns is not None]
    known = [x for _, x in places]
    sheet.over.append(label(MARGIN, sheet.y, name, size=11, fill=INK))
    sheet.under.append(bars([(min(known), max(known))], sheet.y - 4, 1.5, ARROW))
    for side, x in places:
        sheet.over.append(label(x, sheet.y, side.mark, size=_GLYPH, fill=INK, anchor="middle"))
    words = later_words(line.later_ns)
    sheet.over.append(label(sheet.width - MARGIN, sheet.y, words, size=11, fill=GREY, anchor="end"))
