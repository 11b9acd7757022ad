"""A run in plain text: a summary line, findings, and a timeline that any terminal shows.

A column of the timeline shows what took most of its time, and the legend says how long a column is. What does
not fit is counted, never dropped in silence. This is also what a notebook shows as `text/plain`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from playground.trace import Trace
from playground.views.choice import left_out, ranked
from playground.views.diagnosis import diagnose
from playground.views.kinds import BLOCKED
from playground.views.lanes import Lanes, Row, lanes
from playground.views.stacked import stack
from playground.views.stacked_text import text as stacked_text
from playground.views.text_rows import LEVELS, axis, legend_lines, loop_row, row_marks
from playground.views.wording import FAILED_MARK, counted, duration, let_go, one_line, summary

__all__ = ["report", "summary", "text"]

_GUTTER: Final = 26
_LEAST_COLUMNS: Final = 20


def report(trace: Trace, *, width: int = 100) -> str:
    """Everything: the summary line, the findings, one a paragraph, and the timeline, or the jobs if it has some."""
    if trace.jobs:
        return stacked_text(stack({trace.title: trace}), title=trace.title, width=width)
    sentences = diagnose(trace).paragraphs(width, bullet="* ")
    return "\n\n".join([f"{one_line(trace.title)}: {summary(trace)}", *sentences, text(trace, width=width)])


def text(trace: Trace, *, width: int = 100, most_lanes: int = 16) -> str:
    """The timeline alone.

    Args:
        width: characters a line, at least 46.
        most_lanes: how many worker threads, and how many requests, are drawn at most; of the requests those
            that blocked the loop, then those that failed, then the longest. Without requests, the same of tasks.
    """
    laid = lanes(trace)
    columns = max(_LEAST_COLUMNS, width - _GUTTER)
    drawn = [*_loop(laid, columns), *_workers(laid, columns, most_lanes), *_requests(laid, columns, most_lanes)]
    lines = [_line("", "", axis(trace.duration_ns, columns)), *drawn, "", *_legend(laid, width), *_foot(trace, columns)]
    return "\n".join(part for line in lines for part in _fitted(line.rstrip(), width))


def _fitted(line: str, width: int) -> list[str]:
    """A line as it is if it fits; only sentences ever do not, and these break at spaces."""
    return [line] if len(line) <= width else wrap(line, width, break_on_hyphens=False)


def _line(name: str, number: str, body: str, mark: str = "") -> str:
    room = _GUTTER - 2 - len(number)
    told = one_line(name, room - len(mark)) + mark
    return f"{told:<{room}} {number} {body}"


# -- rows -----------------------------------------------------------------------------------------------


def _loop(laid: Lanes, columns: int) -> Iterator[str]:
    row = laid.rows[0]
    busy_ns = sum(row.ends) - sum(row.starts)
    share = f"{busy_ns / laid.duration_ns:.0%}" if laid.duration_ns else ""
    yield _line("Event loop", share, loop_row(row, laid.duration_ns, columns))
    if len(laid.rows[1]):
        yield _line("seen inside", "", _named(laid, laid.rows[1], columns))


def _named(laid: Lanes, row: Row, columns: int) -> str:
    """Spans as brackets with their names inside, as far as there is room."""
    line = [" "] * columns
    for start_ns, end_ns, what in zip(row.starts, row.ends, row.whats, strict=True):
        first = min(columns - 1, start_ns * columns // max(1, laid.duration_ns))
        last = max(first, min(columns, end_ns * columns // max(1, laid.duration_ns)) - 1)
        if last - first < 3:
            line[first : last + 1] = "|" * (last + 1 - first)
            continue
        room = last - first - 1
        line[first : last + 1] = f"[{one_line(laid.whats[what].name, room):<{room}}]"
    return "".join(line)


def _workers(laid: Lanes, columns: int, most: int) -> Iterator[str]:
    rows = laid.of("worker")
    for row in rows[:most]:
        yield _line(row.name, "", row_marks(row, laid.duration_ns, columns))
    if len(rows) > most:
        yield f"{counted(len(rows) - most, 'more worker thread')} not drawn."


def _requests(laid: Lanes, columns: int, most: int) -> Iterator[str]:
    order = ranked(laid)
    drawn = {request: Row("request", 0, "") for request in order[:most]}
    states = laid.of("request")
    lives = ((row.lane, zip(row.starts, row.ends, row.requests, strict=True)) for row in laid.of("life"))
    found = sorted((*life, lane) for lane, row in lives for life in row if life[2] in drawn)
    for start_ns, end_ns, request, lane in found:
        _take(drawn[request], states[lane], start_ns, end_ns, request)
        body = row_marks(drawn[request], laid.duration_ns, columns)
        facts = laid.requests[request]
        mark = f" {FAILED_MARK} {facts.failure}" if facts.failure else ""
        yield _line(facts.label, duration(end_ns - start_ns), body, mark)
    if rest := order[most:]:
        yield f"{counted(len(rest), f'more {laid.noun}')} not drawn ({left_out(laid, rest)})."


def _take(into: Row, row: Row, start_ns: int, end_ns: int, request: int) -> None:
    """Take over what a request did from its lane, where it lived from one moment to another."""
    first, stop = bisect_left(row.starts, start_ns), bisect_right(row.starts, end_ns)
    columns = (row.starts, row.ends, row.kinds, row.whats, row.requests)
    for span in zip(*(column[first:stop] for column in columns), strict=True):
        if span[4] == request:
            into.add(*span)


# -- legend ---------------------------------------------------------------------------------------------


def _legend(laid: Lanes, width: int) -> Iterator[str]:
    occurring = {kind for row in laid.rows if row.group in ("worker", "request") for kind in set(row.kinds)}
    occurring |= set(laid.rows[0].kinds) & {BLOCKED}
    entries = [f"{LEVELS[0]} to {LEVELS[-1]} how busy the loop was"]
    entries += [f"{laid.kinds[kind].mark} {laid.kinds[kind].words}" for kind in sorted(occurring)]
    if any(request.failure for request in laid.requests):
        entries.append(f"{FAILED_MARK} {laid.failed_words}")
    return legend_lines(entries, width)


def _foot(trace: Trace, columns: int) -> Iterator[str]:
    clock = " of virtual time" if trace.clock == "virtual" else ""
    width_ns = round(trace.duration_ns / columns)
    yield f"One column is {duration(width_ns)}{clock} and shows what took most of it."
    if trace.dropped:
        yield f"The recorder dropped {let_go(trace)}: they are missing here."
