"""A claim in plain text: what is claimed, what came of it, and its figures as a picture of characters.

It knows rows with a median and two quartiles, wherever they come from. What a row is, and whether the claim holds, was
decided by who measured it; what was not measured is shown as that.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, Literal, Protocol

from playground.views.claims_axis import Axis, UnitName, axis_by_powers, axis_from_zero, figure_words
from playground.views.line_breaks import sentence, wrapped
from playground.views.wording import one_line

__all__ = [
    "VERDICT_WORDS",
    "ClaimLike",
    "RowLike",
    "axis_of",
    "figure_of",
    "judgement",
    "key",
    "name_of",
    "quartiles",
    "text",
]

VERDICT_WORDS: Final = {"holds": "holds", "does not hold": "does not hold", "not here": "cannot be told here"}
"""How a verdict reads on a screen."""
_GUTTER: Final = 30
_LEAST_COLUMNS: Final = 20
_MARK_COLUMNS: Final = 9


class RowLike(Protocol):
    """One thing that was measured: see `Measured` of the claims."""

    @property
    def name(self) -> str: ...
    @property
    def median(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def group(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def at(self) -> float | None: ...


class PictureLike(Protocol):
    """How rows are drawn: see `Picture` of the claims."""

    @property
    def kind(self) -> Literal["ladder", "bars", "curve"]: ...
    @property
    def unit(self) -> UnitName: ...
    @property
    def axis(self) -> str: ...
    @property
    def along(self) -> str: ...
    @property
    def along_unit(self) -> UnitName: ...
    @property
    def level(self) -> float | None: ...


class ClaimLike(Protocol):
    """What came of a claim: see `Claim` of the claims."""

    @property
    def statement(self) -> str: ...
    @property
    def verdict(self) -> Literal["holds", "does not hold", "not here"]: ...
    @property
    def sentence(self) -> str: ...
    @property
    def rows(self) -> Sequence[RowLike]: ...
    @property
    def picture(self) -> PictureLike: ...
    @property
    def notes(self) -> Sequence[str]: ...


def axis_of(claim: ClaimLike, at_most: int) -> Axis:
    """The axis that all figures of a claim lie on, with about so many marks."""
    picture = claim.picture
    values = [value for row in claim.rows for value in (row.low, row.median, row.high) if value is not None]
    if picture.level is not None:
        values.append(picture.level)
    return (axis_by_powers if picture.kind == "ladder" else axis_from_zero)(values, picture.unit, at_most)


def name_of(row: RowLike, picture: PictureLike) -> str:
    """What stands left of a row: of a point, where it lies along its curve."""
    return one_line(row.name) if row.at is None else figure_words(row.at, picture.along_unit)


def figure_of(row: RowLike, picture: PictureLike) -> str:
    """What stands right of a row: its figure and its note; the note alone where nothing was measured."""
    told = [] if row.median is None else [figure_words(row.median, picture.unit)]
    return " · ".join([*told, *([one_line(row.note, 120)] if row.note else [])])


def quartiles(row: RowLike, median: float) -> tuple[float, float, float]:
    """First quartile, median and third; the median for a quartile that is not known."""
    return median if row.low is None else row.low, median, median if row.high is None else row.high


def key(picture: PictureLike, *, mark: str, spread: str, line: str) -> str:
    """What the picture shows, in a sentence under it."""
    scale = ", logarithmic scale" if picture.kind == "ladder" else ", from zero"
    along = f", against {picture.along}" if picture.kind == "curve" else ""
    level = "" if picture.level is None else f", {line}: {figure_words(picture.level, picture.unit)}"
    axis = f"{picture.axis[:1].upper()}{picture.axis[1:]}{along}{scale}"
    rounds = "" if picture.unit == "count" else f"; {mark}: median, {spread}: the middle half"
    return f"{axis}{rounds}{level}."


def judgement(claim: ClaimLike) -> str:
    """The verdict and why, in sentences."""
    verdict = "Cannot be told here" if claim.verdict == "not here" else f"Here: {VERDICT_WORDS[claim.verdict]}"
    return f"{verdict}. {sentence(claim.sentence)}"


def text(claim: ClaimLike, *, width: int = 100) -> str:
    """All of a claim in lines of about `width` characters."""
    lines = wrapped(f"Claim: {claim.statement}", width)
    lines += wrapped(judgement(claim), width)
    if claim.rows:
        lines += ["", *_drawn(claim, width), ""]
        lines += wrapped(key(claim.picture, mark="●", spread="├ to ┤", line="┊"), width)
    for note in claim.notes:
        lines += wrapped(f"* {note}", width, "  ")
    return "\n".join(line.rstrip() for line in lines)


def _drawn(claim: ClaimLike, width: int) -> Iterator[str]:
    picture = claim.picture
    told = max(len(figure_of(row, picture)) for row in claim.rows)
    columns = max(_LEAST_COLUMNS, width - _GUTTER - 2 - min(told, width // 3))
    axis = axis_of(claim, max(1, columns // _MARK_COLUMNS))
    yield " " * _GUTTER + _axis_line(axis, picture.unit, columns)
    for group, rows in groupby(claim.rows, key=lambda row: row.name if row.at is not None else row.group):
        if group:
            yield one_line(group)
        for row in rows:
            name = one_line(name_of(row, picture), _GUTTER - 4)
            body = _row_body(row, axis, columns, picture.level)
            yield f"{f'  {name}' if group else name:<{_GUTTER}}{body:<{columns}}  {figure_of(row, picture)}"


def _axis_line(axis: Axis, unit: UnitName, columns: int) -> str:
    line = [" "] * columns
    free = 0
    for mark in axis.marks:
        at, words = round(axis.share(mark) * (columns - 1)), figure_words(mark, unit)
        fits = at + len(words) < columns
        start = at if fits else at - len(words)  # the last one may stand left of its place
        if start >= free:
            line[start : start + len(words) + 1] = f"|{words}" if fits else f"{words}|"
            free = start + len(words) + 2
    return "".join(line)


def _row_body(row: RowLike, axis: Axis, columns: int, level: float | None) -> str:
    """A mark between its quartiles, on an axis from zero at the end of a bar."""
    if row.median is None:
        return ""
    low, median, high = (round(axis.share(value) * (columns - 1)) for value in quartiles(row, row.median))
    line = [" "] * columns
    if level is not None:
        line[round(axis.share(level) * (columns - 1))] = "┊"
    if not axis.by_powers:
        line[:low] = "█" * low
    line[low : high + 1] = "─" * (high + 1 - low)
    line[low], line[high] = "├", "┤"
    line[median] = "●"
    return "".join(line)
