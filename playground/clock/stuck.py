"""In words: why nothing can go on in virtual time. Who waits, at which line, for what.

It looks at tasks and at threads that stand still, and changes nothing. It names the user's own line where there is
one, and says what library call the task stopped in; it never asks an object of the user's for its `repr`.
"""

import asyncio
import sys
from types import CodeType, CoroutineType, FrameType
from typing import TYPE_CHECKING, Any, Final

from playground.clock import workers
from playground.code import is_own

if TYPE_CHECKING:
    from playground.clock.baton import Runner
    from playground.clock.virtual import VirtualLoop

__all__ = ["loop_blocked", "nobody_can_run", "running_in_circles"]

_SHOWN: Final = 20
"""How many tasks are named; a thousand lines help nobody."""


def nobody_can_run(loop: "VirtualLoop") -> str:
    """Why it is a deadlock: nothing is set to happen, but these wait."""
    return "\n".join(
        (
            f"expected somebody to go on, but at virtual time {loop.time():.9g} s nothing can run and no timer is set. "
            "Let one of these be woken, or give its wait a timeout:",
            *_waiting(loop),
        )
    )


def loop_blocked(loop: "VirtualLoop") -> str:
    """Why a step of the loop will never end."""
    return "\n".join(
        (
            f"expected the call below to return, but at virtual time {loop.time():.9g} s it blocks the event loop, and "
            "only the loop, or nobody, could end its wait. Await instead of blocking:",
            *_waiting(loop),
        )
    )


def running_in_circles(loop: "VirtualLoop") -> str:
    """Who keeps running while time stands still."""
    return "\n".join(
        (
            f"expected time to pass, but at virtual time {loop.time():.9g} s something goes on for ever without letting "
            "it: code that polls has to sleep for longer than nothing. There are:",
            *_waiting(loop),
        )
    )


def _waiting(loop: "VirtualLoop") -> list[str]:
    lines = [_task_line(task) for task in sorted(_tasks(loop), key=_created)]
    lines += [_worker_line(runner) for runner in loop.baton.workers if workers.is_at_work(runner) or _own_place(runner)]
    more = len(lines) - _SHOWN
    return lines if more <= 0 else [*lines[:_SHOWN], f"  … and {more} more"]


def _tasks(loop: "VirtualLoop") -> "set[asyncio.Task[Any]]":
    keeper = loop.keeper
    return {task for task in asyncio.all_tasks(loop) if task is not keeper}


def _created(task: "asyncio.Task[Any]") -> Any:
    return getattr(task, "serial", 0)


def _task_line(task: "asyncio.Task[Any]") -> str:
    own: Any = None
    last: Any = None
    link: Any = task.get_coro()
    while type(link) is CoroutineType:
        last = link
        if is_own(link.cr_code.co_filename):
            own = link
        link = link.cr_await
    shown = own or last
    where = _place(shown.cr_code, shown.cr_frame.f_lineno) if shown is not None and shown.cr_frame else "unknown place"
    call = f", in {last.cr_code.co_qualname}" if last is not None and last is not shown else ""
    return f"  task {task.get_name()!r} waits at {where}{call}"


def _worker_line(runner: "Runner") -> str:
    place = _own_place(runner)
    where = _place(place.f_code, place.f_lineno) if place is not None else "unknown place"
    return f"  worker thread {runner.name!r} waits at {where}"


def _own_place(runner: "Runner") -> FrameType | None:
    frame = sys._current_frames().get(runner.ident)
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _place(code: CodeType, line: int) -> str:
    return f"{code.co_filename}:{line} in {code.co_qualname}"
