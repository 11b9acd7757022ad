"""Work that is done after the response has been sent.

A task decides only how its function is called: awaited if it is a coroutine function, else handed to a
worker thread, one of its own limiter's if it has one. It refuses to know what the response was and who
else waits.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ParamSpec

import anyio
import anyio.to_thread

from ._utils import is_async_callable

__all__ = ["BackgroundTask", "BackgroundTasks"]

P = ParamSpec("P")


class BackgroundTask:
    """One call to make later: `await task()` makes it.

    Attributes:
        limiter: how many worker threads such calls may have at once. Give tasks that take long one of their
            own, and they do not keep handlers from the threads that those share; `None` shares them.
    """

    limiter: anyio.CapacityLimiter | None = None

    def __init__(self, func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        self.func = func
        self.args = args
        self.kwargs = kwargs
        self.is_async = is_async_callable(func)

    async def __call__(self) -> None:
        if self.is_async:
            await self.func(*self.args, **self.kwargs)
        else:
            call = partial(self.func, *self.args, **self.kwargs)
            await anyio.to_thread.run_sync(call, limiter=self.limiter)


class BackgroundTasks(BackgroundTask):
    """Several calls, made one after another in the order in which they were added.

    A task that raises ends the sequence; the tasks after it are not run.

    Args:
        tasks: the first calls.
        limiter: for the calls that are added and have none of their own.
    """

    def __init__(
        self, tasks: Sequence[BackgroundTask] | None = None, *, limiter: anyio.CapacityLimiter | None = None
    ) -> None:
        self.tasks = list(tasks) if tasks else []
        self.limiter = limiter

    def add_task(self, func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Add a call to the end of the sequence."""
        task = BackgroundTask(func, *args, **kwargs)
        task.limiter = self.limiter
        self.tasks.append(task)

    async def __call__(self) -> None:
        for task in self.tasks:
            await task()
