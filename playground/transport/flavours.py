"""Which interface an app has: ASGI 3, or ASGI 2, whose apps are called twice.

Pure look-ups and one adapter. An app is never called to find out.
"""

import inspect
from typing import Any

from playground.asgi import ASGIApp, Receive, Scope, Send

__all__ = ["as_asgi3", "is_asgi3"]


def is_asgi3(app: Any) -> bool:
    """Whether one call of `app` with scope, receive and send gives something to await.

    A class is one of ASGI 2, since calling it makes an instance and cannot be awaited, unless its
    instances can be.
    """
    if inspect.isclass(app):
        return hasattr(app, "__await__")
    while hasattr(app, "func") and hasattr(app, "keywords"):  # functools.partial
        app = app.func
    call = app if inspect.isroutine(app) else getattr(app, "__call__", app)  # noqa: B004 - the method is wanted
    return inspect.iscoroutinefunction(call) or _takes_three(call)


def as_asgi3(app: Any) -> ASGIApp:
    """Return `app` if it is an ASGI 3 app, or one that calls it twice if it is an ASGI 2 app."""
    if is_asgi3(app):
        asgi3: ASGIApp = app
        return asgi3

    async def called_twice(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope)(receive, send)

    return called_twice


def _takes_three(call: Any) -> bool:
    """Whether a plain function takes three arguments, as one does that returns another's coroutine."""
    try:
        inspect.signature(call).bind(None, None, None)
    except (TypeError, ValueError):
        return False
    return True
