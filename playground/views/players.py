"""Who plays in the loop theatre, and what each is called.

A task that worked for several requests, one after the other, is an actor for each of them. It decides names only; where
an actor stands is `stage`'s business.
"""

from typing import NamedTuple

from playground.trace import Step, Task, Trace
from playground.views.segments import owners_of
from playground.views.wording import one_line, request_label

__all__ = ["Actor", "Actors", "name_of"]


class Actor(NamedTuple):
    """What an actor is called: `GET /items` and `#7`, `fetch` and `#7`, `worker` and `Task-3`; `callback f`.

    Attributes:
        request: the request's number, which then is the tag; `None` for a task of none, and for a callback.
        task: which task, or `None` for a callback.
    """

    label: str
    tag: str
    request: int | None
    task: int | None


class Actors:
    """Who plays: a task, in what it did for one request; or a callback that is no task, by its function.

    Each has a number, from 0, in the order in which they were first asked for.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._owners = owners_of(trace)
        self._numbers: dict[tuple[int | None, int | None, str], int] = {}

    def named(self) -> list[Actor]:
        """All of them, by number."""
        return [_named(self._trace, *row) for row in self._numbers]

    def requests(self) -> list[int | None]:
        """For each actor the request that it worked for, an index into the trace's."""
        return [request for _, request, _ in self._numbers]

    def of_task(self, task: int, start_ns: int, end_ns: int) -> int:
        """A task, in what it did from one moment to another."""
        return self._number(task, self._owners.at(task, start_ns, end_ns), "")

    def of_step(self, step: Step) -> int:
        """Who ran a step."""
        if step.task is None:
            return self.of_callback(step.site.function if step.site else "")
        return self.of_task(step.task, step.start_ns, step.end_ns)

    def of_callback(self, function: str) -> int:
        """A callback that is no task; `function` may be empty."""
        return self._number(None, None, function)

    def of_request(self, request: int) -> int:
        return self._number(self._trace.requests[request].task, request, "")

    def _number(self, task: int | None, request: int | None, function: str) -> int:
        return self._numbers.setdefault((task, request, function), len(self._numbers))


def name_of(actor: Actor) -> str:
    """An actor in a sentence."""
    return f"{actor.label} {actor.tag}".strip()


def _named(trace: Trace, task: int | None, request: int | None, function: str) -> Actor:
    """What to call a task in what it did for a request, or a callback."""
    if request is not None:
        row = trace.requests[request]
        label = request_label(row) if task is None or task == row.task else _task_name(trace.tasks[task])
        return Actor(one_line(label), f"#{row.number}", row.number, task)
    if task is None:
        last = function.rpartition(".")[2]  # a card has no room for the whole
        return Actor(f"callback {one_line(function if last.startswith('<') else last)}".strip(), "", None, None)
    named = trace.tasks[task]
    label = _task_name(named)
    return Actor(one_line(label), "" if label == named.name else one_line(named.name, 24), None, task)


def _task_name(task: Task) -> str:
    """Its name, if somebody gave it one; else what it runs."""
    given = not task.name.startswith("Task-") or not task.name.removeprefix("Task-").isdecimal()
    return task.name if given and task.name else task.coroutine
