"""Whose lanes a timeline has: the requests, or, in a recording of code that is no web app, the tasks.

It decides which of them are shown, what each is called, from when to when it lived, and whose each step is. It refuses
to know rows, kinds and pixels: those who draw lanes speak of requests, and what they say is as true of tasks.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from playground.trace import Trace
from playground.trace.tables import NO_INT, WORDS
from playground.views.bulk import numbers, values
from playground.views.nobodys import shown_tasks
from playground.views.segments import NO_REQUEST, OwnersLike, lives, owners_of
from playground.views.wording import failed, label

__all__ = ["Noun", "RequestFacts", "Subjects", "subjects_of"]

Noun = Literal["request", "task", "job"]

_UNNAMED: Final = re.compile(r"Task-\d+|experiment")  # what asyncio calls a task that nobody named, and a lab its first
_CELL: Final = "InteractiveShell.run_cell_async"
_LIFESPAN: Final = "_Life._run"
# More names than this nobody reads, and each is told once for each line at which its task stood: then the panel alone
# tells them. A name for each of 200,000 tasks made 28 MB of a packet of 4.
_MOST_NAMES: Final = 10_000


class RequestFacts(NamedTuple):
    """What a view says of a request; `failure` is how it failed, as `wording.failure` says it, or empty.

    Of a task, `number` is its index in the recording, `path` is empty, and `error` says how it ended, if not by
    returning: `raised`, `cancelled` or `pending`.
    """

    number: int
    label: str
    path: str
    status: int | None
    error: str | None
    failure: str


class Subjects(NamedTuple):
    """Who has lanes, in order of their numbers.

    Attributes:
        noun: what they are.
        facts: what is said of each.
        lives: when each began and ended, in nanoseconds.
        tasks: a pointer to the task of each; 0 for none.
        owners: for whom of them a task worked.
    """

    noun: Noun
    facts: tuple[RequestFacts, ...]
    lives: list[tuple[int, int]]
    tasks: Sequence[int]
    owners: OwnersLike


def subjects_of(trace: Trace) -> Subjects:
    """The requests of a recording; if it has none, its tasks."""
    if len(trace.requests) or not len(trace.tasks):
        tasks = numbers(trace, "requests", "task")
        return Subjects("request", _request_facts(trace), lives(trace), tasks, owners_of(trace))
    shown = shown_tasks(trace)
    facts = _task_facts(trace, shown)
    born, ended = numbers(trace, "tasks", "created_ns"), numbers(trace, "tasks", "ended_ns")
    ends = (trace.duration_ns if ended[task] == NO_INT else ended[task] for task in shown)
    lived = [(born[task], max(born[task], end_ns)) for task, end_ns in zip(shown, ends, strict=True)]
    return Subjects("task", facts, lived, [task + 1 for task in shown], _OfTasks(shown, len(trace.tasks)))


class _OfTasks:
    """Owners where each task works for itself; for none those that are not shown."""

    def __init__(self, shown: Iterable[int], count: int) -> None:
        self._of = [NO_REQUEST] * (count + 1)
        for index, task in enumerate(shown):
            self._of[task + 1] = index

    def at(self, task: int | None, start_ns: int, end_ns: int) -> int | None:
        found = NO_REQUEST if task is None else self._of[task + 1]
        return None if found == NO_REQUEST else found

    def of_tasks(self) -> list[int]:
        return self._of

    def of_steps(self, tasks: Sequence[int], starts: Sequence[int], ends: Sequence[int]) -> list[int]:
        return [self._of[task] for task in tasks]


def _request_facts(trace: Trace) -> tuple[RequestFacts, ...]:
    words = (values(trace, "requests", each) for each in ("method", "route", "path", "error"))
    methods, routes, paths, errors = ([known[at] for at in places] for places, known in words)
    statuses = [None if status == NO_INT else status for status in numbers(trace, "requests", "status")]
    labels = map(label, methods, routes, paths)
    failures = map(failed, statuses, errors)
    numbered = numbers(trace, "requests", "number")
    return tuple(map(RequestFacts, numbered, labels, paths, statuses, errors, failures))


def _task_facts(trace: Trace, shown: Sequence[int]) -> tuple[RequestFacts, ...]:
    (names, name), (coroutines, coroutine) = (values(trace, "tasks", each) for each in ("name", "coroutine"))
    labels = [_called(name[names[task]], coroutine[coroutines[task]]) for task in shown]
    if len(set(labels)) > _MOST_NAMES:
        labels = [_called("", coroutine[coroutines[task]]) for task in shown]
    outcomes = [WORDS["TaskOutcome"][outcome] for outcome in numbers(trace, "tasks", "outcome")]
    ends = (outcomes[task] for task in shown)
    return tuple(
        RequestFacts(task, called, "", None, None if end == "returned" else end, end if end == "raised" else "")
        for task, called, end in zip(shown, labels, ends, strict=True)
    )


def _called(name: str, coroutine: str) -> str:
    """What a task is called: its coroutine, and its own name where it was given one: `consume (first)`, `consume 1`.

    trio calls a task that nobody named by its function and that function's module.
    """
    if coroutine == _CELL:
        return "the cell"
    if coroutine == _LIFESPAN:
        return "the app's lifespan"
    runs = coroutine.rpartition(".<locals>.")[2]
    unnamed = not name or _UNNAMED.fullmatch(name) or name in (coroutine, runs) or name.endswith(f".{coroutine}")
    return runs if unnamed else name if runs in name else f"{runs} ({name})"
