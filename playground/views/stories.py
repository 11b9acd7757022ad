"""What a request did from moment to moment: ran, was ready, or waited, never two at a time.

It knows steps, waits and requests; nothing of lanes, pixels or names: those are numbers here (see `whats`). There are
hundreds of thousands of stretches, so they are plain tuples, and each is made once.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Final

from playground.trace import Trace
from playground.trace.tables import WORDS
from playground.views.bulk import numbers, values
from playground.views.kinds import READY, WAIT_KIND
from playground.views.segments import NO_REQUEST
from playground.views.turns import Turns
from playground.views.whats import Whats

__all__ = ["Stories", "Stretch"]

Stretch = tuple[int, int, int, int]
"""Start and end in nanoseconds, kind, and what it is called as a key of `Whats`."""

_WAIT_KINDS: Final = [WAIT_KIND[on] for on in WORDS["WaitOn"]]  # type: ignore[index]
_UNKNOWN: Final = -1
_IN_PIECES: Final = -1
_START: Final = itemgetter(0)
_END: Final = itemgetter(1)


class Stories:
    """The stories of a recording's requests.

    Args:
        turns: the steps.
        of_tasks: the request that each task worked for, by the task's pointer: see `Owners.of_tasks`.
        callers: pointers to the tasks that called the app, one a request.
    """

    def __init__(self, trace: Trace, turns: Turns, of_tasks: list[int], callers: Sequence[int], whats: Whats) -> None:
        self._steps_of, self._waits_of = trace.steps_of, trace.waits_of
        self._turns = turns
        self._kinds = list(turns.kinds)
        for step in turns.cuts:
            self._kinds[step] = _IN_PIECES
        self._wait_starts, self._wait_ends = (numbers(trace, "waits", each) for each in ("start_ns", "end_ns"))
        self._wait_kinds = [_WAIT_KINDS[on] for on in numbers(trace, "waits", "on")]
        sites, known = values(trace, "waits", "site")
        places = list(map(whats.place, known))
        self._wait_places = [places[site] for site in sites]
        self._nowhere = whats.nowhere
        self._created = numbers(trace, "tasks", "created_ns")
        # earlier steps may be among the events dropped, the oldest
        self._known_from_ns = turns.starts[0] if trace.dropped and turns.starts else 0
        called, names = values(trace, "tasks", "coroutine")
        self._coroutines = [whats.name(names[each]) for each in called]
        self._calls = Counter(callers)
        self._children: dict[int, list[int]] = defaultdict(list)
        for pointer, request in enumerate(of_tasks):
            if request != NO_REQUEST and pointer not in self._calls:
                self._children[request].append(pointer - 1)
        self._told: dict[int, list[Stretch]] = {}  # of tasks that called the app several times, without a name

    def of(self, request: int, task: int, name: int, start_ns: int, end_ns: int) -> list[Stretch]:
        """What a request did between two moments.

        A step that a child ran while the request's own task waited or was ready shows as run: someone was at work for
        the request.

        Args:
            task: the one that called the app.
            name: the number of the request's name.
        """
        told = (
            self._of_task(task, name) if self._calls[task + 1] == 1 else self._of_shared(task, name, start_ns, end_ns)
        )
        if request in self._children and (over := self._runs(self._children[request], start_ns, end_ns)):
            told = _overlaid(told, over)
        _clip(told, start_ns, end_ns)
        return told

    def _of_shared(self, task: int, name: int, start_ns: int, end_ns: int) -> list[Stretch]:
        """The part of a task's story that lies between two moments, and what overlaps them."""
        if task not in self._told:
            self._told[task] = self._of_task(task, 0)
        told = self._told[task]
        part = told[bisect_left(told, start_ns, key=_END) : bisect_right(told, end_ns, key=_START)]
        return [(start, end, kind, name + what) for start, end, kind, what in part]

    def _of_task(self, task: int, name: int) -> list[Stretch]:
        told: list[Stretch] = []
        put, turns, kinds = told.append, self._turns, self._kinds
        starts, ends, places, waiting = turns.starts, turns.ends, turns.places, turns.waits
        waits, wait_starts = self._waits_of.of(task), self._wait_starts
        wait_ends, wait_kinds, wait_places = self._wait_ends, self._wait_kinds, self._wait_places
        at, ready_ns, matched, nowhere = 0, self._created[task], True, name + self._nowhere
        if ready_ns < self._known_from_ns:
            ready_ns = _UNKNOWN
        steps = self._steps_of.of(task)
        if steps and waits and self._stood(steps, waits):
            ready_ns, at = self._put_wait(told, waits[0], name), 1
        for step in steps:
            start, end, kind = starts[step], ends[step], kinds[step]
            if 0 <= ready_ns < start:
                put((ready_ns, start, READY, nowhere))
            if kind == _IN_PIECES:
                told += [(from_ns, to_ns, of, name + places[step]) for from_ns, to_ns, of in turns.cuts[step]]
            else:
                put((start, end, kind, name + places[step]))
            ready_ns = end
            if waiting[step]:
                ready_ns = _UNKNOWN
                # by position, not by time alone: in virtual time many steps and waits share one moment
                while at < len(waits) and (begun_ns := wait_starts[wait := waits[at]]) <= end:
                    put((begun_ns, wait_ends[wait], wait_kinds[wait], name + wait_places[wait]))
                    at += 1
                    if begun_ns == end:
                        ready_ns = wait_ends[wait]
                        break
                    matched = False
        if at < len(waits) or not matched:  # a wait that no step began: where it belongs is told by its time alone
            for wait in waits[at:]:
                self._put_wait(told, wait, name)
            told.sort(key=itemgetter(0, 1))
        return told

    def _stood(self, steps: Sequence[int], waits: Sequence[int]) -> bool:
        """Whether a task stood in its first wait already when the recording began: see `Trace.ready_spans`."""
        turns, first, wait = self._turns, steps[0], waits[0]
        if self._wait_ends[wait] > turns.starts[first]:
            return False
        if self._wait_starts[wait] < turns.ends[first]:
            return True
        return len(waits) > sum(turns.waits[step] for step in steps)  # in virtual time step and wait may share a moment

    def _put_wait(self, told: list[Stretch], wait: int, name: int) -> int:
        """Tell of a wait; returns its end."""
        end_ns = self._wait_ends[wait]
        told.append((self._wait_starts[wait], end_ns, self._wait_kinds[wait], name + self._wait_places[wait]))
        return end_ns

    def _runs(self, tasks: list[int], start_ns: int, end_ns: int) -> list[Stretch]:
        """What tasks ran between two moments, and what overlaps them, with their own names."""
        told: list[Stretch] = []
        turns = self._turns
        # the loop ran one step after the other, so that their order is that of time
        for step in sorted(chain.from_iterable(map(self._steps_of.of, tasks))):
            start, end, kind = turns.starts[step], turns.ends[step], self._kinds[step]
            if end < start_ns or start > end_ns:
                continue
            what = self._coroutines[turns.tasks[step] - 1] + turns.places[step]
            if kind == _IN_PIECES:
                told += [(from_ns, to_ns, of, what) for from_ns, to_ns, of in turns.cuts[step]]
            else:
                told.append((start, end, kind, what))
        return told


def _overlaid(under: Sequence[Stretch], over: Sequence[Stretch]) -> list[Stretch]:
    """Lay `over` upon `under`, which shows through only where nothing covers it. Both are sorted."""
    merged: list[Stretch] = []
    at = covered_ns = 0
    for start, end, kind, what in under:
        from_ns = max(start, covered_ns)
        while at < len(over) and over[at][0] < end:
            if over[at][0] > from_ns:
                merged.append((from_ns, over[at][0], kind, what))
            merged.append(over[at])
            covered_ns = max(covered_ns, over[at][1])
            from_ns = max(from_ns, covered_ns)
            at += 1
        if from_ns < end or start == end:
            merged.append((from_ns, max(from_ns, end), kind, what))
    merged += over[at:]
    return merged


def _clip(told: list[Stretch], start_ns: int, end_ns: int) -> None:
    """Leave what lies between two moments of stretches in order; what took no time counts as inside on both edges."""
    while told and told[-1][1] > end_ns:
        start, _, kind, what = told.pop()
        if start < end_ns:
            told.append((start, end_ns, kind, what))
            break
    before = 0
    while before < len(told) and told[before][0] < start_ns:
        _, end, kind, what = told[before]
        if end > start_ns:
            told[before] = (start_ns, end, kind, what)
            break
        before += 1
    del told[:before]
