"""Blocking calls, taken off the event loop.

This module decides one thing: a blocking call is handed to a worker thread of anyio, with exactly one
hand-off for each call. It refuses to know which event loop runs and how many threads there are; both are
anyio's.
"""

import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from .exceptions import StarletteDeprecationWarning

__all__ = ["iterate_in_threadpool", "run_in_threadpool", "run_until_first_complete"]

P = ParamSpec("P")
T = TypeVar("T")

_EXHAUSTED: Final = object()


async def run_in_threadpool(func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `func` in a worker thread and return what it returns; what it raises is raised here."""
    call: Callable[..., T] = partial(func, **kwargs) if kwargs else func
    return await anyio.to_thread.run_sync(call, *args)


async def iterate_in_threadpool(iterator: Iterable[T]) -> AsyncIterator[T]:
    """Iterate over a blocking iterable, each step in a worker thread."""
    items = iter(iterator)
    step: Callable[[], Any] = partial(next, items, _EXHAUSTED)
    # A marker is asked for instead of StopIteration, which may not cross an await.
    while (item := await anyio.to_thread.run_sync(step)) is not _EXHAUSTED:
        yield item


async def run_until_first_complete(*args: tuple[Callable[..., Coroutine[Any, Any, Any]], dict[str, Any]]) -> None:
    """Run the coroutine functions, each with its keyword arguments, until one ends; cancel the others.

    Deprecated, as in Starlette; an `anyio` task group says the same more clearly.
    """
    warnings.warn(
        "run_until_first_complete is deprecated and will be removed in a future version. "
        "Open an anyio task group and cancel its scope instead.",
        StarletteDeprecationWarning,
        stacklevel=2,
    )
    async with anyio.create_task_group() as group:

        async def run(func: Callable[[], Coroutine[Any, Any, Any]]) -> None:
            await func()
            group.cancel_scope.cancel()

        for func, kwargs in args:
            group.start_soon(run, partial(func, **kwargs))
