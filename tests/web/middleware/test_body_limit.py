"""Limits on bodies: the innermost holds, and an app that has not noticed is answered for."""

from collections.abc import AsyncIterator

import pytest

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.errors import UsageError
from playground.web.applications import Starlette
from playground.web.exceptions import HTTPException
from playground.web.middleware import Middleware
from playground.web.middleware.body_limit import RequestBodyLimitMiddleware
from playground.web.requests import Request
from playground.web.responses import JSONResponse, Response, StreamingResponse
from playground.web.routing import Route
from tests.web.exchange import call, exactly, request_message

LENGTH_9 = [(b"content-length", b"9")]


async def echo(request: Request) -> Response:
    return Response(await request.body())


def teapot(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"too large": True}, status_code=error.status_code)


@pytest.mark.parametrize("headers", [[], LENGTH_9])
def test_an_apps_own_answer_to_a_body_that_is_too_large_stands(headers: list[tuple[bytes, bytes]]) -> None:
    limits = [Middleware(RequestBodyLimitMiddleware, max_body_size=size) for size in (8, 5)]
    app = Starlette(
        routes=[Route("/", echo, methods=["POST"])], middleware=limits, exception_handlers={HTTPException: teapot}
    )
    exchange = call(app, method="POST", headers=headers, messages=[request_message(b"123456789")])
    assert (exchange.status, exchange.text) == (413, '{"too large":true}')


def test_an_inner_limit_may_allow_more() -> None:
    app: ASGIApp = RequestBodyLimitMiddleware(_echo, max_body_size=20)
    app = RequestBodyLimitMiddleware(app, max_body_size=5)
    assert call(app, method="POST", headers=LENGTH_9, messages=[request_message(b"123456789")]).body == b"123456789"


def test_a_stream_that_was_answered_for_is_told_to_stop() -> None:
    made = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(1_000):
                made.append(number)
                yield b"piece"

        await StreamingResponse(pieces())(scope, receive, send)

    exchange = call(RequestBodyLimitMiddleware(app, max_body_size=5), method="POST", headers=LENGTH_9)
    assert (exchange.status, exchange.text, exchange.error) == (413, "Content Too Large", None)
    assert made == [0]


def test_a_length_of_a_million_digits_is_read_in_no_time() -> None:
    headers = [(b"content-length", b"9" * 1_000_000)]
    assert call(RequestBodyLimitMiddleware(_echo, max_body_size=5), method="POST", headers=headers).status == 413


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(UsageError, match=exactly("Expected a max_body_size of 0 or more bytes, got -1.")):
        RequestBodyLimitMiddleware(_echo, max_body_size=-1)


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    await (await echo(Request(scope, receive)))(scope, receive, send)
