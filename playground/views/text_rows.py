"""The lines of pictures in plain text: an axis, the loop's row, and a legend, a character for each stretch of time.

It knows how these look in characters. What stands above and below them, and how many columns there are, is decided by
those who draw: `text`, `comparison` and `waterfall_text`.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from playground.views.kinds import BLOCKED, KINDS
from playground.views.lanes import Row
from playground.views.scale import cells, marks
from playground.views.wording import duration

__all__ = ["LEVELS", "axis", "legend_lines", "loop_row", "row_marks"]

LEVELS: Final = "▁▂▃▄▅▆▇█"
"""How busy the loop was in a column, from hardly to all of it."""
_MARK_COLUMNS: Final = 12
_ALL: Final = frozenset(range(len(KINDS)))


def axis(duration_ns: int, columns: int) -> str:
    """The marks of an axis, each where its moment is."""
    line = [" "] * columns
    for moment in marks(duration_ns, max(1, columns // _MARK_COLUMNS)):
        at = moment * columns // max(1, duration_ns)
        label = f"|{duration(moment)}"
        if at + len(label) <= columns:
            line[at : at + len(label)] = label
    return "".join(line)


def loop_row(row: Row, duration_ns: int, columns: int) -> str:
    """How busy the loop was in each column, and where it was blocked for most of one."""
    shares = cells(row, duration_ns, columns)
    body = []
    for column in range(columns):
        busy = sum(shares.share(kind, column) for kind in shares.of)
        if shares.share(BLOCKED, column) > 0.5:
            body.append(KINDS[BLOCKED].mark)
        else:
            body.append(LEVELS[min(7, int(busy * 8))] if busy else " ")
    return "".join(body)


def row_marks(row: Row, duration_ns: int, columns: int) -> str:
    """For each column the mark of what took most of it."""
    most = cells(row, duration_ns, columns).most(_ALL)
    return "".join(" " if kind is None else KINDS[kind].mark for kind in most)


def legend_lines(entries: Iterable[str], width: int) -> Iterator[str]:
    """The entries of a legend, as many in a line as `width` characters hold; none is broken."""
    line = ""
    for entry in entries:
        if line and len(line) + 3 + len(entry) > width:
            yield line
            line = entry
        else:
            line = f"{line}   {entry}" if line else entry
    yield line
