"""Runs side by side, as bytes for the browser, as text and as a static picture.

It encodes what `compare` found, and decides only how much there is room for: of each run the loop and the first few
worker threads, of the requests those that differ most. What is left out is counted. The lanes travel as timelines of
their own, a set of columns for each run, so that the browser paints them with what paints a timeline.
"""

from array import array
from collections.abc import Iterator
from dataclasses import replace
from textwrap import wrap
from typing import Final

from playground.trace.columns import pack
from playground.views.compare import Compared, Line, Side
from playground.views.kinds import BLOCKED, KINDS
from playground.views.lanes import Arrows, Lanes, Row
from playground.views.packet import LEVEL, encoded
from playground.views.text_rows import loop_row
from playground.views.wording import counted, duration, one_line

__all__ = [
    "MOST_STILL_PAIRS",
    "TITLE",
    "later_words",
    "legend",
    "longest_ns",
    "packed",
    "shown_lanes",
    "summary",
    "text",
]

TITLE: Final = "Comparison"

MOST_WORKERS: Final = 4
"""Worker threads of one run that are drawn: of eight runs, so many still fit on a screen or two."""

MOST_PAIRS: Final = 40
"""Requests that a page draws, a line each: what a reader still scans."""
MOST_STILL_PAIRS: Final = 20
"""Requests that a text or a static picture draws, which stand in a notebook at full length."""

_GUTTER: Final = 26


def packed(compared: Compared, title: str = TITLE) -> bytes:
    """Pack a comparison of two to eight runs for `playground/widgets/src`; `title` is shown above it."""
    lines, rest = compared.drawn(MOST_PAIRS)
    runs = []
    columns: dict[str, array[int]] = {}
    for side in compared.sides:
        laid, left_out = shown_lanes(side.laid)
        header, its_columns = encoded(side.trace, laid, ())
        columns |= {f"{side.letter}.{name}": column for name, column in its_columns.items()}
        runs.append(
            {"letter": side.letter, "mark": side.mark, "name": side.name, "facts": side.facts, "left_out": left_out}
            | {"timeline": header}
        )
    header = {
        "view": "compare",
        "title": title,
        "clock": compared.clock,
        "summary": summary(compared),
        "dropped": sum(side.trace.dropped for side in compared.sides),
        "conclusion": compared.conclusion,
        "notes": compared.notes,
        "runs": runs,
        "pairs": [[line.number, line.label, line.latencies_ns, line.later_ns] for line in lines],
        "rest": rest,
    }
    return pack(header, columns, level=LEVEL)


def summary(compared: Compared) -> str:
    """A line on all runs."""
    return f"{counted(len(compared.sides), 'run')}, {counted(len(compared.lines), 'request')} in common"


def shown_lanes(laid: Lanes) -> tuple[Lanes, str]:
    """The rows that a comparison draws of a run, and what it leaves out."""
    workers = laid.of("worker")
    rows = (laid.rows[0], Row("inside", 0, ""), *workers[:MOST_WORKERS])
    more = len(workers) - MOST_WORKERS
    return replace(laid, rows=rows, arrows=_within(laid.arrows, len(rows))), (
        counted(more, "more worker thread") if more > 0 else ""
    )


def _within(arrows: Arrows, rows: int) -> Arrows:
    """The arrows between the first rows."""
    kept = Arrows()
    columns = (arrows.starts, arrows.ends, arrows.from_rows, arrows.to_rows, arrows.requests)
    for start_ns, end_ns, from_row, to_row, request in zip(*columns, strict=True):
        if from_row < rows and to_row < rows:
            kept.add(start_ns, end_ns, from_row, to_row, request)
    return kept


# -- text -------------------------------------------------------------------------------------------------


def text(compared: Compared, *, width: int = 100) -> str:
    """The whole comparison in lines of `width` characters."""
    lines = [f"{TITLE}: {summary(compared)}", "", *wrap(compared.conclusion, width)]
    for note in compared.notes:
        lines += wrap(f"* {note}", width, subsequent_indent="  ")
    lines += ["", *_loops(compared, width), "", *_table(compared)]
    if compared.lines:
        lines += ["", *_dumbbells(compared, width)]
    return "\n".join(line.rstrip() for line in lines)


def longest_ns(compared: Compared) -> int:
    """The length of the longest run: all lie on one axis."""
    return max(1, *(side.trace.duration_ns for side in compared.sides))


def _loops(compared: Compared, width: int) -> Iterator[str]:
    columns = max(20, width - _GUTTER)
    whole_ns = longest_ns(compared)
    for side in compared.sides:
        end = -(-side.trace.duration_ns * columns // whole_ns)
        body = loop_row(side.laid.rows[0], whole_ns, columns)[:end]
        yield f"{one_line(f'{side.letter} {side.name}', _GUTTER - 2):<{_GUTTER}}{body}{'|' if end < columns else ''}"
    told = f"One column is {duration(round(whole_ns / columns))} for every run; ▁ to █ how busy the loop was"
    blocked = f", {KINDS[BLOCKED].mark} blocked" if any(side.blocked_ns for side in compared.sides) else ""
    yield f"{told}{blocked}."


def _table(compared: Compared) -> Iterator[str]:
    names = list(dict.fromkeys(name for side in compared.sides for name, _ in side.facts))
    rows = [["run", *names]]
    for side in compared.sides:
        facts = dict(side.facts)
        rows.append([one_line(f"{side.letter} {side.name}", _GUTTER - 2), *(facts.get(name, "") for name in names)])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(
            [f"{row[0]:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))]
        )


def _dumbbells(compared: Compared, width: int) -> Iterator[str]:
    lines, rest = compared.drawn(MOST_STILL_PAIRS)
    columns = max(20, width - _GUTTER - 12)
    most_ns = max(1, *(ns for line in lines for ns in line.latencies_ns if ns is not None))
    yield f"How long each request took to be answered, 0 to {duration(most_ns)}: {legend(compared)}"
    for line in lines:
        name = one_line(f"#{line.number} {line.label}", _GUTTER - 2)
        yield f"{name:<{_GUTTER}}{_dumbbell(compared.sides, line, most_ns, columns)} {later_words(line.later_ns):>11}"
    if rest:
        yield rest


def legend(compared: Compared) -> str:
    """Which mark is whose."""
    return ", ".join(f"{side.mark} {side.letter}" for side in compared.sides) + " (on top where they meet)"


def _dumbbell(sides: tuple[Side, ...], line: Line, most_ns: int, columns: int) -> str:
    """The marks of a line, joined; where two fall on one place, the later run's is seen."""
    places = [None if ns is None else round(ns * (columns - 1) / most_ns) for ns in line.latencies_ns]
    known = [place for place in places if place is not None]
    body = [" "] * columns
    body[min(known) : max(known) + 1] = "─" * (max(known) + 1 - min(known))
    for side, place in zip(sides, places, strict=True):
        if place is not None:
            body[place] = side.mark
    return "".join(body)


def later_words(later_ns: int) -> str:
    """A difference with its sign: `-224 ms`, `+1.2 ms`, `0`."""
    if later_ns == 0:
        return "0"
    return f"{'+' if later_ns > 0 else '−'}{duration(abs(later_ns))}"
