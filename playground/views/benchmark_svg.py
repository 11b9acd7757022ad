"""The web benchmark as a static picture: a way of a framework in a row, a bar for each page, and its times below.

It draws what `benchmark` laid out, on paper of the claims' kind. Each page has an axis of its own, from zero: a page
that waits is answered a tenth as often at best, and would not be seen on the other's.
"""

from typing import Final

from playground.views.benchmark import HEADINGS, AnswersLike, BenchmarkLike, Line, lines_of, said_of, shown, times
from playground.views.claims import quartiles
from playground.views.claims_axis import Axis, axis_from_zero, figure_words
from playground.views.claims_sheet import BLUE, fitted, tick_labels
from playground.views.claims_svg import PALE, VERDICTS, document, head
from playground.views.shapes import label, rect, text_width
from playground.views.sheet import GREY, INK, MARGIN, RULE, Sheet

__all__ = ["svg"]

_LETTER: Final = 12
_SMALL: Final = 11
_GAP: Final = 18
_ROW: Final = 34
_BAR: Final = 10
_MARK_PX: Final = 64
_KEY: Final = (
    "Bars: answers a second, the median of the rounds; the line at a bar's end: the middle half. Below: processor time "
    "(CPU) per answer, and the median and the 99th percentile of the time until an answer came."
)
_HEADINGS: Final = (
    (f"answers a second of {HEADINGS[0]}", f"answers a second of {HEADINGS[1]}"),
    HEADINGS,
    ("does nothing", "waits for 20 ms"),
)
_SHORT_KEY_PX: Final = 250
"""A column narrower than this has no room for three times in words."""


class _Column:
    """Where one page's bars stand."""

    def __init__(self, claim: BenchmarkLike, number: int, left: float, right: float) -> None:
        rows = [row for row in claim.rows if row.page == ("hello", "io")[number]]
        values = [value for row in rows for value in (row.low, row.median, row.high) if value is not None]
        room = text_width("999,999", _LETTER) + 8  # for the figure at the longest bar's end
        self.left, self.right, self.bars = left, right, right - left - room
        self.axis: Axis = axis_from_zero(values, "count", max(2, int(self.bars // _MARK_PX)))

    def x(self, value: float) -> float:
        return self.left + self.axis.share(value) * self.bars


def svg(claim: BenchmarkLike, *, width: int = 1000) -> str:
    """Draw the benchmark as an SVG picture, `width` pixels wide (at least 480) and as high as it needs."""
    sheet = Sheet(max(480, width))
    head(sheet, claim)
    across = sheet.width - 2 * MARGIN
    names = max((text_width(row.name, _LETTER) for row in claim.rows), default=0.0) + 12
    left = MARGIN + min(names, across * 0.32) + _GAP
    half = (sheet.width - MARGIN - left - _GAP) / 2
    columns = (_Column(claim, 0, left, left + half), _Column(claim, 1, left + half + _GAP, sheet.width - MARGIN))
    is_measured = any(row.median is not None for row in claim.rows)
    if is_measured:
        _axes(sheet, columns)
    for framework in shown(claim):
        _framework(sheet, claim, framework, columns)
    if is_measured:
        sheet.y += 6
        sheet.lines(_KEY, size=_SMALL)
    for note in claim.notes:
        sheet.lines(note, size=_SMALL)
    sheet.y += 14
    return document(sheet, claim)


def _axes(sheet: Sheet, columns: tuple[_Column, _Column]) -> None:
    """Over each column what it is about, in as many words as both have room for, and its marks."""
    sheet.y += 16
    room = columns[0].right - columns[0].left
    fitting = (pair for pair in _HEADINGS if max(text_width(words, _LETTER, "bold") for words in pair) <= room)
    for column, words in zip(columns, next(fitting, _HEADINGS[-1]), strict=True):
        sheet.over.append(label(column.left, sheet.y, words, bold=True))
    sheet.y += 18
    for column in columns:
        places = [(column.x(mark), figure_words(mark, "count")) for mark in column.axis.marks]
        tick_labels(sheet, places, sheet.y)
    sheet.y += 6


def _framework(sheet: Sheet, claim: BenchmarkLike, framework: str, columns: tuple[_Column, _Column]) -> None:
    sheet.y += 12
    sheet.under.append(rect(1, sheet.y - 4, sheet.width - 2, 1, RULE))
    mark, colour = VERDICTS["not here" if framework in claim.beside else claim.verdicts[framework]]
    name = fitted(framework, sheet.width / 2, 13)
    sheet.over.append(label(MARGIN, sheet.y + 14, name, size=13, bold=True))
    words = f"{mark} {said_of(claim, framework)}"
    sheet.over.append(label(MARGIN + text_width(name, 13, "bold") + 10, sheet.y + 14, words, fill=colour, bold=True))
    sheet.y += 15
    sheet.lines(claim.sentences[framework], size=_SMALL, fill=INK)
    sheet.y += 6
    for line in lines_of(claim, framework):
        _line(sheet, line, columns)


def _line(sheet: Sheet, line: Line, columns: tuple[_Column, _Column]) -> None:
    left = columns[0].left
    ink = GREY if line.lacking else INK
    name = fitted(line.name, left - _GAP - MARGIN - 8, _LETTER)
    sheet.over.append(label(MARGIN + 8, sheet.y + 13, name, fill=ink))
    if line.lacking:
        words = fitted(line.lacking, sheet.width - MARGIN - left, _LETTER)
        sheet.over.append(label(left, sheet.y + 13, words, fill=GREY))
        sheet.y += _ROW - 12
        return
    for column, row in zip(columns, line.pages, strict=True):
        sheet.under.append(rect(column.left - 1, sheet.y, 1, _ROW - 4, RULE))
        if row is not None and row.median is not None:
            _bar(sheet, column, row, row.median)
    sheet.y += _ROW


def _bar(sheet: Sheet, column: _Column, row: AnswersLike, median: float) -> None:
    low, middle, high = (column.x(value) for value in quartiles(row, median))
    y = sheet.y + 4
    sheet.over.append(rect(column.left, y, max(1, middle - column.left), _BAR, PALE))
    sheet.over.append(rect(low, y + _BAR / 2 - 1.5, max(1, high - low), 3, BLUE, 'rx="1.5"'))
    sheet.over.append(rect(middle - 1, y - 1, 2, _BAR + 2, BLUE))
    words = figure_words(float(f"{median:.3g}"), "count")
    sheet.over.append(label(max(middle, high) + 6, sheet.y + 13, words))
    cpu, half, late = times(row)
    told = f"CPU per answer {cpu} · median {half} · 99th percentile {late}"
    if column.right - column.left < _SHORT_KEY_PX:
        told = f"{cpu} · {half} · {late}"
    sheet.over.append(label(column.left + 1, sheet.y + 26, told, size=_SMALL - 1, fill=GREY))
