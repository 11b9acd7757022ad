"""Ways to run the same jobs in plain text: a paragraph for each, with its lanes on the axis of the longest.

A column of a lane shows what took most of its time. The more ways there are, the fewer lanes of each are drawn; what
does not fit is counted.
"""

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from playground.views.stacked import TITLE, Stack, Way
from playground.views.text_rows import axis, legend_lines, row_marks
from playground.views.wording import FAILED_MARK, counted, duration, one_line

__all__ = ["text"]

_GUTTER: Final = 20
_LEAST_COLUMNS: Final = 20
# Lines of all lanes together: a screenful or two. Of a single way more than half of them would be repetition.
_LINES: Final = 84
_MOST_LANES: Final = 42
_LEAST_LANES: Final = 3


def text(stacked: Stack, *, title: str = TITLE, width: int = 100) -> str:
    """All of it, in lines of `width` characters, at least 46."""
    columns = max(_LEAST_COLUMNS, width - _GUTTER)
    most = max(_LEAST_LANES, min(_MOST_LANES, _LINES // max(1, len(stacked.ways))))
    lines = [f"{one_line(title)}: {stacked.summary}", "", _line("", axis(stacked.duration_ns, columns))]
    for way in stacked.ways:
        lines += ["", *_way(way, stacked, columns, most, width)]
    lines += ["", *_legend(stacked, width), f"One column is {duration(round(stacked.duration_ns / columns))}."]
    return "\n".join(part for line in lines for part in _fitted(line.rstrip(), width))


def _fitted(line: str, width: int) -> list[str]:
    """A line as it is if it fits; only sentences ever do not, and these break at spaces."""
    return [line] if len(line) <= width else wrap(line, width)


def _line(name: str, body: str) -> str:
    return f"{one_line(name, _GUTTER - 2):<{_GUTTER - 1}} {body}"


def _way(way: Way, stacked: Stack, columns: int, most: int, width: int) -> Iterator[str]:
    if len(stacked.ways) > 1:
        yield f"{way.name}: {way.told}"
    yield from (f"{FAILED_MARK} {words}" for words in way.troubles)
    last = ""
    for row in way.rows[:most]:
        yield _line(row.name if row.name != last else "", row_marks(row, stacked.duration_ns, columns))
        last = row.name
    rest = len(way.rows) - most + way.left_out if len(way.rows) > most else way.left_out
    if rest:
        yield _line("", f"{counted(rest, 'more lane')} not drawn.")


def _legend(stacked: Stack, width: int) -> Iterator[str]:
    laid = stacked.laid
    occurring = sorted({kind for way in stacked.ways for row in way.rows for kind in set(row.kinds)})
    if occurring:
        yield from legend_lines([f"{laid.kinds[kind].mark} {laid.kinds[kind].words}" for kind in occurring], width)
