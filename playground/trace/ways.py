"""Ways: on which trail a task notes what a request passes through, just then.

A request's way is a context variable, so it follows the request into the tasks that are made for it, each of which
goes on from the span in which it was made, on a trail of its own. A request that did not come through `recorded_app`
has none, and is passed through unnoticed. What the notes mean is worked out by `spans`, later.
"""

import asyncio
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import ContextVar, Token
from threading import get_ident
from typing import Any, Final, Protocol

from playground.trace.spans import OVER, Branch
from playground.trace.trails import Trails

__all__ = ["SpanRecorder", "arrive", "elsewhere", "set_out", "task_on", "way_here", "way_of"]


class SpanRecorder(Protocol):
    """What spans need of a recorder."""

    now: Callable[[], int]
    trails: Trails
    ended_ns: int | None
    borrowed: ExitStack
    """What is to be given back when the recording is over."""

    def number_of(self, task: "asyncio.Task[Any] | None") -> int:
        """The number of a task; 0 for none."""


Way = tuple[Any, Any, int, Callable[[Any], None], Callable[[], int], SpanRecorder, int]
"""One request's way through the app, in one task: the loop, the task and the thread whose way it is; what notes one
thing on the trail, and the clock, as what is noted and when come in turn; whom it is told, and the request's number.
A mere tuple, as one is made for each request."""


_way: Final[ContextVar[Way | None]] = ContextVar("playground_way", default=None)
way_of: Final[Callable[[], Way | None]] = _way.get
"""The way of this task, or of the one that has made it; ask `way_here`, unless each tenth of a microsecond counts."""

task_on: Final[Callable[[Any], Any]] = asyncio.tasks._current_tasks.get  # type: ignore[attr-defined]
"""The task that runs on a loop; on Python 3.11, `asyncio.current_task` costs more than all else that is noted."""


def way_here() -> Way | None:
    """The way of this task; `None` if what it does is not recorded."""
    way = way_of()
    if way is None or (task_on(way[0]) is way[1] and get_ident() == way[2]):
        return way
    return elsewhere(way)


def elsewhere(way: Way) -> Way | None:
    """The way of another task that was made on this one.

    On another thread's loop there is none, for its tasks are not recorded.
    """
    _, _, thread, note, now, recorder, request = way
    if thread != get_ident():
        return None
    loop = asyncio._get_running_loop()
    task = task_on(loop)
    branch = Branch()
    note(branch)
    note(now())
    notes: list[Any] = []
    recorder.trails.begin((notes, request, recorder.number_of(task), branch, _end_of(task)))
    way = (loop, task, thread, notes.append, now, recorder, request)
    _way.set(way)
    return way


def _end_of(task: "asyncio.Task[Any] | None") -> Callable[[], bool]:
    """Tells whether a task is over, without holding on to it."""
    if task is None:  # somebody steps through it by hand, and may do so as long as he likes
        return lambda: False
    there = weakref.ref(task)
    return lambda: (task := there()) is None or task.done()


def set_out(
    recorder: SpanRecorder, notes: list[Any], request: int, loop: Any, task: Any, number: int
) -> "Token[Way | None]":
    """From here on, spans of this task, and of those that it makes, belong to a request.

    Args:
        notes: the request's trail, with nothing on it yet.
        request: an index into the recorder's requests.
        loop, task, number: those that run, and the task's number.
    """
    recorder.trails.begin((notes, request, number, None, None))
    return _way.set((loop, task, get_ident(), notes.append, recorder.now, recorder, request))


def arrive(notes: list[Any], token: "Token[Way | None]", at_ns: int) -> None:
    """The request is over."""
    notes += (OVER, at_ns)
    try:
        _way.reset(token)
    except ValueError:  # the call was given up, and somebody else closes it, whose context this is
        return
