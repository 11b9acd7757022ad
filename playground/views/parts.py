"""Which part of an app ran, moment by moment: its handlers, or what is around them.

A step belongs to the innermost span that was open just then in its own task. A task that was made within a span
works for that span, unless it has come to spans of its own (a middleware that runs the app inside in another
task). Where a request has no spans, nothing is said of its parts.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

from playground.trace import Span, SpanKind, Trace
from playground.views.kinds import FRAME, RUN

__all__ = ["Parts"]

_KIND_OF: Final[dict[SpanKind, int]] = {
    "middleware": FRAME,
    "routing": FRAME,
    "dependency": RUN,  # the user's own, as the handler is; so is what a response streams and does afterwards
    "handler": RUN,
    "response": RUN,
}


class Parts:
    """What the tasks of a recording ran for their requests."""

    def __init__(self, trace: Trace) -> None:
        self._request_of = trace.request_of
        self._told = {span.request for span in trace.spans}
        spans_of: dict[int, list[Span]] = defaultdict(list)
        for span in trace.spans:
            if span.task is not None:
                spans_of[span.task].append(span)
        self._lines: dict[int, tuple[list[float], list[int | None]]] = {}
        for index, task in enumerate(trace.tasks if trace.spans else ()):  # parents come before their children
            made_in = None if task.parent is None else self._at(task.parent, task.created_ns)
            if index in spans_of or made_in is not None:
                self._lines[index] = _line(spans_of[index], made_in)

    def pieces(self, task: int | None, start_ns: int, end_ns: int) -> Iterator[tuple[int, int, int]]:
        """What a task ran from `start_ns` to `end_ns`: start, end and kind of each piece, in order."""
        outside = FRAME if task is not None and self._request_of.get(task) in self._told else RUN
        if task is None or task not in self._lines:
            yield start_ns, end_ns, outside
            return
        times, kinds = self._lines[task]
        first = bisect_right(times, start_ns) - 1
        last = max(first, bisect_right(times, end_ns, lo=first + 1) - 1)
        if last > first and times[last] == end_ns:
            last -= 1
        edges = [start_ns, *(int(time) for time in times[first + 1 : last + 1]), end_ns]
        yield from _joined(edges, [outside if kind is None else kind for kind in kinds[first : last + 1]])

    def _at(self, task: int, moment_ns: int) -> int | None:
        if task not in self._lines:
            return None
        times, kinds = self._lines[task]
        return kinds[bisect_right(times, moment_ns) - 1]


def _joined(edges: Sequence[int], kinds: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """The pieces between these edges, neighbours of one kind made one."""
    began = edges[0]
    for end, kind, following in zip(edges[1:], kinds, [*kinds[1:], None], strict=True):
        if kind != following:
            yield began, end, kind
            began = end


def _line(spans: Sequence[Span], made_in: int | None) -> tuple[list[float], list[int | None]]:
    """A task's moments of change, and what it runs from each on; the first is before all time."""
    times: list[float] = [-inf]
    kinds: list[int | None] = [made_in]
    within: list[tuple[float, int]] = []  # the spans that are open: end and kind
    for span in spans:
        _close(within, span.start_ns, times, kinds)
        within.append((inf if span.end_ns is None else span.end_ns, _KIND_OF[span.kind]))
        _turn(times, kinds, span.start_ns, within[-1][1])
    _close(within, inf, times, kinds)
    return times, kinds


def _close(within: list[tuple[float, int]], until: float, times: list[float], kinds: list[int | None]) -> None:
    """Leave the spans that are over by then."""
    while within and within[-1][0] <= until and within[-1][0] < inf:
        ended = within.pop()[0]
        _turn(times, kinds, ended, within[-1][1] if within else kinds[0])


def _turn(times: list[float], kinds: list[int | None], at: float, kind: int | None) -> None:
    """From this moment on, run that: what began at the same moment has not lasted."""
    if at > times[-1]:
        times.append(at)
        kinds.append(kind)
    else:
        kinds[-1] = kind
