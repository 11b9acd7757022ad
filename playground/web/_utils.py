"""Two questions that several modules ask: is this callable async, and what is left of the path here.

The first is asked when a route or a handler is registered, never for a request.
"""

import functools
import inspect
from typing import Any

from playground.asgi import Scope

__all__ = ["get_route_path", "is_async_callable"]


def is_async_callable(obj: Any) -> bool:
    """Say whether calling `obj` gives a coroutine.

    True for a coroutine function, for an object whose `__call__` is one, and for a partial of either.
    """
    while isinstance(obj, functools.partial):
        obj = obj.func
    if inspect.iscoroutinefunction(obj):
        return True
    return callable(obj) and inspect.iscoroutinefunction(type(obj).__call__)


def get_route_path(scope: Scope) -> str:
    """The path without the part under which the app is mounted (`root_path`)."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    if not root_path or not path.startswith(root_path):
        return path
    rest = path[len(root_path) :]
    # `/apis` is not under `/api`.
    return rest if not rest or rest.startswith("/") else path
