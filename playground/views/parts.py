"""Which part of an app ran, moment by moment: its handlers, or what is around them.

A step belongs to the innermost span that was open just then in its own task. A task that was made within a span
works for that span, unless it has come to spans of its own (a middleware that runs the app inside in another
task). Where a request has no spans, nothing is said of its parts.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from playground.trace import SpanKind, Trace
from playground.views.kinds import FRAME, RUN
from playground.views.layers import Line, Stay, line

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
        spans_of: dict[int, list[Stay[int]]] = defaultdict(list)
        for span in trace.spans:
            if span.task is not None:
                spans_of[span.task].append(Stay(span.start_ns, span.end_ns, _KIND_OF[span.kind]))
        self._lines: dict[int, Line[int]] = {}
        for index, task in enumerate(trace.tasks if trace.spans else ()):  # parents come before their children
            made_in = None if task.parent is None else self._at(task.parent, task.created_ns)
            if index in spans_of or made_in is not None:
                self._lines[index] = line(spans_of[index], made_in)

    def pieces(self, task: int | None, start_ns: int, end_ns: int) -> Iterator[tuple[int, int, int]]:
        """What a task ran from `start_ns` to `end_ns`: start, end and kind of each piece, in order."""
        outside = FRAME if task is not None and self._request_of.get(task) in self._told else RUN
        if task is None or task not in self._lines:
            yield start_ns, end_ns, outside
            return
        yield from _joined(self._lines[task].pieces(start_ns, end_ns), outside)

    def _at(self, task: int, moment_ns: int) -> int | None:
        return self._lines[task].at(moment_ns) if task in self._lines else None


def _joined(pieces: Iterable[tuple[int, int, int | None]], outside: int) -> Iterator[tuple[int, int, int]]:
    """The pieces, each of a kind, neighbours of one kind made one."""
    for kind, run in groupby(pieces, key=lambda piece: outside if piece[2] is None else piece[2]):
        joined = list(run)
        yield joined[0][0], joined[-1][1], kind
