"""What a request did from moment to moment: ran, was ready, or waited, never two at a time.

A story is told by columns and not by rows, since there are hundreds of thousands of stretches. It knows steps, waits
and requests; nothing of lanes, pixels or names: those are numbers here (see `whats`).
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from itertools import chain, islice
from operator import le
from typing import Final, NamedTuple

from playground.trace import Trace
from playground.trace.tables import WORDS
from playground.views.fields import numbers, values
from playground.views.kinds import READY, WAIT_KIND
from playground.views.segments import NO_REQUEST
from playground.views.turns import Turns
from playground.views.whats import Whats

__all__ = ["Stories", "Story"]

_WAIT_KINDS: Final = [WAIT_KIND[on] for on in WORDS["WaitOn"]]  # type: ignore[index]
_UNKNOWN: Final = -1


class Story(NamedTuple):
    """Stretches of time in order: start and end in nanoseconds, kind, and a number that says what (see `Whats`)."""

    starts: list[int]
    ends: list[int]
    kinds: list[int]
    whats: list[int]

    def put(self, start_ns: int, end_ns: int, kind: int, what: int) -> None:
        self.starts.append(start_ns)
        self.ends.append(end_ns)
        self.kinds.append(kind)
        self.whats.append(what)

    def part(self, first: int, stop: int) -> "Story":
        return Story(*(column[first:stop] for column in self))

    def in_order(self) -> "Story":
        """Sorted by start, then end."""
        order = sorted(range(len(self.starts)), key=lambda at: (self.starts[at], self.ends[at]))
        return Story(*([column[at] for at in order] for column in self))

    def clipped(self, start_ns: int, end_ns: int) -> "Story":
        """What lies between two moments; what took no time counts as inside on both edges."""
        if not self.starts or (self.starts[0] >= start_ns and max(self.ends) <= end_ns):
            return self
        kept = Story([], [], [], [])
        for start, end, kind, what in zip(*self, strict=True):
            from_ns, to_ns = start if start > start_ns else start_ns, end if end < end_ns else end_ns
            if from_ns < to_ns or (from_ns == to_ns and start == end):
                kept.put(from_ns, to_ns, kind, what)
        return kept

    def under(self, over: "Story") -> "Story":
        """This with another laid upon it, so that it shows through only where nothing covers it."""
        merged = Story([], [], [], [])
        at, count = 0, len(over.starts)
        for start, end, kind, what in zip(*self, strict=True):
            from_ns = start
            while at < count and over.starts[at] < end:
                if over.starts[at] > from_ns:
                    merged.put(from_ns, over.starts[at], kind, what)
                merged.put(over.starts[at], over.ends[at], over.kinds[at], over.whats[at])
                from_ns = max(from_ns, over.ends[at])
                at += 1
            if from_ns < end or from_ns == start:
                merged.put(from_ns, end, kind, what)
        for column, rest in zip(merged, over, strict=True):
            column.extend(rest[at:])
        return merged


class Stories:
    """The stories of a recording's requests.

    Args:
        turns: the steps.
        of_tasks: the request that each task worked for, by the task's pointer: see `Owners.of_tasks`.
    """

    def __init__(self, trace: Trace, turns: Turns, of_tasks: list[int], whats: Whats) -> None:
        self._trace = trace
        self._turns = turns
        self._nowhere = whats.nowhere
        self._created = numbers(trace, "tasks", "created_ns")
        self._wait_starts, self._wait_ends, on = (
            numbers(trace, "waits", each) for each in ("start_ns", "end_ns", "on")
        )
        self._wait_kinds = [_WAIT_KINDS[each] for each in on]
        sites, known = values(trace, "waits", "site")
        places = list(map(whats.place, known))
        self._wait_places = [places[site] for site in sites]
        called, names = values(trace, "tasks", "coroutine")
        self._coroutines = [whats.name(names[each]) for each in called]
        self._calls = Counter(numbers(trace, "requests", "task"))
        self._children: dict[int, list[int]] = defaultdict(list)
        for pointer, request in enumerate(of_tasks):
            if request != NO_REQUEST and pointer not in self._calls:
                self._children[request].append(pointer - 1)
        self._told: dict[int, Story] = {}  # of tasks that called the app several times

    def of(self, request: int, task: int, name: int, start_ns: int, end_ns: int) -> Story:
        """What a request did between two moments.

        A step that a child ran while the request's own task waited or was ready shows as run: someone was at work for
        the request.

        Args:
            task: the one that called the app.
            name: the number of the request's name.
        """
        story = self._of_task(task) if self._calls[task + 1] == 1 else self._of_shared(task, start_ns, end_ns)
        story = story._replace(whats=[name + what for what in story.whats])
        if request in self._children:
            over = self._runs(self._children[request], start_ns, end_ns)
            if over.starts:
                story = story.under(over)
        return story.clipped(start_ns, end_ns)

    def _of_shared(self, task: int, start_ns: int, end_ns: int) -> Story:
        """The part of a task's story that lies between two moments, and what overlaps them."""
        if task not in self._told:
            self._told[task] = self._of_task(task)
        story = self._told[task]
        return story.part(bisect_left(story.ends, start_ns), bisect_right(story.starts, end_ns))

    def _of_task(self, task: int) -> Story:
        """The story of a task, without its name."""
        turns, story = self._turns, Story([], [], [], [])
        steps, waits = self._trace.steps_of.get(task, ()), self._trace.waits_of.get(task, ())
        put, ready_ns, at = story.put, self._created_ns(task), 0
        if steps and waits and self._wait_ends[waits[0]] <= turns.starts[steps[0]]:
            ready_ns, at = self._put_wait(story, waits[0]), 1  # it stood in a wait when the recording began
        for step in steps:
            start, end = turns.starts[step], turns.ends[step]
            if 0 <= ready_ns < start:
                put(ready_ns, start, READY, self._nowhere)
            if step in turns.cuts:
                for from_ns, to_ns, kind in turns.cuts[step]:
                    put(from_ns, to_ns, kind, turns.places[step])
            else:
                put(start, end, turns.kinds[step], turns.places[step])
            ready_ns = end
            if turns.waits[step]:
                # by position, not by time alone: in virtual time many steps and waits share one moment
                while at < len(waits) and self._wait_starts[waits[at]] < end:
                    self._put_wait(story, waits[at])
                    at += 1
                ready_ns = _UNKNOWN
                if at < len(waits) and self._wait_starts[waits[at]] == end:
                    ready_ns = self._put_wait(story, waits[at])
                    at += 1
        for wait in waits[at:]:
            self._put_wait(story, wait)
        return story if all(map(le, story.starts, islice(story.starts, 1, None))) else story.in_order()

    def _put_wait(self, story: Story, wait: int) -> int:
        """Tell of a wait; returns its end."""
        end_ns = self._wait_ends[wait]
        story.put(self._wait_starts[wait], end_ns, self._wait_kinds[wait], self._wait_places[wait])
        return end_ns

    def _created_ns(self, task: int) -> int:
        """When a task was created; not known if its first steps may be among the events dropped, the oldest."""
        created_ns, starts = self._created[task], self._turns.starts
        return _UNKNOWN if self._trace.dropped and starts and created_ns < starts[0] else created_ns

    def _runs(self, tasks: list[int], start_ns: int, end_ns: int) -> Story:
        """What tasks ran between two moments, and what overlaps them, with their own names."""
        turns, story = self._turns, Story([], [], [], [])
        # the loop ran one step after the other, so that their order is that of time
        for step in sorted(chain.from_iterable(self._trace.steps_of.get(task, ()) for task in tasks)):
            if turns.ends[step] < start_ns or turns.starts[step] > end_ns:
                continue
            what = self._coroutines[turns.tasks[step] - 1] + turns.places[step]
            for from_ns, to_ns, kind in turns.cuts.get(step) or [
                (turns.starts[step], turns.ends[step], turns.kinds[step])
            ]:
                story.put(from_ns, to_ns, kind, what)
        return story
