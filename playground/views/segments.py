"""Which request a task worked for, moment by moment, and from when to when a request went on.

It knows rows of a recording and nothing of lanes, pixels or names.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Protocol

from playground.trace import Trace
from playground.trace.groups import during
from playground.trace.tables import NO_INT
from playground.views.bulk import numbers
from playground.views.remembered import remembered

__all__ = ["NO_REQUEST", "Owners", "OwnersLike", "life", "lives", "owners_of"]

NO_REQUEST: Final = 0xFFFFFFFF


class OwnersLike(Protocol):
    """For whom tasks worked, as indexes: see `Owners`."""

    def at(self, task: int | None, start_ns: int, end_ns: int) -> int | None: ...

    def of_tasks(self) -> list[int]: ...

    def of_steps(self, tasks: Sequence[int], starts: Sequence[int], ends: Sequence[int]) -> list[int]: ...


class Owners:
    """Which request a task worked for at a given moment.

    A task that was made for one request belongs to it whole, and so do its children. A task that called the
    app several times (a test client's) belongs to each request while that lasted, and to none in between; what it
    made belongs to the request in which it was made.
    """

    def __init__(self, trace: Trace) -> None:
        calls: dict[int, list[int]] = defaultdict(list)
        for index, task in enumerate(numbers(trace, "requests", "task")):
            if task:
                calls[task - 1].append(index)
        self._starts, self._ends = (numbers(trace, "requests", field) for field in ("start_ns", "end_ns"))
        self._shared = {task: made for task, made in calls.items() if len(made) > 1}
        self._count = len(trace.tasks)
        self._of: dict[int, int | None] = dict(trace.request_of)
        if self._shared:
            self._children_of_shared(trace, calls)

    def at(self, task: int | None, start_ns: int, end_ns: int) -> int | None:
        """The request that `task` worked for in a step from `start_ns` to `end_ns`, or `None`."""
        if task is None or task not in self._of:
            return None
        if task in self._shared:
            return during(self._shared[task], self._starts, self._ends, start_ns, end_ns)
        return self._of[task]

    def of_tasks(self) -> list[int]:
        """The request that each task worked for, `NO_REQUEST` for none or several, by the task's pointer."""
        found = [NO_REQUEST] * (self._count + 1)
        for task, request in self._of.items():
            if request is not None and task not in self._shared:
                found[task + 1] = request
        return found

    def of_steps(self, tasks: Sequence[int], starts: Sequence[int], ends: Sequence[int]) -> list[int]:
        """The request of each of many steps, `NO_REQUEST` for none; `tasks` are pointers."""
        of = self.of_tasks()
        found = [of[task] for task in tasks]
        shared = {task + 1: calls for task, calls in self._shared.items()}
        for step, task in enumerate(tasks if shared else ()):
            if task in shared:
                request = during(shared[task], self._starts, self._ends, starts[step], ends[step])
                found[step] = NO_REQUEST if request is None else request
        return found

    def _children_of_shared(self, trace: Trace, calls: dict[int, list[int]]) -> None:
        """What descends from a task that called the app several times, and has made no call of its own."""
        born: set[int] = set()
        tasks = zip(numbers(trace, "tasks", "parent"), numbers(trace, "tasks", "created_ns"), strict=True)
        for task, (parent, created_ns) in enumerate(tasks):  # parents come before their children
            if task in calls or not parent:
                continue
            if parent - 1 in self._shared:
                self._of[task] = during(self._shared[parent - 1], self._starts, self._ends, created_ns, created_ns)
                born.add(task)
            elif parent - 1 in born:
                self._of[task] = self._of[parent - 1]
                born.add(task)


owners_of = remembered(Owners)
"""The owners in a trace, found once for all who ask."""


def life(trace: Trace, index: int) -> tuple[int, int]:
    """When a request came in and ended, in nanoseconds; one that had not ended lasts to the end of the run."""
    request = trace.requests[index]
    end_ns = trace.duration_ns if request.end_ns is None else request.end_ns
    return request.start_ns, max(request.start_ns, end_ns)


def lives(trace: Trace) -> list[tuple[int, int]]:
    """The same of all requests."""
    spans = zip(numbers(trace, "requests", "start_ns"), numbers(trace, "requests", "end_ns"), strict=True)
    last_ns = trace.duration_ns
    return [(start_ns, max(start_ns, last_ns if end_ns == NO_INT else end_ns)) for start_ns, end_ns in spans]
