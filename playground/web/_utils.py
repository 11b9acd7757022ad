"""What several modules ask: is this callable async, what is left of the path here, which host is meant.

And one thing that they do: run tasks in a group whose only error is raised as it is.
"""

import asyncio.coroutines
import functools
import inspect
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

import anyio
import anyio.abc

from playground.asgi import Scope

from ._hosts import ParsedHost, parse_host_header

__all__ = [
    "ParsedHost",
    "create_collapsing_task_group",
    "get_route_path",
    "is_async_callable",
    "parse_host_header",
    "raise_alone",
]

# Any object but `None` where there is no such mark, so that nothing has it.
_ASYNCIO_MARK: Final = getattr(asyncio.coroutines, "_is_coroutine", object())


def is_async_callable(obj: Any) -> bool:
    """Say whether calling `obj` gives a coroutine.

    True for a coroutine function, for an object whose `__call__` is one, and for a partial of either.
    """
    code = getattr(getattr(obj, "__func__", obj), "__code__", None)
    if code is not None and code.co_flags & inspect.CO_COROUTINE:
        return True  # the usual case, found without `inspect`, for this is asked of every exception's handler
    while isinstance(obj, functools.partial):
        obj = obj.func
    if _gives_coroutine(obj):
        return True
    return callable(obj) and _gives_coroutine(type(obj).__call__)


def _gives_coroutine(function: Any) -> bool:
    # Before Python 3.12 a mock of an async function bears asyncio's mark, which `inspect` does not know.
    return inspect.iscoroutinefunction(function) or getattr(function, "_is_coroutine", None) is _ASYNCIO_MARK


def get_route_path(scope: Scope) -> str:
    """The path without the part under which the app is mounted (`root_path`)."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    if not root_path or not path.startswith(root_path):
        return path
    rest = path[len(root_path) :]
    # `/apis` is not under `/api`.
    return rest if not rest or rest.startswith("/") else path


@asynccontextmanager
async def create_collapsing_task_group() -> AsyncGenerator[anyio.abc.TaskGroup, None]:
    """A task group; if exactly one error ends it, that is raised, and no group of one."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise_alone(errors)


def raise_alone(errors: BaseExceptionGroup[BaseException]) -> NoReturn:
    """Raise the only error of a group; the group itself if it has several."""
    if len(errors.exceptions) > 1:
        raise errors
    error = errors.exceptions[0]
    # Who raised it knows its cause; the group adds nothing.
    raise error from error.__cause__ if error.__cause__ is not None else None
