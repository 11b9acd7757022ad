"""A function of a request, or of a websocket, made into an ASGI app.

It decides where the function runs (on the loop if it is async, else in a worker thread, by one hand-off)
and says in words what is wrong with what it returned. It refuses to know which path led here.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import to_thread

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import HandlerError

from ._exception_handler import HANDLERS_KEY, ResponseWatch, answer, watched
from ._utils import is_async_callable
from .requests import Request
from .websockets import WebSocket

__all__ = ["refuse_result", "request_response", "websocket_session"]


def request_response(func: Callable[[Request[Any]], Awaitable[Any] | Any]) -> ASGIApp:
    """An app that calls `func` with the request and sends the response that it returns.

    Exceptions are answered by the handlers in the scope, if they have one.
    """
    call = func if is_async_callable(func) else _in_thread(func)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any] = Request(scope, receive, send)
        # Outside of an app nobody answers exceptions, and nobody asks whether the response has started.
        is_handled = HANDLERS_KEY in scope
        watch: Any = watched(send) if is_handled and type(send) is not ResponseWatch else send
        try:
            response = await call(request)
            if not callable(response):
                raise refuse_result(func, response)
            await response(scope, receive, watch)
        except Exception as error:
            if not is_handled or not await answer(error, request, scope, receive, watch):
                raise

    return app


def websocket_session(func: Callable[[WebSocket[Any]], Awaitable[None]]) -> ASGIApp:
    """An app that calls `func` with the websocket.

    Exceptions are answered by the handlers in the scope, if they have one.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket: WebSocket[Any] = WebSocket(scope, receive, send)
        try:
            session = func(websocket)
            if not inspect.isawaitable(session):
                raise _not_async(func)
            await session
        except Exception as error:
            if not await answer(error, websocket, scope, receive, watched(send)):
                raise

    return app


def _not_async(func: Callable[..., Any]) -> HandlerError:
    name = getattr(func, "__name__", type(func).__name__)
    return HandlerError(
        f"The websocket handler {name!r} must be an async function, got a plain one. "
        f"Write `async def {name}(...)`: it awaits what it sends and receives."
    )


def _in_thread(func: Callable[..., Any]) -> Callable[[Request[Any]], Awaitable[Any]]:
    async def call(request: Request[Any]) -> Any:
        return await to_thread.run_sync(func, request)

    return call


def refuse_result(func: Callable[..., Any], result: Any) -> HandlerError:
    """What to raise of a handler that returned something that is no response."""
    name = getattr(func, "__name__", type(func).__name__)
    if inspect.iscoroutine(result):
        inner = result.__qualname__
        result.close()
        return HandlerError(
            f"The handler {name!r} returned a coroutine that nobody awaited: {inner!r} was called without "
            f"`await`. Make the handler `async def` and write `await {inner}(...)`."
        )
    return HandlerError(
        f"The handler {name!r} must return a Response, got {type(result).__name__}. "
        "Return JSONResponse(...) or PlainTextResponse(...), or declare it with playground.App, "
        "which makes responses of dict, list, str, bytes and None."
    )
