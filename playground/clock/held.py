"""A loop that is held: whose step holds it, where that stands, and how to end it from another thread.

A handler that spins can be ended only by an exception raised in the loop's thread. This module decides how it is made
sure that it is raised within the step meant; at which line is `thrown`'s affair, and who is to be interrupted, and
when, is `thread`'s.
"""

import asyncio
import concurrent.futures
import gc
import inspect
import operator
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import thread as _pool
from contextvars import Context, ContextVar
from types import CoroutineType, FrameType
from typing import Any, Final

from playground.clock import thrown
from playground.code import short_name
from playground.errors import BrokenOff

__all__ = [
    "Interrupted",
    "busy_workers",
    "executor_of",
    "forget_between_steps",
    "has_begun",
    "is_worker",
    "running_task",
    "runs",
    "throw_into",
    "throw_while",
    "value_in",
    "where",
]

_SHOWN: Final = 3
"""Of the places where workers stand, as many as one reads in an error; the rest are counted."""

_PLUMBING: Final = ("threading", "queue", "anyio.", "concurrent.futures.")
"""The modules of which a worker's stack consists while it has nothing to do."""


class Interrupted(BrokenOff):
    """Raised in a step that holds the loop after its caller was interrupted."""


def running_task(loop: asyncio.AbstractEventLoop) -> "asyncio.Task[Any] | None":
    """The task whose step a loop runs now, asked from any thread; `None` between steps and in a callback's."""
    return asyncio.current_task(loop)


def throw_into(task: "asyncio.Task[Any]", ident: int) -> bool:
    """Raise `Interrupted` in the step that a task is taking, if it is taking one; gives whether it did.

    It lands in a function that is not asyncio's, at a line of it; a thread that is in a call of C code comes to that
    when the call returns. If the step ends before, nothing is raised.

    Args:
        task: a task; one whose coroutine is not Python's own is left alone.
        ident: its loop's thread, by `threading.get_ident`.
    """
    return throw_while(lambda: runs(task), ident, task)


def runs(task: "asyncio.Task[Any]") -> Iterator[bool]:
    """Whether the coroutine of a task runs, for `throw_while`; never, of one that is not Python's own."""
    coroutine = task.get_coro()
    return map(operator.attrgetter("cr_running"), (coroutine,) if type(coroutine) is CoroutineType else ())


def throw_while(is_so: thrown.Asked, ident: int, task: "asyncio.Task[Any] | None" = None) -> bool:
    """Raise `Interrupted` in a thread if it is so, and in the step of a task if one is given; as `throw_into`.

    Args:
        is_so: gives something lazy in C: it is asked when nothing can come in between.
        ident: the thread, by `threading.get_ident`.
        task: a task with a coroutine of Python's own.
    """
    if task is None:
        return thrown.throw(Interrupted, ident, is_so)
    coroutine = task.get_coro()
    frame = coroutine.cr_frame if type(coroutine) is CoroutineType else None
    if frame is None or not thrown.throw(Interrupted, ident, is_so, frame):
        return False
    forget_between_steps(task.get_loop(), ident)
    return True


def forget_between_steps(loop: asyncio.AbstractEventLoop, ident: int) -> None:
    """Give up what was thrown into a thread if it has not been raised when the loop's step is over."""
    if not thrown.IS_KEPT:
        return
    try:
        loop.call_soon_threadsafe(thrown.forget, ident)
    except RuntimeError:
        thrown.forget(ident)  # the loop is closed, and its last step over


def has_begun(task: "asyncio.Task[Any]") -> bool:
    """Whether a task has taken its first step, as far as can be told: of a coroutine not Python's own, it is said."""
    coroutine = task.get_coro()
    return type(coroutine) is not CoroutineType or inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED


def value_in(task: "asyncio.Task[Any]", variable: "ContextVar[Any]") -> Any:
    """What a context variable is in a task's context, asked from outside; `None` if it is not set there."""
    ask = getattr(task, "get_context", None)  # Python 3.12
    context = ask() if ask is not None else next((one for one in gc.get_referents(task) if type(one) is Context), None)
    return None if context is None else context.get(variable)


def where(ident: int) -> str:
    """The line at which a thread stands, as in a traceback."""
    frame = sys._current_frames().get(ident)
    return "  (unknown)" if frame is None else _line_at(frame)


def _line_at(frame: FrameType) -> str:
    """Where a frame stands, as a traceback writes it, but with a notebook's cell by its number."""
    (stands,) = traceback.extract_stack(frame, limit=1)
    line = f"    {stands.line}\n" if stands.line else ""
    return f'  File "{short_name(stands.filename)}", line {stands.lineno}, in {stands.name}\n{line}'


def busy_workers(loop: asyncio.AbstractEventLoop) -> str:
    """The lines at which a loop's worker threads stand that have something to do, as in a traceback; may be empty."""
    frames = sys._current_frames()
    stands: Counter[str] = Counter()
    for thread in _workers(loop):
        frame = frames.get(thread.ident or 0)
        if frame is not None and not _is_idle(frame):
            stands[_line_at(frame)] += 1
    lines = [text if count == 1 else f"{text.rstrip()}  (in {count} threads)\n" for text, count in stands.items()]
    more = len(lines) - _SHOWN
    return "".join(lines[:_SHOWN]) + (f"  and at {more} other places\n" if more > 0 else "")


def _workers(loop: asyncio.AbstractEventLoop) -> Iterator[threading.Thread]:
    """anyio's worker threads of a loop, which know it, and those of its default executor."""
    executor = getattr(loop, "_default_executor", None)
    pool = getattr(executor, "_threads", ())
    return (thread for thread in threading.enumerate() if getattr(thread, "loop", None) is loop or thread in pool)


def is_worker(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> bool:
    """Whether a thread is one of a loop's workers, asked from within it."""
    if getattr(thread, "loop", None) is loop:
        return True
    executor = getattr(loop, "_default_executor", None)
    return executor is not None and executor_of(thread) is executor


def executor_of(thread: threading.Thread | None) -> concurrent.futures.Executor | None:
    """The executor that has made a thread, from when it starts until it ends; `None` if none has, or it is gone.

    It is the thread that is asked: the executor knows of one only when that has started and is at work.
    """
    if getattr(thread, "_target", None) is not _pool._worker:
        return None  # a subclass of the user's may keep anything in its arguments
    reference: Callable[[], concurrent.futures.Executor | None] = vars(thread)["_args"][0]
    return reference()


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_idle(frame: FrameType) -> bool:
    # a function in C has no frame of its own: its caller's, which is `run` of anyio and of the executor, is innermost
    modules = (str(each.f_globals.get("__name__")) for each in _stack(frame))
    return frame.f_code.co_name != "run" and all(module.startswith(_PLUMBING) for module in modules)
