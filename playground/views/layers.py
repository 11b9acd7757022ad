"""Which span a task was in, moment by moment: the innermost that was open just then in its own task.

A task that was made within a span works for that span, unless it has come to spans of its own (a middleware that runs
the app inside in another task). It knows when spans are open, and nothing of what is in them.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Generic, NamedTuple, TypeVar

from playground.trace import Span, Trace
from playground.trace.table import column

__all__ = ["Layers", "Line", "Stay", "line"]

T = TypeVar("T")


class Stay(NamedTuple, Generic[T]):
    """Something was in from a moment to another; to the end of time, if that is `None`."""

    start_ns: int
    end_ns: int | None
    value: T


class Line(Generic[T]):
    """What a task was in.

    Attributes:
        times: moments of change, the first before all time.
        values: what it is in from each on, `None` for nothing.
    """

    def __init__(self, times: list[float], values: list[T | None]) -> None:
        self.times = times
        self.values = values

    def at(self, moment_ns: int) -> T | None:
        """What it was in at a moment; `None` for nothing."""
        return self.values[bisect_right(self.times, moment_ns) - 1]

    def pieces(self, start_ns: int, end_ns: int) -> Iterator[tuple[int, int, T | None]]:
        """What it was in from `start_ns` to `end_ns`: start, end and value of each piece, in order."""
        times = self.times
        first = bisect_right(times, start_ns) - 1
        last = max(first, bisect_right(times, end_ns, lo=first + 1) - 1)
        if last > first and times[last] == end_ns:
            last -= 1
        edges = [start_ns, *(int(time) for time in times[first + 1 : last + 1]), end_ns]
        yield from zip(edges, edges[1:], self.values[first : last + 1], strict=False)


def line(stays: Iterable[Stay[T]], before: T | None) -> Line[T]:
    """What a task was in, from stays one within the other or one after the other, in order of their starts.

    Args:
        before: what it is in where it is in none of them.
    """
    times: list[float] = [-inf]
    values: list[T | None] = [before]
    within: list[tuple[float, T]] = []  # what is open: end and value
    for stay in stays:
        _close(within, stay.start_ns, times, values)
        within.append((inf if stay.end_ns is None else stay.end_ns, stay.value))
        _turn(times, values, stay.start_ns, stay.value)
    _close(within, inf, times, values)
    return Line(times, values)


def _close(within: list[tuple[float, T]], until: float, times: list[float], values: list[T | None]) -> None:
    """Leave what is over by then."""
    while within and within[-1][0] <= until and within[-1][0] < inf:
        ended = within.pop()[0]
        _turn(times, values, ended, within[-1][1] if within else values[0])


def _turn(times: list[float], values: list[T | None], at: float, value: T | None) -> None:
    """From this moment on, that: what began at the same moment has not lasted."""
    if at > times[-1]:
        times.append(at)
        values.append(value)
    else:
        values[-1] = value


class Layers:
    """The spans of one request.

    Args:
        request: an index into `trace.requests`.
        tasks: those that worked for it, parents before their children.

    Attributes:
        spans: its spans by their indexes in `trace.spans`, in order.
        depth: how deep each lies; 0 for the outermost.
        task: in which task each was, if that is known.
    """

    def __init__(self, trace: Trace, request: int, tasks: Sequence[int]) -> None:
        owners = column(trace.spans, "spans", "request")
        self.spans: dict[int, Span] = {
            index: trace.spans[index] for index, owner in enumerate(owners) if owner == request + 1
        }
        self.depth: dict[int, int] = {}
        for index, span in self.spans.items():  # parents come before their children
            self.depth[index] = 0 if span.parent is None else self.depth.get(span.parent, -1) + 1
        stays: dict[int | None, list[Stay[int]]] = defaultdict(list)
        for index, span in self.spans.items():
            stays[span.task].append(Stay(span.start_ns, span.end_ns, index))
        self._lines: dict[int, Line[int]] = {}
        for task in tasks:
            row = trace.tasks[task]
            made_in = self._lines[row.parent].at(row.created_ns) if row.parent in self._lines else None
            self._lines[task] = line(stays[task], made_in)

    def pieces(self, task: int | None, start_ns: int, end_ns: int) -> Iterator[tuple[int, int, int | None]]:
        """Which span a task was in from `start_ns` to `end_ns`: start, end and span of each piece, in order."""
        if task is None or task not in self._lines:
            return iter([(start_ns, end_ns, None)])
        return self._lines[task].pieces(start_ns, end_ns)
