"""A loop that is held: whose step holds it, where that stands, and how to end it from another thread.

A handler that spins can be ended only by an exception raised in the loop's thread, which Python raises wherever that
thread is just then. This module decides how it is made sure that it is within the step meant; who is to be
interrupted, and when, is `thread`'s affair.
"""

import asyncio
import ctypes
import gc
import itertools
import operator
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterator
from contextvars import Context, ContextVar
from types import CoroutineType, FrameType
from typing import Any, Final

__all__ = ["Interrupted", "busy_workers", "running_task", "throw_into", "value_in", "where"]

_SHOWN: Final = 3
"""Of the places where workers stand, as many as one reads in an error; the rest are counted."""

_PLUMBING: Final = ("threading", "queue", "anyio.", "concurrent.futures.")
"""The modules of which a worker's stack consists while it has nothing to do."""

_throw: Final = ctypes.pythonapi.PyThreadState_SetAsyncExc
_throw.argtypes = (ctypes.c_ulong, ctypes.py_object)


class Interrupted(BaseException):
    """Raised in a step that holds the loop after its caller was interrupted."""


def running_task(loop: asyncio.AbstractEventLoop) -> "asyncio.Task[Any] | None":
    """The task whose step a loop runs now, asked from any thread; `None` between steps and in a callback's."""
    return asyncio.current_task(loop)


def throw_into(task: "asyncio.Task[Any]", ident: int) -> bool:
    """Raise `Interrupted` in the coroutine of a task if that runs now; gives whether it did.

    Looking and raising are one call of C code from end to end, within which no other thread gets the GIL, so the
    coroutine cannot stop in between. That the task is taking a step would not do: an exception in what asyncio does at
    a step's end would leave the task pending for ever. A thread that was at work raises it where it stands; one that
    was in a call of C code, when that returns. Python 3.13 raises it only when it looks the next time: where the thread
    was at the last such look of a step, at its very end, the task that was given up may stay pending; no other is hit.

    Args:
        task: a task; one whose coroutine is not Python's own is left alone.
        ident: its loop's thread, by `threading.get_ident`.
    """
    coroutine = task.get_coro()
    if type(coroutine) is not CoroutineType:
        return False
    runs = map(operator.attrgetter("cr_running"), (coroutine,))
    return any(itertools.starmap(_throw, itertools.compress(((ident, Interrupted),), runs)))


def value_in(task: "asyncio.Task[Any]", variable: "ContextVar[Any]") -> Any:
    """What a context variable is in a task's context, asked from outside; `None` if it is not set there."""
    ask = getattr(task, "get_context", None)  # Python 3.12
    context = ask() if ask is not None else next((one for one in gc.get_referents(task) if type(one) is Context), None)
    return None if context is None else context.get(variable)


def where(ident: int) -> str:
    """The line at which a thread stands, as in a traceback."""
    frame = sys._current_frames().get(ident)
    return "  (unknown)" if frame is None else "".join(traceback.format_stack(frame, limit=1))


def busy_workers(loop: asyncio.AbstractEventLoop) -> str:
    """The lines at which a loop's worker threads stand that have something to do, as in a traceback; may be empty."""
    frames = sys._current_frames()
    stands: Counter[str] = Counter()
    for thread in _workers(loop):
        frame = frames.get(thread.ident or 0)
        if frame is not None and not _is_idle(frame):
            stands["".join(traceback.format_stack(frame, limit=1))] += 1
    lines = [text if count == 1 else f"{text.rstrip()}  (in {count} threads)\n" for text, count in stands.items()]
    more = len(lines) - _SHOWN
    return "".join(lines[:_SHOWN]) + (f"  and at {more} other places\n" if more > 0 else "")


def _workers(loop: asyncio.AbstractEventLoop) -> Iterator[threading.Thread]:
    """anyio's worker threads of a loop, which know it, and those of its default executor."""
    executor = getattr(loop, "_default_executor", None)
    pool = getattr(executor, "_threads", ())
    return (thread for thread in threading.enumerate() if getattr(thread, "loop", None) is loop or thread in pool)


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_idle(frame: FrameType) -> bool:
    # a function in C has no frame of its own: its caller's, which is `run` of anyio and of the executor, is innermost
    modules = (str(each.f_globals.get("__name__")) for each in _stack(frame))
    return frame.f_code.co_name != "run" and all(module.startswith(_PLUMBING) for module in modules)
