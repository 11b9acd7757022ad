"""A claim as a static picture: what is claimed, what came of it in words, and its figures on one axis.

It draws what `claims` laid out, on a light ground of its own so that it reads in a dark theme too. Its size is bounded
by its width and its number of rows. Curves have a picture of their own, in `claims_curve`.
"""

from itertools import groupby
from typing import Final

from playground.views.claims import VERDICT_WORDS, ClaimLike, RowLike, axis_of, figure_of, key, name_of, quartiles
from playground.views.claims_axis import Axis, figure_words
from playground.views.claims_curve import curve
from playground.views.claims_sheet import BLUE, fitted, tick_labels
from playground.views.line_breaks import sentence
from playground.views.shapes import label, rect, text_width
from playground.views.sheet import GREY, INK, MARGIN, RULE, Sheet
from playground.views.wording import one_line

__all__ = ["PALE", "VERDICTS", "document", "head", "svg"]

VERDICTS: Final = {"holds": ("✓", "#1E6B62"), "does not hold": ("×", "#A40E26"), "not here": ("–", "#52626C")}
"""Mark and colour: white on each of them has a contrast of 5:1 or more."""
_LETTER: Final = 12
_ROW: Final = 22
_GAP: Final = 12
_MARK_PX: Final = 90
PALE: Final = "#C6D6EC"


def svg(claim: ClaimLike, *, width: int = 1000) -> str:
    """Draw a claim as an SVG picture, `width` pixels wide (at least 480) and as high as it needs."""
    sheet = Sheet(max(480, width))
    head(sheet, claim)
    if claim.rows:
        if claim.picture.kind == "curve":
            curve(sheet, claim)
        else:
            _rows(sheet, claim)
        sheet.y += 4
        sheet.lines(key(claim.picture, mark="dot", spread="line through it", line="grey line"), size=11)
    for note in claim.notes:
        sheet.lines(note, size=11)
    sheet.y += 14
    return document(sheet, claim)


def head(sheet: Sheet, claim: ClaimLike) -> None:
    """What is claimed, and what came of it."""
    sheet.y = 8
    sheet.lines(claim.statement, size=15, fill=INK, bold=True)
    mark, colour = VERDICTS[claim.verdict]
    words = f"{mark} {VERDICT_WORDS[claim.verdict]}"
    wide = text_width(words, _LETTER, "bold") + 16
    sheet.y += 10
    sheet.over.append(rect(MARGIN, sheet.y, wide, 20, colour, 'rx="10"'))
    sheet.over.append(label(MARGIN + wide / 2, sheet.y + 14, words, bold=True, fill="#FFFFFF", anchor="middle"))
    sheet.y -= 3
    sheet.lines(claim.sentence, size=13, fill=INK, left=MARGIN + wide + 10)
    sheet.y += 12


def _rows(sheet: Sheet, claim: ClaimLike) -> None:
    """A line for each row: its name, its mark on the axis, and its figure in words."""
    picture, across = claim.picture, sheet.width - 2 * MARGIN
    measured = [row for row in claim.rows if row.median is not None]
    names = max(text_width(name_of(row, picture), _LETTER) for row in claim.rows) + (8 if claim.rows[0].group else 0)
    figures = max((text_width(figure_of(row, picture), _LETTER) for row in measured), default=0)
    left = MARGIN + min(names, across * 0.36) + _GAP
    right = sheet.width - MARGIN - min(figures, across * 0.34) - _GAP
    axis = axis_of(claim, max(2, int((right - left) // _MARK_PX)))
    sheet.y += 14
    top = sheet.y
    places = [(left + axis.share(mark) * (right - left), figure_words(mark, picture.unit)) for mark in axis.marks]
    tick_labels(sheet, places, sheet.y)
    sheet.y += 6
    for group, rows in groupby(claim.rows, key=lambda row: row.group):
        if group:
            sheet.y += 18
            sheet.over.append(label(MARGIN, sheet.y, fitted(group, across, _LETTER), bold=True))
            sheet.y += 4
        for row in rows:
            _row(sheet, claim, row, axis, left, right)
    for x, _ in places:
        sheet.under.append(rect(x, top + 6, 1, sheet.y - top, RULE))
    if picture.level is not None:
        sheet.under.append(rect(left + axis.share(picture.level) * (right - left), top + 6, 2, sheet.y - top, GREY))


def _row(sheet: Sheet, claim: ClaimLike, row: RowLike, axis: Axis, left: float, right: float) -> None:
    middle = sheet.y + _ROW / 2
    indent = 8 if row.group else 0
    name = fitted(name_of(row, claim.picture), left - _GAP - MARGIN - indent, _LETTER)
    sheet.over.append(label(MARGIN + indent, middle + 4, name, fill=INK if row.median is not None else GREY))
    sheet.y += _ROW
    if row.median is None:
        words = fitted(figure_of(row, claim.picture), sheet.width - MARGIN - left, _LETTER)
        sheet.over.append(rect(left, middle - _ROW / 2, text_width(words, _LETTER), _ROW, "#FFFFFF"))
        sheet.over.append(label(left, middle + 4, words, fill=GREY))
        return
    low, median, high = (left + axis.share(value) * (right - left) for value in quartiles(row, row.median))
    height = 1.5 if axis.by_powers else 12
    sheet.over.append(rect(left, middle - height / 2, median - left, height, PALE))
    sheet.over.append(rect(low, middle - 2, max(1, high - low), 4, BLUE, 'rx="2"'))
    sheet.over.append(f'<circle cx="{median:.1f}" cy="{middle:.1f}" r="4.5" fill="{BLUE}"/>')
    words = fitted(figure_of(row, claim.picture), sheet.width - MARGIN - right - _GAP, _LETTER)
    sheet.over.append(label(sheet.width - MARGIN, middle + 4, words, fill=INK, anchor="end"))


def document(sheet: Sheet, claim: ClaimLike) -> str:
    """The picture, with all that it says for who cannot see it."""
    title = f"{one_line(claim.statement, 300)}: {VERDICT_WORDS[claim.verdict]}"
    told = " ".join([f"{title}.", sentence(claim.sentence), *map(sentence, claim.notes)])
    return sheet.document(title, told)
