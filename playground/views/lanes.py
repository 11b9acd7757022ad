"""Which row each stretch of time is drawn in: the loop, what was seen inside it, workers, requests, arrows.

Where a recording has no requests, its tasks have the lanes: see `subjects`. All that is said of requests here is then
true of tasks.

A pure function from a `Trace` to rows of spans. Every span comes from the recording. It decides order and
packing; it refuses to know pixels, colours, bytes and sentences. Spans are held as columns (`array`), since a
long run has a million of them, and made column by column.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import islice, repeat
from operator import le
from typing import Final, Literal

from playground.trace import Block, Trace
from playground.trace.tables import NO_INT
from playground.views.bulk import handed_over, numbers, values
from playground.views.held import held_steps
from playground.views.kinds import BLOCKED, KINDS, OTHER, RUN, THREAD, Kind, kinds_of, kinds_of_tasks
from playground.views.parts import Parts
from playground.views.remembered import remembered
from playground.views.segments import NO_REQUEST, OwnersLike
from playground.views.stories import Stories, Stretch
from playground.views.subjects import Noun, RequestFacts, Subjects, subjects_of
from playground.views.turns import Turns, turns
from playground.views.whats import What, Whats
from playground.views.wording import FAILED_WORDS, RAISED_WORDS

__all__ = ["NO_REQUEST", "Arrows", "Group", "Lanes", "RequestFacts", "Row", "What", "lanes", "pack_lives"]

Group = Literal["heading", "loop", "inside", "worker", "request", "life"]

_TYPES: Final = ("q", "q", "B", "I", "I")
"""Of a row's columns: starts, ends, kinds, whats, requests."""


def _ints() -> "array[int]":
    return array("q")


def _pointers() -> "array[int]":
    return array("I")


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
    kinds: "array[int]" = field(default_factory=lambda: array("B"))
    whats: "array[int]" = field(default_factory=_pointers)
    requests: "array[int]" = field(default_factory=_pointers)

    @classmethod
    def of(cls, group: Group, lane: int, name: str, *columns: Sequence[int]) -> "Row":
        """A row of these columns, in the order of the attributes, sorted by start; no request is `NO_REQUEST`."""
        starts, ends = columns[:2]
        if (
            len(starts)
            and starts[0] >= 0
            and all(map(le, starts, ends))
            and all(map(le, ends, islice(starts, 1, None)))
        ):
            return cls(group, lane, name, *map(array, _TYPES, columns))
        row = cls(group, lane, name)
        for start_ns, end_ns, kind, what, request in zip(*columns, strict=True):
            row.add(start_ns, end_ns, kind, what, request)
        return row

    def __len__(self) -> int:
        return len(self.starts)

    def tell(self, story: Iterable[Stretch], whats: Whats, request: int) -> None:
        """Append what a request did."""
        starts, ends, kinds, into = self.starts.append, self.ends.append, self.kinds.append, self.whats.append
        index, free_ns = whats.index, self.ends[-1] if self.ends else 0
        for start_ns, end_ns, kind, what in story:
            if start_ns < free_ns:
                self.add(start_ns, end_ns, kind, index[what], request)
                free_ns = self.ends[-1]
                continue
            starts(start_ns)
            ends(end_ns)
            kinds(kind)
            into(index[what])
            free_ns = end_ns
        self.requests.extend(repeat(request, len(self.starts) - len(self.requests)))

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
    loop's row is its first: a step that ran several parts of the app has several. `noun` says what `requests` are.
    """

    rows: tuple[Row, ...]
    whats: tuple[What, ...]
    requests: tuple[RequestFacts, ...]
    arrows: Arrows
    duration_ns: int
    kinds: tuple[Kind, ...] = KINDS
    turns: "array[int]" = field(default_factory=_ints)
    noun: Noun = "request"

    @property
    def failed_words(self) -> str:
        """What the mark of one that failed means."""
        return FAILED_WORDS if self.noun == "request" else RAISED_WORDS

    @property
    def heading(self) -> str:
        """What stands above the lanes of `requests`."""
        return f"{self.noun.capitalize()}s"

    def of(self, group: Group) -> list[Row]:
        """The rows of one group, in order."""
        return [row for row in self.rows if row.group == group]


@remembered
def lanes(trace: Trace) -> Lanes:
    """Lay a recording out in rows: the loop, inside its steps, workers, then requests packed into lanes."""
    whats, subjects, parts, blocked = Whats(), subjects_of(trace), Parts(trace), held_steps(trace)
    owners, facts = subjects.owners, subjects.facts
    names = [whats.name(request.label) for request in facts]
    steps = turns(trace, owners, blocked, parts, whats)
    loop, firsts = _loop_row(trace, steps, names, whats)
    workers, arrows = _worker_rows(trace, owners, whats)
    rows = [loop, _inside_row(trace, steps, blocked, parts, whats), *workers]
    rows += _request_rows(Stories(trace, steps, owners.of_tasks(), subjects.tasks, whats), subjects, names, whats)
    kinds = kinds_of(len(facts), len(parts.told)) if subjects.noun == "request" else kinds_of_tasks()
    return Lanes(tuple(rows), whats.table(), facts, arrows, trace.duration_ns, kinds, firsts, subjects.noun)


def _loop_row(trace: Trace, steps: Turns, names: Sequence[int], whats: Whats) -> "tuple[Row, array[int]]":
    """The row, and for each step which of its spans is the first."""
    kinds = [
        kind if owner != NO_REQUEST or kind == BLOCKED else OTHER
        for kind, owner in zip(steps.kinds, steps.owners, strict=True)
    ]
    what = _step_whats(trace, steps, names, whats)
    columns = (steps.starts, steps.ends, kinds, what, steps.owners)
    cut = sorted(step for step in steps.cuts if steps.owners[step] != NO_REQUEST)
    if not cut:
        return Row.of("loop", 0, "Event loop", *columns), array("q", range(len(kinds)))
    longer: list[list[int]] = [[], [], [], [], []]
    firsts, done = _ints(), 0
    for step in [*cut, len(kinds)]:
        firsts.extend(range(len(longer[0]), len(longer[0]) + step - done))
        _extend(longer, [column[done:step] for column in columns])
        if step < len(kinds):
            firsts.append(len(longer[0]))
            starts, ends, parts = zip(*steps.cuts[step], strict=True)
            count = len(starts)
            _extend(longer, [starts, ends, parts, [what[step]] * count, [steps.owners[step]] * count])
        done = step + 1
    return Row.of("loop", 0, "Event loop", *longer), firsts


def _extend(columns: Sequence[list[int]], by: Sequence[Sequence[int]]) -> None:
    for column, more in zip(columns, by, strict=True):
        column.extend(more)


def _step_whats(trace: Trace, steps: Turns, names: Sequence[int], whats: Whats) -> list[int]:
    """What each step is called in the loop's row: by its request, else its task's coroutine, else the callback."""
    called, known = values(trace, "tasks", "coroutine")
    coroutines = [0, *(whats.name(known[each]) for each in called)]
    sites, functions = values(trace, "steps", "site")
    callbacks = [whats.name(site.function if site else "callback") for site in functions]
    index = whats.index
    return [
        index[(names[owner] if owner != NO_REQUEST else coroutines[task] if task else callbacks[site]) + place]
        for owner, task, site, place in zip(steps.owners, steps.tasks, sites, steps.places, strict=True)
    ]


def _inside_row(trace: Trace, steps: Turns, blocked: Mapping[int, Block], parts: Parts, whats: Whats) -> Row:
    row = Row("inside", 0, "inside steps")
    for step in sorted({pointer - 1 for pointer in numbers(trace, "samples", "step")}):
        request = steps.owners[step]
        for look in trace.inside(step):
            what = whats(look.call or look.site.function, look.site)
            if step in blocked or request == NO_REQUEST:
                row.add(look.start_ns, look.end_ns, BLOCKED if step in blocked else OTHER, what, request)
                continue
            for start_ns, end_ns, kind in parts.pieces(steps.tasks[step] - 1, look.start_ns, look.end_ns):
                row.add(start_ns, end_ns, kind, what, request)
    return row


def _worker_rows(trace: Trace, owners: OwnersLike, whats: Whats) -> tuple[list[Row], Arrows]:
    """One row a thread, and both arrows of each hand-off, as far as it got."""
    fields = ("started_ns", "ended_ns", "submitted_ns", "woken_ns", "thread", "task")
    columns = [numbers(trace, "handoffs", each) for each in fields]
    functions, sites = values(trace, "handoffs", "function"), values(trace, "handoffs", "site")
    threads = sorted(set(columns[4]) - {NO_INT})
    rows = {thread: Row("worker", thread, f"worker-{thread}") for thread in threads}
    at = {thread: 2 + place for place, thread in enumerate(threads)}
    request_of, arrows = handed_over(trace), Arrows()
    starts = columns[0]
    for index in sorted(range(len(starts)), key=lambda call: 0 if starts[call] == NO_INT else starts[call]):
        started_ns, ended_ns, submitted_ns, woken_ns, thread, task = (column[index] for column in columns)
        if NO_INT in (thread, started_ns):
            continue
        request = request_of.get(index)
        if request is None:
            request = owners.at(task - 1 if task else None, submitted_ns, submitted_ns)
        what = whats(functions[1][functions[0][index]], sites[1][sites[0][index]])
        rows[thread].add(started_ns, trace.duration_ns if ended_ns == NO_INT else ended_ns, THREAD, what, request)
        arrows.add(submitted_ns, started_ns, 0, at[thread], request)
        if NO_INT not in (ended_ns, woken_ns):
            arrows.add(ended_ns, woken_ns, at[thread], 0, request)
    return list(rows.values()), arrows


def _request_rows(stories: Stories, subjects: Subjects, names: Sequence[int], whats: Whats) -> list[Row]:
    spans, tasks = subjects.lives, subjects.tasks
    places = pack_lives(spans)
    called = _lane_names(places, [request.label for request in subjects.facts])
    states = [Row("request", lane, name) for lane, name in enumerate(called)]
    lived = [Row("life", lane, name) for lane, name in enumerate(called)]
    for index in sorted(range(len(spans)), key=spans.__getitem__):
        start_ns, end_ns = spans[index]
        lane, name = places[index], names[index]
        lived[lane].add(start_ns, end_ns, RUN, whats.index[name + whats.nowhere], index)
        if tasks[index]:
            states[lane].tell(stories.of(index, tasks[index] - 1, name, start_ns, end_ns), whats, index)
    return [*states, *lived]


def _lane_names(places: list[int], labels: list[str]) -> list[str]:
    """What each lane is called: by its request where it holds a single one, else by its number, from 1."""
    held: dict[int, list[str]] = defaultdict(list)
    for place, told in zip(places, labels, strict=True):
        held[place].append(told)
    return [held[lane][0] if len(held[lane]) == 1 else f"lane {lane + 1}" for lane in range(len(held))]


def pack_lives(lives: Iterable[tuple[int, int]]) -> list[int]:
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
