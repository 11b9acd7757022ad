"""The web benchmark in plain text: a table, a way of a framework in a line, both pages beside each other.

It lays out who stands where, for the picture in `benchmark_svg` too. What was measured, and what may be said of it, was
decided before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final, Literal, Protocol

from playground.views.claims import VERDICT_WORDS, ClaimLike, RowLike, judgement
from playground.views.claims_axis import figure_words
from playground.views.wording import one_line

__all__ = ["HEADINGS", "AnswersLike", "BenchmarkLike", "Line", "lines_of", "said_of", "shown", "text", "times"]

_PAGES: Final = ("hello", "io")
HEADINGS: Final = ("a page that does nothing", "a page that waits for 20 ms")
"""In the order in which a line has its pages."""
_COLUMNS: Final = ("a second", "CPU", "median", "99th")
_NAME: Final = 26
_CELL: Final = 10
_PAGE: Final = len(_COLUMNS) * _CELL
_MOST_LETTERS: Final = 2000
_BESIDE: Final = "no async methods"


class AnswersLike(RowLike, Protocol):
    """How one page of one way was answered: see `Answers` of the claims."""

    @property
    def page(self) -> Literal["hello", "io"]: ...
    @property
    def cpu_ns(self) -> float | None: ...
    @property
    def half_ns(self) -> float | None: ...
    @property
    def late_ns(self) -> float | None: ...


class BenchmarkLike(ClaimLike, Protocol):
    """What came of the benchmark: see `WebBenchmark` of the claims."""

    @property
    def rows(self) -> Sequence[AnswersLike]: ...
    @property
    def verdicts(self) -> Mapping[str, Literal["holds", "does not hold", "not here"]]: ...
    @property
    def sentences(self) -> Mapping[str, str]: ...
    @property
    def beside(self) -> frozenset[str]: ...
    @property
    def absent(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One way of a framework.

    Attributes:
        name: what it is called.
        pages: what was measured of each page, in the order of `HEADINGS`; `None` for a page that it lacks.
        lacking: why nothing was measured; empty if it was.
    """

    name: str
    pages: tuple[AnswersLike | None, AnswersLike | None]
    lacking: str


def shown(claim: BenchmarkLike) -> list[str]:
    """The frameworks that have something to show; what is not installed stands in the sentence above all."""
    return [framework for framework in claim.verdicts if framework not in claim.absent]


def said_of(claim: BenchmarkLike, framework: str) -> str:
    """What stands beside a framework's name: its verdict, or that it has no part in the claim."""
    return _BESIDE if framework in claim.beside else VERDICT_WORDS[claim.verdicts[framework]]


def lines_of(claim: BenchmarkLike, framework: str) -> list[Line]:
    """The ways of a framework, in the order of the rows."""
    ways: dict[str, dict[str, AnswersLike]] = {}
    for row in claim.rows:
        if row.group == framework:
            ways.setdefault(row.name, {})[row.page] = row
    lines = []
    for name, rows in ways.items():
        measured = {page: row for page, row in rows.items() if row.median is not None}
        lacking = "" if measured else next(iter(rows.values())).note
        lines.append(Line(name, (measured.get(_PAGES[0]), measured.get(_PAGES[1])), lacking))
    return lines


def times(row: AnswersLike) -> tuple[str, str, str]:
    """Processor time per answer, and the median and the 99th percentile of how long they took, in words."""
    known = (row.cpu_ns, row.half_ns, row.late_ns)
    cpu, half, late = ("" if value is None else figure_words(float(f"{value:.2g}"), "ns") for value in known)
    return cpu, half, late


def text(claim: BenchmarkLike, *, width: int = 108) -> str:
    """All of the benchmark in lines of about `width` characters."""
    lines = wrap(f"Claim: {one_line(claim.statement, _MOST_LETTERS)}", width)
    lines += wrap(judgement(claim), width)
    is_measured = any(row.median is not None for row in claim.rows)
    if is_measured:
        lines += ["", " " * _NAME + "".join(f"{f'answers of {heading}':>{_PAGE}}" for heading in HEADINGS)]
        lines.append(" " * _NAME + "".join(f"{column:>{_CELL}}" for column in _COLUMNS) * len(HEADINGS))
    for framework in shown(claim):
        lines += _framework(claim, framework, width)
    if is_measured:
        lines += ["", *wrap(_KEY, width)]
    for note in claim.notes:
        lines += wrap(f"* {one_line(note, _MOST_LETTERS)}", width, subsequent_indent="  ")
    return "\n".join(line.rstrip() for line in lines)


_KEY: Final = (
    "A second: answers a second, the median of the rounds; CPU: processor time per answer; median, 99th: the median "
    "and the 99th percentile of the time until an answer came."
)


def _framework(claim: BenchmarkLike, framework: str, width: int) -> Iterator[str]:
    yield f"{framework}: {said_of(claim, framework)}"
    for line in lines_of(claim, framework):
        name = f"  {one_line(line.name, _NAME - 3):<{_NAME - 2}}"
        if line.lacking:
            yield f"{name}{one_line(line.lacking, width - _NAME)}"
        else:
            yield name + "".join(_cells(page) for page in line.pages)
    for part in wrap(one_line(claim.sentences[framework], _MOST_LETTERS), width - 4):
        yield f"    {part}"


def _cells(row: AnswersLike | None) -> str:
    if row is None or row.median is None:
        return " " * _PAGE
    rate = figure_words(float(f"{row.median:.3g}"), "count")
    return "".join(f"{cell:>{_CELL}}" for cell in (rate, *times(row)))
