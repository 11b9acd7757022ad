"""A request's waterfall in plain text: what a terminal shows, and a notebook as `text/plain`.

It draws what `waterfall` laid out, a character for each stretch of time, which shows what took most of it.
"""

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from playground.views.findings import plain
from playground.views.lanes import Row
from playground.views.scale import cells
from playground.views.text_rows import axis, legend_lines
from playground.views.waterfall import Waterfall, part_words, percent
from playground.views.waterfall_lanes import Lane
from playground.views.waterfall_words import LOOKS, MESSAGE
from playground.views.wording import FAILED_MARK, duration, one_line

__all__ = ["waterfall_text"]

_GUTTER: Final = 46
_LEAST_COLUMNS: Final = 20
_MESSAGE_MARK: Final = "o"
_ALL: Final = frozenset(range(MESSAGE + 1))
_EDGE: Final = "|"


def waterfall_text(fall: Waterfall, *, width: int = 100) -> str:
    """A waterfall in lines of at most `width` characters (at least 66)."""
    columns = max(_LEAST_COLUMNS, width - _GUTTER)
    failed = f" {FAILED_MARK} {fall.failure}" if fall.failure else ""
    head = [f"{fall.title}: {fall.summary}{failed}", *wrap(plain(fall.sentence), width), ""]
    drawn = [
        " " * _GUTTER + axis(fall.duration_ns, columns),
        *(_lane(lane, fall.duration_ns, columns) for lane in fall.lanes),
    ]
    lines = [*head, *drawn, "", *_legend(fall, width), "", *_shares(fall, width), ""]
    for term, words in fall.scope:
        lines += wrap(f"{term}: {one_line(words, 300)}", width, subsequent_indent="  ")
    for note in fall.notes:
        lines += wrap(note, width)
    return "\n".join(line.rstrip() for line in lines)


def _lane(lane: Lane, duration_ns: int, columns: int) -> str:
    room = _GUTTER - len(lane.aside) - 2
    indent = "  " * min(lane.depth, room // 4)
    name = indent + one_line(lane.name, room - len(indent))
    row = Row("request", 0, "")
    for bar in lane.bars:
        row.add(bar.start_ns, bar.end_ns, bar.look, 0, None)
    line = [" "] * columns
    if lane.group == "layer":
        first, last = (_cell(at_ns, duration_ns, columns) for at_ns in (lane.start_ns, lane.end_ns))
        line[first] = line[last] = _EDGE
    for cell, look in enumerate(cells(row, duration_ns, columns).most(_ALL)):
        if look is not None:
            line[cell] = _MESSAGE_MARK if look == MESSAGE else LOOKS[look].mark
    return f"{name:<{room}} {lane.aside} {''.join(line)}"


def _cell(at_ns: int, duration_ns: int, columns: int) -> int:
    return min(columns - 1, at_ns * columns // max(1, duration_ns))


def _legend(fall: Waterfall, width: int) -> Iterator[str]:
    looks = {bar.look for lane in fall.lanes for bar in lane.bars}
    entries = [f"{LOOKS[look].mark} {LOOKS[look].words}" for look in sorted(looks - {MESSAGE})]
    return legend_lines([f"{_MESSAGE_MARK} a message or more", *entries], width)


def _shares(fall: Waterfall, width: int) -> Iterator[str]:
    yield f"Where the {duration(fall.duration_ns)} went:"
    for share in fall.shares:
        line = f"  {duration(share.ns):>9}  {percent(share.ns, fall.duration_ns):>4}  {part_words(share)}"
        yield from wrap(line, width, subsequent_indent=" " * 19) if len(line) > width else [line]
