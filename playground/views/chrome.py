"""A recording as a Chrome trace, which Perfetto and chrome://tracing open: JSON in the Trace Event Format.

One track for the loop, one for each worker thread, one for each request, one for each lane of jobs; each hand-off is a
flow there and one back. It decides which slice each end of a flow belongs to, and in which order events stand: a
reader binds a flow to the slice that was opened last, so a flow stands behind its slice, and its end behind its
beginning, also where virtual time gives all of them one moment. Times are microseconds with a fraction, from the start
of the run. The format is that of the document "Trace Event Format" (Google): `X` for slices, `s` and `f` for the ends
of flows, `M` for names of tracks.
"""

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby, pairwise
from math import inf, nextafter
from typing import Any, Final

from playground.trace import Trace
from playground.views.kinds import Kind
from playground.views.lanes import NO_REQUEST, Lanes, Row, lanes
from playground.views.stacked_chrome import job_tracks

__all__ = ["chrome_lines", "micros"]

Event = dict[str, Any]
# the moment in nanoseconds, and the event without it
Timed = tuple[int, Event]

# Processes are groups of tracks, threads are tracks. None is 0, which Perfetto takes for a processor's idle thread.
_RUN, _REQUESTS, _JOBS = 1, 2, 3
_LOOP: Final = 1
_FIRST_WORKER: Final = 2
_FIRST_REQUEST: Final = 1


def micros(ns: int) -> float:
    """Nanoseconds as microseconds, such that a reader who multiplies by 1000 and cuts off has the same nanoseconds."""
    us = ns / 1000
    return us if int(us * 1000) == ns else nextafter(us, inf)


def chrome_lines(trace: Trace) -> Iterator[str]:
    """The lines of the JSON file."""
    laid = lanes(trace)
    tracks, jobs = Tracks(laid), job_tracks(trace)
    yield '{"traceEvents": ['
    for event in (*tracks.names(), *_jobs_names([name for name, _ in jobs])):
        yield f"{_json(event)},"
    slices = [_on_track(at, of_one) for at, (_, of_one) in enumerate(jobs, 1)]
    for ns, event in _ordered([*tracks.timed(), *slices]):
        yield f"{_json({**event, 'ts': micros(ns)})},"
    # the last event, since JSON wants no comma behind it; of a run without steps it is the only one
    yield _json({"ph": "M", "name": "process_labels", "pid": _RUN, "args": {"labels": f"{trace.clock} time"}})
    facts = {"title": trace.title, "clock": trace.clock, "dropped": trace.dropped, "forgotten": trace.forgotten}
    told = {**facts, "duration_ns": trace.duration_ns, "flows_without_slice": tracks.unbound}
    yield f'], "displayTimeUnit": "ns", "metadata": {_json(told)}}}'


def _jobs_names(names: Sequence[str]) -> Iterator[Event]:
    yield from _process(_JOBS, "Jobs") if names else ()
    for at, name in enumerate(names, 1):
        yield from _thread(_JOBS, at, name)


def _on_track(at: int, slices: Iterable[Timed]) -> Iterator[Timed]:
    """The slices of jobs on their track."""
    for ns, event in slices:
        length_ns = event.pop("dur_ns")
        yield ns, {**event, "dur": micros(length_ns), "pid": _JOBS, "tid": at}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


class Tracks:
    """The tracks of a recording: what stands on each, in order.

    Attributes:
        unbound: flows that are left out, because the slice at one of their ends was not recorded.
    """

    def __init__(self, laid: Lanes) -> None:
        self._laid = laid
        self._workers = laid.of("worker")
        self._flows: dict[tuple[int, int], list[Timed]] = {}
        self._by_request: dict[int, dict[int, list[int]]] = {}
        self.unbound = 0
        self._bind()

    def names(self) -> Iterator[Event]:
        """What the tracks are called, and in which order they are shown."""
        yield from _process(_RUN, "Event loop and threads")
        yield from _thread(_RUN, _LOOP, "Event loop")
        for at, row in enumerate(self._workers, _FIRST_WORKER):
            yield from _thread(_RUN, at, row.name)
        if self._laid.requests:
            yield from _process(_REQUESTS, self._laid.heading)
        for at, request in enumerate(self._laid.requests, _FIRST_REQUEST):
            number = f"#{request.number} " if self._laid.noun == "request" else ""
            yield from _thread(_REQUESTS, at, number + request.label)

    def timed(self) -> list[Iterable[Timed]]:
        """The events of each track, in order of time."""
        workers = (self._worker(at, row) for at, row in enumerate(self._workers, _FIRST_WORKER))
        return [self._loop(), *workers, *self._requests()]

    # -- flows ---------------------------------------------------------------------------------------------

    def _bind(self) -> None:
        """Give each arrow's ends to the slices that they belong to: to steps on the loop, to calls in a worker."""
        arrows = self._laid.arrows
        columns = (arrows.starts, arrows.ends, arrows.from_rows, arrows.to_rows, arrows.requests)
        for number, (start_ns, end_ns, from_row, to_row, request) in enumerate(zip(*columns, strict=True), 1):
            begins, ends = self._slice(from_row, start_ns, request), self._slice(to_row, end_ns, request)
            if begins is None or ends is None:
                self.unbound += 1
                continue
            flow = {"cat": "handoff", "name": "wake" if to_row == 0 else "hand-off", "id": number}
            self._flows.setdefault(begins, []).append((start_ns, {"ph": "s", **flow}))
            self._flows.setdefault(ends, []).append((end_ns, {"ph": "f", "bp": "e", **flow}))

    def _slice(self, at: int, moment_ns: int, request: int) -> tuple[int, int] | None:
        """The track and the index of the span of a row that holds a moment; of several, the one for that request."""
        row = self._laid.rows[at]
        first, last = bisect_left(row.ends, moment_ns), bisect_right(row.starts, moment_ns) - 1
        if last < first:
            return None
        its = self._of_request(at).get(request, ())
        place = bisect_right(its, last) - 1
        return self._track(at), its[place] if place >= 0 and its[place] >= first else last

    def _of_request(self, at: int) -> dict[int, list[int]]:
        """The spans of a row by their request. In virtual time thousands may have one moment, each with its flow."""
        if at not in self._by_request:
            by_request = self._by_request[at] = defaultdict(list)
            for index, request in enumerate(self._laid.rows[at].requests):
                by_request[request].append(index)
        return self._by_request[at]

    def _track(self, row: int) -> int:
        return _LOOP if row == 0 else row - 2 + _FIRST_WORKER  # the second row is what was seen inside the first's

    # -- slices --------------------------------------------------------------------------------------------

    def _loop(self) -> Iterator[Timed]:
        """Each step, with its flows; within it the parts of the app that it ran, and what it was seen in."""
        row, inside = self._laid.rows[:2]
        seen = 0
        for first, end in pairwise([*self._laid.turns, len(row)]):
            stop_ns = row.ends[end - 1]
            yield self._slice_event(row, first, _RUN, _LOOP, stop_ns)
            within = [flow for index in range(first, end) for flow in self._flows.get((_LOOP, index), ())]
            if end - first > 1:
                within += [self._slice_event(row, index, _RUN, _LOOP) for index in range(first, end)]
            while seen < len(inside) and inside.ends[seen] <= stop_ns:
                within.append(self._slice_event(inside, seen, _RUN, _LOOP))
                seen += 1
            yield from _placed(sorted(within, key=_moment), _RUN, _LOOP)

    def _worker(self, at: int, row: Row) -> Iterator[Timed]:
        for index in range(len(row)):
            yield self._slice_event(row, index, _RUN, at)
            yield from _placed(sorted(self._flows.get((at, index), ()), key=_moment), _RUN, at)

    def _requests(self) -> Iterator[list[Timed]]:
        """A track for each request: its whole life, and within it what it did and waited for."""
        told: dict[int, list[Timed]] = {}
        for row in (*self._laid.of("life"), *self._laid.of("request")):
            for index, request in enumerate(row.requests):
                name = None if row.group == "life" else self._laid.kinds[row.kinds[index]].words
                event = self._slice_event(row, index, _REQUESTS, _FIRST_REQUEST + request, name=name)
                if row.group == "life":
                    event[1]["args"] = self._facts(request)
                told.setdefault(request, []).append(event)
        yield from told.values()

    def _slice_event(
        self, row: Row, index: int, process: int, thread: int, end_ns: int | None = None, name: str | None = None
    ) -> Timed:
        """A span as a slice, from its start to its own end or to a later one."""
        start_ns, what = row.starts[index], self._laid.whats[row.whats[index]]
        length_ns = (row.ends[index] if end_ns is None else end_ns) - start_ns
        kind: Kind = self._laid.kinds[row.kinds[index]]
        args: dict[str, Any] = {"state": kind.words}
        if what.file:
            args["source"] = f"{what.file}, line {what.line}"
        if what.call:
            args["seen in"] = what.call
        if row.requests[index] != NO_REQUEST and process == _RUN:
            args[self._laid.noun] = self._laid.requests[row.requests[index]].number
        event = {"ph": "X", "name": name or what.name, "cat": row.group, "dur": micros(length_ns), "args": args}
        return start_ns, {**event, "pid": process, "tid": thread}

    def _facts(self, request: int) -> dict[str, Any]:
        facts = self._laid.requests[request]
        return {"number": facts.number, "path": facts.path, "status": facts.status, "error": facts.error}


def _moment(timed: Timed) -> int:
    return timed[0]


def _placed(timed: Iterable[Timed], process: int, thread: int) -> Iterator[Timed]:
    for ns, event in timed:
        yield ns, {**event, "pid": process, "tid": thread}


def _process(process: int, name: str) -> Iterator[Event]:
    yield {"ph": "M", "name": "process_name", "pid": process, "args": {"name": name}}
    yield {"ph": "M", "name": "process_sort_index", "pid": process, "args": {"sort_index": process}}


def _thread(process: int, thread: int, name: str) -> Iterator[Event]:
    place = {"ph": "M", "pid": process, "tid": thread}
    yield {**place, "name": "thread_name", "args": {"name": name}}
    yield {**place, "name": "thread_sort_index", "args": {"sort_index": thread}}


# -- order ------------------------------------------------------------------------------------------------


def _ordered(tracks: Sequence[Iterable[Timed]]) -> Iterator[Timed]:
    """All events in order of time; of one moment, each track's in its own order, and no flow's end before its start."""
    numbered = [_numbered(at, track) for at, track in enumerate(tracks)]
    begun: set[int] = set()
    for ns, group in groupby(merge(*numbered, key=lambda timed: timed[0]), key=lambda timed: timed[0]):
        queues: dict[int, deque[Event]] = {}
        for _, at, event in group:
            queues.setdefault(at, deque()).append(event)
        for event in _caused(queues, begun):
            yield ns, event


def _numbered(at: int, track: Iterable[Timed]) -> Iterator[tuple[int, int, Event]]:
    for ns, event in track:
        yield ns, at, event


def _caused(queues: dict[int, deque[Event]], begun: set[int]) -> Iterator[Event]:
    """Events of one moment, track by track, each track up to a flow whose beginning has not come yet."""
    while queues:
        waiting = True
        for at in list(queues):
            queue = queues[at]
            while queue and not (queue[0]["ph"] == "f" and queue[0]["id"] not in begun):
                waiting = False
                if queue[0]["ph"] == "s":
                    begun.add(queue[0]["id"])
                yield queue.popleft()
            if not queue:
                del queues[at]
        if waiting:  # flows that run in a circle cannot be; were they recorded, they are written as they stand
            begun |= {queue[0]["id"] for queue in queues.values()}
