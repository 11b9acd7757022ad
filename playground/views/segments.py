"""What a request did from moment to moment, and which request a task worked for.

Cuts stretches of time into segments that do not overlap. It knows rows of a recording and nothing of lanes,
pixels or names.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from playground.trace import Block, Site, Trace
from playground.views.kinds import BLOCKED, READY, WAIT_KIND
from playground.views.parts import Parts

__all__ = ["Owners", "Segment", "clip", "life", "states"]


class Segment(NamedTuple):
    """A stretch of time of one kind; `task` did it and `site` is the line it stood at, where known.

    `call` is what a step that blocked was seen in for the longest time.
    """

    start_ns: int
    end_ns: int
    kind: int
    task: int
    site: Site | None
    call: str = ""


class Owners:
    """Which request a task worked for at a given moment.

    A task that was made for one request belongs to it whole, and so do its children. A task that called the
    app several times (a test client's) belongs to each request while that lasted, and to none in between.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._of = trace.request_of
        calls: dict[int, list[int]] = defaultdict(list)
        for index, request in enumerate(trace.requests):
            if request.task is not None:
                calls[request.task].append(index)
        self._shared = {task: made for task, made in calls.items() if len(made) > 1}

    def at(self, task: int | None, start_ns: int, end_ns: int) -> int | None:
        """The request that `task` worked for in a step from `start_ns` to `end_ns`, or `None`."""
        if task is None or task not in self._of:
            return None
        if not self._shared:
            return self._of[task]
        ancestor: int | None = task
        while ancestor is not None and ancestor not in self._shared:
            start_ns = end_ns = self._trace.tasks[ancestor].created_ns
            ancestor = self._trace.tasks[ancestor].parent
        return self._of[task] if ancestor is None else self._nearest(ancestor, start_ns, end_ns)

    def _nearest(self, task: int, start_ns: int, end_ns: int) -> int | None:
        requests, calls = self._trace.requests, self._shared[task]
        at = bisect_right(calls, start_ns, key=lambda index: requests[index].start_ns)
        if at > 0:
            ended_ns = requests[calls[at - 1]].end_ns
            if ended_ns is None or ended_ns >= start_ns:
                return calls[at - 1]
        if at < len(calls) and requests[calls[at]].start_ns <= end_ns:
            return calls[at]
        return None


def life(trace: Trace, index: int) -> tuple[int, int]:
    """When a request came in and ended, in nanoseconds; one that had not ended lasts to the end of the run."""
    request = trace.requests[index]
    end_ns = trace.duration_ns if request.end_ns is None else request.end_ns
    return request.start_ns, max(request.start_ns, end_ns)


def states(
    trace: Trace, task: int, children: Sequence[int], blocked: Mapping[int, Block], parts: Parts
) -> list[Segment]:
    """What a request's task did: ran, was ready, or waited, in order, never two at a time.

    A step that a child ran while the task itself waited or was ready shows as run: someone was at work for
    the request. `blocked` holds the steps that blocked the loop, by index. Other steps are cut where the app's
    `parts` begin and end.
    """
    segments = _runs(trace, [task], blocked, parts)
    segments += [Segment(start, end, READY, task, None) for start, end in trace.ready_spans(task)]
    for index in trace.waits_of.get(task, ()):
        wait = trace.waits[index]
        segments.append(Segment(wait.start_ns, wait.end_ns, WAIT_KIND[wait.on], task, wait.site))
    segments.sort(key=_times)
    return _overlay(segments, _runs(trace, children, blocked, parts)) if children else segments


def _times(segment: Segment) -> tuple[int, int]:
    return segment.start_ns, segment.end_ns


def _runs(trace: Trace, tasks: Sequence[int], blocked: Mapping[int, Block], parts: Parts) -> list[Segment]:
    runs: list[Segment] = []
    for task in tasks:
        for index in trace.steps_of.get(task, ()):
            step = trace.steps[index]
            if block := blocked.get(index):
                runs.append(Segment(step.start_ns, step.end_ns, BLOCKED, task, block.site, block.call))
                continue
            for start_ns, end_ns, kind in parts.pieces(task, step.start_ns, step.end_ns):
                runs.append(Segment(start_ns, end_ns, kind, task, step.site))
    if len(tasks) > 1:
        runs.sort(key=_times)
    return runs


def _overlay(under: list[Segment], over: list[Segment]) -> list[Segment]:
    """Lay `over` upon `under`, which shows through only where nothing covers it. Both are sorted."""
    merged: list[Segment] = []
    at = 0
    for segment in under:
        start_ns = segment.start_ns
        while at < len(over) and over[at].start_ns < segment.end_ns:
            if over[at].start_ns > start_ns:
                merged.append(segment._replace(start_ns=start_ns, end_ns=over[at].start_ns))
            merged.append(over[at])
            start_ns = max(start_ns, over[at].end_ns)
            at += 1
        if start_ns < segment.end_ns or segment.start_ns == segment.end_ns:
            merged.append(segment._replace(start_ns=start_ns))
    return merged + over[at:]


def clip(segments: Iterable[Segment], start_ns: int, end_ns: int) -> Iterator[Segment]:
    """The parts of `segments` between two moments; moments of no length count as inside on both edges."""
    for segment in segments:
        start, end = max(segment.start_ns, start_ns), min(segment.end_ns, end_ns)
        if start < end or (start == end and segment.start_ns == segment.end_ns):
            yield segment._replace(start_ns=start, end_ns=end)
