"""What middleware and the app behind it hear of one request: its body, and that its client has left."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from playground.asgi import Message, Receive, Scope, Send
from playground.web.middleware.base import RequestResponseEndpoint
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response, StreamingResponse
from tests.web.exchange import Backend, call, call_scope, http_scope, request_message, run
from tests.web.middleware.functions import both, discard, endpoint, layers, pass_on, pass_piecewise, silence


@both
def test_middleware_and_app_both_read_the_body(backend: Backend) -> None:
    async def echo(request: Request) -> Response:
        return PlainTextResponse(await request.body())

    async def read(request: Request, call_next: RequestResponseEndpoint) -> Response:
        body = await request.body()
        response = await call_next(request)
        assert await request.body() == body
        response.headers["x-length"] = str(len(body))
        return response

    pieces = [request_message(b"one ", more_body=True), request_message(b"two")]
    exchange = call(layers(endpoint(echo), read, read), method="POST", messages=pieces, backend=backend)
    assert (exchange.body, exchange.headers["x-length"]) == (b"one two", "7")


@both
def test_asking_for_the_clients_leaving_loses_nothing_of_the_body(backend: Backend) -> None:
    async def echo(request: Request) -> Response:
        assert not await request.is_disconnected()
        return PlainTextResponse(await request.body())

    async def ask(request: Request, call_next: RequestResponseEndpoint) -> Response:
        assert not await request.is_disconnected()
        return await call_next(request)

    pieces = [request_message(b"%d" % number, more_body=number < 5) for number in range(6)]
    exchange = call(layers(endpoint(echo), ask, ask), method="POST", messages=pieces, backend=backend)
    assert (exchange.error, exchange.body) == (None, b"012345")


@both
def test_call_next_takes_another_request(backend: Backend) -> None:
    async def path(request: Request) -> Response:
        return PlainTextResponse(request.url.path)

    async def rewrite(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(Request({**request.scope, "path": "/other"}))

    assert call(layers(endpoint(path), rewrite), backend=backend).text == "/other"


@both
def test_the_clients_leaving_is_seen_behind_middleware(backend: Backend) -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        seen.append(await request.is_disconnected())
        seen.append((await receive())["type"] == "http.disconnect")
        await PlainTextResponse("")(scope, receive, send)

    assert call(layers(app, pass_on, pass_on), backend=backend).error is None
    assert seen == [True, True]


@both
@pytest.mark.parametrize("function", [pass_on, pass_piecewise])
def test_a_stream_ends_when_the_client_leaves(backend: Backend, function: Any) -> None:
    """By the older rule, in which servers say so by a message alone."""
    closed = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"piece"
                await anyio.sleep(0.001)
        finally:
            closed.append(True)

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces())

    scope = http_scope(asgi={"version": "3.0", "spec_version": "2.3"})
    assert call_scope(layers(endpoint(stream), function), scope, backend=backend).error is None
    assert closed == [True]


@both
def test_an_app_whose_response_was_thrown_away_hears_that_the_client_has_left(backend: Backend) -> None:
    heard = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        heard.append(await receive())

    async def main() -> None:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        await layers(app, discard)(http_scope(), silence, send)
        assert sent[1]["body"] == b"instead"

    run(main, backend)
    assert heard == [{"type": "http.disconnect"}]


@both
def test_an_endless_stream_that_was_thrown_away_ends(backend: Backend) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"piece"

    async def stream(request: Request) -> Response:
        return StreamingResponse(pieces())

    exchange = call(layers(endpoint(stream), discard), backend=backend)
    assert (exchange.error, exchange.text) == (None, "instead")


@both
def test_a_timeout_around_call_next_ends_the_app(backend: Backend) -> None:
    ended = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    async def limit(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with anyio.move_on_after(0.001):
            return await call_next(request)
        return PlainTextResponse("too late", status_code=504)

    exchange = call(layers(app, limit), backend=backend)
    assert (exchange.status, exchange.error, ended) == (504, None, [True])


@both
def test_a_timeout_that_ends_with_call_next_leaves_the_stream_alone(backend: Backend) -> None:
    """The app's own cancel scope is still open then; in one task the two would be entangled."""

    async def stream(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"whole"

        return StreamingResponse(pieces())

    async def limit(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with anyio.fail_after(60):
            return await call_next(request)

    async def main() -> bytes:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = http_scope(asgi={"version": "3.0", "spec_version": "2.3"})
        await layers(endpoint(stream), limit, limit)(scope, silence, send)
        return b"".join(message.get("body", b"") for message in sent)

    assert run(main, backend) == b"whole"
