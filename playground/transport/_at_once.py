"""Tasks of asyncio that run up to their first wait while they are made.

Most apps answer without waiting for anything. Such an app needs a task of its own, for its cancel scopes and its
timeouts, but it needs no turn of the loop. Python starts a task so from 3.12 on (`eager_start`). On 3.11 the same is
done by hand: the task's first step is taken from the loop's queue, where it was put a moment before, and run between
the two calls with which asyncio's documentation ("Extending") lets others switch the current task. What runs in the
task, and who waits for it, is no business of this module.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Final

__all__ = ["start_at_once", "starts_plainly"]

_TASK: Final = asyncio.Task  # the one written in C: nest_asyncio puts the other in its place
_CREATE_TASK: Final = asyncio.BaseEventLoop.create_task
_CALL_SOON: Final = asyncio.BaseEventLoop.call_soon


def starts_plainly(loop: Any) -> bool:
    """Whether a loop makes its tasks, and queues their steps, as asyncio does.

    Where anybody has a say in that (a recorder, a patched or a foreign loop, a task factory), or wants to be told,
    tasks are made by `loop.create_task`, as he expects.
    """
    return (
        getattr(loop.create_task, "__func__", None) is _CREATE_TASK
        and getattr(loop.call_soon, "__func__", None) is _CALL_SOON
        and loop.get_task_factory() is None
        and asyncio.Task is _TASK
    )


if sys.version_info >= (3, 12):

    def start_at_once(loop: Any, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Make a task of the running loop and run it up to its first wait, in a copy of the caller's context."""
        return _TASK(coroutine, loop=loop, name=name, eager_start=True)

else:
    from asyncio.tasks import _enter_task, _leave_task

    def start_at_once(loop: Any, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Make a task of the running loop and run it up to its first wait, in a copy of the caller's context."""
        caller = asyncio.current_task(loop)
        task = _TASK(coroutine, loop=loop, name=name)
        ready = loop._ready
        step = ready.pop()
        steps: object = getattr(step._callback, "__self__", None)
        if caller is None or steps is not task:
            ready.append(step)  # another thread was quicker to put something there: let the loop start the task
            return task
        _leave_task(loop, caller)
        try:
            step._run()
        finally:
            _enter_task(loop, caller)
        return task
