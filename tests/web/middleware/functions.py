"""Middleware as functions that do little, and apps behind them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.web.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from tests.web.exchange import Backend

BACKENDS: tuple[Backend, ...] = ("asyncio", "trio")
both = pytest.mark.parametrize("backend", BACKENDS)


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


async def pass_piecewise(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response: Any = await call_next(request)
    body = response.body_iterator

    async def pieces() -> AsyncIterator[bytes]:
        async for piece in body:
            yield piece

    response.body_iterator = pieces()
    return response  # type: ignore[no-any-return]


async def discard(request: Request, call_next: RequestResponseEndpoint) -> Response:
    await call_next(request)
    return PlainTextResponse("instead")


async def silence() -> Message:
    """A `receive` of a client that says nothing and stays."""
    await anyio.sleep_forever()
    raise AssertionError


def layers(app: ASGIApp, *functions: Any) -> ASGIApp:
    for function in reversed(functions):
        app = BaseHTTPMiddleware(app, dispatch=function)
    return app


def endpoint(function: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await function(Request(scope, receive, send))
        await response(scope, receive, send)

    return app
