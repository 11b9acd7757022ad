"""In words: why nothing can go on in virtual time. Who waits, at which line, for what.

It looks at tasks and at threads that stand still, and changes nothing. It names the user's own line where there is
one, and says what library call the task stopped in; it never asks an object of the user's for its `repr`.
"""

import asyncio
import os
from collections.abc import Iterable
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

from playground.clock import workers
from playground.clock.lines import line_of, own_place_of
from playground.code import is_own

if TYPE_CHECKING:
    from playground.clock.virtual import VirtualLoop

__all__ = ["lines_of", "loop_blocked", "nobody_can_run", "running_in_circles"]

_OURS: Final = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
_UNKNOWN: Final = "unknown place"
_SHOWN: Final = 20
"""How many tasks are named; a thousand lines help nobody."""


def nobody_can_run(loop: "VirtualLoop") -> str:
    """Why it is a deadlock: nothing is set to happen, but these wait."""
    return _told(
        loop,
        "expected somebody to go on, but nothing can run and no timer is set",
        "Let one of these be woken, or give its wait a timeout:",
    )


def loop_blocked(loop: "VirtualLoop") -> str:
    """Why a step of the loop will never end."""
    return _told(
        loop,
        "expected this call to return, but it blocks the event loop, and only the loop, or nobody, could end its wait",
        "Await instead of blocking. There are:",
    )


def running_in_circles(loop: "VirtualLoop") -> str:
    """Who keeps running while time stands still."""
    return _told(
        loop,
        "expected time to pass, but something goes on for ever without letting it",
        "Code that polls has to sleep for longer than nothing. There are:",
    )


def lines_of(tasks: "Iterable[asyncio.Task[Any]]") -> list[str]:
    """What each of some tasks waits for, a line for each. They need not be in virtual time."""
    return _some([_task_line(_own_link(task), task) for task in sorted(tasks, key=_created)])


def _told(loop: "VirtualLoop", problem: str, advice: str) -> str:
    return "\n".join((f"{problem}, at {loop.time():.9g} s of virtual time. {advice}", *_waiting(loop)))


def _waiting(loop: "VirtualLoop") -> list[str]:
    running = asyncio.current_task(loop)
    lines = []
    for task in sorted(_tasks(loop), key=_created):
        link = _own_link(task)
        if task is running:  # a chain of awaits that runs cannot be followed, but its thread's frames can
            lines.append(f"  task {task.get_name()!r} waits at {own_place_of(loop.baton.loop.ident) or _UNKNOWN}")
        elif link is not None or not _is_ours(task):
            # our own, such as the one that holds an app's lifespan open, are not whom one looks for
            lines.append(_task_line(link, task))
    for runner in loop.baton.workers:
        place = own_place_of(runner.ident)
        if place is not None or workers.is_at_work(runner):
            lines.append(f"  {runner.name} waits at {place or _UNKNOWN}")
    return _some(lines)


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return lines if more <= 0 else [*lines[:_SHOWN], f"  … and {more} more"]


def _tasks(loop: "VirtualLoop") -> "set[asyncio.Task[Any]]":
    keeper = loop.keeper
    return {task for task in asyncio.all_tasks(loop) if task is not keeper}


def _created(task: "asyncio.Task[Any]") -> Any:
    return getattr(task, "serial", 0)


def _links(task: "asyncio.Task[Any]") -> list[Any]:
    """The coroutines in a task's chain of awaits, the outermost first."""
    links = []
    link: Any = task.get_coro()
    while type(link) is CoroutineType:
        links.append(link)
        link = link.cr_await
    return links


def _own_link(task: "asyncio.Task[Any]") -> Any:
    """The innermost coroutine in a task's chain of awaits that is the user's own."""
    return next((link for link in reversed(_links(task)) if is_own(link.cr_code.co_filename)), None)


def _is_ours(task: "asyncio.Task[Any]") -> bool:
    first = next(iter(_links(task)), None)
    return first is not None and first.cr_code.co_filename.startswith(_OURS)


def _task_line(own: Any, task: "asyncio.Task[Any]") -> str:
    last = next(reversed(_links(task)), None)
    shown = own or last
    where = line_of(shown.cr_code, shown.cr_frame.f_lineno) if shown is not None and shown.cr_frame else _UNKNOWN
    call = f", in {last.cr_code.co_qualname}" if last is not None and last is not shown else ""
    return f"  task {task.get_name()!r} waits at {where}{call}"
