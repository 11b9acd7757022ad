"""A function of a request, made into an ASGI app.

It decides where the function runs (on the loop if it is async, else in a worker thread, by one hand-off)
and says in words what is wrong with what it returned. It refuses to know which path led here.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import to_thread

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import HandlerError

from ._exception_handler import answer, watched
from ._utils import is_async_callable
from .requests import Request

__all__ = ["request_response"]


def request_response(func: Callable[[Request[Any]], Awaitable[Any] | Any]) -> ASGIApp:
    """An app that calls `func` with the request and sends the response that it returns.

    Exceptions are answered by the handlers in the scope, if they have one.
    """
    call = func if is_async_callable(func) else _in_thread(func)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request: Request[Any] = Request(scope, receive, send)
        watch = watched(send)
        try:
            response = await call(request)
            if not callable(response):
                raise _wrong_result(func, response)
            await response(scope, receive, watch)
        except Exception as error:
            if not await answer(error, request, scope, receive, watch):
                raise

    return app


def _in_thread(func: Callable[..., Any]) -> Callable[[Request[Any]], Awaitable[Any]]:
    async def call(request: Request[Any]) -> Any:
        return await to_thread.run_sync(func, request)

    return call


def _wrong_result(func: Callable[..., Any], result: Any) -> HandlerError:
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
