"""The curves of a claim: points upwards from zero, joined in the order in which they lie along, with their quartiles.

Along, points stand by powers, for what is varied there is doubled and doubled again; a point at zero, which has no
place among powers, stands a step before the first, and the line to it is dashed.
"""

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import log
from typing import Final

from playground.views.claims import ClaimLike, RowLike, axis_of, quartiles
from playground.views.claims_axis import Axis, figure_words
from playground.views.claims_sheet import BLUE, fitted, tick_labels
from playground.views.shapes import label, rect, text_width
from playground.views.sheet import GREY, INK, MARGIN, RULE, Sheet

__all__ = ["curve"]

_HEIGHT: Final = 220
_MARK_PX: Final = 44
_ZERO_PX: Final = 70
_NAMES: Final = 0.3
_COLOURS: Final = (BLUE, "#DC5E02", "#3F978D", "#781099")
_LETTER: Final = 12


def curve(sheet: Sheet, claim: ClaimLike) -> None:
    """Draw all points of a claim: a line for each name, which is written at its end."""
    lines = [(name, list(rows)) for name, rows in groupby(claim.rows, key=lambda row: row.name)]
    axis = axis_of(claim, _HEIGHT // _MARK_PX)
    gutter = max(text_width(figure_words(mark, claim.picture.unit), 11) for mark in axis.marks) + 10
    names = min(max(text_width(name, _LETTER) for name, _ in lines), sheet.width * _NAMES) + 14
    left, right = MARGIN + gutter, sheet.width - MARGIN - names
    sheet.y += 14
    top = sheet.y
    for mark in axis.marks:
        y = top + (1 - axis.share(mark)) * _HEIGHT
        sheet.under.append(rect(left, y, right - left, 1, RULE))
        words = figure_words(mark, claim.picture.unit)
        sheet.over.append(label(left - 6, y + 4, words, size=11, fill=GREY, anchor="end"))
    if claim.picture.level is not None:
        sheet.under.append(
            rect(left, top + (1 - axis.share(claim.picture.level)) * _HEIGHT - 0.5, right - left, 2, GREY)
        )
    along = _along([row.at for row in claim.rows if row.at is not None], left + 10, right - 10)
    for number, (name, rows) in enumerate(lines):
        _line(sheet, rows, along, axis, top, _COLOURS[number % len(_COLOURS)])
        end = next((row for row in reversed(rows) if row.median is not None), None)
        if end is not None and end.median is not None:
            y = top + (1 - axis.share(end.median)) * _HEIGHT + 4
            sheet.over.append(label(right + 8, y, fitted(name, names, _LETTER), fill=INK))
    sheet.y = top + _HEIGHT + 18
    tick_labels(sheet, [(x, figure_words(at, claim.picture.along_unit)) for at, x in sorted(along.items())], sheet.y)
    sheet.y += 16
    sheet.over.append(label((left + right) / 2, sheet.y, claim.picture.along, size=11, fill=GREY, anchor="middle"))
    sheet.y += 4


def _along(places: Sequence[float], left: float, right: float) -> dict[float, float]:
    """Where each place along stands, in pixels."""
    above = sorted({place for place in places if place > 0})
    found = {0.0: left} if 0.0 in places else {}
    if found and above:
        left += _ZERO_PX
    if above:
        whole = log(above[-1] / above[0]) or 1.0
        found |= {place: left + log(place / above[0]) / whole * (right - left) for place in above}
    return found


def _line(
    sheet: Sheet, rows: Sequence[RowLike], along: dict[float, float], axis: Axis, top: float, colour: str
) -> None:
    points = []
    for row in rows:
        if row.median is None or row.at is None:
            continue
        low, median, high = (top + (1 - axis.share(value)) * _HEIGHT for value in quartiles(row, row.median))
        x = along[row.at]
        points.append((row.at, x, median))
        sheet.over.append(rect(x - 1.5, high, 3, max(1.0, low - high), colour, 'opacity="0.5"'))
        sheet.over.append(f'<circle cx="{x:.1f}" cy="{median:.1f}" r="4" fill="{colour}"/>')
    for (at, x, y), (_, next_x, next_y) in pairwise(points):
        dashed = ' stroke-dasharray="3 4"' if at == 0 else ""
        data = f'd="M{x:.1f} {y:.1f}L{next_x:.1f} {next_y:.1f}"'
        sheet.under.append(f'<path {data} stroke="{colour}" stroke-width="2"{dashed}/>')
