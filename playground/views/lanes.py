"""Which row each stretch of time is drawn in: the loop, what was seen inside it, workers, requests, arrows.

A pure function from a `Trace` to rows of spans. Every span comes from the recording. It decides order and
packing; it refuses to know pixels, colours, bytes and sentences. Spans are held as columns (`array`), since a
long run has a hundred thousand of them.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, Literal, NamedTuple

from playground.trace import Block, Site, Trace
from playground.views.held import held_steps
from playground.views.kinds import BLOCKED, KINDS, OTHER, RUN, THREAD, Kind, kinds_of
from playground.views.parts import Parts
from playground.views.segments import Owners, clip, life, states
from playground.views.wording import failure, request_label

__all__ = ["NO_REQUEST", "Arrows", "Group", "Lanes", "RequestFacts", "Row", "What", "lanes"]

Group = Literal["loop", "inside", "worker", "request", "life"]

NO_REQUEST: Final = 0xFFFFFFFF


class What(NamedTuple):
    """What a span is called, the place in the source that it points to, and the call that it was seen in, if any."""

    name: str
    file: str
    line: int
    function: str
    text: str
    call: str


class RequestFacts(NamedTuple):
    """What a view says of a request; `failure` is how it failed, as `wording.failure` says it, or empty."""

    number: int
    label: str
    path: str
    status: int | None
    error: str | None
    failure: str


def _ints() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class Row:
    """One row of spans, sorted by start, none overlapping another; times in nanoseconds.

    Attributes:
        group: what kind of row it is.
        lane: its number within its group, from 0.
        name: what to write beside it; for a lane of a single request, what that is called.
        starts, ends, kinds, whats, requests: the spans' columns; `whats` and `requests` are indexes into
            the tables of `Lanes`, and a request of `NO_REQUEST` says that there is none.
    """

    group: Group
    lane: int
    name: str
    starts: "array[int]" = field(default_factory=_ints)
    ends: "array[int]" = field(default_factory=_ints)
    kinds: "array[int]" = field(default_factory=_ints)
    whats: "array[int]" = field(default_factory=_ints)
    requests: "array[int]" = field(default_factory=_ints)

    def __len__(self) -> int:
        return len(self.starts)

    def add(self, start_ns: int, end_ns: int, kind: int, what: int, request: int | None) -> None:
        """Append a span; what the row's last span already covers of it is cut off."""
        free_ns = self.ends[-1] if self.ends else 0
        if start_ns < free_ns:
            if end_ns <= free_ns and start_ns < end_ns:
                return
            start_ns = free_ns
        self.starts.append(start_ns)
        self.ends.append(max(start_ns, end_ns))
        self.kinds.append(kind)
        self.whats.append(what)
        self.requests.append(NO_REQUEST if request is None else request)


@dataclass(slots=True)
class Arrows:
    """Hand-offs: `back` 0 from the loop to a worker, 1 from a worker to the loop. Rows are indexes."""

    starts: "array[int]" = field(default_factory=_ints)
    ends: "array[int]" = field(default_factory=_ints)
    from_rows: "array[int]" = field(default_factory=_ints)
    to_rows: "array[int]" = field(default_factory=_ints)
    requests: "array[int]" = field(default_factory=_ints)
    backs: "array[int]" = field(default_factory=_ints)

    def add(self, start_ns: int, end_ns: int, from_row: int, to_row: int, request: int | None) -> None:
        self.starts.append(start_ns)
        self.ends.append(end_ns)
        self.from_rows.append(from_row)
        self.to_rows.append(to_row)
        self.requests.append(NO_REQUEST if request is None else request)
        self.backs.append(from_row != 0)


@dataclass(frozen=True, slots=True)
class Lanes:
    """All rows in drawing order (the loop's is the first), with the tables that their spans point into.

    `kinds` are the kinds in the words that are true of this recording. `turns` says for each step which span of the
    loop's row is its first: a step that ran several parts of the app has several.
    """

    rows: tuple[Row, ...]
    whats: tuple[What, ...]
    requests: tuple[RequestFacts, ...]
    arrows: Arrows
    duration_ns: int
    kinds: tuple[Kind, ...] = KINDS
    turns: "array[int]" = field(default_factory=_ints)

    def of(self, group: Group) -> list[Row]:
        """The rows of one group, in order."""
        return [row for row in self.rows if row.group == group]


class _Whats:
    """The table of names, places and calls, each combination once."""

    def __init__(self) -> None:
        self._index: dict[tuple[str, Site | None, str], int] = {}

    def __call__(self, name: str, site: Site | None, call: str = "") -> int:
        return self._index.setdefault((name, site, call), len(self._index))

    def table(self) -> tuple[What, ...]:
        none = Site("", 0, "")
        places = ((name, site or none, call) for name, site, call in self._index)
        return tuple(What(name, at.file, at.line, at.function, at.text, call) for name, at, call in places)


def lanes(trace: Trace) -> Lanes:
    """Lay a recording out in rows: the loop, inside its steps, workers, then requests packed into lanes."""
    whats = _Whats()
    owners = Owners(trace)
    labels = [request_label(request) for request in trace.requests]
    blocked = held_steps(trace)
    parts = Parts(trace)
    loop, turns = _loop_row(trace, owners, labels, blocked, parts, whats)
    workers, arrows = _worker_rows(trace, owners, whats)
    rows = [loop, _inside_row(trace, owners, blocked, parts, whats), *workers]
    rows += _request_rows(trace, labels, blocked, parts, whats)
    facts = (
        RequestFacts(request.number, label, request.path, request.status, request.error, failure(request))
        for request, label in zip(trace.requests, labels, strict=True)
    )
    kinds = kinds_of(len(trace.requests), len({span.request for span in trace.spans}))
    return Lanes(tuple(rows), whats.table(), tuple(facts), arrows, trace.duration_ns, kinds, turns)


def _loop_row(
    trace: Trace, owners: Owners, labels: list[str], blocked: Mapping[int, Block], parts: Parts, whats: _Whats
) -> "tuple[Row, array[int]]":
    row, turns = Row("loop", 0, "Event loop"), _ints()
    for index, step in enumerate(trace.steps):
        turns.append(len(row))
        request = owners.at(step.task, step.start_ns, step.end_ns)
        if request is not None:
            name = labels[request]
        elif step.task is not None:
            name = trace.tasks[step.task].coroutine
        else:
            name = step.site.function if step.site else "callback"
        # the line that held the loop, not the one at which the step stopped afterwards
        site, call = (blocked[index].site, blocked[index].call) if index in blocked else (step.site, "")
        what = whats(name, site, call)
        if index in blocked or request is None:
            row.add(step.start_ns, step.end_ns, BLOCKED if index in blocked else OTHER, what, request)
            continue
        for start_ns, end_ns, kind in parts.pieces(step.task, step.start_ns, step.end_ns):
            row.add(start_ns, end_ns, kind, what, request)
    return row, turns


def _inside_row(trace: Trace, owners: Owners, blocked: Mapping[int, Block], parts: Parts, whats: _Whats) -> Row:
    row = Row("inside", 0, "inside steps")
    for index in sorted({sample.step for sample in trace.samples}):
        step = trace.steps[index]
        request = owners.at(step.task, step.start_ns, step.end_ns)
        for look in trace.inside(index):
            what = whats(look.call or look.site.function, look.site)
            if index in blocked or request is None:
                row.add(look.start_ns, look.end_ns, BLOCKED if index in blocked else OTHER, what, request)
                continue
            for start_ns, end_ns, kind in parts.pieces(step.task, look.start_ns, look.end_ns):
                row.add(start_ns, end_ns, kind, what, request)
    return row


def _worker_rows(trace: Trace, owners: Owners, whats: _Whats) -> tuple[list[Row], Arrows]:
    """One row a thread, and both arrows of each hand-off, as far as it got."""
    threads = sorted({call.thread for call in trace.handoffs if call.thread is not None})
    rows = {thread: Row("worker", thread, f"worker-{thread}") for thread in threads}
    at = {thread: 2 + place for place, thread in enumerate(threads)}
    request_of = {call: index for index, request in enumerate(trace.requests) for call in request.handoffs}
    arrows = Arrows()
    for index in sorted(range(len(trace.handoffs)), key=lambda i: trace.handoffs[i].started_ns or 0):
        call = trace.handoffs[index]
        if call.thread is None or call.started_ns is None:
            continue
        request = request_of.get(index)
        if request is None:
            request = owners.at(call.task, call.submitted_ns, call.submitted_ns)
        ended_ns = trace.duration_ns if call.ended_ns is None else call.ended_ns
        what = whats(call.function, call.site)
        rows[call.thread].add(call.started_ns, ended_ns, THREAD, what, request)
        arrows.add(call.submitted_ns, call.started_ns, 0, at[call.thread], request)
        if call.ended_ns is not None and call.woken_ns is not None:
            arrows.add(call.ended_ns, call.woken_ns, at[call.thread], 0, request)
    return list(rows.values()), arrows


def _request_rows(
    trace: Trace, labels: list[str], blocked: Mapping[int, Block], parts: Parts, whats: _Whats
) -> list[Row]:
    lives = [life(trace, index) for index in range(len(trace.requests))]
    places = _pack(lives)
    names = _lane_names(places, labels)
    states_of = [Row("request", lane, name) for lane, name in enumerate(names)]
    lives_of = [Row("life", lane, name) for lane, name in enumerate(names)]
    children: dict[int, list[int]] = defaultdict(list)
    for task, owner in trace.request_of.items():
        children[owner].append(task)
    for index in sorted(range(len(lives)), key=lambda i: lives[i]):
        request = trace.requests[index]
        start_ns, end_ns = lives[index]
        lives_of[places[index]].add(start_ns, end_ns, RUN, whats(labels[index], None), index)
        if request.task is None:
            continue
        row = states_of[places[index]]
        others = [task for task in children[index] if task != request.task]
        segments = states(trace, request.task, others, blocked, parts)
        for start, end, kind, task, site, call in clip(segments, start_ns, end_ns):
            name = labels[index] if task == request.task else trace.tasks[task].coroutine
            row.add(start, end, kind, whats(name, site, call), index)
    return [*states_of, *lives_of]


def _lane_names(places: list[int], labels: list[str]) -> list[str]:
    """What each lane is called: by its request where it holds a single one, else by its number, from 1."""
    held: dict[int, list[str]] = defaultdict(list)
    for place, label in zip(places, labels, strict=True):
        held[place].append(label)
    return [held[lane][0] if len(held[lane]) == 1 else f"lane {lane + 1}" for lane in range(len(held))]


def _pack(lives: Iterable[tuple[int, int]]) -> list[int]:
    """The lane of each life: the lowest that is free when it begins, in order of beginning.

    This greedy colouring of intervals uses as few lanes as there are lives at once.
    """
    ordered = sorted(enumerate(lives), key=lambda pair: pair[1])
    places = [0] * len(ordered)
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    for index, (start_ns, end_ns) in ordered:
        while busy and busy[0][0] <= start_ns:
            heappush(free, heappop(busy)[1])
        places[index] = heappop(free) if free else len(busy)
        heappush(busy, (end_ns, places[index]))
    return places
