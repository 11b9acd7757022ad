"""Turning exceptions into answers, for whoever runs an endpoint.

This module decides which handler an exception belongs to and whether it may still answer: once the
response has started, no second one can. It refuses to know which handlers there are; the exception
middleware puts them into the scope under the key that Starlette uses, so the two can be mixed.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final

from playground.asgi import HTTP_RESPONSE, ASGIApp, Message, Receive, Scope, Send
from playground.errors import HandlerError, ProtocolError

from ._utils import is_async_callable
from .concurrency import run_in_threadpool
from .exceptions import HTTPException

__all__ = ["HANDLERS_KEY", "ResponseWatch", "answer", "call_handler", "watched", "wrap_app_handling_exceptions"]

HANDLERS_KEY = "starlette.exception_handlers"

Handler = Callable[[Any, Any], Any]
HandlersByClass = dict[Any, Handler]
HandlersByStatus = dict[int, Handler]


class ResponseWatch:
    """A `send` that knows whether the response has started, and refuses a second one.

    A plain function that hands on what the inner `send` returns, so watching costs no coroutine; layers
    that are given one use it instead of wrapping it again.

    Raises:
        ProtocolError: the response has started and is started again, or is complete and is sent more.
    """

    __slots__ = ("_complete", "_send", "started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._complete = False
        self.started = False

    def __call__(self, message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "http.response.body":
            if self._complete:
                raise _refusal(kind, "done")
            # a body before its start is for the server to refuse, and what answers in its place may still start
            self._complete = self.started and not message.get("more_body")
        elif kind == "http.response.start":
            if self.started:
                raise _refusal(kind, "done" if self._complete else "body")
            self.started = True
        return self._send(message)


def _refusal(kind: str, stage: str) -> ProtocolError:
    expects, advice, _ = HTTP_RESPONSE[stage]
    return ProtocolError(f"Expected {expects}, but the app sent `{kind}`. {advice} {_TWICE}")


# What nearly always lies behind it.
_TWICE: Final = "A response that the handler has sent itself must not be returned as well."


def watched(send: Send) -> ResponseWatch:
    """`send`, watched: itself if it is a watch already."""
    return send if type(send) is ResponseWatch else ResponseWatch(send)


def wrap_app_handling_exceptions(app: ASGIApp, conn: Any) -> ASGIApp:
    """An app that answers the exceptions of `app` by the handlers in the scope.

    Args:
        app: what may raise.
        conn: the request or websocket that a handler is given.
    """

    async def wrapped_app(scope: Scope, receive: Receive, send: Send) -> None:
        watch = watched(send)
        try:
            await app(scope, receive, watch)
        except Exception as error:
            if not await answer(error, conn, scope, receive, watch):
                raise

    return wrapped_app


async def answer(error: Exception, conn: Any, scope: Scope, receive: Receive, watch: ResponseWatch) -> bool:
    """Answer an exception by its handler; return false if it has none.

    Raises:
        RuntimeError: it has a handler, but the response has started already.
        HandlerError: the handler returned no response.
    """
    by_class, by_status = scope.get(HANDLERS_KEY, ({}, {}))
    handler = _handler_for(error, by_class, by_status)
    if handler is None:
        return False
    if watch.started:
        raise RuntimeError("Caught handled exception, but response already started.") from error
    response = await call_handler(handler, conn, error)
    if response is not None:
        await response(scope, receive, watch)
    elif scope["type"] == "http":
        raise HandlerError(
            f"The exception handler {_name(handler)!r} returned None, so {type(error).__name__} has no answer. "
            "Return a Response, such as PlainTextResponse('...', status_code=500)."
        )
    # The frames of a request are not kept alive by an exception that somebody keeps.
    error.__traceback__ = None
    return True


async def call_handler(handler: Handler, conn: Any, error: Exception) -> Any:
    """Call an exception handler: on the loop if it is async, else in a worker thread."""
    if is_async_callable(handler):
        return await handler(conn, error)
    return await run_in_threadpool(handler, conn, error)


def _handler_for(error: Exception, by_class: HandlersByClass, by_status: HandlersByStatus) -> Handler | None:
    if isinstance(error, HTTPException) and error.status_code in by_status:
        return by_status[error.status_code]
    for cls in type(error).__mro__:
        if cls in by_class:
            return by_class[cls]
    return None


def _name(handler: Handler) -> str:
    return getattr(inspect.unwrap(handler), "__name__", type(handler).__name__)
