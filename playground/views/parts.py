"""Which part of an app ran, moment by moment: its handlers, or what is around them.

A step belongs to the innermost span that was open just then in its own task. A task that was made within a span
works for that span, unless it has come to spans of its own (a middleware that runs the app inside in another
task). Where a request has no spans, nothing is said of its parts.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from playground.trace import SpanKind, Trace
from playground.trace.tables import NO_INT, WORDS
from playground.views.bulk import numbers
from playground.views.kinds import FRAME, RUN
from playground.views.layers import Line, Stay, line

__all__ = ["Parts", "Piece"]

_KIND_OF: Final[dict[SpanKind, int]] = {
    "middleware": FRAME,
    "routing": FRAME,
    "dependency": RUN,  # the user's own, as the handler is; so is what a response streams and does afterwards
    "handler": RUN,
    "response": RUN,
}
_KINDS: Final = [_KIND_OF[kind] for kind in WORDS["SpanKind"]]  # type: ignore[index]

Piece = tuple[int, int, int]
"""Start and end of what was run, and its kind."""


class Parts:
    """What the tasks of a recording ran for their requests.

    Attributes:
        told: the requests that have spans, as indexes.
    """

    def __init__(self, trace: Trace) -> None:
        requests = numbers(trace, "spans", "request")
        self.told = {request - 1 for request in set(requests)}
        count = len(trace.tasks) + 1
        self._outside = [RUN] * count  # by the task's pointer
        self._lines: list[Line[int] | None] = [None] * count
        if not self.told:
            return
        for task, request in trace.request_of.items():
            if request in self.told:
                self._outside[task + 1] = FRAME
        self._draw(trace)

    def _draw(self, trace: Trace) -> None:
        """Parents come before their children."""
        fields = (numbers(trace, "spans", field) for field in ("task", "start_ns", "end_ns", "kind"))
        stays: dict[int, list[Stay[int]]] = defaultdict(list)
        for task, start_ns, end_ns, kind in zip(*fields, strict=True):
            if task:
                stays[task].append(Stay(start_ns, None if end_ns == NO_INT else end_ns, _KINDS[kind]))
        lines = self._lines
        tasks = zip(numbers(trace, "tasks", "parent"), numbers(trace, "tasks", "created_ns"), strict=True)
        for task, (parent, created_ns) in enumerate(tasks, 1):
            above = lines[parent]
            made_in = None if above is None else above.at(created_ns)
            if task in stays or made_in is not None:
                lines[task] = line(stays.get(task, ()), made_in)

    def pieces(self, task: int | None, start_ns: int, end_ns: int) -> Iterator[Piece]:
        """What a task ran from `start_ns` to `end_ns`: start, end and kind of each piece, in order."""
        pointer = 0 if task is None else task + 1
        found, outside = self._lines[pointer], self._outside[pointer]
        yield from [(start_ns, end_ns, outside)] if found is None else _cut(found, outside, start_ns, end_ns)

    def of_steps(
        self, tasks: Sequence[int], starts: Sequence[int], ends: Sequence[int]
    ) -> tuple[list[int], dict[int, list[Piece]]]:
        """What each of many steps ran.

        Args:
            tasks: pointers to their tasks.
            starts, ends: when they began and ended, in nanoseconds.

        Returns:
            the kind of each step, and by their indexes the pieces of those that ran several kinds.
        """
        lines, outside = self._lines, self._outside
        kinds, cuts = [outside[task] for task in tasks], {}
        for step, task in enumerate(tasks if self.told else ()):
            if (found := lines[task]) is not None:
                pieces = _cut(found, outside[task], starts[step], ends[step])
                kinds[step] = pieces[0][2]
                if len(pieces) > 1:
                    cuts[step] = pieces
        return kinds, cuts


def _cut(found: Line[int], outside: int, start_ns: int, end_ns: int) -> list[Piece]:
    """The pieces of a stretch, neighbours of one kind made one; `outside` is the kind of what was in no span."""
    times, kinds = found.times, found.values
    at = bisect_right(times, start_ns)
    kind = kinds[at - 1]
    kind = outside if kind is None else kind
    pieces: list[Piece] = []
    while at < len(times) and times[at] < end_ns:
        following = kinds[at]
        following = outside if following is None else following
        if following != kind:
            moment_ns = int(times[at])
            pieces.append((start_ns, moment_ns, kind))
            start_ns, kind = moment_ns, following
        at += 1
    pieces.append((start_ns, end_ns, kind))
    return pieces
